package message

import (
	"cmp"

	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// jobHeadline is the verdict on a job and what to do next.
func jobHeadline(p repair.Progress) (head, next string) {
	head, next = jobVerdict(p)
	switch job := p.Job; {
	case !job.Overwritten || job.Cause == repair.CauseOverwritten:
	case job.Outcome == "":
		next = "Somebody else, most likely the site, wrote the session in the meantime. It is looked at once more when this is made."
	default:
		next = "Somebody else, most likely the site, wrote the session in the meantime, and it was left as it is: debug it before anything else; " +
			humanize.WithNoun(job.Plan.Kind, "there may be two {video}s.")
	}
	return head, next
}

func jobVerdict(p repair.Progress) (head, next string) {
	job, kind, id := p.Job, p.Job.Plan.Kind, humanize.ShortID(p.Job.Plan.Session)
	cause := humanize.WithNoun(kind, CauseText(job.Cause))
	took := humanize.Duration(p.At.Sub(job.Claimed))
	if job.Plan.Action == store.ActionReplay {
		if head, next = replayVerdict(p); head != "" {
			return head, next
		}
	}
	if job.Plan.Action == store.ActionRestore {
		if head, next = restoreVerdict(p); head != "" {
			return head, next
		}
	}
	settle := "/session settle " + job.Plan.Session + " "
	switch {
	case job.Outcome == store.OutcomeDone && marksError(job.Plan):
		next = "Write to the customer, and refund in Stripe if nothing will be made."
		if job.Plan.Seen.Payment == store.PaymentRefunded {
			next = "Write to the customer; the payment is refunded already."
		}
		return "Done: " + id + " is marked as error.", next
	case job.Outcome == store.OutcomeDone:
		return humanize.WithNoun(kind, "Done: {video} ready for ") + id + " · " + took, "Send the customer the link."
	case job.Outcome == store.OutcomeRefused:
		return "Not done, nothing was changed: " + id + ".", cause
	case job.Outcome == store.OutcomeFailed && job.Cause == repair.CauseOverwritten:
		return overwrittenVerdict(job, id)
	case job.Outcome == store.OutcomeFailed:
		return humanize.WithNoun(kind, "Failed: no {video} for ") + id + ".", cause
	case job.Outcome == store.OutcomeUnclear:
		return humanize.WithNoun(kind, "Unclear: {a video} was asked for ") + id + ", and the answer got lost.", settleAdvice(job)
	case job.Outcome == store.OutcomeCancelled:
		return "Cancelled, nothing was asked for: " + id + ".",
			"The customer's page says that it failed. Generate again once a replica of Redis is connected, or refund the customer in Stripe."
	case job.Outcome == store.OutcomeGaveUp && job.Cause == repair.CauseUnwritten:
		step := "Then debug the session: nothing was started, and it can be generated again when it is stalled."
		switch {
		case job.Plan.OnlyWrites():
			step = "Then debug the session: it may have been written all the same."
		case job.FileID != "":
			step = "Then: " + settle + job.FileID + humanize.WithNoun(kind, " – the {video} was asked for and may be ready.")
		}
		return "Given up after " + took + ": Redis did not take what became of " + id + ".", cause + " " + step
	case job.Outcome == store.OutcomeGaveUp:
		return "Given up after " + took + ": " + humanize.WithNoun(kind, "the {video} for ") + id + " is not finished.",
			cause + " Once it is finished: " + settle + job.FileID
	case job.Cancelled != nil:
		return "Being cancelled, nothing is asked for: " + id + ".", ""
	case job.Cancellable():
		cancel := "press Cancel"
		if job.Approver.Terminal {
			cancel = "press Ctrl-C"
		}
		return "Waiting: no replica of Redis has confirmed the record of " + id + " · " + took,
			humanize.WithNoun(kind, "A crash now could make a second paid {video}, so nothing is sent. It goes on by itself once a replica confirms, and ends ten minutes after the approval. To give it up, ") + cancel + "."
	}
	return "Running: " + id + " · " + stepText(p) + " · " + took, ""
}

// settleAdvice says how an unclear job is settled.
func settleAdvice(job repair.Job) string {
	otherwise := "press “It was not made”"
	if job.Approver.Terminal { // which has no buttons
		otherwise = "debug it in Slack and press “It was not made” there"
	}
	return humanize.WithNoun(job.Plan.Kind, "Look in SuperDuperAI for {a video} with this prompt, from when the request was sent. If there is one: ") +
		"/session settle " + job.Plan.Session + " <file id>. If there is none, " + otherwise + ". Start no other before."
}

func overwrittenVerdict(job repair.Job, id string) (head, next string) {
	const who = "Somebody else, most likely the site, wrote the session since, and that was left as it is. "
	switch kind := job.Plan.Kind; {
	case job.Plan.OnlyWrites():
		return "Overwritten, so not done: " + id + ".", who + "Run the command again: it is offered again where it is still needed."
	case job.FileID == "":
		return "Overwritten: " + id + ". Nothing was asked for.", who + humanize.WithNoun(kind, "Debug it before anything else: the site may be making the {video} itself.")
	default:
		return humanize.WithNoun(kind, "Overwritten: the {video} for ") + id + " is made, but the session does not say so.",
			who + humanize.WithNoun(kind, "Do not generate again. Debug it: the finished {video} is remembered, and fix is offered where the customer does not see it.")
	}
}

// marksError reports whether a plan does no more than mark the session as error.
func marksError(p repair.Plan) bool { return p.Action == store.ActionFix && p.Deliver == "" }

func stepText(p repair.Progress) string {
	plan, step := p.Job.Plan, p.Job.Step
	switch {
	case step == repair.StepFinished, plan.OnlyWrites() && step == repair.StepWritten:
		return "written, looked at again in some seconds"
	case marksError(plan):
		return "marking as error"
	case plan.Action == store.ActionRestore:
		return "storing the prompt"
	case plan.Action == store.ActionFix:
		return humanize.WithNoun(plan.Kind, "writing down the finished {video}")
	case p.Job.FileID == "" && plan.Action == store.ActionReplay:
		return replayStep(p.Job)
	case p.Job.FileID == "":
		return "starting"
	case p.File.State == store.FileFinalizing:
		return "made, being put in place"
	case plan.Kind == store.KindImage:
		return "being made"
	}
	return "being made (usually 2–15 min)"
}

// CauseText says why a job did not end well and what to do next.
func CauseText(cause repair.Cause) string {
	return cmp.Or(causeTexts[cause], "Debug the session to see how it stands.")
}

var causeTexts = map[repair.Cause]string{
	repair.CauseChanged:      "The session is not what was approved. Run the command again to see it as it is now.",
	repair.CauseLate:         "It could not be begun in time. Run the command again.",
	repair.CauseNoToken:      "No token for SuperDuperAI is configured. Set SUPERDUPERAI_TOKEN (it is shown in the SuperDuperAI editor, under the account's API access) and start the bot again. Nothing was changed.",
	repair.CauseUnauthorised: "SuperDuperAI refused the token. Set SUPERDUPERAI_TOKEN anew (it is shown in the SuperDuperAI editor, under the account's API access), start the bot again and generate again.",
	repair.CauseBalance:      "SuperDuperAI's account has too little balance for it. Ask whoever runs that account to top it up, then generate again.",
	repair.CauseForbidden:    "SuperDuperAI does not let this account use the model, such as a VIP one. Ask whoever runs that account, or set {SUPERDUPERAI_MODEL} to another model; then generate again.",
	repair.CauseRejected:     "SuperDuperAI does not take the request; what it says stands below. If that is about balance or a VIP model, ask whoever runs the account; else ask the engineer on call.",
	repair.CauseRateLimited:  "SuperDuperAI has too much to do. Generate again later.",
	repair.CauseUnavailable:  "SuperDuperAI could not be reached, and nothing was sent. Generate again in some minutes.",
	repair.CauseServerFault:  "SuperDuperAI answered with a fault of its own. Look there whether {a video} was made all the same; if not, generate again in some minutes.",
	repair.CauseCertificate:  "The certificate does not fit the host: set SUPERDUPERAI_URL to https://dev-editor.superduperai.co, then generate again.",
	repair.CauseFileFailed:   "SuperDuperAI could not make it. Generate again, or refund the customer in Stripe.",
	repair.CauseNotMade:      "Somebody looked: nothing was made. Generate again, or refund the customer in Stripe.",
	repair.CauseUnwritten:    "The engineer on call has to mend that first: /redis ping and sessionbot doctor say what is wrong.",
	repair.CauseCommand:      "It needs a command that Redis does not have, or does not allow the bot. The engineer on call has to mend that: sessionbot doctor names all that is missing. Then run the command again.",
	repair.CauseTooLong:      "Debug it later: it may still be finished. Generate again only when it is stalled.",

	repair.CauseNoSecret:    "The site's signing secret is not configured. Set STRIPE_WEBHOOK_SECRET (Stripe's dashboard shows it under Developers, Webhooks, at the site's endpoint) and start the bot again. Nothing was sent.",
	repair.CauseNoStripeKey: "Stripe's event cannot be read. Set STRIPE_SECRET_KEY to a key that may read Events (sessionbot doctor checks it) and start the bot again. Nothing was sent.",
	repair.CauseNoEvent:     "Stripe does not hold the event any more: it keeps events for 30 days. Generate the {video} instead, or refund the customer in Stripe.",
	repair.CauseSignature:   "It does not accept the signature. Set STRIPE_WEBHOOK_SECRET to the signing secret of the site's own endpoint in Stripe, start the bot again and replay again.",
	repair.CauseClock:       "The clocks differ by more than five minutes, so the signature counts as too old. Set this machine's clock by NTP, then replay again.",
	repair.CauseBlocked:     "A proxy or a protection refused it, or SITE_WEBHOOK_URL is wrong: the engineer on call has to look. Generate the {video} meanwhile.",
	repair.CauseNoWebhook:   "There is no webhook at SITE_WEBHOOK_URL. Set it to the address that Stripe's dashboard shows for the site's endpoint, start the bot again and replay again.",
	repair.CauseUnreachable: "The site could not be reached. Replay again in some minutes, or generate the {video}.",
	repair.CauseSiteFailed:  "What it wrote stands below. Generate the {video} instead, or refund the customer in Stripe.",
	repair.CauseUnheeded:    "Look in SuperDuperAI whether {a video} was started all the same. If not, generate it: the site would lose the event again.",
}

// jobSentence is what support can send to the customer, "" = nothing yet.
func (s site) jobSentence(job repair.Job) string {
	done := job.Outcome == store.OutcomeDone
	switch {
	case job.FileID != "" && (done || job.Cause == repair.CauseOverwritten):
		return s.readySentence(job.Plan.Kind, job.FileID)
	case done && job.Plan.Seen.Payment == store.PaymentRefunded:
		return refundSentence
	case done && job.Plan.Action == store.ActionRestore:
		return humanize.WithNoun(job.Plan.Kind, "Thank you for your patience: we have your prompt, and will e-mail you when your {video} is ready.")
	case done:
		return humanize.WithNoun(job.Plan.Kind, "Something went wrong with your {video}. We are fixing it and will e-mail you.")
	case job.Outcome == "", job.Outcome == store.OutcomeRefused:
		return ""
	}
	return lookingIntoIt
}
