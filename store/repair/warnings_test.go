package repair

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/storetest"
)

// TestRisks: which warnings need a second press.
func TestRisks(t *testing.T) {
	t.Parallel()
	session := storetest.Held("", "", `{"prompt":"A fox","status":"error","error":"The operation was aborted due to timeout","createdAt":"`+storetest.Ago(time.Hour)+`"}`)
	plain := storetest.Held("", "", `{"prompt":"A fox","status":"error","createdAt":"`+storetest.Ago(time.Hour)+`"}`)
	stuck := storetest.Held("", "", `{"prompt":"A fox","status":"processing","createdAt":"`+storetest.Ago(time.Hour)+`"}`)
	for _, c := range []struct {
		name    string
		session store.Session
		change  func(*diagnosis.Examination)
		risk    string
		warning string
	}{
		{"nothing", plain, func(*diagnosis.Examination) {}, "", ""},
		{"the site's own time-out", session, func(*diagnosis.Examination) {}, "timed out", ""},
		{"processing without a file", stuck, func(*diagnosis.Examination) {}, "stopped while it was requesting", ""},
		{"made before", plain, func(x *diagnosis.Examination) {
			x.Repair.Made = []diagnosis.Generation{{FileID: storetest.File2, At: storetest.At, Cents: 2400}}
		}, "about $24.00, file " + storetest.File2, ""},
		{"given up before", plain, func(x *diagnosis.Examination) {
			x.Repair = diagnosis.SessionJob{Action: store.ActionGenerate, Outcome: store.OutcomeGaveUp}
		}, "whether it was made is unknown", ""},
		{"disputed", plain, func(x *diagnosis.Examination) { x.Payment.Disputed = true }, "disputes", ""},
		{"a part refunded", plain, func(x *diagnosis.Examination) { x.Payment.State = store.PaymentPartiallyRefunded }, "", "refunded"},
		{"the site reports another status", plain, func(x *diagnosis.Examination) {
			x.Site = &store.Site{Found: true, Status: "completed"}
		}, "", "open the customer's page first"},
	} {
		x := orphan(c.session)
		c.change(&x)
		x.Diagnosis = diagnosis.Diagnose(x.Evidence, storetest.At, thresholds)
		p := plan(t, store.ActionGenerate, x)
		if (p.Risk == "") != (c.risk == "") || !strings.Contains(p.Risk, c.risk) || p.Risk != "" && !slices.Contains(p.Warnings, p.Risk) {
			t.Errorf("%s: risk %q, warnings %q", c.name, p.Risk, p.Warnings)
		}
		if c.warning != "" && !strings.Contains(strings.Join(p.Warnings, " "), c.warning) {
			t.Errorf("%s: warnings %q", c.name, p.Warnings)
		}
		if c.session.Status() == store.StatusProcessing {
			if p := plan(t, store.ActionFix, x); p.Risk != "" {
				t.Errorf("%s: marking it as error needs a second press: %q", c.name, p.Risk)
			}
		}
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, want string
		change     func(*diagnosis.Examination)
	}{
		{"retry", "still retrying", func(x *diagnosis.Examination) {
			x.Event = store.Event{State: store.EventFailed, Created: storetest.At.Add(-time.Hour)}
		}},
		{"unseen", "is unknown", func(x *diagnosis.Examination) { x.Event = store.Event{} }},
		{"unverified", "could not be verified", func(x *diagnosis.Examination) { x.Payment.State = store.PaymentUnverified }},
		{"disputed", "disputes", func(x *diagnosis.Examination) { x.Payment.Disputed = true }},
		{"part refunded", "Part of the payment", func(x *diagnosis.Examination) { x.Payment.State = store.PaymentPartiallyRefunded }},
		{"three videos", "The customer paid for 3", func(x *diagnosis.Examination) { x.Payment.VideoCount = 3 }},
		{"three videos by Redis", "The customer paid for 3", func(x *diagnosis.Examination) { x.Session.SessionKey.Value.VideoCount = 3 }},
		{"old", "expires in 5 h", func(x *diagnosis.Examination) { x.Session.Prompt.TTL = 5*time.Hour + time.Minute }},
		{"prompts", "different prompts", func(x *diagnosis.Examination) {
			x.Session.SessionKey = storetest.HeldKey("session", `{"prompt":"A hen"}`)
		}},
		{"file", "already has a file", func(x *diagnosis.Examination) {
			x.Session.SessionKey, x.File.State = storetest.HeldKey("session", `{"fileId":"`+storetest.File1+`"}`), store.FileFailed
		}},
	} {
		x := orphan(storetest.Held(storetest.FoxPrompt, "", ""))
		c.change(&x)
		for _, action := range []store.Action{store.ActionFix, store.ActionGenerate} {
			p := plan(t, action, x)
			if len(p.Warnings) != 1 || !strings.Contains(p.Warnings[0], c.want) {
				t.Errorf("%s, %s: %q", c.name, action, p.Warnings)
			}
			if p.Retrying != (c.name == "retry") {
				t.Errorf("%s, %s: retrying %v", c.name, action, p.Retrying)
			}
		}
	}
}

