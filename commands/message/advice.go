package message

import (
	"errors"
	"slices"
	"strings"

	"github.com/slack-go/slack"

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
	if step := settleStep(x, cents); step != "" && x.Deliver == "" {
		return blockkit.PlainLine(humanize.WithNoun(x.Session.Kind(), step))
	}
	if step := lookFirst(x); step != "" {
		return blockkit.PlainLine(humanize.WithNoun(x.Session.Kind(), step))
	}
	if advice := situationOf(x, cents).Advice(x.At); len(advice) > 0 {
		return append(blockkit.PlainLine(readFirst(x)), advice...)
	}
	if x.Verdict == diagnosis.VerdictProcessing || x.Verdict == diagnosis.VerdictWaiting {
		return waitLine(x, cents)
	}
	line := blockkit.PlainLine(humanize.WithNoun(x.Session.Kind(), verdictStep(x, cents)))
	if until := repair.RetriesUntil(x.Event, x.At); x.Verdict == diagnosis.VerdictRefunded && !until.IsZero() && !x.SiteShowsOutcome() {
		line = append(line, blockkit.Plain(humanize.WithNoun(x.Session.Kind(), " Neither a refund nor marking it as error stops Stripe's retries: the site may still make the {video} ("+remedy.CostText(cents)+") until ")),
			humanize.ClockTime(until, x.At), blockkit.Plain("."))
	}
	return line
}

// RefusalStep is NextStep below a refusal, whose button is Debug instead of Refresh.
func RefusalStep(x diagnosis.Examination, cents int) blockkit.Line {
	line := NextStep(x, cents)
	for _, span := range line {
		if text, ok := span.(*slack.RichTextSectionTextElement); ok {
			text.Text = debugInstead.Replace(text.Text)
		}
	}
	return line
}

var debugInstead = strings.NewReplacer("Refresh", "Press Debug", "refresh", "press Debug", "Send the customer the link if they ask.", "If the customer asks: Debug has the link.",
	"Send them the link if they ask.", "If the customer asks: Debug has the link.", "the link below:", "the link, which Debug has:", "(link below)", "(Debug links it)")

// waitLine says until when there is nothing to do.
func waitLine(x diagnosis.Examination, cents int) blockkit.Line {
	text := "Nothing to do yet"
	switch {
	case x.Job == store.JobRunning && !repair.MakesVideo(x.Repair.Action):
		return blockkit.PlainLine(text + ": it takes seconds. Refresh to see the result.")
	case x.Job == store.JobRunning:
		text += ", and do not resend Stripe's event: that can start a second {video}, as Stripe's own retries can"
		if cents > 0 {
			text += " (we pay " + remedy.CostText(cents) + " for each)"
		}
		if x.Session.Kind() != store.KindImage {
			text += ". {A video} usually takes 2–15 min"
		}
	case x.Verdict == diagnosis.VerdictWaiting:
		text += ": the site usually starts {a video} within seconds"
	case x.Session.Kind() != store.KindImage:
		text += ": {a video} usually takes 2–15 min"
	}
	line := blockkit.PlainLine(humanize.WithNoun(x.Session.Kind(), text+"."))
	if !x.Until.After(x.At) {
		return append(line, blockkit.Plain(" Refresh to check progress."))
	}
	return append(line, blockkit.Plain(" If it is still "+humanize.Words(string(x.Verdict))+" at "), humanize.ClockTime(x.Until, x.At),
		blockkit.Plain(", refresh to see what to do."))
}

// readFirst is what to look at before an order in trouble is put right: our balance, or the
// customer's page, where the site says that they have it.
func readFirst(x diagnosis.Examination) string {
	if why := x.Session.Current().Error; x.Verdict == diagnosis.VerdictFailed && why != nil && strings.Contains(*why, "HTTP 402") {
		return "HTTP 402 usually means that our SuperDuperAI balance is used up: top it up first. "
	}
	if x.Deliver != "" || !siteCompleted(x) {
		return ""
	}
	retry := ""
	if !repair.RetriesUntil(x.Event, x.At).IsZero() {
		retry = " (Stripe's retries go on, and can still make a second one)"
	}
	return humanize.WithNoun(x.Session.Kind(), "The site reports this order as completed, but Redis does not. Open the customer's page (link below): if it shows the {video}, send the customer the link, and start nothing"+retry+". If it shows no {video}, compare the address of Redis in the site's own settings (its deployment) with the bot's REDIS_URL: if they differ, set REDIS_URL to the site's, restart the bot, then refresh. If they are the same, one of these helps:\n")
}

