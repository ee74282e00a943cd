package commands

import (
	"slices"
	"strings"
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
	add(lost, remedyAsk, "")
	add(retries, remedyResend, becauseStripeRetries)
	add(!retries && s.picture && !replay && s.verdict == diagnosis.VerdictOrphaned && s.eventPage != "", remedyResend, becauseOnlyTheSite)
	add(replay, remedyReplay, "")
	add(generate, remedyGenerate, "")
	settled := s.payment == store.PaymentPaid || s.payment == store.PaymentPartiallyRefunded
	add(settled && !s.disputed, remedyRefund, "")
	return list
}

// advice says in sentences what helps, the cheapest first, with links to Stripe. It is
// empty where nothing is to be repaired, or a person has to look first.
func (s situation) advice(now time.Time) blockkit.Line {
	list := s.remedies()
	has := func(r remedy) bool { return slices.ContainsFunc(list, func(a advised) bool { return a.remedy == r }) }
	var line blockkit.Line
	say := func(spans ...blockkit.Span) {
		if len(line) > 0 {
			line = append(line, blockkit.Plain(" "))
		}
		line = append(line, spans...)
	}
	plain := func(text string) blockkit.Span { return blockkit.Plain(s.words(text)) }
	started := false // the sentence on replay and generate is said
	for _, a := range list {
		switch a.remedy {
		case remedyShow:
			say(plain("Show the {video} (no cost), then send the {customer} the {link}."))
		case remedyDispute:
			say(s.stripe(s.paymentPage, "Answer the dispute in Stripe"), plain(" first: the money may go back to the {customer}."))
		case remedyVerify:
			say(blockkit.Plain(s.verify))
		case remedyAsk:
			say(plain("Ask the {customer} for the {prompt}: without it no {video} can be made."))
		case remedyResend:
			say(s.stripe(s.eventPage, s.words("Resend the {event} in Stripe")))
			if a.why == becauseOnlyTheSite {
				line = append(line, plain(": the customer's own picture is needed, and only the site has it."))
				break
			}
			line = append(line, plain(", or wait: Stripe retries until "), clockTime(s.retriesUntil, now), plain("."))
		case remedyReplay, remedyGenerate:
			if !started {
				say(plain(s.startText(has)))
			}
			started = true
		case remedyRefund:
			refund := "refund in Stripe"
			if s.payment == store.PaymentPartiallyRefunded {
				refund = "refund the rest in Stripe"
			}
			if len(line) == 0 {
				say(s.stripe(s.paymentPage, upperFirst(refund)), plain("."))
				break
			}
			say(plain("Or "), s.stripe(s.paymentPage, refund), plain("."))
		}
	}
	return line
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
	if !s.shows && slices.Contains(s.allowed, store.ActionFix) {
		buttons = append(buttons, blockkit.Button("session.fix", "Mark as error…", session))
	}
	return buttons
}

// startText is the sentence about what starts a video, with its cost.
func (s situation) startText(has func(remedy) bool) string {
	what := "replay the {webhook} or generate the {video}"
	switch {
	case !has(remedyGenerate):
		what = "replay the {webhook}"
	case !has(remedyReplay):
		what = "generate the {video}"
	}
	if s.verdict != diagnosis.VerdictOrphaned && has(remedyGenerate) {
		what += " again"
	}
	switch {
	case has(remedyResend):
		return "If that takes too long, " + what + ": " + s.cost() + ", twice that if Stripe's retry arrives as well."
	case has(remedyVerify):
		return "A {video} started now may be unpaid, and costs " + s.cost() + "."
	case has(remedyDispute):
		return "Otherwise " + what + ": " + s.cost() + "."
	case s.unread && s.verdict == diagnosis.VerdictOrphaned:
		return "The site cannot read this one, so " + what + ": " + s.cost() + "."
	case s.event == store.EventNone:
		return "Stripe holds no event to resend, so " + what + ": " + s.cost() + "."
	}
	return upperFirst(what) + ": " + s.cost() + "."
}

// cost compares what a video costs with what was paid.
func (s situation) cost() string {
	each := ""
	if s.sessions > 1 {
		each = " each"
	}
	text := costText(s.cents) + each
	if s.cents == 0 && s.amount > 0 {
		text += ","
	}
	switch {
	case s.sessions > 1:
	case s.payment == store.PaymentNotRequired:
		text += " for an order without a payment"
	case s.amount > 0:
		text += " for a " + money(s.amount, s.currency) + " order"
		if s.payment == store.PaymentPartiallyRefunded {
			text += ", part of which was refunded"
		}
	}
	return text
}

// costText is what a video costs us, whoever starts it.
func costText(cents int) string {
	if cents == 0 {
		return "cost unknown"
	}
	return "about " + strings.TrimSuffix(money(int64(cents), "usd"), ".00")
}

// words puts the right nouns into a text of ours.
func (s situation) words(text string) string {
	nouns := oneOrder
	if s.sessions > 1 {
		nouns = severalOrders
	}
	return withNoun(s.kind, nouns.Replace(text))
}

var (
	oneOrder      = strings.NewReplacer("{customer}", "customer", "{event}", "event", "{link}", "link", "{prompt}", "prompt", "{webhook}", "webhook")
	severalOrders = strings.NewReplacer("{customer}", "customers", "{event}", "events", "{link}", "links", "{prompt}", "prompts", "{webhook}", "webhooks", "{video}", "{video}s")
)

// stripe is a link to a page of Stripe's dashboard, or the text alone.
func (s situation) stripe(page, text string) blockkit.Span {
	if page == "" {
		return blockkit.Plain(text)
	}
	return blockkit.Link(page, text)
}
