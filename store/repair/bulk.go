package repair

import (
	"crypto/rand"
	"strconv"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// LeftOutReason is why a bulk plan does not repair a session.
type LeftOutReason string

// The reasons, in the order in which people read them.
const (
	LeftRetrying    LeftOutReason = "stripe_delivers" // Stripe will still deliver the event; may be included
	LeftOtherAction LeftOutReason = "other_action"    // only another action can repair it
	LeftRunning     LeftOutReason = "being_made"      // a repair of ours runs, or the site's file is being made
	LeftUnclear     LeftOutReason = "unclear"         // an earlier repair has to be settled first
	LeftCompleted   LeftOutReason = "completed"       // the customer has the video already
	LeftRefunded    LeftOutReason = "refunded"
	LeftSecondPress LeftOutReason = "second_press" // its own plan needs a second press, for another reason than Stripe
	LeftNotAllowed  LeftOutReason = "not_allowed"
	LeftUnseen      LeftOutReason = "not_seen"           // Redis did not answer
	LeftHandled     LeftOutReason = "handled"            // elsewhere, as an operator said
	LeftMarked      LeftOutReason = "marked"             // as error, by a repair
	LeftEventUnseen LeftOutReason = "event_not_seen"     // whether Stripe will still deliver the event; may be included
	LeftUnverified  LeftOutReason = "payment_unverified" // Stripe, which is configured, did not say that it was paid
	LeftUnreadable  LeftOutReason = "site_cannot_read"   // a replay would start nothing; a generation would
)

// LeftOutReasons lists all of them in that order.
var LeftOutReasons = []LeftOutReason{LeftRetrying, LeftOtherAction, LeftRunning, LeftUnclear, LeftCompleted, LeftRefunded,
	LeftUnreadable, LeftSecondPress, LeftNotAllowed, LeftUnseen, LeftHandled, LeftMarked, LeftEventUnseen, LeftUnverified}

// LeftOut is a session that a bulk plan does not repair.
type LeftOut struct {
	Session string
	Reason  LeftOutReason
	Detail  string    // the diagnosis' sentence, or the warning
	PaidAt  time.Time // zero = not known
	Cents   int       `json:",omitempty"` // estimated cost of its video, 0 = unknown or none
}

// BulkOptions configure a bulk plan.
type BulkOptions struct {
	PlanOptions
	Include bool                     // also those whose event Stripe will, or may, still deliver
	Other   store.Action             // that may repair what this one cannot; "" = none
	Handled map[string]LeftOutReason // sessions that people handled in another way
}

// MakeBulkPlan plans one repair for all sessions that were just examined, in their
// order. Those that it leaves out are listed with the reason; there may be no items.
func MakeBulkPlan(action store.Action, examined []diagnosis.Examination, who store.Actor, o BulkOptions, now time.Time) Plan {
	now = now.UTC().Truncate(time.Millisecond)
	p := Plan{ID: rand.Text(), Action: action, Requester: who, Created: now, Expires: now.Add(o.TTL)}
	for _, x := range examined {
		item, err := MakePlan(action, x, who, o.PlanOptions, now)
		if reason, detail := leftOut(action, x, item, err, o); reason != "" {
			p.LeftOut = append(p.LeftOut, LeftOut{Session: x.Session.ID, Reason: reason, Detail: detail, PaidAt: x.PaidAt, Cents: item.Cents()})
			continue
		}
		item.Bulk = p.ID
		p.Items = append(p.Items, item)
	}
	p.Warnings, p.Risk = bulkWarnings(p.Items)
	return p
}

// leftOut returns why a session is left out, "" if it is repaired.
func leftOut(action store.Action, x diagnosis.Examination, item Plan, err error, o BulkOptions) (reason LeftOutReason, detail string) {
	switch {
	case x.RedisSilent || x.JobErr != nil:
		return LeftUnseen, ""
	case x.Repair.State == store.JobRunning:
		return LeftRunning, ""
	case x.Repair.State == store.JobUnclear:
		return LeftUnclear, x.Reason
	case o.Handled[x.Session.ID] != "":
		return o.Handled[x.Session.ID], x.Reason
	case err != nil:
		return notAllowedReason(action, x, o.Other), x.Reason
	case item.Retrying && item.Risk != "" && !o.Include:
		return LeftRetrying, item.Risk
	case MakesVideo(item.Action) && unseenEvent(x) && !o.Include:
		return LeftEventUnseen, unseenEventText
	case MakesVideo(item.Action) && x.Payment.State == store.PaymentUnverified && x.Payment.Why != store.NoStripeKey:
		return LeftUnverified, x.Reason
	}
	if _, other := warnings(x, item.Action, false); other != "" {
		return LeftSecondPress, other
	}
	return "", ""
}

func notAllowedReason(action store.Action, x diagnosis.Examination, other store.Action) LeftOutReason {
	switch {
	case other != "" && x.Allows(other):
		return LeftOtherAction
	case action == store.ActionReplay && x.SiteCannotRead():
		return LeftUnreadable
	case x.Verdict == diagnosis.VerdictProcessing:
		return LeftRunning
	case x.Verdict == diagnosis.VerdictCompleted:
		return LeftCompleted
	case x.Payment.State == store.PaymentRefunded:
		return LeftRefunded
	}
	return LeftNotAllowed
}

// Limit drops the items beyond the limit, and their warnings.
func (p *Plan) Limit(n int) {
	if more := len(p.Items) - n; more > 0 {
		p.Items, p.Rest = p.Items[:n], p.Rest+more
		p.Warnings, p.Risk = bulkWarnings(p.Items)
	}
}

// IsBulk reports whether the plan repairs several sessions.
func (p Plan) IsBulk() bool { return p.Session == "" && len(p.Items)+len(p.LeftOut) > 0 }

// Sums returns what the items cost, estimated in cents, how many of them cost an
// amount that is not known, and what the customers paid, by currency.
func (p Plan) Sums() (cents, unknown int, paid map[string]int64) {
	paid = map[string]int64{}
	for _, item := range p.Items {
		if item.Seen.Amount > 0 {
			paid[item.Seen.Currency] += item.Seen.Amount
		}
		if cents += item.Cents(); item.Cents() == 0 && MakesVideo(p.Action) {
			unknown++
		}
	}
	return cents, unknown, paid
}

// Includable returns how many sessions are left out that may be included, and what their
// videos cost in cents.
func (p Plan) Includable() (n, cents int) {
	for _, l := range p.LeftOut {
		if l.Reason == LeftRetrying || l.Reason == LeftEventUnseen {
			n, cents = n+1, cents+l.Cents
		}
	}
	return n, cents
}

// CountLeftOut returns how many sessions are left out, by reason.
func (p Plan) CountLeftOut() map[LeftOutReason]int {
	counts := map[LeftOutReason]int{}
	for _, l := range p.LeftOut {
		counts[l.Reason]++
	}
	if p.Others > 0 {
		counts[LeftNotAllowed] += p.Others
	}
	return counts
}

// LeftOutFor returns the sessions that are left out for a reason.
func (p Plan) LeftOutFor(reason LeftOutReason) (sessions []string) {
	for _, l := range p.LeftOut {
		if l.Reason == reason {
			sessions = append(sessions, l.Session)
		}
	}
	return sessions
}

// ItemID returns the id of the plan, and job, of one item. It is derived, so that
// the process that continues the bulk plan finds it.
func (p Plan) ItemID(i int) string { return p.ID + "-" + strconv.Itoa(i) }

// OfBulk reports whether the id is that of a bulk plan or of one of its items.
func OfBulk(bulk, id string) bool { return id == bulk || strings.HasPrefix(id, bulk+"-") }

// ItemPlan returns the plan of one item as it is carried out: approved with the whole,
// it needs no press of its own, and does not expire before the whole does.
func (j Job) ItemPlan(i int) Plan {
	item := j.Plan.Items[i]
	item.ID, item.Risk = j.Plan.ItemID(i), ""
	item.Expires, item.Ref, item.Trace = item.Created.Add(store.KeyLife), j.Plan.Ref, j.Plan.Trace
	item.Message = store.Message{Channel: j.Plan.Message.Channel}
	return item
}
