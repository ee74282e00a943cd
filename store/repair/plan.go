// Package repair makes plans, of one repair or of many, and defines their jobs and the
// results of approvals. It reads and writes nothing.
package repair

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/sessions"
)

// Snapshot is the state in which a plan was made.
type Snapshot struct {
	Verdict   diagnosis.Verdict
	Payment   store.PaymentState
	Amount    int64  // paid, in the currency's smallest unit
	Currency  string // in small letters
	Refunded  int64  // of that
	Disputed  bool
	Status    store.Status
	FileID    string
	FileState store.FileState
	Digests   map[string]string // by kind of key; "" = missing
	PaidAt    time.Time         // zero = not known
	At        time.Time
}

// Plan is a requested repair that has yet to be approved.
type Plan struct {
	ID         string // opaque
	Action     store.Action
	Session    string
	Kind       store.Kind // what it makes
	Layout     store.Layout
	SiteLayout store.Layout `json:"Reads"` // of the keys that the site reads; see Update
	Requester  store.Actor
	Created    time.Time
	Expires    time.Time
	Seen       Snapshot
	Writes     []sessions.KeyWrite // those of the first step: shown; their keys are compared by digest, and the job asks sessions.Writes again
	Order      *Order              // of a generation
	Replay     *Replay             `json:",omitempty"`
	Restore    *sessions.Restored  `json:",omitempty"` // with the prompt, which is in no log
	// FromStripe reports that the prompt to restore is the one in Stripe's metadata.
	FromStripe bool     `json:",omitempty"`
	FixText    string   // of a fix: the sentence for the customer that is stored as the error
	Deliver    string   // of a fix: the finished file that it shows to the customer; "" = it stores an error
	Warnings   []string // sentences, the weightiest first
	Doubt      string   // why the site may have started a video; "" = nothing indicates that
	Risk       string   // the first of the warnings that needs a second press; "" = none does
	EventID    string   // Stripe's event of the payment, "" = not known
	IntentID   string   // Stripe's pi_… of the payment, "" = not known
	Live       bool     // real money, as Stripe says
	Retrying   bool     // Stripe will still deliver the event
	Ref        string   // of the request that it was made for
	Trace      string   `json:",omitempty"` // of that request, see telemetry.Links; "" = it was not traced
	Message    store.Message

	Items    []Plan    `json:",omitempty"` // of a bulk plan, which has no session of its own: one plan each, oldest first
	LeftOut  []LeftOut `json:",omitempty"` // of a bulk plan
	Rest     int       `json:",omitempty"` // of a bulk plan: later sessions, beyond its limit
	Others   int       `json:",omitempty"` // of a bulk plan: more sessions that it cannot repair, which LeftOut does not name
	Parallel int       `json:",omitempty"` // of a bulk plan: how many are repaired at the same time, as far as was known
	// Unfollowed reports, of a bulk plan, that the bot cannot see the end of what the site
	// makes, without a token of SuperDuperAI.
	Unfollowed bool   `json:",omitempty"`
	Bulk       string `json:",omitempty"` // of an item: the id of its bulk plan, "" = it stands alone
}

// Replay is the event that a replay sends to the site.
type Replay struct {
	EventID string    // of checkout.session.completed
	Until   time.Time // as long as Stripe keeps it
	Cents   int       // estimated cost of the video that the site starts, 0 = unknown
}

// Cents returns the estimated cost of the plan, whether the bot or the site generates;
// 0 = unknown, or nothing.
func (p Plan) Cents() int {
	switch {
	case p.Order != nil:
		return p.Order.Cents
	case p.Replay != nil:
		return p.Replay.Cents
	}
	return 0
}

// MakesVideo reports whether an action starts a video, here or on the site.
func MakesVideo(action store.Action) bool {
	return action == store.ActionGenerate || action == store.ActionReplay
}

// NeedsSecondOperator reports whether an action needs an operator other than the
// requester, where approvals are none, generate or all. A replay has a video made as
// well.
func NeedsSecondOperator(approvals string, action store.Action) bool {
	return approvals == "all" || approvals == string(store.ActionGenerate) && MakesVideo(action)
}

// NotAllowed is the error of a repair that the session's state does not allow.
type NotAllowed struct {
	Action  store.Action
	Verdict diagnosis.Verdict
	Reason  string // why, in a sentence
}

func (e *NotAllowed) Error() string {
	return fmt.Sprintf("%s is not allowed while the verdict is %s", e.Action, e.Verdict)
}

// PlanOptions configure plans.
type PlanOptions struct {
	TTL        time.Duration // life of a plan
	Restore    store.Order   // of a restore; what is empty is taken from Stripe's metadata
	Models     Models
	Prices     Prices
	FixText    string // the sentence for the customer that a fix stores
	RefundText string // takes its place where the payment was refunded
}

// ErrNoPrompt is the error of a restore without a prompt, if Stripe holds none either.
var ErrNoPrompt = errors.New("no prompt to restore")