func TestRetrying(t *testing.T) {
	t.Parallel()
	orphaned := storetest.Held(storetest.FoxPrompt, "", "")
	for _, c := range []struct {
		state store.EventState
		age   time.Duration
		want  bool
	}{
		{store.EventPending, time.Minute, true}, {store.EventFailed, 71 * time.Hour, true}, {store.EventFailed, 73 * time.Hour, false},
		{store.EventDelivered, time.Minute, false}, {store.EventNone, 0, false}, {store.EventUnknown, 0, false},
	} {
		x := orphan(orphaned)
		if x.Event = (store.Event{State: c.state, Created: storetest.At.Add(-c.age)}); retrying(x, storetest.At) != c.want {
			t.Errorf("%q after %s: %v", c.state, c.age, !c.want)
		}
	}
}

// TestSiteShowsOutcome: then an undelivered event is another endpoint's, and no plan warns.
func TestSiteShowsOutcome(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		session store.Session
		change  func(*diagnosis.Examination)
		want    bool
	}{
		{"an orphan", storetest.Held(storetest.FoxPrompt, "", ""), nil, false},
		{"pending", storetest.Held("", "", `{"prompt":"A fox","status":"pending"}`), nil, false},
		{"processing", storetest.Held(storetest.FoxPrompt, `{"status":"processing"}`, ""), nil, false},
		{"error", storetest.Held("", "", `{"prompt":"A fox","status":"error"}`), nil, true},
		{"a file", storetest.Held(storetest.FoxPrompt, "", `{"fileId":"`+storetest.File1+`"}`), nil, true},
		{"an error of ours", storetest.Held(storetest.FoxPrompt, `{"status":"error"}`, ""), func(x *diagnosis.Examination) { x.Repair.ID = "job" }, false},
		{"an error of unknown origin", storetest.Held(storetest.FoxPrompt, `{"status":"error"}`, ""), func(x *diagnosis.Examination) { x.JobErr = errors.New("silent") }, false},
	} {
		x := orphan(c.session)
		if c.change != nil {
			c.change(&x)
		}
		if got := x.SiteShowsOutcome(); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
		for _, state := range []store.EventState{store.EventFailed, store.EventPending, store.EventUnknown} {
			x.Event = store.Event{State: state, Created: storetest.At.Add(-time.Minute)}
			list, _ := warnings(x, store.ActionGenerate, retrying(x, storetest.At))
			warned := strings.Contains(strings.Join(list, " "), "Stripe is still retrying")
			if warned == c.want {
				t.Errorf("%s, event %q: warned %v", c.name, state, warned)
			}
		}
	}
}
