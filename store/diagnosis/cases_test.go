package diagnosis

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
	"github.com/superduperai/sessionbot/store/sessions"
)

var limits = Thresholds{OrphanGrace: 10 * time.Minute, StallAfter: 30 * time.Minute}

// diagnosisCase is one row of testdata/diagnosis.json, whose first member says
// what the others mean.
type diagnosisCase struct {
	Name   string
	ID     string
	Redis  map[string]json.RawMessage
	Stripe json.RawMessage
	File   json.RawMessage
	Expect struct {
		Verdict Verdict
		Layout  store.Layout
		Payment store.PaymentState
		Allowed []store.Action
	}
}

func TestDiagnosisCases(t *testing.T) {
	t.Parallel()
	mini := miniredis.RunT(t)
	checkCases(t, redis.NewClient(&redis.Options{Addr: mini.Addr()}), rdbtest.Open(t, "redis://"+mini.Addr()))
}

func TestDiagnosisCasesInARealRedis(t *testing.T) {
	t.Parallel()
	server := redistest.NewDatabase(t)
	checkCases(t, server.Client(), rdbtest.Open(t, server.URL()))
}

func TestDiagnosisCasesInACluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.LockCluster(t)
	checkCases(t, cluster.Client(), rdbtest.Open(t, cluster.URL()))
}

// checkCases stores every case, reads it back and compares the diagnosis.
func checkCases(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
	now := time.Now()
	for _, c := range readCases(t, now) {
		t.Run(c.Name, func(t *testing.T) {
			c.store(t, client)
			s, err := (sessions.Reader{Redis: r}).Session(t.Context(), c.ID)
			if err != nil {
				t.Fatal(err)
			}
			e := Evidence{Session: s, Payment: c.payment(t), File: c.file(t), SiteLayout: store.LayoutThreeKey}
			d := Diagnose(e, now, limits)
			if d.Verdict != c.Expect.Verdict || s.Layout() != c.Expect.Layout || e.Payment.State != c.Expect.Payment {
				t.Errorf("got %s, %s, payment %s; want %+v", d.Verdict, s.Layout(), e.Payment.State, c.Expect)
			}
			if diff := cmp.Diff(c.Expect.Allowed, withoutLater(d.Allowed)); diff != "" {
				t.Errorf("allowed (-want +got):\n%s", diff)
			}
			if d.Reason == "" {
				t.Error("no reason is given")
			}
		})
	}
}

// withoutLater leaves out what the table leaves out.
func withoutLater(allowed []store.Action) []store.Action {
	return slices.DeleteFunc(append([]store.Action{}, allowed...), func(a store.Action) bool { return a == store.ActionReplay || a == store.ActionRestore })
}

// readCases reads the table with its times put in.
func readCases(t *testing.T, now time.Time) []diagnosisCase {
	t.Helper()
	raw, err := os.ReadFile("testdata/diagnosis.json")
	if err != nil {
		t.Fatal(err)
	}
	replace := func(pattern string, stamp func(at time.Time) []byte) {
		times := regexp.MustCompile(pattern)
		raw = times.ReplaceAllFunc(raw, func(match []byte) []byte {
			text := string(times.FindSubmatch(match)[1])
			days, err := strconv.Atoi(strings.TrimSuffix(text, "d"))
			ago := time.Duration(days) * 24 * time.Hour
			if !strings.HasSuffix(text, "d") {
				ago, err = time.ParseDuration(text)
			}
			if err != nil {
				t.Fatalf("%s: %v", match, err)
			}
			return stamp(now.Add(ago))
		})
	}
	replace(`"\{\{unix(-\w+)\}\}"`, func(at time.Time) []byte { return strconv.AppendInt(nil, at.Unix(), 10) })
	replace(`\{\{(-\w+)\}\}`, func(at time.Time) []byte { return []byte(at.UTC().Format("2006-01-02T15:04:05.000Z")) })
	var table struct{ Cases []diagnosisCase }
	if err := json.Unmarshal(raw, &table); err != nil {
		t.Fatal(err)
	}
	if len(table.Cases) < 50 {
		t.Fatalf("the table has only %d cases", len(table.Cases))
	}
	return table.Cases
}

// store writes the case's keys as the product does.
func (c diagnosisCase) store(t *testing.T, client redis.UniversalClient) {
	t.Helper()
	for key, raw := range c.Redis {
		var text string
		var hash map[string]map[string]string
		var err error
		if json.Unmarshal(raw, &text) == nil {
			err = client.Set(t.Context(), key, text, store.KeyLife).Err()
		} else if err = json.Unmarshal(raw, &hash); err == nil {
			err = client.HSet(t.Context(), key, hash["@hash"]).Err()
		}
		if err != nil {
			t.Fatalf("store %s: %v", key, err)
		}
	}
}

// payment is what the case's Stripe returns.
func (c diagnosisCase) payment(t *testing.T) store.Payment {
	t.Helper()
	switch string(c.Stripe) {
	case `null`:
		return store.Payment{State: store.PaymentUnverified, Why: store.NoStripeKey}
	case `"missing"`:
		return store.Payment{State: store.PaymentMissing}
	case `"unavailable"`:
		return store.Payment{State: store.PaymentUnverified, Why: store.StripeFault}
	}
	var s struct {
		Status         string
		PaymentStatus  string `json:"payment_status"`
		Created        int64
		ChargeCreated  int64 `json:"charge_created"`
		Refunded       bool
		AmountRefunded int64 `json:"amount_refunded"`
	}
	if err := json.Unmarshal(c.Stripe, &s); err != nil {
		t.Fatal(err)
	}
	p := store.Payment{Created: time.Unix(s.Created, 0)}
	switch {
	case s.Status == "expired":
		p.State = store.PaymentExpired
	case s.PaymentStatus == "unpaid":
		p.State = store.PaymentUnpaid
	case s.PaymentStatus == "no_payment_required":
		p.State = store.PaymentNotRequired
	case s.Refunded:
		p.State = store.PaymentRefunded
	case s.AmountRefunded > 0:
		p.State = store.PaymentPartiallyRefunded
	default:
		p.State, p.ChargedAt = store.PaymentPaid, time.Unix(max(s.Created, s.ChargeCreated), 0)
	}
	return p
}

// file is what the case's SuperDuperAI returns.
func (c diagnosisCase) file(t *testing.T) store.File {
	t.Helper()
	switch string(c.File) {
	case `null`:
		return store.File{State: store.FileNone}
	case `"missing"`:
		return store.File{State: store.FileMissing}
	case `"unavailable"`:
		return store.File{State: store.FileUnknown}
	}
	var f struct {
		URL   string
		Tasks []struct{ Status string }
	}
	if err := json.Unmarshal(c.File, &f); err != nil {
		t.Fatal(err)
	}
	var states []string
	for _, task := range f.Tasks {
		states = append(states, task.Status)
	}
	switch {
	case f.URL != "":
		return store.File{State: store.FileCompleted, URL: f.URL}
	case slices.Contains(states, "error") || slices.Contains(states, "failed"):
		return store.File{State: store.FileFailed}
	case slices.Contains(states, "completed"):
		return store.File{State: store.FileFinalizing}
	}
	return store.File{State: store.FileInProgress}
}
