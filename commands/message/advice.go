package message

import (
	"cmp"
	"errors"
	"slices"

	"github.com/superduperai/sessionbot/commands/remedy"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/superduper"
)

// NextStep is what to do now, by the verdict and what prevents a repair; cents are what a
// video costs, by estimate, 0 = unknown.
func NextStep(x diagnosis.Examination, cents int) blockkit.Line {
	if step := settleStep(x); step != "" && x.Deliver == "" {
		return blockkit.PlainLine(humanize.WithNoun(x.Session.Kind(), step))
	}
	if step := lookFirst(x); step != "" {
		return blockkit.PlainLine(humanize.WithNoun(x.Session.Kind(), step))
	}
	if advice := situationOf(x, cents).Advice(x.At); len(advice) > 0 {
		return append(blockkit.PlainLine(readFirst(x)), advice...)
	}
	return blockkit.PlainLine(humanize.WithNoun(x.Session.Kind(), verdictStep(x)))
}

// readFirst is what to look at before an order in trouble is put right: why its video
// failed, or the customer's page, where the site says that they have it.
func readFirst(x diagnosis.Examination) string {
	if x.Verdict == diagnosis.VerdictFailed && x.File.State == store.FileFailed && x.File.Error != "" {
		return "Read the reason below (File): if the prompt was refused, it will fail again, so refund. Otherwise: "
	}
	if x.Deliver != "" || x.Site == nil || !x.Site.Found || x.Site.Status != string(store.StatusCompleted) {
		return ""
	}
	return humanize.WithNoun(x.Session.Kind(), "Open the customer's page first: the site reports completed, Redis does not. If it shows the {video}, only send the link. Otherwise: ")
}

// situationOf is what an examination says of how the order is put right.
func situationOf(x diagnosis.Examination, cents int) remedy.Situation {
	p := x.Payment
	s := remedy.Situation{
		Verdict: x.Verdict, Kind: x.Session.Kind(), Allowed: x.Allowed, Shows: x.Deliver != "", Picture: x.Session.NeedsPicture(),
		Unread:  x.Reads == store.LayoutOneKey && x.Session.Layout() == store.LayoutThreeKey,
		Payment: p.State, Amount: p.Amount, Currency: p.Currency, Disputed: p.Disputed, Event: x.Event.State,
		Kept: x.Payment.Order.Prompt != "", Verify: verifyStep(x), Cents: cents,
	}
	if p.IntentID != "" {
		s.PaymentPage = remedy.StripePage(p.Live, "payments/"+p.IntentID)
	}
	if x.Event.ID != "" {
		s.EventPage = remedy.StripePage(p.Live, "events/"+x.Event.ID)
	}
	if !x.SiteShowsOutcome() {
		s.RetriesUntil = repair.RetriesUntil(x.Event, x.At)
	}
	return s
}

// verifyStep is what to do about a payment that could not be verified.
func verifyStep(x diagnosis.Examination) string {
	why := UnverifiedText(x.Payment.Why, x.Payment.Since)
	switch {
	case x.Payment.State != store.PaymentUnverified:
		return ""
	case x.Payment.Why == store.NoStripeKey:
		return "Check in Stripe first whether this was paid."
	case !isTransient(x.Payment.Why):
		return "Check in Stripe first whether this was paid: " + why + "."
	}
	return "Refresh in a minute: " + why + "."
}

// lookFirst is what has to be known before an order in trouble is put right, "" = it
// can be.
func lookFirst(x diagnosis.Examination) string {
	inTrouble := x.Verdict == diagnosis.VerdictOrphaned || x.Verdict == diagnosis.VerdictStalled || x.Verdict == diagnosis.VerdictFailed
	starts := x.Allows(store.ActionGenerate) || x.Allows(store.ActionReplay)
	switch {
	case !inTrouble || starts || x.Deliver != "":
		return ""
	case fileUnseen(x):
		return checkFileStep(x)
	case unpaid(x):
		return "Nothing was paid, so nothing is owed."
	case x.Session.NeedsPicture() && x.Verdict != diagnosis.VerdictOrphaned:
		return "It needs the customer's picture, which only the site has: refund in Stripe, or ask the customer to order again."
	}
	return ""
}

