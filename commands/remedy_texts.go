package commands

import (
	"slices"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

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
			if a.why == becauseDelivered {
				say(s.stripe(s.paymentPage, "Answer the dispute in Stripe"), plain(": the finished {video} is your evidence."))
				break
			}
			say(s.stripe(s.paymentPage, "Answer the dispute in Stripe"), plain(" first: the money may go back to the {customer}."))
		case remedyVerify:
			say(blockkit.Plain(s.verify))
		case remedyAsk:
			if s.sessions <= 1 && slices.Contains(s.allowed, store.ActionRestore) {
				say(plain("Ask the {customer} for the {prompt}, and restore it: /session restore."))
				break
			}
			say(plain("Ask the {customer} for the {prompt}: without it no {video} can be made."))
		case remedyRestore:
			say(plain("Restore the {prompt}, which Stripe still has (no cost): /session restore."))
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

// startText is the sentence about what starts a video, with its cost.
func (s situation) startText(has func(remedy) bool) string {
	what := "replay the {webhook} or generate the {video}"
	switch {
	case !has(remedyGenerate) && s.picture:
		what = "replay the {webhook}, since only the site has the customer's picture"
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
		if s.sessions > 1 {
			return "What is started now may be unpaid, and costs " + s.cost() + "."
		}
		return "{A video} started now may be unpaid, and costs " + s.cost() + "."
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
