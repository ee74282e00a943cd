package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/workspace"
	"github.com/superduperai/sessionbot/internal/workspace/blockcheck"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
)

// stage is the workspace, a real Redis and the stand-ins, with the built binary
// running among them.
type stage struct {
	t         testing.TB
	server    *workspace.Server
	workspace *wstest.Workspace
	client    redis.UniversalClient
	redis     *redistest.Server   // nil on a cluster
	nodes     []*redistest.Server // all there are
	stripe    *demo.Stripe
	files     *demo.SuperDuper
	site      *demo.Site
	env       map[string]string
	bot       *process
}

// The marks that nothing may leak.
const (
	stripeMark = "rk_live_MARKEDsecret"
	superMark  = "MARKEDsecretMARKEDsecretMARKEDsecret"
)

// newStage sets everything up; the bot is started by startBot.
func newStage(t testing.TB) *stage {
	t.Helper()
	server := redistest.Start(t)
	s := stageOn(t, server.URL(), server.Client())
	s.redis, s.nodes = server, []*redistest.Server{server}
	return s
}

// stageOn sets everything up beside a Redis that is there already.
func stageOn(t testing.TB, redisURL string, client redis.UniversalClient) *stage {
	t.Helper()
	return stageFor(t, sessionbot.Manifest, redisURL, client)
}

// stageFor is stageOn for an app with another manifest.
func stageFor(t testing.TB, manifest []byte, redisURL string, client redis.UniversalClient) *stage {
	t.Helper()
	ws, err := workspace.Start(workspace.Config{Addr: "127.0.0.1:0", Manifest: manifest})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.Close() })
	s := &stage{
		t: t, server: ws, client: client,
		stripe: demo.NewStripe(), files: demo.NewSuperDuper(time.Now, time.Minute),
	}
	stripe, files := s.serve(s.stripe), s.serve(s.files)
	s.site = demo.NewSite(demo.SiteConfig{Redis: client, FilesURL: files, StripeURL: stripe})
	s.env = map[string]string{
		"SLACK_APP_TOKEN": ws.AppToken(), "SLACK_BOT_TOKEN": ws.BotToken(), "SLACK_API_URL": ws.APIURL(),
		"REDIS_URL":         redisURL,
		"STRIPE_SECRET_KEY": stripeMark, "STRIPE_API_URL": stripe,
		"SUPERDUPERAI_TOKEN": superMark, "SUPERDUPERAI_URL": files,
		"SITE_URL": s.serve(s.site), "HTTP_ADDR": "", "LOG_LEVEL": "debug",
	}
	s.workspace = wstest.New(t, ws.URL(), ws.ControlKey())
	return s
}

// freeze has Redis answer nobody until thaw, or the end of the test.
func (s *stage) freeze() {
	s.t.Helper()
	s.t.Cleanup(s.thaw)
	for _, node := range s.nodes {
		node.Freeze(s.t)
	}
}

func (s *stage) thaw() {
	s.t.Helper()
	for _, node := range s.nodes {
		node.Thaw(s.t)
	}
}

// serve starts a stand-in and returns its origin.
func (s *stage) serve(handler http.Handler) string {
	server := httptest.NewServer(handler)
	s.t.Cleanup(server.Close)
	s.t.Cleanup(server.CloseClientConnections) // first: some may hang
	return server.URL
}

func (s *stage) startBot() {
	s.t.Helper()
	s.bot = start(s.t, s.env, "run")
	s.workspace.AwaitConnections(1)
}

// ask types a slash command as somebody in support and waits for the one
// message that answers it.
func (s *stage) ask(text string) wstest.Message {
	s.t.Helper()
	support := s.workspace.As("U0SUPPORT").In("C0SUPPORT")
	support.Type(text)
	m := support.ExpectMessage(nil)
	s.wellMade(m)
	if !m.Ephemeral {
		s.t.Errorf("%s was answered for the whole channel", text)
	}
	return m
}

// wellMade checks what holds for every message: Slack takes it, nobody is
// mentioned, no secret is in it.
func (s *stage) wellMade(m wstest.Message) {
	s.t.Helper()
	for _, violation := range blockcheck.Check(m.Blocks) {
		s.t.Errorf("Slack would refuse the message: %v", violation)
	}
	var shown strings.Builder
	mrkdwn(s.t, m.Blocks, &shown)
	for _, mention := range []string{"<!", "<@", "<#"} {
		if strings.Contains(m.Text, mention) || strings.Contains(shown.String(), mention) {
			s.t.Errorf("the message mentions somebody: %s", m.Text)
		}
	}
	if n := len([]rune(m.Text)); n == 0 || n >= 4000 {
		s.t.Errorf("the message's own text has %d characters", n)
	}
	for _, secret := range []string{stripeMark, superMark, "xoxb-", "xapp-", "QUJD" /* an inlined picture */} {
		if strings.Contains(m.Text+string(m.Blocks), secret) {
			s.t.Errorf("the message leaks %s", secret)
		}
	}
}

