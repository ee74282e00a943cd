package repair

import (
	"slices"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
)

// ItemState is the state of one session of a bulk plan.
type ItemState string

// The states.
const (
	ItemWaiting ItemState = ""
	ItemRunning ItemState = "running" // recorded before its job is claimed
	ItemDone    ItemState = "done"
	ItemFailed  ItemState = "failed"
	ItemSkipped ItemState = "skipped" // it changed meanwhile: nothing was done
	ItemUnclear ItemState = "unclear" // it has to be settled
)

// Item is how far one session of a bulk plan got.
type Item struct {
	State  ItemState `json:",omitempty"`
	Cause  Cause     `json:",omitempty"` // why it did not end well
	Detail []string  `json:",omitempty"` // of the cause
}

// BulkEvent is a decision about an approved bulk plan as a whole: by a person, or a pause
// by the bot.
type BulkEvent struct {
	Event  audit.Event
	By     store.Actor
	Where  string
	At     time.Time
	Cause  Cause    `json:",omitempty"` // of a pause
	Detail []string `json:",omitempty"` // of the cause
	Next   int      // how many items had been begun
	Canary bool     `json:",omitempty"` // of a pause: the last of them was the canary, and is the reason
}

// Bulk is how far the job of a bulk plan got.
type Bulk struct {
	Items   []Item      // as those of the plan
	Canary  *Canary     `json:",omitempty"` // nil = none of them goes first
	Events  []BulkEvent // since the claim, oldest first
	Audited int         // how many of them are in the audit trail
	Posted  int         `json:",omitempty"` // how many there were when a pause was last posted in the thread
	Saved   time.Time   // when the process that continues it recorded that last
}

// NewBulk returns the state in which the job of a plan begins, nil = it is no bulk plan.
func NewBulk(p Plan) *Bulk {
	if !p.IsBulk() {
		return nil
	}
	b := &Bulk{Items: make([]Item, len(p.Items))}
	if p.HasCanary() {
		b.Canary = &Canary{}
	}
	return b
}

// BulkCounts count the sessions of a bulk plan by state.
type BulkCounts struct{ Done, Failed, Skipped, Unclear, Running, Left int }

// Counts counts the items.
func (b *Bulk) Counts() (n BulkCounts) {
	counters := map[ItemState]*int{ItemDone: &n.Done, ItemFailed: &n.Failed, ItemSkipped: &n.Skipped,
		ItemUnclear: &n.Unclear, ItemRunning: &n.Running, ItemWaiting: &n.Left}
	for _, item := range b.Items {
		*counters[item.State]++
	}
	return n
}

// Last returns the last decision, nil if there was none.
func (b *Bulk) Last() *BulkEvent {
	if len(b.Events) == 0 {
		return nil
	}
	return &b.Events[len(b.Events)-1]
}

// Stopped reports whether no more sessions are begun, for good.
func (b *Bulk) Stopped() bool { return b.last(audit.Stopped) }

// Paused reports whether no more sessions are begun until the plan is resumed.
func (b *Bulk) Paused() bool { return b.last(audit.Paused) }

func (b *Bulk) last(event audit.Event) bool {
	last := b.Last()
	return last != nil && last.Event == event
}

// Over reports whether nothing runs, and nothing more is begun.
func (b *Bulk) Over() bool {
	n := b.Counts()
	return n.Running == 0 && (n.Left == 0 || b.Stopped())
}

// begun returns how many items have been begun: they are begun in their order.
func (b *Bulk) begun() int {
	i := slices.IndexFunc(b.Items, func(i Item) bool { return i.State == ItemWaiting })
	if i < 0 {
		return len(b.Items)
	}
	return i
}

// Next returns the items to begin now, at most so many at the same time: as long as a
// canary goes first, that one alone.
func (b *Bulk) Next(parallel int) (next []int) {
	if b.Stopped() || b.Paused() {
		return nil
	}
	end := len(b.Items)
	if b.Canary != nil && !b.Canary.Passed {
		end = min(b.Canary.Item+1, end)
	}
	may := parallel - b.Counts().Running
	for i := b.begun(); i < end && len(next) < may; i++ {
		if b.Items[i].State == ItemWaiting {
			next = append(next, i)
		}
	}
	return next
}

// pauseAfter is how many failures in a row, for a cause that concerns all sessions,
// pause a bulk plan.
const pauseAfter = 3

// CommonFailure returns the item whose failure is a reason to pause: the last ones
// that were begun since the last decision all failed for causes that concern every
// session. It counts in the order in which they were begun: the first ones may be
// made for a long time while all that follow are refused.
func (b *Bulk) CommonFailure() (Item, bool) {
	from, row, latest := 0, 0, Item{}
	if last := b.Last(); last != nil {
		from = last.Next
	}
	for i := len(b.Items) - 1; i >= from; i-- {
		item := b.Items[i]
		switch {
		case item.State == ItemWaiting, item.State == ItemRunning, item.State == ItemSkipped:
			continue
		case item.State == ItemDone || !commonCauses[item.Cause]:
			return Item{}, false
		case row == 0:
			latest = item
		}
		if row++; row == pauseAfter {
			return latest, true
		}
	}
	return Item{}, false
}

// commonCauses are those that do not depend on the session: the next one would fail, too.
var commonCauses = map[Cause]bool{
	CauseNoToken: true, CauseUnauthorised: true, CauseBalance: true, CauseForbidden: true, CauseRejected: true,
	CauseRateLimited: true, CauseUnavailable: true, CauseServerFault: true, CauseCertificate: true, CauseNoAnswer: true,
	CauseUnwritten: true, CauseCommand: true, CauseLate: true,
	CauseNoSecret: true, CauseNoStripeKey: true, CauseSignature: true, CauseClock: true, CauseBlocked: true, CauseNoWebhook: true,
	CauseUnreachable: true, CauseSiteFailed: true, CauseIgnored: true,
}

// ItemOf returns the state of an item, from its job.
func ItemOf(job Job) Item {
	item := Item{Cause: job.Cause, Detail: job.Detail}
	switch job.Outcome {
	case "":
		return Item{State: ItemRunning}
	case store.OutcomeDone:
		return Item{State: ItemDone}
	case store.OutcomeGaveUp:
		item.State = ItemFailed
		if job.Cause == CauseNoToken { // replayed, so the site makes it; only its end cannot be seen
			item.State = ItemDone
		}
	case store.OutcomeUnclear:
		item.State = ItemUnclear
	case store.OutcomeCancelled:
		item.State = ItemSkipped
	case store.OutcomeRefused:
		item.State = ItemSkipped
		if commonCauses[job.Cause] {
			item.State = ItemFailed
		}
	default:
		item.State = ItemFailed
	}
	return item
}

// Outcome returns the outcome of the whole once it is over.
func (b *Bulk) Outcome() store.Outcome {
	n := b.Counts()
	switch {
	case b.Stopped() && n.Left > 0:
		return store.OutcomeCancelled
	case n.Failed+n.Unclear > 0:
		return store.OutcomeFailed
	}
	return store.OutcomeDone
}

// Decide adds a decision. After a pause because of the canary the next session goes
// first.
func (b *Bulk) Decide(e BulkEvent) {
	e.Next = b.begun()
	b.Events = append(b.Events, e)
	if e.Canary {
		b.Canary = &Canary{Item: e.Next}
	}
}
