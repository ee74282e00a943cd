package commands

import (
	"slices"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// remedy is a way to put an order right.
type remedy string

// The remedies, in the order in which they are advised: the cheapest first.
const (
	remedyShow     remedy = "show"     // the finished video, which costs nothing
	remedyDispute  remedy = "dispute"  // to be answered in Stripe before money is spent
	remedyVerify   remedy = "verify"   // the payment, before money is spent
	remedyAsk      remedy = "ask"      // the customer for the lost prompt
	remedyRestore  remedy = "restore"  // the prompt that Stripe still has
	remedyResend   remedy = "resend"   // the event in Stripe
	remedyReplay   remedy = "replay"   // the event, by the bot
	remedyGenerate remedy = "generate" // the video
	remedyRefund   remedy = "refund"   // in Stripe
)

// reason is why a remedy is advised, where that changes what is said of it.
type reason string

const (
	becauseStripeRetries reason = "retries" // Stripe delivers the event by itself, so another video would be a second one
	becauseOnlyTheSite   reason = "site"    // it cannot be started from here
	becauseDelivered     reason = "done"    // the video is evidence
)

// advised is a remedy and the reason for it, "" = it speaks for itself.
type advised struct {
	remedy remedy
	why    reason
}

// situation is what decides how an order is put right, or several in the same trouble.
type situation struct {
	sessions int // 0 = one
	verdict  diagnosis.Verdict
	kind     store.Kind
	allowed  []store.Action
	shows    bool // a fix shows a finished video
	picture  bool // the customer's own is needed, which only the site has
	kept     bool // Stripe still has the lost prompt
	unread   bool // the site cannot read the session, so that Stripe's event starts nothing

	payment     store.PaymentState
	amount      int64 // paid, in the currency's smallest unit
	currency    string
	disputed    bool
	paymentPage string // of Stripe's dashboard, "" = not known

	event        store.EventState
	eventPage    string    // of Stripe's dashboard, "" = not known
	retriesUntil time.Time // Stripe delivers the event by itself until then, zero = it does not

	verify string // what to do about an unverified payment, a sentence

	cents int // estimated cost of one video, 0 = unknown
}

// remedies returns what helps, the cheapest first: the same order in every message and
// for its buttons. Empty = nothing is to be repaired, or a person has to look first.
func (s situation) remedies() []advised {
	if s.shows { // all else would cost, and hide it
		return []advised{{remedyShow, ""}}
	}
	if s.disputed && s.verdict == diagnosis.VerdictCompleted {
		return []advised{{remedyDispute, becauseDelivered}}
	}
	if !slices.Contains([]diagnosis.Verdict{diagnosis.VerdictOrphaned, diagnosis.VerdictStalled, diagnosis.VerdictFailed, diagnosis.VerdictLost}, s.verdict) {
		return nil
	}
	replay, generate := slices.Contains(s.allowed, store.ActionReplay), slices.Contains(s.allowed, store.ActionGenerate)
	lost := s.verdict == diagnosis.VerdictLost
	unverified := s.payment == store.PaymentUnverified
	retries := !s.retriesUntil.IsZero() && !unverified && !s.unread && !lost // without a prompt the site cannot start it
	var list []advised
	add := func(when bool, r remedy, why reason) {
		if when {
			list = append(list, advised{r, why})
		}
	}
	add(s.disputed, remedyDispute, "")
	add(unverified && (replay || generate), remedyVerify, "")
	restore := slices.Contains(s.allowed, store.ActionRestore)
	add(restore && s.kept, remedyRestore, "")
	add((lost || restore) && !s.kept, remedyAsk, "")
	add(retries, remedyResend, becauseStripeRetries)
	add(!retries && s.picture && !replay && s.verdict == diagnosis.VerdictOrphaned && s.eventPage != "", remedyResend, becauseOnlyTheSite)
	add(replay, remedyReplay, "")
	add(generate, remedyGenerate, "")
	settled := s.payment == store.PaymentPaid || s.payment == store.PaymentPartiallyRefunded
	add(settled && !s.disputed, remedyRefund, "")
	return list
}

// buttons start the remedies that are repairs, in the order of the advice, and offer
// last to mark the session as error. The first that costs nothing more than it has to
// stands out.
func (s situation) buttons(session string) []slack.BlockElement {
	var buttons []slack.BlockElement
	for i, a := range s.remedies() {
		var button *slack.ButtonBlockElement
		switch a.remedy {
		case remedyShow:
			button = blockkit.Button("session.fix", s.words("Show the {video}…"), session)
		case remedyReplay:
			button = blockkit.Button("session.replay", "Replay webhook…", session)
		case remedyGenerate:
			button = blockkit.Button("session.generate", s.words("Generate {video}…"), session)
		default:
			continue
		}
		if i == 0 {
			button.Style = slack.StylePrimary
		}
		buttons = append(buttons, button)
	}
	if slices.Contains(s.allowed, store.ActionRestore) {
		buttons = append(buttons, blockkit.Button(buttonRestore, "Restore prompt…", session))
	}
	if !s.shows && slices.Contains(s.allowed, store.ActionFix) {
		buttons = append(buttons, blockkit.Button("session.fix", "Mark as error…", session))
	}
	return buttons
}
