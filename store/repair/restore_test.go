package repair

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/sessions"
	"github.com/superduperai/sessionbot/store/storetest"
)

// lost is an examined session whose prompt is gone.
func lost(change func(*diagnosis.Examination)) diagnosis.Examination {
	x := orphan(storetest.Held("", "", ""))
	x.SiteLayout, x.Verdict, x.Allowed = store.LayoutOneKey, diagnosis.VerdictLost, []store.Action{store.ActionRestore}
	if change != nil {
		change(&x)
	}
	return x
}

func TestRestorePlan(t *testing.T) {
	t.Parallel()
	asked := store.Actor{ID: "U1"}
	kept := lost(func(x *diagnosis.Examination) {
		x.Payment.Order, x.Payment.VideoCount = store.Order{Prompt: "A fox", Seconds: 5}, 3
	})
	for _, c := range []struct {
		name   string
		x      diagnosis.Examination
		prompt string
		want   string
		stripe bool
	}{
		{"entered", lost(nil), "A hen", "A hen", false},
		{"Stripe's", kept, "", "A fox", true},
		{"entered, though Stripe has one", kept, "A hen", "A hen", false},
	} {
		p, err := MakePlan(store.ActionRestore, c.x, asked, PlanOptions{TTL: time.Minute, Restore: store.Order{Prompt: c.prompt}}, storetest.At)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if p.Restore.Order.Prompt != c.want || p.FromStripe != c.stripe || p.Restore.Order.Seconds != c.x.Payment.Order.Seconds || p.Restore.Order.VideoCount != c.x.Payment.VideoCount {
			t.Errorf("%s: %+v", c.name, p.Restore)
		}
		if len(p.Writes) != 1 || p.Writes[0].Kind != "session" || !p.OnlyWrites() || p.Order != nil || p.Cents() != 0 || NeedsSecondOperator("generate", p.Action) {
			t.Errorf("%s: it does more than to write: %+v", c.name, p)
		}
		if u := p.FirstUpdate(storetest.At); u.Kind != sessions.UpdateRestore || u.Restored.Order.Prompt != c.want {
			t.Errorf("%s: the update is %+v", c.name, u)
		}
	}
	if _, err := MakePlan(store.ActionRestore, lost(nil), asked, PlanOptions{}, storetest.At); !errors.Is(err, ErrNoPrompt) {
		t.Errorf("without a prompt: %v", err)
	}
	running := lost(func(x *diagnosis.Examination) { x.Verdict, x.Allowed = diagnosis.VerdictProcessing, nil })
	var refused *NotAllowed
	if _, err := MakePlan(store.ActionRestore, running, asked, PlanOptions{Restore: store.Order{Prompt: "A hen"}}, storetest.At); !errors.As(err, &refused) {
		t.Errorf("while it is processing: %v", err)
	}
}

// TestRestoreWarns: with a prompt Stripe's next delivery starts a video, where the site
// finds it.
func TestRestoreWarns(t *testing.T) {
	t.Parallel()
	const itself = "the site makes the video at the next retry"
	failed := store.Event{ID: "evt_1", State: store.EventFailed, Created: storetest.At.Add(-time.Hour)}
	for _, c := range []struct {
		name   string
		change func(*diagnosis.Examination)
		want   string
	}{
		{"Stripe will still deliver", func(x *diagnosis.Examination) { x.Event = failed }, itself},
		{"to a site that does not read it", func(x *diagnosis.Examination) {
			x.Event, x.Session = failed, storetest.Held("", `{"fileId":""}`, "")
		}, ""},
		{"to a site that reads three keys", func(x *diagnosis.Examination) { x.Event, x.SiteLayout = failed, store.LayoutThreeKey }, itself},
		{"disputed", func(x *diagnosis.Examination) { x.Payment.Disputed = true }, "disputes the payment"},
		{"delivered", nil, ""},
	} {
		p, err := MakePlan(store.ActionRestore, lost(c.change), store.Actor{ID: "U1"}, PlanOptions{Restore: store.Order{Prompt: "A hen"}}, storetest.At)
		if err != nil {
			t.Fatal(err)
		}
		if all := strings.Join(p.Warnings, " "); p.Risk != "" || (c.want == "") != (all == "") || !strings.Contains(all, c.want) {
			t.Errorf("%s: %q, and needs a second press for %q", c.name, all, p.Risk)
		}
	}
}

// TestRestoreChanged: a plan is refused once a prompt is there, but not if only Stripe's
// delivery came meanwhile.
func TestRestoreChanged(t *testing.T) {
	t.Parallel()
	before := lost(func(x *diagnosis.Examination) {
		x.Event = store.Event{ID: "evt_1", State: store.EventFailed, Created: storetest.At.Add(-time.Hour)}
	})
	p, err := MakePlan(store.ActionRestore, before, store.Actor{ID: "U1"}, PlanOptions{Restore: store.Order{Prompt: "A hen"}}, storetest.At)
	if err != nil {
		t.Fatal(err)
	}
	delivered := before
	delivered.Event.State = store.EventDelivered
	if changed := p.Changed(delivered); len(changed) != 0 {
		t.Errorf("delivered meanwhile: %q", changed)
	}
	arrived := orphan(storetest.Held("", "", storetest.FoxObject))
	if len(p.Changed(arrived)) == 0 {
		t.Error("the prompt came back meanwhile, and is overwritten")
	}
}
