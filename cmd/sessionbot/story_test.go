package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// TestDecisionTable asks the bot, and the binary in a terminal, about a case of the table for each way
// of being connected to Stripe; all of it runs in process, see demo.TestCases.
func TestDecisionTable(t *testing.T) {
	t.Parallel()
	table, err := os.ReadFile("../../store/diagnosis/testdata/diagnosis.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range []struct {
		name string
		key  string
		fits func(demo.Case) bool
	}{
		{"live mode", stripeMark, func(c demo.Case) bool {
			return c.StripeKey && strings.HasPrefix(c.ID, "cs_live_") && c.Expect.Verdict == diagnosis.VerdictUndelivered
		}},
		{"test mode", "rk_test_MARKEDsecret", func(c demo.Case) bool { return c.StripeKey && strings.HasPrefix(c.ID, "cs_test_") }},
		{"no Stripe key", "", func(c demo.Case) bool { return !c.StripeKey }},
	} {
		t.Run(run.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.env["STRIPE_SECRET_KEY"] = run.key
			s.site.Break(demo.Fault{Cut: true}) // as the table has it
			s.startBot()
			cases, err := demo.Cases(table, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			asked := 0
			for _, c := range cases {
				if run.fits(c) && asked == 0 {
					s.askAbout(c)
					asked++
				}
			}
			if asked == 0 {
				t.Error("no case was asked about")
			}
			s.workspace.ExpectNothingElse()
			s.expectCleanLog("A fox runs", "Корги", "ann@example.com")
			if code := s.bot.stop(); code != 0 {
				t.Errorf("asked to stop, it exited with %d", code)
			}
		})
	}
}

// askAbout asks in Slack and in the terminal, and compares both with what the
// table expects.
func (s *stage) askAbout(c demo.Case) {
	s.t.Helper()
	if err := demo.Load(s.t.Context(), s.client, []demo.Example{c.Example()}); err != nil {
		s.t.Fatal(err)
	}
	if err := c.Put(s.stripe, s.files); err != nil {
		s.t.Fatal(err)
	}
	m := s.ask("/session debug " + c.ID)
	name := strings.ReplaceAll(string(c.Expect.Verdict), "_", " ")
	first, rest, _ := strings.Cut(m.Text, "\n")
	if !strings.HasPrefix(strings.ToLower(first), name+": ") || !strings.HasPrefix(rest, "→ ") {
		s.t.Errorf("%s: verdict and next step are not the first two lines:\n%s", c.Name, m.Text)
	}
	var report struct {
		ID      string             `json:"id"`
		Layout  store.Layout       `json:"layout"`
		Verdict diagnosis.Verdict  `json:"verdict"`
		Reason  string             `json:"reason"`
		Payment store.PaymentState `json:"payment"`
		Allowed []store.Action     `json:"allowed"`
	}
	terminal := run(s.t, s.env, "session", "debug", c.ID, "--json")
	if code := terminal.exitCode(); code != 0 {
		s.t.Fatalf("%s: the terminal exited with %d:\n%s", c.Name, code, terminal.log)
	}
	for line := range strings.Lines(terminal.log.String()) { // the log may stand before it
		if strings.HasPrefix(line, `{"id"`) {
			if err := json.Unmarshal([]byte(line), &report); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	got := fmt.Sprint(report.ID, report.Layout, report.Verdict, report.Payment, report.Allowed)
	want := fmt.Sprint(c.ID, c.Expect.Layout, c.Expect.Verdict, c.Expect.Payment, c.Expect.Allowed)
	if got != want || report.Reason == "" {
		s.t.Errorf("%s:\n got %s (%s)\nwant %s", c.Name, got, report.Reason, want)
	}
}

// TestSilentServices: a service that does not answer is named, and the rest is shown.
func TestSilentServices(t *testing.T) {
	t.Parallel()
	const id = "cs_live_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y5Z6sile"
	const rubbish = "<html><!channel>"
	for _, c := range []struct {
		name string
		fail func(*stage)
		says []string
	}{
		{"Redis frozen", func(s *stage) { s.redis.Freeze(s.t) },
			[]string{"Unclear: Redis could not be read", "Redis did not answer", "paid $1.00"}},
		{"Stripe hanging", func(s *stage) { s.stripe.Break(demo.Fault{Hang: true}) },
			[]string{"Orphaned: ", "Stripe did not answer", "A fox runs", "Customer's page"}},
		{"the site answers rubbish", func(s *stage) { s.site.Break(demo.Fault{Status: 200, Body: rubbish}) },
			[]string{"Orphaned: ", "paid $1.00", "the site's answer could not be read"}},
		{"the site hangs", func(s *stage) { s.site.Break(demo.Fault{Hang: true}) },
			[]string{"Orphaned: ", "paid $1.00", "the site did not answer"}},
		{"all at once", func(s *stage) {
			s.redis.Freeze(s.t)
			s.stripe.Break(demo.Fault{Hang: true})
			s.site.Break(demo.Fault{Cut: true})
		}, []string{"Unclear: Redis could not be read", "Stripe did not answer"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := ownStage(t)
			stored := time.Now().Add(-14 * time.Minute)
			s.stripe.Put(demo.CheckoutSession{ID: id, Status: "complete", PaymentStatus: "paid", Amount: 100, Currency: "usd",
				Created: stored, Event: store.EventFailed})
			err := demo.Load(t.Context(), s.client, []demo.Example{{Redis: map[string]demo.Value{
				"prompt:" + id: {Text: `{"prompt":"A fox runs","timestamp":"` + stored.UTC().Format("2006-01-02T15:04:05.000Z") + `"}`},
			}}})
			if err != nil {
				t.Fatal(err)
			}
			s.startInTime()
			s.ask("/session debug " + id) // connections are warm, as in a running bot
			c.fail(s)
			m := s.ask("/session debug " + id)
			for _, part := range c.says {
				if !strings.Contains(m.Text, blockkit.Escape(part)) {
					t.Errorf("the answer does not say %q:\n%s", part, m.Text)
				}
			}
			s.workspace.ExpectNothingElse()
			s.expectCleanLog("A fox runs", rubbish)
		})
	}
}
