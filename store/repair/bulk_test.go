package repair

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/storetest"
)

// TestWhatABulkPlanLeavesOut: each session that is not repaired has a reason.
func TestWhatABulkPlanLeavesOut(t *testing.T) {
	t.Parallel()
	now := storetest.At
	seen := func(edit func(*diagnosis.Examination)) diagnosis.Examination {
		x := orphan(storetest.Held(storetest.FoxPrompt, "", ""))
		x.Payment.Amount, x.Payment.Currency, x.Allowed = 100, "usd", append(x.Allowed, store.ActionReplay)
		if edit != nil {
			edit(&x)
		}
		return x
	}
	retrying := func(x *diagnosis.Examination) { x.Event.State = store.EventFailed }
	disputed := func(x *diagnosis.Examination) { x.Payment.Disputed = true }
	for _, c := range []struct {
		name   string
		action store.Action
		o      BulkOptions
		edit   func(*diagnosis.Examination)
		want   LeftOutReason
	}{
		{"generated", store.ActionGenerate, BulkOptions{}, nil, ""},
		{"Stripe will still deliver", store.ActionGenerate, BulkOptions{}, retrying, LeftRetrying},
		{"which is included", store.ActionGenerate, BulkOptions{Include: true}, retrying, ""},
		{"marked as error all the same", store.ActionFix, BulkOptions{}, retrying, ""},
		{"disputed as well, so not included", store.ActionGenerate, BulkOptions{Include: true},
			func(x *diagnosis.Examination) { retrying(x); disputed(x) }, LeftSecondPress},
		{"disputed", store.ActionGenerate, BulkOptions{}, disputed, LeftSecondPress},
		{"Redis was silent", store.ActionGenerate, BulkOptions{}, func(x *diagnosis.Examination) { x.RedisSilent = true }, LeftUnseen},
		{"its job is not known", store.ActionGenerate, BulkOptions{}, func(x *diagnosis.Examination) { x.JobErr = rdb.ErrNoAnswer }, LeftUnseen},
		{"being repaired", store.ActionGenerate, BulkOptions{}, func(x *diagnosis.Examination) { x.Repair.State = store.JobRunning }, LeftRunning},
		{"unclear", store.ActionGenerate, BulkOptions{}, func(x *diagnosis.Examination) { x.Repair.State = store.JobUnclear }, LeftUnclear},
		{"being made by the site", store.ActionGenerate, BulkOptions{}, func(x *diagnosis.Examination) { x.Verdict, x.Allowed = diagnosis.VerdictProcessing, nil }, LeftRunning},
		{"made meanwhile", store.ActionGenerate, BulkOptions{}, func(x *diagnosis.Examination) { x.Verdict, x.Allowed = diagnosis.VerdictCompleted, nil }, LeftCompleted},
		{"refunded", store.ActionGenerate, BulkOptions{}, func(x *diagnosis.Examination) {
			x.Verdict, x.Allowed, x.Payment.State = diagnosis.VerdictRefunded, nil, store.PaymentRefunded
		}, LeftRefunded},
		{"lost", store.ActionGenerate, BulkOptions{}, func(x *diagnosis.Examination) { x.Verdict, x.Allowed = diagnosis.VerdictLost, nil }, LeftNotAllowed},
		{"the site cannot read it", store.ActionReplay, BulkOptions{}, func(x *diagnosis.Examination) {
			x.SiteLayout, x.Allowed = store.LayoutOneKey, []store.Action{store.ActionGenerate}
		}, LeftUnreadable},
		{"only the other action can", store.ActionGenerate, BulkOptions{Other: store.ActionReplay},
			func(x *diagnosis.Examination) { x.Allowed = []store.Action{store.ActionReplay} }, LeftOtherAction},
	} {
		o := c.o
		o.PlanOptions = making
		p := MakeBulkPlan(c.action, []diagnosis.Examination{seen(c.edit), seen(nil)}, ann, o, now)
		got := LeftOutReason("")
		if len(p.LeftOut) == 1 {
			got = p.LeftOut[0].Reason
		}
		want := 2
		if c.want != "" {
			want = 1
		}
		if got != c.want || len(p.Items) != want || p.Items[want-1].Bulk != p.ID || (p.Risk != "") != (c.o.Include && c.want == "") {
			t.Errorf("%s: left out because of %q, want %q; %d items; %q", c.name, got, c.want, len(p.Items), p.Risk)
		}
		if cents, _, paid := p.Sums(); c.action == store.ActionGenerate && cents != want*2400 || paid["usd"] != int64(100*want) {
			t.Errorf("%s: it costs %d for %v", c.name, cents, paid)
		}
	}
}

