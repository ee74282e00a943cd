package remedy

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// Advice lists the remedies in sentences, a line each and the cheapest first, with links to
// Stripe. It is empty where nothing is to be repaired, or a person has to look first.
func (s Situation) Advice(now time.Time) blockkit.Line {
	var line blockkit.Line
	started := false // the sentence on replay and generate is said
	for _, a := range s.remedies() {
		if starts := a.remedy == Replay || a.remedy == Generate; starts && started {
			continue
		} else if starts {
			started = true
		}
		sentence := s.sentence(a, len(line) > 0, now)
		if len(line) > 0 && len(sentence) > 0 {
			line = append(line, blockkit.Plain("\n"))
		}
		line = append(line, sentence...)
	}
	return line
}

func (s Situation) plain(text string) blockkit.Span { return blockkit.Plain(s.words(text)) }

// FilePage is what to send to the customer of a file that was found in the editor.
const FilePage = "the file's page on the site (/en/file/<file id>)"

// MarkFirst is why an order that was started is marked as error before the refund.
const MarkFirst = "in this order: once refunded, an order that was started cannot be marked"

// sentence says one remedy; later reports whether others were said before it.
func (s Situation) sentence(a advised, later bool, now time.Time) blockkit.Line {
	switch a.remedy {
	case Show:
		return blockkit.L(s.plain("Show the {video} on the customer's page (no cost), then send the {customer} the {link}."))
	case Dispute:
		return s.disputeLine(a.why, now)
	case Verify:
		return blockkit.PlainLine(s.Verify)
	case Ask:
		text := "Ask the {customer} for the {prompt}, without which no {video} can be made."
		if slices.Contains(s.Allowed, store.ActionRestore) {
			text = "Ask the {customer} for the {prompt}, then store {it} (no cost): " + s.restoreText()
		}
		return blockkit.L(s.plain(text))
	case Restore:
		return blockkit.L(s.plain("Restore the {prompt}, which Stripe still has (no cost): " + s.restoreText()))
	case Check:
		if s.Fileless {
			return blockkit.L(s.plain("Look in the SuperDuperAI editor first for a {video} with the session's prompt: if there is one, send the {customer} " + FilePage + ", and start nothing."))
		}
		if s.Sessions > 1 {
			return blockkit.PlainLine("Check SuperDuperAI first (its editor shows the files that Debug names). If one is finished there, debug its session again: if the customer's page does not show it, the bot then offers to put it there (no cost). If one makes progress within 5 min, wait, and debug its session again later.")
		}
		again := "refresh"
		if s.File == "" {
			again = "debug the session again"
		}
		return blockkit.PlainLine("Check SuperDuperAI first (its editor shows " + cmp.Or(s.File, "the file that Debug names") + "). If it is finished there, " + again + ": if the customer's page does not show it, the bot then offers to put it there (no cost). If it makes progress within 5 min, wait, and " + again + " later.")
	case Resend:
		return s.resendLine(a.why, now)
	case Replay, Generate:
		return s.startLine()
	case Refund:
		return s.refundLine(later)
	}
	return nil
}

// resendLine is about Stripe's event. Resending it does not end Stripe's own retries, and
// the site makes a video for each delivery, so that waiting costs least.
func (s Situation) resendLine(why reason, now time.Time) blockkit.Line {
	resend, until := "resend {their event} in Stripe", humanize.ClockTime(s.RetriesUntil, now)
	switch {
	case why == becauseOnlyTheSite:
		return blockkit.L(StripeLink(s.EventPage, s.words(humanize.UpperFirst(resend))), s.plain(": only the site has the customer's picture, and then makes the {video}: "+s.pay()+"."))
	case s.Event == store.EventPending:
		return blockkit.L(s.plain("Wait: Stripe is still delivering the {event}, and retries until "), until, s.plain(". The site then makes the {video}: "+s.pay()+
			".\nIf {none has} started in 15 min: "), StripeLink(s.EventPage, s.words(resend)), s.plain(". The retries go on, and can make a second {video} ("+s.more()+")."))
	}
	return blockkit.L(s.plain("Wait for {Stripe's next retry}, which costs least: Stripe retries until "), until, s.plain(", and {once one gets} through, the site makes the {video}: "+s.pay()+".\nIf {the customer} cannot wait: "),
		StripeLink(s.EventPage, s.words(resend)), s.plain(". The retries go on, and the next one can make a second {video} ("+s.more()+")."))
}