// mrkdwn collects the texts of blocks that Slack interprets.
func mrkdwn(t testing.TB, raw json.RawMessage, into *strings.Builder) {
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			if text, ok := v["text"].(string); ok && v["type"] == "mrkdwn" {
				into.WriteString(text + "\n")
			}
			for _, item := range v {
				walk(item)
			}
		}
	}
	var blocks any
	if err := json.Unmarshal(raw, &blocks); err != nil {
		t.Fatal(err)
	}
	walk(blocks)
}

// quietLog checks that no secret and no personal datum reached the log.
func (s *stage) quietLog(personal ...string) {
	s.t.Helper()
	s.quiet(s.bot, personal...)
}

func (s *stage) quiet(p *process, personal ...string) {
	s.t.Helper()
	for _, word := range append(personal, stripeMark, superMark, s.env["SLACK_APP_TOKEN"], s.env["SLACK_BOT_TOKEN"]) {
		if strings.Contains(p.log.String(), word) {
			s.t.Errorf("the log leaks %q", word)
		}
	}
}

// TestDecisionTable asks the built binary about a case of the table for each way
// of being connected to Stripe; all of it runs in process, see demo.TestCases.
func TestDecisionTable(t *testing.T) {
	table, err := os.ReadFile("../../store/testdata/diagnosis.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range []struct {
		name string
		key  string
		fits func(demo.Case) bool
	}{
		{"live mode", stripeMark, func(c demo.Case) bool {
			return c.StripeKey && strings.HasPrefix(c.ID, "cs_live_") && c.Expect.Verdict == store.VerdictUndelivered
		}},
		{"test mode", "rk_test_MARKEDsecret", func(c demo.Case) bool { return c.StripeKey && strings.HasPrefix(c.ID, "cs_test_") }},
		{"no Stripe key", "", func(c demo.Case) bool { return !c.StripeKey }},
	} {
		t.Run(run.name, func(t *testing.T) {
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
			s.quietLog("A fox runs", "Корги", "ann@example.com")
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
	if err := c.Tell(s.stripe, s.files); err != nil {
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
		Verdict store.Verdict      `json:"verdict"`
		Reason  string             `json:"reason"`
		Payment store.PaymentState `json:"payment"`
		Allowed []store.Action     `json:"allowed"`
	}
	terminal := start(s.t, s.env, "session", "debug", c.ID, "--json")
	if code := terminal.exitCode(10 * time.Second); code != 0 {
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

// TestSilentNeighbours: what does not answer is named and does not hold up the
// rest.
func TestSilentNeighbours(t *testing.T) {
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
			[]string{"Orphaned: ", "Stripe did not answer", "A fox runs", "Customer sees"}},
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
			s := newStage(t)
			stored := time.Now().Add(-14 * time.Minute)
			s.stripe.Put(demo.CheckoutSession{ID: id, Status: "complete", PaymentStatus: "paid", Amount: 100, Currency: "usd",
				Created: stored, Event: store.EventFailed})
			err := demo.Load(t.Context(), s.client, []demo.Example{{Redis: map[string]demo.Value{
				"prompt:" + id: {Text: `{"prompt":"A fox runs","timestamp":"` + stored.UTC().Format("2006-01-02T15:04:05.000Z") + `"}`},
			}}})
			if err != nil {
				t.Fatal(err)
			}
			s.startBot()
			s.ask("/session debug " + id) // connections are warm, as in a running bot
			c.fail(s)
			asked := time.Now()
			m := s.ask("/session debug " + id)
			if took := time.Since(asked); took > 3*time.Second {
				t.Errorf("the answer took %v", took)
			}
			for _, part := range c.says {
				if !strings.Contains(m.Text, blockkit.Escape(part)) {
					t.Errorf("the answer does not say %q:\n%s", part, m.Text)
				}
			}
			s.workspace.ExpectNothingElse()
			s.quietLog("A fox runs", rubbish)
		})
	}
}