// items are those of a plan, one letter each: w waiting, r running, d done, s skipped,
// u unclear, f failed for a cause of its own, b because the balance is used up.
func items(letters string) *Bulk {
	kinds := map[rune]Item{'w': {}, 'r': {State: ItemRunning}, 'd': {State: ItemDone}, 's': {State: ItemSkipped, Cause: CauseChanged},
		'u': {State: ItemUnclear, Cause: CauseNoAnswer}, 'f': {State: ItemFailed, Cause: CauseFileFailed}, 'b': {State: ItemFailed, Cause: CauseBalance}}
	b := &Bulk{}
	for _, letter := range letters {
		b.Items = append(b.Items, kinds[letter])
	}
	return b
}

// TestNextItems: they are begun in their order, so many at a time, and none after a
// stop or while it is paused.
func TestNextItems(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		items    string
		parallel int
		event    audit.Event
		want     []int
		over     bool
	}{
		{"wwww", 3, "", []int{0, 1, 2}, false},
		{"rdww", 3, "", []int{2, 3}, false},
		{"rrrw", 3, "", nil, false},
		{"rrrrw", 2, "", nil, false}, // BULK_PARALLEL was lowered
		{"dfsu", 3, "", nil, true},
		{"drww", 3, audit.Stopped, nil, false},
		{"ddww", 3, audit.Stopped, nil, true},
		{"dbww", 3, audit.Paused, nil, false},
		{"dbww", 1, audit.Resumed, []int{2}, false},
	} {
		b := items(c.items)
		if c.event != "" {
			b.Decide(BulkEvent{Event: c.event})
		}
		if got := b.Next(c.parallel); !slices.Equal(got, c.want) || b.Over() != c.over {
			t.Errorf("%s, %s: next %v, want %v; over %v", c.items, c.event, got, c.want, b.Over())
		}
	}
}

// TestCommonFailure: three in a row, in the order in which they were begun, since the
// last decision.
func TestCommonFailure(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		items string
		from  int // a decision was taken when so many had been begun
		want  bool
	}{
		{"bbw", 0, false},
		{"bbbw", 0, true},
		{"bdbbw", 0, false},
		{"bfbbw", 0, false},   // that one failed for a cause of its own: the next may not
		{"bsbsbw", 0, true},   // skipped ones say nothing
		{"rrbbbw", 0, true},   // the first are being made
		{"bbrbw", 0, true},    //
		{"bbbdw", 0, false},   // the latest was made
		{"uuuw", 0, true},     // no answer, three times
		{"bbbw", 3, false},    // somebody resumed it
		{"bbbbbw", 3, false},  //
		{"bbbbbbw", 3, true},  // and it failed again
		{"wwww", 0, false},    //
		{"dddbbbww", 0, true}, //
	} {
		b := items(c.items)
		if c.from > 0 {
			b.Events = []BulkEvent{{Event: audit.Resumed, Next: c.from}}
		}
		if item, got := b.CommonFailure(); got != c.want || got && item.Cause == "" {
			t.Errorf("%s after %d: %v (%s), want %v", c.items, c.from, got, item.Cause, c.want)
		}
	}
}

// TestItemOf: how the end of a session's job counts in the bulk plan.
func TestItemOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		outcome store.Outcome
		cause   Cause
		want    ItemState
	}{
		{"", "", ItemRunning},
		{store.OutcomeDone, "", ItemDone},
		{store.OutcomeRefused, CauseChanged, ItemSkipped},
		{store.OutcomeRefused, CauseNoToken, ItemFailed},
		{store.OutcomeRefused, CauseLate, ItemFailed},
		{store.OutcomeFailed, CauseBalance, ItemFailed},
		{store.OutcomeUnclear, CauseNoAnswer, ItemUnclear},
		{store.OutcomeGaveUp, CauseTooLong, ItemFailed},
		{store.OutcomeGaveUp, CauseNoToken, ItemDone},
		{store.OutcomeCancelled, "", ItemSkipped},
	} {
		if got := ItemOf(Job{Outcome: c.outcome, Cause: c.cause}); got.State != c.want || c.want != ItemDone && c.want != ItemRunning && got.Cause != c.cause {
			t.Errorf("%s (%s): %+v, want %s", c.outcome, c.cause, got, c.want)
		}
	}
}