// MakePlan plans a repair of a session that was just examined. It returns a
// *NotAllowed if the diagnosis does not allow it, and ErrNoPrompt if there is nothing
// to restore.
func MakePlan(action store.Action, x diagnosis.Examination, who store.Actor, o PlanOptions, now time.Time) (Plan, error) {
	if !x.Allows(action) {
		refused := &NotAllowed{Action: action, Verdict: x.Verdict, Reason: x.Reason}
		switch {
		case action == store.ActionReplay:
			refused.Reason = cmp.Or(x.WhyNoReplay(), x.Reason)
		case action == store.ActionRestore && x.Session.PromptText() != "":
			refused.Reason = "The prompt is still stored."
		}
		return Plan{}, refused
	}
	now = now.UTC().Truncate(time.Millisecond)
	p := Plan{
		ID: rand.Text(), Action: action, Session: x.Session.ID, Kind: x.Session.Kind(), Layout: x.Session.Layout(), SiteLayout: x.SiteLayout, Requester: who,
		Created: now, Expires: now.Add(o.TTL), Seen: snapshotOf(x), Retrying: retrying(x, now),
		EventID: x.Event.ID, IntentID: x.Payment.IntentID, Live: x.Payment.Live,
	}
	p.Warnings, p.Risk = warnings(x, action, p.Retrying)
	p.Doubt = siteDoubt(x.Session)
	switch action {
	case store.ActionFix:
		if p.Deliver = x.Deliver; p.Deliver == "" {
			p.FixText = p.Kind.Reword(o.FixText)
			if x.Payment.State == store.PaymentRefunded {
				p.FixText = o.RefundText
			}
		}
		p.Writes = sessions.Writes(x.Session, p.FirstUpdate(now))
	case store.ActionGenerate:
		order, notes := newOrder(x.Session, o.Models, o.Prices)
		p.Order, p.Warnings = &order, append(p.Warnings, notes...)
		u := p.FirstUpdate(now)
		p.Writes = addFileWrites(sessions.Writes(x.Session, u), x.Session, u)
	case store.ActionReplay:
		order, _ := newOrder(x.Session, o.Models, o.Prices) // the site makes what the session asks for
		p.Replay = &Replay{EventID: x.Event.ID, Until: x.Event.CompletedAt.Add(store.EventLife), Cents: order.Cents}
	case store.ActionRestore:
		p.Restore = &sessions.Restored{Order: x.Payment.Order, Created: x.Payment.Created}
		order := &p.Restore.Order
		order.VideoCount = x.Payment.VideoCount
		order.Prompt = cmp.Or(o.Restore.Prompt, order.Prompt)
		order.Seconds, order.Resolution = cmp.Or(o.Restore.Seconds, order.Seconds), cmp.Or(o.Restore.Resolution, order.Resolution)
		if order.Prompt == "" {
			return Plan{}, ErrNoPrompt
		}
		p.FromStripe = order.Prompt == x.Payment.Order.Prompt
		p.Writes = sessions.Writes(x.Session, p.FirstUpdate(now))
	}
	return p, nil
}

// OnlyWrites reports whether the plan writes the session, and starts nothing.
func (p Plan) OnlyWrites() bool {
	return p.Action == store.ActionFix || p.Action == store.ActionRestore
}

// FirstUpdate returns the first update of the session: all that a fix or a restore
// does, or the claim of a generation.
func (p Plan) FirstUpdate(at time.Time) sessions.Update {
	switch {
	case p.Action == store.ActionRestore:
		return sessions.Update{Kind: sessions.UpdateRestore, At: at, Restored: p.Restore, SiteLayout: p.SiteLayout}
	case p.Action != store.ActionFix:
		return sessions.Update{Kind: sessions.UpdateProcessing, At: at, SiteLayout: p.SiteLayout}
	case p.Deliver != "":
		return sessions.Update{Kind: sessions.UpdateCompleted, At: at, FileID: p.Deliver, SiteLayout: p.SiteLayout}
	}
	return sessions.Update{Kind: sessions.UpdateMarkError, At: at, Error: p.FixText, SiteLayout: p.SiteLayout}
}

func snapshotOf(x diagnosis.Examination) Snapshot {
	return Snapshot{
		Verdict: x.Verdict, Payment: x.Payment.State,
		Amount: x.Payment.Amount, Currency: x.Payment.Currency,
		Refunded: x.Payment.AmountRefunded, Disputed: x.Payment.Disputed, Status: x.Session.Status(), FileID: x.Session.FileID(),
		FileState: x.File.State, PaidAt: x.PaidAt, Digests: x.Session.Digests(), At: x.At.UTC().Truncate(time.Millisecond),
	}
}

// addFileWrites adds to the writes of a generation's claim what follows once its
// file is known.
func addFileWrites(writes []sessions.KeyWrite, s store.Session, u sessions.Update) []sessions.KeyWrite {
	u.Kind = sessions.UpdateFile
	for _, later := range sessions.Writes(s, u) {
		i := slices.IndexFunc(writes, func(w sessions.KeyWrite) bool { return w.Kind == later.Kind })
		if i < 0 {
			i = len(writes)
			writes = append(writes, sessions.KeyWrite{Session: s.ID, Kind: later.Kind, Create: later.Create, Unreadable: later.Unreadable})
		}
		writes[i].LaterMembers = []string{"fileId", "timestamp"}
	}
	return writes
}

// Entry returns the audit entry of an event of the plan.
func (p Plan) Entry(event audit.Event, who store.Actor, where, detail string, at time.Time) audit.Entry {
	if p.IsBulk() {
		detail = strings.TrimSuffix(fmt.Sprintf("%d sessions; %s", len(p.Items), detail), "; ")
	}
	return audit.Entry{At: at, Who: who, Where: where, Event: event, Action: p.Action, Session: p.Session, Plan: p.ID,
		Detail: detail, Before: p.Seen.Digests}
}
