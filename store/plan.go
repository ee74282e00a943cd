package store

import (
	"crypto/rand"
	"fmt"
	"time"
)

// Seen is the state that a plan was made for.
type Seen struct {
	Verdict   Verdict
	Payment   PaymentState
	Amount    int64  // paid, in the currency's smallest unit
	Currency  string // in small letters
	Refunded  int64  // of that
	Disputed  bool
	Status    Status
	FileID    string
	FileState FileState
	Digests   map[string]string // by kind of key; "" = missing
	At        time.Time
}

// Plan is a repair that somebody asked for and that has yet to be approved.
type Plan struct {
	ID        string // opaque
	Action    Action
	Session   string
	Kind      Kind // what it makes
	Layout    Layout
	Reads     Layout // of the keys that the site reads; see Update
	Requester Actor
	Created   time.Time
	Expires   time.Time
	Seen      Seen
	Writes    []KeyWrite // those of the first step; KeyWrite.Then names what follows
	Order     *Order     // of a generation
	FixText   string     // of a fix: the sentence for the customer that is stored as the error
	Deliver   string     // of a fix: the finished file that it shows to the customer; "" = it stores an error
	Warnings  []string   // sentences, the weightiest first
	Doubt     string     // why the site may have had a video made; "" = nothing says so
	Risk      string     // the first of them that needs a second press; "" = none does
	EventID   string     // Stripe's event of the payment, "" = not known
	Live      bool       // real money, as Stripe says
	Retrying  bool       // Stripe will still deliver the event
	Ref       string     // of the request that it was made for
	Message   Message
}

// NotAllowed means that the session's state does not allow the repair.
type NotAllowed struct {
	Action  Action
	Verdict Verdict
	Reason  string // the diagnosis' own sentence
}

func (e *NotAllowed) Error() string {
	return fmt.Sprintf("%s is not allowed while the verdict is %s", e.Action, e.Verdict)
}

// PlanOptions are what plans are made with.
type PlanOptions struct {
	TTL     time.Duration // life of a plan
	Models  Models
	Prices  Prices
	FixText string // the sentence for the customer that a fix stores
	// RefundText takes its place where the payment was refunded.
	RefundText string
}

// MakePlan plans a repair by what was just seen. Where the diagnosis does not
// allow it the error is a *NotAllowed.
func MakePlan(action Action, x Examination, who Actor, o PlanOptions, now time.Time) (Plan, error) {
	if !x.Allows(action) {
		return Plan{}, &NotAllowed{Action: action, Verdict: x.Verdict, Reason: x.Reason}
	}
	now = now.UTC().Truncate(time.Millisecond)
	p := Plan{
		ID: rand.Text(), Action: action, Session: x.Session.ID, Kind: x.Session.Kind(), Layout: x.Session.Layout(), Reads: x.Reads, Requester: who,
		Created: now, Expires: now.Add(o.TTL), Seen: seenOf(x), Retrying: retrying(x, now),
		EventID: x.Event.ID, Live: x.Payment.Live,
	}
	p.Warnings, p.Risk = warnings(x, action, p.Retrying)
	p.Doubt = siteDoubt(x.Session)
	switch action {
	case ActionFix:
		if p.Deliver = x.Deliver; p.Deliver == "" {
			p.FixText = p.Kind.Tell(o.FixText)
			if x.Payment.State == PaymentRefunded {
				p.FixText = o.RefundText
			}
		}
		p.Writes = Writes(x.Session, p.FirstUpdate(now))
	case ActionGenerate:
		order, notes := newOrder(x.Session, o.Models, o.Prices)
		p.Order, p.Warnings = &order, append(p.Warnings, notes...)
		p.Writes = generateWrites(x.Session, p.Reads, now)
	}
	return p, nil
}

// FirstUpdate returns what the plan makes of its session at first: all that a fix
// does, or the claim of a generation.
func (p Plan) FirstUpdate(at time.Time) Update {
	switch {
	case p.Action != ActionFix:
		return Update{Kind: UpdateClaim, At: at, Reads: p.Reads}
	case p.Deliver != "":
		return Update{Kind: UpdateCompleted, At: at, FileID: p.Deliver, Reads: p.Reads}
	}
	return Update{Kind: UpdateFix, At: at, Error: p.FixText, Reads: p.Reads}
}

func seenOf(x Examination) Seen {
	return Seen{
		Verdict: x.Verdict, Payment: x.Payment.State,
		Amount: x.Payment.Amount, Currency: x.Payment.Currency,
		Refunded: x.Payment.AmountRefunded, Disputed: x.Payment.Disputed, Status: x.Session.Status(), FileID: x.Session.FileID(),
		FileState: x.File.State, Digests: x.Session.Digests(), At: x.At.UTC().Truncate(time.Millisecond),
	}
}

// generateWrites are those of the claim, and what follows with the file.
func generateWrites(s Session, reads Layout, now time.Time) []KeyWrite {
	writes := Writes(s, Update{Kind: UpdateClaim, At: now, Reads: reads})
	for _, later := range Writes(s, Update{Kind: UpdateFile, At: now, Reads: reads}) {
		i := 0
		for i < len(writes) && writes[i].Kind != later.Kind {
			i++
		}
		if i == len(writes) {
			writes = append(writes, KeyWrite{Session: s.ID, Kind: later.Kind,
				Create: later.Create, Unreadable: later.Unreadable})
		}
		writes[i].Then = []string{"fileId", "timestamp"}
	}
	return writes
}

// Entry is what somebody did about the plan, for the audit trail.
func (p Plan) Entry(event AuditEvent, who Actor, where, detail string, at time.Time) Entry {
	return Entry{At: at, Who: who, Where: where, Event: event, Action: p.Action, Session: p.Session, Plan: p.ID,
		Detail: detail, Before: p.Seen.Digests}
}