// settleStep is how an operator settles the last generation, "" = there is no need.
func settleStep(x diagnosis.Examination) string {
	command := "/session settle " + x.Session.ID + " "
	switch {
	case x.Verdict == diagnosis.VerdictUnclear && x.Job == store.JobUnclear:
		return "Check SuperDuperAI for this {video} before anyone starts another. If it is there: " + command + "<file id>. If not: “" + notMadeLabel + "” in Slack, after which it can be generated again."
	case x.Repair.Outcome != store.OutcomeGaveUp, x.Site != nil && x.Site.Sees(x.Session.FileID()):
		return ""
	case x.File.State == store.FileCompleted && x.Session.Status() != store.StatusCompleted:
		return "It has finished after all. To show it on the customer's page (no cost): " + command + x.Session.FileID()
	}
	return ""
}

// checkFileStep is how a file that may be ready gets to be seen.
func checkFileStep(x diagnosis.Examination) string {
	const until = " It may be ready, so no second {video} can be made until its file has been checked."
	api, _ := errors.AsType[*superduper.Error](x.FileErr)
	switch {
	case x.File.State == store.FileMissing, api != nil && api.Kind == superduper.NotFound:
		return "Run sessionbot doctor, which checks SUPERDUPERAI_URL. If the host is right, SuperDuperAI has lost the file: refund the customer in Stripe."
	case api != nil && (api.Kind == superduper.NoToken || api.Kind == superduper.Unauthorised || api.Kind == superduper.Forbidden):
		return "Set a valid SUPERDUPERAI_TOKEN (in the SuperDuperAI editor, under the account's API access) and restart the bot, then refresh." + until
	case api != nil && api.Kind == superduper.Certificate:
		return "Set SUPERDUPERAI_URL to https://dev-editor.superduperai.co and restart the bot, then refresh." + until
	}
	return "Refresh in a minute: " + FileErrorText(x.FileErr) + "." + until
}

var verdictSteps = map[diagnosis.Verdict]string{
	diagnosis.VerdictWaiting:   "Nothing to do yet. Wait a few minutes, then refresh.",
	diagnosis.VerdictUnpaid:    "Nothing to do: nothing is owed until the customer pays.",
	diagnosis.VerdictAbandoned: "Nothing to do: nothing was charged. The customer may start a new checkout.",
	diagnosis.VerdictRefunded:  "Nothing is owed. Do not make {a video}.",
	diagnosis.VerdictCorrupt:   "Check the record in Redis and fix it there. Change nothing else until then.",
	diagnosis.VerdictNotFound:  "Check the id, or find the session by the customer's e-mail: /session find <e-mail>.",
}

func verdictStep(x diagnosis.Examination) string {
	switch x.Verdict {
	case diagnosis.VerdictCompleted:
		return completedStep(x)
	case diagnosis.VerdictProcessing:
		if x.Session.Kind() == store.KindImage {
			return "Nothing to do yet. Wait a minute, then refresh to check progress."
		}
		return "Nothing to do yet: a video usually takes 2–15 min. Refresh to check progress."
	case diagnosis.VerdictOrphaned, diagnosis.VerdictStalled, diagnosis.VerdictFailed:
		return "It cannot be started from here. Check the session in SuperDuperAI and the payment in Stripe, then refund, or ask the customer to order again."
	case diagnosis.VerdictRefunded:
		if x.Allows(store.ActionFix) {
			return "Nothing is owed. Mark as error (no cost), so that the customer's page stops waiting."
		}
	case diagnosis.VerdictCorrupt:
		if x.Allows(store.ActionFix) {
			return "Mark as error (no cost, refunds nothing): this replaces the damaged record and keeps a copy of it. The prompt is intact, so the {video} can be generated afterwards."
		}
		if x.Allows(store.ActionRestore) {
			return "Check the record in Redis. If the prompt is lost, restore it: /session restore. A copy of the damaged record is kept."
		}
	}
	if step := verdictSteps[x.Verdict]; step != "" {
		return step
	}
	return unclearStep(x)
}

func completedStep(x diagnosis.Examination) string {
	switch {
	case x.Payment.State == store.PaymentRefunded:
		return "Nothing to do: the {video} is ready, and the payment was refunded."
	case x.File.State != store.FileCompleted:
		return "Open the customer's page before you answer: the file itself could not be checked."
	case x.Session.Status() == store.StatusProcessing && x.Session.Layout() == store.LayoutOneKey:
		return "Nothing to do: the customer's page shows it. Send them the link if they ask."
	case x.Session.Status() != store.StatusCompleted:
		return "Send the customer the link below: their page may not show it."
	}
	return "Nothing to do. Send the customer the link if they ask."
}

