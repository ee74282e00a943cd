package repair

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/storetest"
)

// replayable is an orphan that the site reads, whose event Stripe holds; change modifies
// the evidence.
func replayable(s store.Session, change func(*diagnosis.Evidence)) diagnosis.Examination {
	e := orphan(s).Evidence
	e.SiteLayout = store.LayoutOneKey
	e.Event = store.Event{State: store.EventDelivered, ID: "evt_1", Created: storetest.At.Add(-time.Hour), Completed: true, CompletedAt: storetest.At.Add(-time.Hour)}
	if change != nil {
		change(&e)
	}
	return diagnosis.Examination{Evidence: e, Diagnosis: diagnosis.Diagnose(e, storetest.At, thresholds), At: storetest.At}
}

const picture = `{"prompt":"A fox","generationType":"image-to-video","duration":5,"status":"pending","createdAt":"2026-03-04T10:00:00.000Z"}`

func TestMakePlanOfAReplay(t *testing.T) {
	t.Parallel()
	for raw, cents := range map[string]int{storetest.FoxObject: 2400, picture: 1500} {
		p := plan(t, store.ActionReplay, replayable(storetest.Held("", "", raw), nil))
		want := &Replay{EventID: "evt_1", Until: storetest.At.Add(30*24*time.Hour - time.Hour), Cents: cents}
		if diff := cmp.Diff(want, p.Replay); diff != "" || p.Cents() != cents || p.Writes != nil || p.Order != nil || p.Risk != "" {
			t.Errorf("%s: plan %+v: %s", raw, p, diff)
		}
	}
	failed := replayable(storetest.Held("", "", storetest.FoxObject), func(e *diagnosis.Evidence) { e.Event.State = store.EventFailed })
	if p := plan(t, store.ActionReplay, failed); !strings.HasPrefix(p.Risk, "Stripe is still retrying") {
		t.Errorf("it needs a second press for %q", p.Risk)
	}
	if n := plan(t, store.ActionFix, failed).Cents(); n != 0 {
		t.Errorf("a fix costs %d cents", n)
	}
}

// TestWhyNoReplay: what prevents the replay of a session that needs a video.
func TestWhyNoReplay(t *testing.T) {
	t.Parallel()
	object := storetest.Held("", "", `{"prompt":"A fox","status":"pending","createdAt":"2026-03-04T10:00:00.000Z"}`)
	for _, c := range []struct {
		name    string
		session store.Session
		change  func(*diagnosis.Evidence)
		reason  string
	}{
		{"three keys, and the site reads one", storetest.Held(storetest.FoxPrompt, "", ""), nil, "The site cannot read this session: generate the video instead."},
		{"one key, and the site reads three", object, func(e *diagnosis.Evidence) { e.SiteLayout = store.LayoutThreeKey }, "The site cannot read this session: generate the video instead."},
		{"a picture that the site does not read", storetest.Held("", "", picture), func(e *diagnosis.Evidence) { e.SiteLayout = store.LayoutThreeKey }, "The site cannot read this session."},
		{"no event", object, func(e *diagnosis.Evidence) { e.Event = store.Event{State: store.EventNone} }, "Stripe has no event of this checkout"},
		{"only the intent's event", object, func(e *diagnosis.Evidence) { e.Event.Completed = false }, "Stripe has no event of this checkout"},
		{"no answer", object, func(e *diagnosis.Evidence) { e.Event = store.Event{} }, "Stripe's event could not be read"},
		{"too old", object, func(e *diagnosis.Evidence) {
			e.Event, e.Payment.ChargedAt = store.Event{}, storetest.At.Add(-31*24*time.Hour)
		}, "Stripe keeps events for 30 days"},
		{"a video that is ready", storetest.Held("", "", `{"prompt":"A fox","status":"processing","fileId":"`+storetest.File1+`"}`),
			func(e *diagnosis.Evidence) { e.File.State = store.FileCompleted }, ""},
	} {
		x := replayable(c.session, c.change)
		_, err := MakePlan(store.ActionReplay, x, ann, making, storetest.At)
		var refused *NotAllowed
		if !errors.As(err, &refused) || !strings.HasPrefix(refused.Reason, c.reason) || c.reason == "" && refused.Reason != x.Reason {
			t.Errorf("%s: %q, want %q", c.name, err, c.reason)
		}
	}
	if why := replayable(object, nil).WhyNoReplay(); why != "" {
		t.Errorf("what is allowed: %q", why)
	}
}

// TestChangedReplay: another event, or none, is not what was approved.
func TestChangedReplay(t *testing.T) {
	t.Parallel()
	object := storetest.Held("", "", storetest.FoxObject)
	p := plan(t, store.ActionReplay, replayable(object, nil))
	for _, c := range []struct {
		name   string
		change func(*diagnosis.Evidence)
		says   string // "" = nothing changed
	}{
		{"nothing", nil, ""},
		{"a newer event", func(e *diagnosis.Evidence) { e.Event.ID = "evt_2" }, "a different event"},
		{"no event any more", func(e *diagnosis.Evidence) { e.Event = store.Event{State: store.EventNone} }, "no longer has the event"},
		{"no answer", func(e *diagnosis.Evidence) { e.Event = store.Event{} }, "did not answer"},
		{"it is being delivered again", func(e *diagnosis.Evidence) { e.Event.State = store.EventFailed }, "is retrying"},
		{"the webhook came", func(e *diagnosis.Evidence) {
			e.Session = storetest.Held("", "", `{"prompt":"A fox","status":"processing","fileId":"`+storetest.File1+`","timestamp":"`+storetest.Ago(time.Minute)+`"}`)
			e.File.State = store.FileInProgress
		}, "The verdict was “orphaned” and is now “processing”"},
	} {
		changed := strings.Join(p.Changed(replayable(object, c.change)), " ")
		if !strings.Contains(changed, c.says) || (c.says == "") != (changed == "") {
			t.Errorf("%s: %q, want %q", c.name, changed, c.says)
		}
	}
}

func TestNeedsSecondOperator(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		approvals string
		want      []store.Action
	}{
		{"none", nil}, {"generate", []store.Action{store.ActionGenerate, store.ActionReplay}},
		{"all", []store.Action{store.ActionFix, store.ActionGenerate, store.ActionReplay, store.ActionRestore}},
	} {
		var got []store.Action
		for _, action := range []store.Action{store.ActionFix, store.ActionGenerate, store.ActionReplay, store.ActionRestore} {
			if NeedsSecondOperator(c.approvals, action) {
				got = append(got, action)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.approvals, diff)
		}
	}
}
