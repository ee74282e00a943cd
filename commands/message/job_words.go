package message

import (
	"strings"
	"time"

	"github.com/superduperai/sessionbot/commands/remedy"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store/repair"
)

// jobHeading is the verdict on a job and what to do next, with the session's own commands,
// the cost, and links; cents are what a video costs where the plan does not say. In a
// thread the buttons are those of the message above.
func (s site) jobHeading(p repair.Progress, cents int, thread bool) []blockkit.Line {
	head, next := jobVerdict(p)
	words := s.jobWords(p, cents)
	fill := func(text string) string { return humanize.WithNoun(p.Job.Plan.Kind, words.Replace(text)) }
	if next = fill(next); thread {
		next = above.Replace(next)
	}
	return Heading(fill(head), refundLinks(next, planSituation(p.Job.Plan)))
}

var above = strings.NewReplacer("ress Debug", "ress Debug above", "was made”", "was made” above")

// jobWords returns the replacer of the placeholders in the texts about jobs.
func (s site) jobWords(p repair.Progress, cents int) *strings.Replacer {
	plan, id := p.Job.Plan, humanize.ShortID(p.Job.Plan.Session)
	situation := planSituation(plan)
	situation.Cents = videoCents(plan, cents)
	pay, twice, refund, soRefund, stillPaid, paid := remedy.CostText(situation.Cents), "", "", "", "", ""
	if situation.Cents > 0 {
		pay = "we pay " + pay
	}
	if plan.Retrying && situation.Cents > 0 {
		twice = ", " + remedy.CostText(2*situation.Cents) + " in all if Stripe's retry also gets through"
	}
	if situation.Advises(remedy.Refund) {
		refund, soRefund = " If the customer would rather have a refund: {refund}.", ": {refund}"
	}
	if plan.Seen.Amount > 0 {
		amount := humanize.Money(plan.Seen.Amount, plan.Seen.Currency)
		stillPaid, paid = "; the customer's "+amount+" is still paid", " ("+amount+")"
	}
	look, cancel := "Press Debug for its current state before you decide again.", "Cancel"
	if repair.MakesVideo(plan.Action) {
		look = "Press Debug before anything else: the site may be making the {video} already, and we would pay for another as well."
	}
	if p.Job.Approver.Terminal {
		cancel = "Ctrl-C"
	}
	return strings.NewReplacer("{id}", id, "{again}", "/session "+string(plan.Action)+" "+id, "{generate}", "/session generate "+id, "{replay}", "/session replay "+id,
		"{settle}", "/session settle "+plan.Session, "{session}", plan.Session, "{pay}", pay, "{twice}", twice, "{or refund}", refund, "{so refund}", soRefund, "{still paid}", stillPaid, "{paid}", paid,
		"{sent}", humanize.Clock(p.Job.Sending, p.At), "{appeared}", humanize.Clock(p.Job.Sending.Add(appearsWithin), p.At), "{later}", humanize.Clock(p.Job.Finished.Add(30*time.Minute), p.At), "{file page}", string(s)+"/en/file/<file id>", "{Look at it first}", look, "{cancel}", cancel)
}

// refundLinks leads to the payment in Stripe where a text names a refund.
func refundLinks(text string, s remedy.Situation) blockkit.Line {
	if text == "" {
		return nil
	}
	before, after, found := strings.Cut(text, "{refund}")
	if !found {
		return blockkit.PlainLine(text)
	}
	label := "refund in Stripe"
	if strings.HasSuffix(before, ". ") || before == "" {
		label = humanize.UpperFirst(label)
	}
	return append(blockkit.L(blockkit.Plain(before), remedy.StripeLink(s.PaymentPage, label)), refundLinks(after, s)...)
}
