package repair

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/storetest"
)

// TestBulkKeepsWarnings: a warning of a session's plan is either a reason to leave it out, or
// is in the bulk plan, with the number of sessions. What may cost a video needs a second
// press.
func TestBulkKeepsWarnings(t *testing.T) {
	t.Parallel()
	unseen := func(x *diagnosis.Examination) { x.Event = store.Event{} }
	unpaid := func(why store.Unverified) func(*diagnosis.Examination) {
		return func(x *diagnosis.Examination) {
			x.Event, x.Payment = store.Event{}, store.Payment{State: store.PaymentUnverified, Why: why}
		}
	}
	partly := func(x *diagnosis.Examination) { x.Payment.State = store.PaymentPartiallyRefunded }
	expires := func(hours int) func(*diagnosis.Examination) {
		return func(x *diagnosis.Examination) { x.Session.Prompt.TTL = time.Duration(hours) * time.Hour }
	}
	const mayDeliver = "Whether Stripe is still retrying the events of 2 of these sessions is unknown: the site may make those videos itself, and we would pay twice for each. Better: cancel, and check their events in Stripe first."
	const noKey = "Without STRIPE_SECRET_KEY, whether 3 of these sessions were paid, and whether Stripe is still retrying, is unknown: these videos may not have been paid for, or they may be made twice."
	type edits []func(*diagnosis.Examination)
	for _, c := range []struct {
		name     string
		action   store.Action
		include  bool
		edits    edits
		left     []LeftOutReason
		warnings []string
		risk     string
	}{
		{"none", store.ActionGenerate, false, edits{nil}, nil, nil, ""},
		{"events not seen", store.ActionGenerate, false, edits{unseen, nil, unseen}, []LeftOutReason{LeftEventUnseen, LeftEventUnseen}, nil, ""},
		{"events not seen, included", store.ActionGenerate, true, edits{unseen, nil, unseen}, nil, []string{mayDeliver}, mayDeliver},
		{"events not seen, of a fix", store.ActionFix, false, edits{unseen, nil}, nil, []string{"1 session: " + unseenEventText}, ""},
		{"no key of Stripe's", store.ActionGenerate, false, edits{unpaid(store.NoStripeKey), unpaid(store.NoStripeKey), unpaid(store.NoStripeKey)}, nil, []string{noKey}, noKey},
		{"Stripe did not answer", store.ActionGenerate, true, edits{unpaid(store.StripeNoAnswer), nil}, []LeftOutReason{LeftUnverified}, nil, ""},
		{"Stripe refused the key", store.ActionGenerate, false, edits{unpaid(store.StripeForbidden), nil}, []LeftOutReason{LeftUnverified}, nil, ""},
		{"no key of Stripe's, of a fix", store.ActionFix, false, edits{unpaid(store.NoStripeKey)}, nil, []string{"1 session: The payment could not be verified: it is unknown whether the customer is owed a video."}, ""},
		{"plain ones", store.ActionGenerate, false, edits{partly, expires(5), partly, expires(9)}, nil,
			[]string{"2 sessions: Part of the payment was refunded.", "2 sessions: Close to 30 days old."}, ""},
		{"plain ones that are the same", store.ActionGenerate, false, edits{expires(5), expires(5)}, nil,
			[]string{"2 sessions: Close to 30 days old: the prompt expires in 5 h."}, ""},
	} {
		var examined []diagnosis.Examination
		for i, edit := range c.edits {
			x := orphan(storetest.Held(storetest.FoxPrompt, "", ""))
			x.Session.ID = fmt.Sprintf("cs_live_%d", i)
			if edit != nil {
				edit(&x)
			}
			examined = append(examined, x)
		}
		p := MakeBulkPlan(c.action, examined, ann, BulkOptions{PlanOptions: making, Include: c.include}, storetest.At)
		var left []LeftOutReason
		for _, l := range p.LeftOut {
			left = append(left, l.Reason)
		}
		if !slices.Equal(left, c.left) || len(p.Items)+len(left) != len(c.edits) || p.Risk != c.risk {
			t.Errorf("%s: left out %v, want %v; risk %q", c.name, left, c.left, p.Risk)
		}
		if diff := cmp.Diff(c.warnings, p.Warnings); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// TestLimitedBulkPlan: what is beyond the limit is neither counted in the warnings nor a
// reason for a second press.
func TestLimitedBulkPlan(t *testing.T) {
	t.Parallel()
	var examined []diagnosis.Examination
	for i := range 3 {
		x := orphan(storetest.Held(storetest.FoxPrompt, "", ""))
		x.Session.ID = fmt.Sprintf("cs_live_%d", i)
		if x.Payment.State = store.PaymentPartiallyRefunded; i == 2 {
			x.Event.State = store.EventFailed
		}
		examined = append(examined, x)
	}
	p := MakeBulkPlan(store.ActionGenerate, examined, ann, BulkOptions{PlanOptions: making, Include: true}, storetest.At)
	if p.Limit(3); len(p.Items) != 3 || p.Rest != 0 || p.Risk == "" {
		t.Errorf("within the limit: %d items, %d more, risk %q", len(p.Items), p.Rest, p.Risk)
	}
	p.Limit(2)
	if want := []string{"2 sessions: Part of the payment was refunded."}; len(p.Items) != 2 || p.Rest != 1 || p.Risk != "" || !slices.Equal(p.Warnings, want) {
		t.Errorf("%d items, %d more, risk %q, warnings %q, want %q", len(p.Items), p.Rest, p.Risk, p.Warnings, want)
	}
}

// TestBulkWarningsFit: a message holds only so many.
func TestBulkWarningsFit(t *testing.T) {
	t.Parallel()
	var items []Plan
	for i := range 50 {
		items = append(items, Plan{Action: store.ActionGenerate, Warnings: []string{fmt.Sprintf("The session asks for %d s.", i)}})
	}
	list, risk := bulkWarnings(items)
	if len(list) != mostGroups+1 || risk != "" || !strings.Contains(list[mostGroups], "42 more warnings") {
		t.Errorf("%q, %q", list, risk)
	}
}