// siteCompleted reports whether the site calls the order completed.
func siteCompleted(x diagnosis.Examination) bool {
	return x.Site != nil && x.Site.Found && x.Site.Status == string(store.StatusCompleted)
}

// situationOf is the input for the remedies of an examined session.
func situationOf(x diagnosis.Examination, cents int) remedy.Situation {
	p := x.Payment
	s := remedy.Situation{
		Verdict: x.Verdict, Kind: x.Session.Kind(), Allowed: x.Allowed, Shows: x.Deliver != "", Picture: x.Session.NeedsPicture(),
		Unread:  x.SiteLayout == store.LayoutOneKey && x.Session.Layout() == store.LayoutThreeKey,
		Payment: p.State, Amount: p.Amount, Currency: p.Currency, Disputed: p.Disputed, Event: x.Event.State,
		Explained: x.Verdict == diagnosis.VerdictFailed && x.File.State == store.FileFailed && x.File.Error != "",
		Kept:      x.Payment.Order.Prompt != "", Verify: humanize.WithNoun(x.Session.Kind(), verifyStep(x, cents)), Test: p.State == store.PaymentUnverified && p.Why == store.StripeWrongMode && isTest(p), Cents: cents,
	}
	s.Fileless = x.Session.FileID() == ""
	s.File = "file " + x.Session.FileID()
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
func verifyStep(x diagnosis.Examination, cents int) string {
	lookUp := lookUpPayment(x, cents)
	switch {
	case x.Payment.State != store.PaymentUnverified:
		return ""
	case x.Payment.Why == store.StripeWrongMode && isTest(x.Payment):
		return "Test session, no real money: nothing to do. Do not generate: that costs us real money (" + remedy.CostText(cents) + "). To see its payment, look it up in Stripe's test mode; leave the live key as it is."
	case !isTransient(x.Payment.Why):
		return accessSteps[x.Payment.Why] + " To know sooner, look" + lookUp
	}
	return "Refresh in a minute: " + unverifiedText(x.Payment) + ". If that lasts, look" + lookUp
}

// lookUpPayment is what to do where the bot cannot read a payment.
func lookUpPayment(x diagnosis.Examination, cents int) string {
	start, paid := "generate the {video}", "Paid: "
	if !x.Allows(store.ActionGenerate) {
		start = "replay the webhook"
	}
	if x.SiteLayout != store.LayoutOneKey || x.Session.Layout() != store.LayoutThreeKey { // else the site cannot read it
		paid = "Paid, and Stripe is retrying its event: wait, the site then makes the {video} (" + remedy.CostText(cents) + "). Paid, but Stripe is not retrying it: "
	}
	return " up the session's id in Stripe's dashboard. " + paid + start + ". Refunded or disputed: start nothing. Not paid: nothing is owed."
}

// accessSteps give the bot the access to Stripe that it lacks.
var accessSteps = map[store.Unverified]string{
	store.NoStripeKey:      "Set STRIPE_SECRET_KEY (a restricted, read-only key), restart the bot, then refresh.",
	store.StripeWrongMode:  "Set STRIPE_SECRET_KEY to a live key, restart the bot, then refresh.",
	store.StripeKeyRefused: "Set STRIPE_SECRET_KEY to a valid key, restart the bot, then refresh.",
	store.StripeForbidden:  "Give the Stripe key permission to read Checkout Sessions, payments and events, then refresh.",
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
		mark := ""
		if x.Allows(store.ActionFix) { // which a refund would rule out
			mark = "mark as error, then "
		}
		return "It needs the customer's picture, which only the site has: " + mark + "refund in Stripe, or ask the customer to order again."
	}
	return ""
}

// settleStep is how an operator settles the last generation, "" = there is no need.
func settleStep(x diagnosis.Examination, cents int) string {
	command := "/session settle " + x.Session.ID + " "
	switch {
	case x.Verdict == diagnosis.VerdictUnclear && x.Job == store.JobUnclear:
		step := "Do not start another until this is settled. Look in the SuperDuperAI editor for {a video} with the session's prompt, started about " + humanize.Clock(x.Repair.At, x.At) +
			".\nFound: " + command + "<file id, or the address of its page> (no cost).\nNot found at " + humanize.Clock(x.Repair.At.Add(appearsWithin), x.At) + " or later: press “" + notMadeLabel + "” (in Slack); then it can be generated again (" + remedy.CostText(cents) + ")."
		if until := repair.RetriesUntil(x.Event, x.At); !until.IsZero() && !x.SiteShowsOutcome() {
			step += "\nUntil " + humanize.Clock(until, x.At) + " one of Stripe's retries can also make {a video}, for which we pay as well."
		}
		return step
	case x.Repair.Outcome != store.OutcomeGaveUp, x.Site != nil && x.Site.Sees(x.Session.FileID()):
		return ""
	case x.File.State == store.FileCompleted && x.Session.Status() != store.StatusCompleted:
		return "It has finished after all. To show it on the customer's page (no cost): " + command + x.Session.FileID()
	}
	return ""
}