func unclearStep(x diagnosis.Examination) string {
	switch {
	case x.RedisSilent:
		return RedisErrorText(x.RedisErr)
	case fileUnseen(x):
		return checkFileStep(x)
	case x.Payment.State == store.PaymentMissing:
		return "Check that STRIPE_SECRET_KEY belongs to the account that sells the {video}s. Change nothing until then."
	case x.Payment.State == store.PaymentUnverified && !isTransient(x.Payment.Why):
		return "Fix the access to Stripe first: " + UnverifiedText(x.Payment.Why, x.Payment.Since) + "."
	}
	return "Refresh in a minute. If it stays unclear, check the payment in Stripe."
}

// isTransient reports whether an error of Stripe's may go away by itself.
func isTransient(why store.Unverified) bool {
	return why == store.StripeNoAnswer || why == store.StripeRateLimited || why == store.StripeFault
}

func unpaid(x diagnosis.Examination) bool {
	return x.Payment.State == store.PaymentUnpaid || x.Payment.State == store.PaymentExpired
}

// fileUnseen reports whether a file that the session names may be ready unseen.
func fileUnseen(x diagnosis.Examination) bool {
	unseen := func(state store.FileState) bool {
		return state == store.FileUnknown || state == store.FileMissing && !x.APIProven
	}
	return unseen(x.File.State) || slices.ContainsFunc(x.Others, func(n diagnosis.NamedFile) bool { return unseen(n.State) })
}

const (
	lookingIntoIt  = "Thank you for your patience. We are looking into your order and will e-mail you shortly."
	refundSentence = "Your payment was refunded in full; depending on your bank it takes 5 to 10 days to arrive."
	// how long an image takes is not known
	videoDuration = "; it usually takes 2 to 15 minutes"
)

var customerSentences = map[diagnosis.Verdict]string{
	diagnosis.VerdictLost:      "Your payment arrived, but we lost the text of your order. Please send us your prompt and we will make the {video}, or refund you.",
	diagnosis.VerdictRefunded:  refundSentence,
	diagnosis.VerdictUnpaid:    "Your payment has not reached us yet. As soon as it does, your {video} will be made.",
	diagnosis.VerdictAbandoned: "This order was not paid and has expired; nothing was charged. You are welcome to start a new one.",
	diagnosis.VerdictNotFound:  "We could not find this order. Please send us the e-mail address that you paid with.",
}

// customerSentence is what support can send to the customer as it is.
func (s site) customerSentence(x diagnosis.Examination) string {
	kind := x.Session.Kind()
	switch {
	case x.Deliver != "":
		return s.readySentence(kind, x.Deliver)
	case x.Verdict == diagnosis.VerdictCompleted && x.File.State == store.FileCompleted:
		return s.readySentence(kind, x.Session.FileID())
	}
	duration := videoDuration
	if kind == store.KindImage {
		duration = ""
	}
	return humanize.WithNoun(kind, verdictSentence(x, duration))
}

func (s site) readySentence(kind store.Kind, file string) string {
	return humanize.WithNoun(kind, "Your {video} is ready: ") + s.filePage(file)
}

// verdictSentence promises no more than can be done for a payment known to be made.
func verdictSentence(x diagnosis.Examination, duration string) string {
	unverified := x.Payment.State == store.PaymentUnverified
	switch x.Verdict {
	case diagnosis.VerdictProcessing:
		return "Your {video} is on its way" + duration + "."
	case diagnosis.VerdictWaiting, diagnosis.VerdictOrphaned:
		switch {
		case unverified:
			return lookingIntoIt
		case x.Verdict == diagnosis.VerdictWaiting:
			return "Your order arrived and your {video} will be started in a moment" + duration + "."
		case x.Payment.State == store.PaymentNotRequired:
			return "Your order arrived, but our system missed it. We are fixing it and will e-mail you when your {video} is ready."
		}
		return "Your payment arrived, but our system missed it. We are fixing it and will e-mail you when your {video} is ready."
	case diagnosis.VerdictStalled, diagnosis.VerdictFailed:
		switch {
		case unpaid(x):
			return "This order was not paid, so no {video} was made; nothing was charged."
		case !x.Allows(store.ActionGenerate) && !x.Allows(store.ActionReplay), unverified:
			return lookingIntoIt
		}
		return "Something went wrong while your {video} was being made. We are fixing it and will e-mail you when it is ready."
	case diagnosis.VerdictLost:
		if x.Payment.Order.Prompt != "" {
			return lookingIntoIt
		}
	case diagnosis.VerdictAbandoned:
		if x.Payment.Failed {
			return "Your payment did not go through, so no {video} was made. You are welcome to order again."
		}
	}
	return cmp.Or(customerSentences[x.Verdict], lookingIntoIt)
}