// disputeLine says what a dispute means for the order.
func (s Situation) disputeLine(why reason, now time.Time) blockkit.Line {
	link := StripeLink(s.PaymentPage, "Answer the dispute in Stripe")
	if why == becauseDelivered {
		return blockkit.L(link, s.plain(": the finished {video} is your evidence."))
	}
	back, mark := "money", ""
	if slices.Contains(s.Allowed, store.ActionFix) {
		mark = ", then mark as error"
	}
	if s.Payment == store.PaymentPartiallyRefunded {
		back = "rest of the money"
	}
	line := blockkit.L(link, blockkit.Plain(", if it is still open."))
	if s.retries() {
		line = blockkit.L(link, s.plain(", if it is still open, before its deadline (Stripe shows it). The site may still make the {video} by itself: Stripe retries until "),
			humanize.ClockTime(s.RetriesUntil, now), blockkit.Plain(", so answer after that if there is time."))
	}
	return append(line, s.plain(" If the customer's page shows the {video} when you answer: contest it. If not: accept it (the customer gets the "+back+" back, and is owed nothing else)"+mark+". Do not resend or generate before it is decided ("+strings.Replace(s.pay(), "pay", "would pay", 1)+"). If Stripe shows that it is decided already: if the customer won it, they are owed nothing else; if we won it, ask the customer which they want, the money or the {video}."))
}

// refundLine offers a refund as the last choice: the customer ordered a video.
func (s Situation) refundLine(later bool) blockkit.Line {
	refund, before, after := "refund in Stripe", "", ""
	if s.Payment == store.PaymentPartiallyRefunded {
		refund = "refund the rest in Stripe"
	}
	switch mark := slices.Contains(s.Allowed, store.ActionFix); {
	case mark && s.Verdict == diagnosis.VerdictOrphaned: // then the customer's page says that it was refunded
		after = ", then mark as error, so that the customer's page says that it was refunded"
	case mark: // which a refund would rule out
		before, after = "mark as error, then ", " ("+MarkFirst+")"
	}
	switch {
	case s.Explained: // which startLine said
		return nil
	case !later:
		if before != "" {
			return blockkit.L(blockkit.Plain(humanize.UpperFirst(before)), StripeLink(s.PaymentPage, refund), blockkit.Plain(after+"."))
		}
		return blockkit.L(StripeLink(s.PaymentPage, humanize.UpperFirst(refund)), blockkit.Plain(after+"."))
	}
	line := blockkit.L(s.plain("If {the customer} would rather have a refund: "+before), StripeLink(s.PaymentPage, refund), blockkit.Plain(after+"."))
	if s.retries() {
		line = append(line, s.plain(" A retry can still make the {video}."))
	}
	return line
}

// restoreText says how a prompt is stored, and what comes after it.
func (s Situation) restoreText() string {
	text, again := "press Restore prompt…, or type /session restore <id>.", "debug {it} again"
	if s.File != "" { // which only Debug knows
		again = "refresh"
	}
	switch {
	case s.Advises(Replay) || s.Advises(Generate):
		return text
	case !s.RetriesUntil.IsZero() && s.Payment != store.PaymentUnverified && !s.Unread:
		return text + " Stripe's next retry then makes the {video}: " + s.pay() + ". Do not generate one as well: we would pay for both. If none has started after a few hours, " + again + ": that says how to start one."
	}
	return text + " Afterwards /session debug says how to have the {video} made: " + s.pay() + "."
}

