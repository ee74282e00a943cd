// Package remedy decides the possible remedies for an order, the cheapest first, and renders
// them as sentences and buttons.
package remedy

import (
	"slices"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// Remedy is a way to fix an order.
type Remedy string

// The remedies, in the order in which they are advised: the cheapest first.
const (
	Show     Remedy = "show"     // the finished video, which costs nothing
	Dispute  Remedy = "dispute"  // to be answered in Stripe before money is spent
	Verify   Remedy = "verify"   // the payment, before money is spent
	Ask      Remedy = "ask"      // the customer for the lost prompt
	Restore  Remedy = "restore"  // the prompt that Stripe still has
	Check    Remedy = "check"    // SuperDuperAI, which may still finish a stalled video
	Resend   Remedy = "resend"   // the event in Stripe
	Replay   Remedy = "replay"   // the event, by the bot
	Generate Remedy = "generate" // the video
	Refund   Remedy = "refund"   // in Stripe
)

// reason is why a remedy is advised, where that changes what is said of it.
type reason string

const (
	becauseStripeRetries reason = "retries" // Stripe delivers the event by itself, so another video would be a second one
	becauseOnlyTheSite   reason = "site"    // it cannot be started from here
	becauseDelivered     reason = "done"    // the video is evidence
)

// advised is a remedy and the reason for it, "" = it needs none.
type advised struct {
	remedy Remedy
	why    reason
}

// Situation is the input of the decision: one order, or several in the same trouble.
type Situation struct {
	Sessions int // 0 = one
	Verdict  diagnosis.Verdict
	Kind     store.Kind
	Allowed  []store.Action
	Shows    bool // a fix shows a finished video
	Picture  bool // the customer's own is needed, which only the site has
	Kept     bool // Stripe still has the lost prompt
	Unread   bool // the site cannot read the session, so that Stripe's event starts nothing
	// Explained reports that SuperDuperAI said why it could not make the video, which may
	// be that it refuses the prompt.
	Explained bool

	Payment     store.PaymentState
	Amount      int64 // paid, in the currency's smallest unit
	Currency    string
	Disputed    bool
	PaymentPage string // of Stripe's dashboard, "" = not known

	Event        store.EventState
	EventPage    string    // of Stripe's dashboard, "" = not known
	RetriesUntil time.Time // Stripe delivers the event by itself until then, zero = it does not

	Verify string // what to do about an unverified payment, a sentence
	Test   bool   // no real money was paid

	File     string // that is stalled, "" = Debug names it
	Fileless bool   // the session names no file
	Cents    int    // estimated cost of one video, 0 = unknown
}

// remedies returns the remedies, the cheapest first: the same order in every message and
// for its buttons. Empty = nothing is to be repaired, or a person has to look first.
func (s Situation) remedies() []advised {
	if s.Shows { // all else would cost, and hide it
		return []advised{{Show, ""}}
	}
	if s.Disputed && s.Verdict == diagnosis.VerdictCompleted {
		return []advised{{Dispute, becauseDelivered}}
	}
	if !slices.Contains([]diagnosis.Verdict{diagnosis.VerdictOrphaned, diagnosis.VerdictStalled, diagnosis.VerdictFailed, diagnosis.VerdictLost}, s.Verdict) {
		return nil
	}
	replay, generate := slices.Contains(s.Allowed, store.ActionReplay), slices.Contains(s.Allowed, store.ActionGenerate)
	lost := s.Verdict == diagnosis.VerdictLost
	unverified := s.Payment == store.PaymentUnverified
	var list []advised
	add := func(when bool, r Remedy, why reason) {
		if when {
			list = append(list, advised{r, why})
		}
	}
	add(s.Disputed, Dispute, "")
	add(unverified && (replay || generate), Verify, "")
	restore := slices.Contains(s.Allowed, store.ActionRestore)
	add(restore && s.Kept && !s.Disputed, Restore, "")
	add((lost || restore) && !s.Kept && !s.Disputed, Ask, "")
	add(s.Verdict == diagnosis.VerdictStalled && (replay || generate) && !s.Disputed, Check, "")
	add(s.retries() && !s.Disputed, Resend, becauseStripeRetries)
	add(!s.retries() && s.Picture && !replay && s.Verdict == diagnosis.VerdictOrphaned && s.EventPage != "", Resend, becauseOnlyTheSite)
	add(replay, Replay, "")
	add(generate, Generate, "")
	settled := s.Payment == store.PaymentPaid || s.Payment == store.PaymentPartiallyRefunded
	add(settled && !s.Disputed, Refund, "")
	return list
}

// retries reports whether Stripe's own retry may start a video: without a prompt the
// site cannot.
func (s Situation) retries() bool {
	return !s.RetriesUntil.IsZero() && s.Payment != store.PaymentUnverified && !s.Unread && s.Verdict != diagnosis.VerdictLost
}

// Advises reports whether a remedy is advised.
func (s Situation) Advises(r Remedy) bool {
	return slices.ContainsFunc(s.remedies(), func(a advised) bool { return a.remedy == r })
}

// MarkLabel is the button that marks a session as error.
const MarkLabel = "Mark as error…"

// Buttons start the remedies that are repairs, in the order of the advice, and offer
// last to mark the session as error. The first one without an
// avoidable cost is highlighted.
func (s Situation) Buttons(session string) []slack.BlockElement {
	var buttons []slack.BlockElement
	for i, a := range s.remedies() {
		var button *slack.ButtonBlockElement
		switch a.remedy {
		case Show:
			button = blockkit.Button("session.fix", s.words("Show the {video}…"), session)
		case Replay:
			button = blockkit.Button("session.replay", "Replay webhook…", session)
		case Generate:
			button = blockkit.Button("session.generate", s.words("Generate {video}…"), session)
		default:
			continue
		}
		if i == 0 {
			button.Style = slack.StylePrimary
		}
		buttons = append(buttons, button)
	}
	if slices.Contains(s.Allowed, store.ActionRestore) {
		buttons = append(buttons, blockkit.Button("session.restore", "Restore prompt…", session))
	}
	if !s.Shows && slices.Contains(s.Allowed, store.ActionFix) {
		buttons = append(buttons, blockkit.Button("session.fix", MarkLabel, session))
	}
	return buttons
}