// checkFileStep is how to make a file visible that may be ready.
func checkFileStep(x diagnosis.Examination) string {
	const until = " The {video} may be ready, so the bot makes no second one until it has checked the file."
	api, _ := errors.AsType[*superduper.Error](x.FileErr)
	switch {
	case x.File.State == store.FileMissing, api != nil && api.Kind == superduper.NotFound:
		return "Run sessionbot doctor on the bot's host: it checks SUPERDUPERAI_URL. If the host is right, SuperDuperAI has lost the file: refund the customer in Stripe."
	case api != nil && api.Kind == superduper.NoToken:
		return "Create a token in the SuperDuperAI editor (under the account's API access), set it as SUPERDUPERAI_TOKEN, restart the bot, then refresh." + until
	case api != nil && (api.Kind == superduper.Unauthorised || api.Kind == superduper.Forbidden):
		return "SuperDuperAI rejected the bot's token. Create a new one in the SuperDuperAI editor (under the account's API access), set it as SUPERDUPERAI_TOKEN, restart the bot, then refresh." + until
	case api != nil && api.Kind == superduper.Certificate:
		return "Set SUPERDUPERAI_URL to https://dev-editor.superduperai.co (the production address, despite its name), restart the bot, then refresh." + until
	}
	return "Refresh in a minute: " + FileErrorText(x.FileErr) + "." + until
}

var verdictSteps = map[diagnosis.Verdict]string{
	diagnosis.VerdictUnpaid:    "Nothing to do: nothing is owed until the customer pays.",
	diagnosis.VerdictAbandoned: "Nothing to do: nothing was charged. The customer may start a new checkout.",
	diagnosis.VerdictRefunded:  "Nothing is owed. Do not make {a video}.",
	diagnosis.VerdictCorrupt:   "Check the record in Redis and fix it there. Change nothing else until then.",
	diagnosis.VerdictNotFound:  "Check the id, or find the session by the customer's e-mail: /session find <e-mail>.",
}

func verdictStep(x diagnosis.Examination, cents int) string {
	switch x.Verdict {
	case diagnosis.VerdictCompleted:
		return completedStep(x)
	case diagnosis.VerdictOrphaned, diagnosis.VerdictStalled, diagnosis.VerdictFailed:
		return "The bot cannot make it. Check the session in SuperDuperAI and the payment in Stripe, then refund, or ask the customer to order again."
	case diagnosis.VerdictRefunded:
		if x.Allows(store.ActionFix) {
			return "Nothing is owed. Mark as error (no cost), so that the customer's page stops waiting."
		}
	case diagnosis.VerdictCorrupt:
		if x.Allows(store.ActionFix) {
			return "Mark as error (no cost, refunds nothing): this replaces the damaged record and keeps a copy of it. The prompt is intact. Afterwards /session debug says how to have the {video} made: by Stripe's retry, or by us (either way we pay " + remedy.CostText(cents) + ")."
		}
		if x.Allows(store.ActionRestore) {
			prompt := "Ask the customer for the prompt, then press"
			if x.Payment.Order.Prompt != "" {
				prompt = "Restore the prompt, which Stripe still has: press"
			}
			return prompt + " Restore prompt…, or type /session restore <id> (no cost; the bot keeps a copy of the damaged record). Afterwards /session debug says how to have the {video} made (we pay " + remedy.CostText(cents) + ")."
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
		return strings.Replace(RedisErrorText(x.RedisErr), "Try again", "Refresh", 1)
	case fileUnseen(x):
		return checkFileStep(x)
	case x.Payment.State == store.PaymentMissing:
		return "Check that STRIPE_SECRET_KEY belongs to the Stripe account that sells the {video}s. If not: set the right key, restart the bot, then refresh. If it does: Stripe knows no such order, so nothing was paid and nothing is owed."
	case x.Payment.State == store.PaymentUnverified && !isTransient(x.Payment.Why):
		return accessSteps[x.Payment.Why]
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
