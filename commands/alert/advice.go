package alert

import (
	"slices"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/commands/remedy"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/repair"
)

// alertCauses say what probably happened, or what to look at first.
var alertCauses = map[diagnosis.Verdict]pluralText{
	diagnosis.VerdictFailed: {"", "Debug one or two: they show the reason, if SuperDuperAI gave one. If it is the balance: top it up in SuperDuperAI. If it is the model: before you generate, set another in the bot's SUPERDUPERAI_MODEL; before you replay, set another on the site. A refused prompt would fail again: mark that one as error, if its menu offers that, then refund it in Stripe. Then, for the others:\n"},
}

// orphanTexts name the state of an orphan's event at Stripe, and as the cause for one
// orphan and for several with the same state.
var orphanTexts = map[store.EventState]struct {
	event   string // in a row
	several string // after their number
	cause   pluralText
}{
	store.EventFailed: {"event not delivered", "not delivered", pluralText{
		"Stripe could not deliver the event to at least one endpoint, probably the site's: Stripe shows which, and why. If it is the site's, fix that first.",
		"Stripe has not been able to deliver the events to at least one endpoint{since}: probably the site's webhook is failing. 1. Fix it (Stripe shows the HTTP status). 2."}},
	store.EventPending: {"event still being delivered", "still being delivered", pluralText{}}, // which the advice says
	store.EventDelivered: {"event delivered", "delivered", pluralText{
		"Stripe delivered the event, so the site lost it.",
		"Stripe delivered the events, so the site lost them."}},
	store.EventNone: {"no event", "without an event", pluralText{}},
}

// alertAdvice says what probably happened and names the remedies, the cheapest first, by
// the same rules as for a single session.
func alertAdvice(v diagnosis.Verdict, open []incident.Case, videoCents int, now time.Time) blockkit.Line {
	if v == diagnosis.VerdictOrphaned && allUnverified(open) {
		return unverifiedAdvice(open, videoCents)
	}
	cause := alertCauses[v].of(len(open))
	if v == diagnosis.VerdictOrphaned {
		cause = orphanCause(open, now)
	}
	s := situationOfCases(v, open, videoCents, now)
	help := s.Advice(now)
	starts := slices.Contains(s.Allowed, store.ActionGenerate) || slices.Contains(s.Allowed, store.ActionReplay)
	switch {
	case len(help) == 0:
		help = blockkit.PlainLine(pluralText{"Press Debug to see what is wrong.", "Press Debug on each to see what is wrong."}.of(len(open)))
	case !starts && !s.Shows && v != diagnosis.VerdictLost && !slices.Contains(s.Allowed, store.ActionRestore):
		help = append(help, blockkit.Plain(pluralText{"\nThe bot cannot make it: Debug shows why.", "\nThe bot cannot make them: Debug shows why."}.of(len(open))))
	}
	if cause != "" && !strings.HasSuffix(cause, "\n") {
		cause += " "
	}
	return append(blockkit.L(blockkit.Plain("→ "+cause)), help...)
}

// unverifiedAdvice is about sessions of which nobody knows whether they were paid.
func unverifiedAdvice(open []incident.Case, videoCents int) blockkit.Line {
	cost, all := "", ""
	if videoCents > 0 {
		cost = " (we pay " + remedy.CostText(videoCents) + pluralText{"", " each"}.of(len(open)) + ")"
	}
	if len(open) > 1 {
		all = " Do not press Repair all before all are checked."
	}
	live := store.IsLive(open[0].ID)
	return blockkit.L(blockkit.Plain("→ "), remedy.StripeLink(remedy.StripePage(live, "payments"), pluralText{"Check in Stripe whether it was paid", "Check in Stripe which were paid"}.of(len(open))),
		blockkit.Plain(": no Stripe key is configured, so the bot cannot. Paid: resend its event there, or generate"+cost+". Unpaid: choose Handled in its menu."+all+
			" To be alerted only about paid ones, set STRIPE_SECRET_KEY (a restricted, read-only key)."))
}

// situationOfCases is the input for the remedies of an incident's orders.
func situationOfCases(v diagnosis.Verdict, open []incident.Case, videoCents int, now time.Time) remedy.Situation {
	s := remedy.Situation{Sessions: len(open), Verdict: v, Payment: store.PaymentPaid, Cents: videoCents}
	s.Event, _ = commonEvent(open)
	settled := s.Event == store.EventDelivered || s.Event == store.EventNone || v != diagnosis.VerdictOrphaned // for most of them
	s.Shows = len(open) > 0
	marks := true // all of them
	for _, c := range open {
		s.Allowed = append(s.Allowed, c.Allowed...)
		marks = marks && slices.Contains(c.Allowed, store.ActionFix)
		s.Shows = s.Shows && shows(c)
		if until := repair.RetriesUntil(store.Event{State: c.Event, Created: c.EventAt}, now); !settled && until.After(s.RetriesUntil) {
			s.RetriesUntil = until
		}
	}
	if !marks {
		s.Allowed = slices.DeleteFunc(s.Allowed, func(a store.Action) bool { return a == store.ActionFix })
	}
	if len(open) != 1 {
		return s
	}
	only := open[0]
	s.Payment, s.Amount, s.Currency = only.Payment, only.Amount, only.Currency
	s.PaymentPage, s.EventPage = paymentPage(only), eventPage(only)
	if s.Payment == store.PaymentUnverified {
		s.Verify = "Check in Stripe first whether this was paid."
	}
	return s
}

// orphanCause says what most orphans have in common at Stripe, or that they do not.
func orphanCause(open []incident.Case, now time.Time) string {
	state, since := commonEvent(open)
	if state != store.EventUnknown {
		from := ""
		if !since.IsZero() {
			from = " since " + humanize.Clock(since, now)
		}
		cause := strings.Replace(orphanTexts[state].cause.of(len(open)), "{since}", from, 1)
		if n := stillDelivered(open, now); n > 0 && (state == store.EventDelivered || state == store.EventNone) {
			cause = strings.TrimSpace(cause + " Stripe is still retrying " + humanize.Thousands(int64(n)) + " of them.")
		}
		return cause
	}
	counts := map[store.EventState]int{}
	for _, c := range open {
		counts[c.Event]++
	}
	var parts []string
	for _, e := range []store.EventState{store.EventFailed, store.EventPending, store.EventDelivered, store.EventNone} {
		if n := counts[e]; n > 0 {
			parts = append(parts, humanize.Thousands(int64(n))+" "+orphanTexts[e].several)
		}
	}
	if parts == nil {
		return "The state of Stripe's " + pluralText{"event", "events"}.of(len(open)) + " is unknown: Debug checks again."
	}
	text := "No common cause; Stripe's events: " + strings.Join(parts, ", ") + "."
	if n := stillDelivered(open, now); n > 0 && n < len(open) {
		text += " Waiting helps only with the " + humanize.Thousands(int64(n)) + " that Stripe still retries."
	}
	return text
}

// stillDelivered counts the orphans whose event Stripe may still deliver by itself.
func stillDelivered(open []incident.Case, now time.Time) (n int) {
	for _, c := range open {
		if !repair.RetriesUntil(store.Event{State: c.Event, Created: c.EventAt}, now).IsZero() {
			n++
		}
	}
	return n
}

// commonEvent is the state of the event that sessions have in common at Stripe, and
// since when; see incident.CommonEvent.
func commonEvent(open []incident.Case) (store.EventState, time.Time) {
	if len(open) == 1 {
		return open[0].Event, time.Time{}
	}
	return incident.CommonEvent(open)
}
