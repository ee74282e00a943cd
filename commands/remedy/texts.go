package remedy

import (
	"slices"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// Advice lists the remedies in sentences, the cheapest first, with links to Stripe. It is
// empty where nothing is to be repaired, or a person has to look first.
func (s Situation) Advice(now time.Time) blockkit.Line {
	list := s.remedies()
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
		case Show:
			say(plain("Show the {video} (no cost), then send the {customer} the {link}."))
		case Dispute:
			if a.why == becauseDelivered {
				say(StripeLink(s.PaymentPage, "Answer the dispute in Stripe"), plain(": the finished {video} is your evidence."))
				break
			}
			say(StripeLink(s.PaymentPage, "Answer the dispute in Stripe"), plain(" first: the money may go back to the {customer}."))
		case Verify:
			say(blockkit.Plain(s.Verify))
		case Ask:
			switch {
			case !slices.Contains(s.Allowed, store.ActionRestore):
				say(plain("Ask the {customer} for the {prompt}, without which no {video} can be made."))
			case s.Sessions > 1:
				say(plain("Ask the {customer} for the {prompt}, then restore each (no cost): /session restore."))
			default:
				say(plain("Ask the {customer} for the {prompt}, then restore it (no cost): /session restore."))
			}
		case Check:
			say(plain("Check SuperDuperAI first: if the {video} may still finish, wait."))
		case Restore:
			say(plain("Restore the {prompt}, which Stripe still has (no cost): /session restore."))
		case Resend:
			say(StripeLink(s.EventPage, s.words("Resend the {event} in Stripe")))
			if a.why == becauseOnlyTheSite {
				line = append(line, plain(": only the site has the customer's picture, and then makes the {video}: "+s.pay()+"."))
				break
			}
			line = append(line, plain(", or wait: Stripe retries until "), humanize.ClockTime(s.RetriesUntil, now), plain(". The site then makes the {video}: "+s.pay()+"."))
		case Replay, Generate:
			if !started {
				say(plain(s.startText()))
			}
			started = true
		case Refund:
			refund := "refund in Stripe"
			if s.Payment == store.PaymentPartiallyRefunded {
				refund = "refund the rest in Stripe"
			}
			if len(line) == 0 {
				say(StripeLink(s.PaymentPage, humanize.UpperFirst(refund)), plain("."))
				break
			}
			say(plain("Or "), StripeLink(s.PaymentPage, refund), plain("."))
		}
	}
	return line
}

// startText is the sentence about what starts a video, with its cost.
func (s Situation) startText() string {
	what := "replay the {webhook} or generate the {video}"
	switch {
	case !s.Advises(Generate) && s.Picture:
		what = "replay the {webhook}, since only the site has the customer's picture"
	case !s.Advises(Generate):
		what = "replay the {webhook}"
	case !s.Advises(Replay):
		what = "generate the {video}"
	}
	if (s.Verdict == diagnosis.VerdictStalled || s.Verdict == diagnosis.VerdictFailed) && s.Advises(Generate) {
		what += " again"
	}
	switch {
	case s.Advises(Resend):
		return "If nothing has started 15 min after that, " + what + " instead: the same cost, twice that if Stripe's retry still arrives."
	case s.Advises(Ask):
		return "Where the prompt is restored, " + what + ": " + s.pay() + "."
	case s.Advises(Check):
		return "Otherwise " + what + ": " + s.pay() + ", twice that if the first still finishes."
	case s.Advises(Verify):
		if s.Sessions > 1 {
			return "If you start them now, they may be unpaid: " + s.pay() + "."
		}
		return "If you generate now, the order may be unpaid: " + s.pay() + "."
	case s.Advises(Dispute):
		return "Otherwise " + what + ": " + s.pay() + "."
	case s.Unread && s.Verdict == diagnosis.VerdictOrphaned:
		return "The site cannot read this session, so " + what + ": " + s.pay() + "."
	case s.Event == store.EventNone:
		return "Stripe has no event to resend, so " + what + ": " + s.pay() + "."
	}
	return humanize.UpperFirst(what) + ": " + s.pay() + "."
}

// pay says who pays what.
func (s Situation) pay() string {
	if s.Cents == 0 {
		return s.cost()
	}
	return "we pay " + s.cost()
}

// cost compares what a video costs with what was paid.
func (s Situation) cost() string {
	text := CostText(s.Cents)
	switch {
	case s.Sessions > 1 && s.Cents > 0:
		text += " each, " + CostText(s.Cents*s.Sessions) + " in all"
	case s.Sessions > 1:
		text += " each"
	}
	if s.Cents == 0 && s.Amount > 0 {
		text += ","
	}
	switch {
	case s.Sessions > 1:
	case s.Payment == store.PaymentNotRequired:
		text += " for an order without a payment"
	case s.Amount > 0:
		text += " for a " + humanize.Money(s.Amount, s.Currency) + " order"
		if s.Payment == store.PaymentPartiallyRefunded {
			text += ", part of which was refunded"
		}
	}
	return text
}

// CostText is what a video costs us, whether the bot or the site starts it.
func CostText(cents int) string {
	if cents == 0 {
		return "cost unknown"
	}
	return "about " + strings.TrimSuffix(humanize.Money(int64(cents), "usd"), ".00")
}

// words puts the right nouns into a text of ours.
func (s Situation) words(text string) string {
	nouns := oneOrder
	if s.Sessions > 1 {
		nouns = severalOrders
	}
	return humanize.WithNoun(s.Kind, nouns.Replace(text))
}

var (
	oneOrder      = strings.NewReplacer("{customer}", "customer", "{event}", "event", "{link}", "link", "{prompt}", "prompt", "{webhook}", "webhook")
	severalOrders = strings.NewReplacer("{customer}", "customers", "{event}", "events", "{link}", "links", "{prompt}", "prompts", "{webhook}", "webhooks", "{video}", "{video}s")
)

// StripeLink is a link to a page of Stripe's dashboard, or the text alone.
func StripeLink(page, text string) blockkit.Span {
	if page == "" {
		return blockkit.Plain(text)
	}
	return blockkit.Link(page, text)
}

// StripePage is the address of a page of Stripe's dashboard.
func StripePage(live bool, path string) string {
	if live {
		return "https://dashboard.stripe.com/" + path
	}
	return "https://dashboard.stripe.com/test/" + path
}