// startLine is about what starts a video, with its cost.
func (s Situation) startLine() blockkit.Line {
	first, instead := s.starts()
	then := ""
	if instead != "" {
		then = " If that starts nothing (its message says so), " + instead + "."
	}
	plain := func(text string) blockkit.Line { return blockkit.L(s.plain(text + then)) }
	switch {
	case s.Disputed, s.Test: // which disputeLine and Verify advise against
		return nil
	case s.Explained && s.Advises(Refund):
		mark := ""
		if slices.Contains(s.Allowed, store.ActionFix) { // which a refund would rule out
			mark = "mark as error, so that the customer's page stops waiting, then "
		}
		return blockkit.L(s.plain("Read the reason below (File) first. If the prompt was not refused, "+first+": "+s.pay()+"."+then+" If it was refused, it would be refused again: "+mark),
			StripeLink(s.PaymentPage, "refund in Stripe"), blockkit.Plain("."))
	case s.Advises(Resend):
		after, retry, sender, risk := "If Stripe shows that the site accepted the {event}, and {none has} started 15 min after that: ", "", "", " Stripe may still be retrying: for another endpoint or, if the site accepted a resend, for the site as well, which can make a second {video}."
		if s.Advises(Replay) {
			sender = "the bot then sends the {event}; "
		}
		if instead != "" {
			then = "; if that starts nothing (its message says so), " + instead
		}
		if s.Event == store.EventPending {
			after, retry, risk = "If that starts nothing either: ", "; a retry can still make a second {video}", ""
		}
		return blockkit.L(s.plain(after + first + " (" + sender + s.another("") + retry + ")" + then + "." + risk))
	case s.Advises(Ask) || s.Advises(Restore):
		return plain("Where the prompt is restored, " + first + ": " + s.pay() + ".")
	case s.Advises(Check):
		return plain("Otherwise " + first + ": " + s.pay() + "; should the first {video} finish as well, " + s.twice() + ".")
	case s.Advises(Verify):
		return blockkit.L(s.plain("{It} may be unpaid: if you generate now, " + strings.Replace(s.pay(), "pay", "may pay", 1) + " for nothing."))
	case s.Unread && s.Verdict == diagnosis.VerdictOrphaned:
		return plain("The site cannot read this session, so " + first + ": " + s.pay() + ".")
	case s.Event == store.EventNone:
		return plain("Stripe has no event to resend, so " + first + ": " + s.pay() + ".")
	case s.Event == store.EventUnknown && s.Verdict == diagnosis.VerdictOrphaned && s.Sessions <= 1:
		return blockkit.L(blockkit.Plain("Check "), StripeLink(s.PaymentPage, "the payment's events in Stripe"),
			s.plain(" first: the bot could not read them. If Stripe is still retrying one, wait for that, or resend it there: the site then makes the {video}. Otherwise "+first+"."+then+
				" Either way "+s.pay()+", or "+s.twice()+" if a retry makes one as well."))
	}
	return plain(humanize.UpperFirst(first) + ": " + s.pay() + ".")
}

// starts is what starts a video, and what else does where that does not help.
func (s Situation) starts() (first, then string) {
	generate := "generate the {video}"
	if s.Verdict == diagnosis.VerdictStalled || s.Verdict == diagnosis.VerdictFailed {
		generate += " again"
	}
	switch replay := "replay the {webhook}"; {
	case !s.Advises(Generate) && s.Picture:
		return replay + ", since only the site has the customer's picture", ""
	case !s.Advises(Generate):
		return replay, ""
	case !s.Advises(Replay):
		return generate, ""
	default:
		return replay, "generate the {video} instead"
	}
}

// pay says who pays what.
func (s Situation) pay() string { return "we pay " + s.cost() }

// twice is what two videos cost for each order.
func (s Situation) twice() string {
	if s.Cents == 0 {
		return "twice that"
	}
	return CostText(2*s.Cents*max(s.Sessions, 1)) + " in all"
}

// more is what another video costs.
func (s Situation) more() string {
	if s.Cents == 0 {
		return "we pay again"
	}
	return s.another(" more")
}

// another is what one video costs, of one order or of each.
func (s Situation) another(more string) string {
	if s.Sessions > 1 {
		more += " for each"
	}
	return CostText(s.Cents) + more
}

// cost compares what a video costs with what was paid.
func (s Situation) cost() string {
	text := CostText(s.Cents)
	if s.Cents == 0 {
		text = "an unknown amount"
	}
	switch {
	case s.Sessions > 1 && s.Cents > 0:
		text += " each, " + CostText(s.Cents*s.Sessions) + " in all"
	case s.Sessions > 1:
		text += " each"
	case s.Payment == store.PaymentNotRequired:
		text += " for an order that a coupon covers, owed like a paid one"
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
	oneOrder = strings.NewReplacer("{customer}", "customer", "{the customer}", "the customer", "{event}", "event", "{link}", "link", "{prompt}", "prompt", "{webhook}", "webhook",
		"{it}", "it", "{their event}", "the event", "{Stripe's next retry}", "Stripe's next retry", "{It}", "The order", "{none has}", "no {video} has", "{once one gets}", "once one gets")
	severalOrders = strings.NewReplacer("{customer}", "customers", "{the customer}", "a customer", "{event}", "events", "{link}", "links", "{prompt}", "prompts", "{webhook}", "webhooks",
		"{it}", "them", "{their event}", "their event", "{Stripe's next retry}", "Stripe's next retries", "{It}", "They", "{none has}", "some {video}s have not", "{once one gets}", "as they get", "a second {video}", "a second {video}", "{video}", "{video}s")
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