// TestBulkHolds: whatever the results and decisions, all sessions are accounted for, never
// more run than allowed, a canary runs alone, each session is begun once, and the plan ends.
func TestBulkHolds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		n, parallel := rapid.IntRange(1, 20).Draw(r, "sessions"), rapid.IntRange(1, 5).Draw(r, "parallel")
		b, begun := NewBulk(Plan{Items: make([]Plan, n)}), map[int]int{}
		for step := 0; !b.Over(); step++ {
			if step > 1000 {
				r.Fatalf("it does not end: %+v", b)
			}
			alone := b.Canary != nil && !b.Canary.Passed
			if alone && !b.Stopped() && !b.Paused() && b.Counts().Left > 0 {
				switch verdict, why := JudgeCanary(PredictError, CanaryObservation{Item: b.Items[b.Canary.Item], Late: rapid.Bool().Draw(r, "late"),
					Page: &store.Site{Found: true, Status: rapid.SampledFrom([]string{"error", "pending"}).Draw(r, "page")}}); verdict {
				case CanaryGo:
					b.Canary.Passed, alone = true, false
				case CanaryPause:
					b.Decide(BulkEvent{Event: audit.Paused, Cause: why.Cause, Canary: true})
				}
			}
			if _, common := b.CommonFailure(); common && len(b.Next(parallel)) > 0 {
				b.Decide(BulkEvent{Event: audit.Paused})
			}
			for _, i := range b.Next(parallel) {
				begun[i]++
				b.Items[i].State = ItemRunning
			}
			counts := b.Counts()
			if sum := counts.Done + counts.Failed + counts.Skipped + counts.Unclear + counts.Running + counts.Left; sum != n || counts.Running > parallel || alone && counts.Running > 1 {
				r.Fatalf("%+v of %d, %d at a time", counts, n, parallel)
			}
			running := []int{}
			for i, item := range b.Items {
				if item.State == ItemRunning {
					running = append(running, i)
				}
			}
			if len(running) > 0 {
				i := rapid.SampledFrom(running).Draw(r, "ends")
				b.Items[i] = rapid.SampledFrom(items("ddsufb").Items).Draw(r, "how")
			}
			switch what := rapid.IntRange(0, 40).Draw(r, "decision"); {
			case what == 0:
				b.Decide(BulkEvent{Event: audit.Stopped})
			case b.Paused() && what < 10:
				b.Decide(BulkEvent{Event: audit.Resumed})
			}
		}
		for i, times := range begun {
			if times != 1 {
				r.Fatalf("%d was begun %d times", i, times)
			}
		}
	})
}

// TestBulkSize: the largest plan, which is saved at each step, blocks Redis for no more
// than a moment.
func TestBulkSize(t *testing.T) {
	t.Parallel()
	var examined []diagnosis.Examination
	for i := range 500 {
		x := orphan(storetest.Held("", "", `{"prompt":"`+strings.Repeat("A fox ", 1000)+`","createdAt":"`+storetest.Ago(time.Hour)+`","status":"pending"}`))
		x.Session.ID = fmt.Sprintf("cs_live_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3bu%04d", i)
		examined = append(examined, x)
	}
	p := MakeBulkPlan(store.ActionGenerate, examined, ann, BulkOptions{PlanOptions: making}, storetest.At)
	raw, err := json.Marshal(Job{ID: p.ID, Plan: p, Bulk: NewBulk(p)})
	if err != nil || len(p.Items) != 500 || len(raw) > 1<<20 || strings.Contains(string(raw), "A fox") {
		t.Errorf("%d items take %d bytes, with the prompt: %v, %v", len(p.Items), len(raw), strings.Contains(string(raw), "A fox"), err)
	}
}
