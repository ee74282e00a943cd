package message

import (
	"github.com/superduperai/sessionbot/commands/remedy"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/repair"
)

// planMoney compares what a plan costs with what was paid, and names what is to be
// considered first.
func planMoney(p repair.Plan, cents int) blockkit.Line {
	s := planSituation(p)
	var line blockkit.Line
	paid := "."
	switch {
	case p.Seen.Payment == store.PaymentNotRequired:
		paid = "; no payment was due."
	case p.Seen.Amount > 0:
		paid = "; the customer " + seenPayment(p.Seen) + "."
	}
	switch {
	case p.Deliver != "":
		return blockkit.PlainLine("Showing it costs nothing.")
	case p.Restore != nil:
		return blockkit.PlainLine(humanize.WithNoun(p.Kind, "Storing it costs nothing. The {video} itself, once it is made, costs us money ("+remedy.CostText(videoCents(p, cents))+")."))
	case marksError(p):
		line = blockkit.PlainLine("No cost, no refund, no e-mail: only the session's record in Redis changes.")
		if p.Seen.Payment != store.PaymentRefunded {
			line = append(line, blockkit.Plain(humanize.WithNoun(p.Kind, " {A video} can still be made afterwards.")))
		}
		settled := "no {video} is to be made"
		if p.Seen.Verdict == diagnosis.VerdictOrphaned { // for which a refund comes first
			settled = "you settle the order with the customer in another way: their page will ask them to contact support"
		}
		if p.Seen.Verdict != diagnosis.VerdictCorrupt && p.Seen.Payment != store.PaymentRefunded { // else it is what is advised
			line = append(line, blockkit.Plain(humanize.WithNoun(p.Kind, "\nApprove only if "+settled+".")))
		}
	case s.Cents == 0:
		line = blockkit.PlainLine("We pay SuperDuperAI (cost unknown)" + paid)
	default:
		line = blockkit.L(blockkit.Plain("We pay SuperDuperAI "), blockkit.Bold(remedy.CostText(s.Cents)), blockkit.Plain(paid))
	}
	const better = "\nBetter: cancel, and "
	if s.Payment == store.PaymentUnverified {
		line = append(line, blockkit.Plain(better+"verify the payment first (/session debug "+humanize.ShortID(p.Session)+" says how)."))
	}
	if s.Advises(remedy.Dispute) {
		line = append(line, blockkit.Plain(better), remedy.StripeLink(s.PaymentPage, "answer the dispute in Stripe"), blockkit.Plain(" first."))
	}
	if s.Advises(remedy.Check) {
		look := "\nCheck SuperDuperAI first (its editor shows file " + p.Seen.FileID + "). If it is finished there: cancel, and run /session debug " + humanize.ShortID(p.Session) + ", which then offers to put it on the customer's page, if the page does not show it (no cost). If it makes progress within 5 min: cancel, and debug it again later."
		if p.Seen.FileID == "" {
			look = "\nLook in the SuperDuperAI editor first for a {video} with the session's prompt (/session debug shows the prompt). If there is one: cancel, and send the customer " + remedy.FilePage + "."
		}
		if !s.Advises(remedy.Verify) && !s.Advises(remedy.Resend) {
			look += " Otherwise: approve."
		}
		line = append(line, blockkit.Plain(humanize.WithNoun(p.Kind, look)))
	}
	if s.Advises(remedy.Resend) {
		cost := "."
		if cents = videoCents(p, cents); cents > 0 {
			cost = " (" + remedy.CostText(cents) + ")."
		}
		advice, first, alike := better, "cancel, and ", ""
		switch {
		case p.Replay != nil:
			first, alike = "approve, or cancel and ", ", which does the same"
		case p.Order != nil:
			advice = "\nLook at the event in Stripe first. If the site has not accepted it: cancel, and "
		}
		line = append(line, blockkit.Plain(advice+"wait for Stripe's next retry"+humanize.WithNoun(p.Kind, ": the site then makes the {video}")+cost+" If the customer cannot wait: "+first),
			remedy.StripeLink(s.EventPage, "resend the event in Stripe"), blockkit.Plain(humanize.WithNoun(p.Kind, alike+"; the retries go on, and can make a second {video}.")))
		if p.Order != nil {
			line = append(line, blockkit.Plain(humanize.WithNoun(p.Kind, "\nIf the site accepted it, and no {video} has started 15 min after that (/session debug shows it): approve, or request a new plan if this one has expired. Stripe may still be retrying: for another endpoint or, if the site accepted a resend, for the site as well.")))
		}
	}
	refund := remedy.StripeLink(s.PaymentPage, "refund in Stripe")
	if s.Payment == store.PaymentPartiallyRefunded {
		refund = remedy.StripeLink(s.PaymentPage, "refund the rest in Stripe")
	}
	retried := "."
	if p.Retrying {
		retried = "; a retry can still make the {video}."
	}
	first, after := "cancel and ", ""
	switch orphaned := p.Seen.Verdict == diagnosis.VerdictOrphaned; {
	case marksError(p) && orphaned:
		after = ", then mark as error (the customer's page then says that it was refunded)"
	case marksError(p): // which a refund would rule out
		first = "approve, then "
	case p.Seen.Verdict == diagnosis.VerdictStalled, p.Seen.Verdict == diagnosis.VerdictFailed && p.Seen.Status != store.StatusError: // likewise
		first, after = "cancel, mark as error (/session fix "+humanize.ShortID(p.Session)+"), then ", " ("+remedy.MarkFirst+")"
	}
	if s.Advises(remedy.Refund) {
		line = append(line, blockkit.Plain("\nIf the customer would rather have a refund: "+first), refund, blockkit.Plain(humanize.WithNoun(p.Kind, after+retried)))
	}
	return line
}

// videoCents is what a video costs: as planned, or cents where the plan makes none.
func videoCents(p repair.Plan, cents int) int {
	if p.Cents() == 0 && p.OnlyWrites() && p.Kind != store.KindImage {
		return cents
	}
	return p.Cents()
}

// planSituation is the input for the remedies of a plan's order.
func planSituation(p repair.Plan) remedy.Situation {
	s := remedy.Situation{
		Verdict: p.Seen.Verdict, Kind: p.Kind, Allowed: []store.Action{p.Action}, Shows: p.Deliver != "",
		Unread:  p.SiteLayout == store.LayoutOneKey && p.Layout == store.LayoutThreeKey,
		Payment: p.Seen.Payment, Amount: p.Seen.Amount, Currency: p.Seen.Currency, Disputed: p.Seen.Disputed, Cents: p.Cents(),
	}
	if p.IntentID != "" {
		s.PaymentPage = remedy.StripePage(p.Live, "payments/"+p.IntentID)
	}
	if p.EventID != "" {
		s.EventPage = remedy.StripePage(p.Live, "events/"+p.EventID)
	}
	if p.Retrying {
		s.RetriesUntil = p.Expires // at least
	}
	return s
}
