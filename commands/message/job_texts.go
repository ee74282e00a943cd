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
		next = "Something else (probably the site) changed the session meanwhile. The bot checks it again when this is finished."
	default:
		next = "Something else (probably the site) changed the session meanwhile; we did not overwrite it. Press Debug first: " +
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
		next = "Write to the customer. Nothing was refunded: refund in Stripe, or generate the {video}."
		next = humanize.WithNoun(kind, next)
		if job.Plan.Seen.Payment == store.PaymentRefunded {
			next = "Write to the customer. The payment has already been refunded."
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
		return humanize.WithNoun(kind, "Unclear: {a video} was requested for ") + id + ", but we got no answer.", settleAdvice(job)
	case job.Outcome == store.OutcomeCancelled:
		return "Cancelled, nothing was requested: " + id + ".",
			"Nothing was charged. The customer's page says that it failed. Generate again once a replica of Redis is connected, or refund in Stripe."
	case job.Outcome == store.OutcomeGaveUp && job.Cause == repair.CauseUnwritten:
		step := "Then press Debug: nothing was started, and it can be generated again once it is stalled."
		switch {
		case job.Plan.OnlyWrites():
			step = "Then press Debug: the change may have been saved after all."
		case job.FileID != "":
			step = "Then: " + settle + job.FileID + humanize.WithNoun(kind, " (the {video} was requested and may be ready; another would cost again).")
		}
		return "Stopped after " + took + ": the result for " + id + " could not be saved to Redis.", cause + " " + step
	case job.Outcome == store.OutcomeGaveUp:
		return "Stopped waiting after " + took + ": " + humanize.WithNoun(kind, "the {video} for ") + id + " is not finished.",
			cause + " Once it is finished: " + settle + job.FileID
	case job.Cancelled != nil:
		return "Cancelling, nothing is requested: " + id + ".", ""
	case job.Cancellable():
		cancel := "press Cancel"
		if job.Approver.Terminal {
			cancel = "press Ctrl-C"
		}
		return "Waiting: no replica of Redis has confirmed the record of " + id + " · " + took,
			humanize.WithNoun(kind, "Nothing has been sent or charged: a crash now could cost a second {video}. It continues by itself once a replica confirms, and ends ten minutes after the approval, or when you ") + cancel + "."
	}
	if job.Approver.Terminal {
		return "Running: " + id + " · " + stepText(p) + " · " + took, ""
	}
	return "Running: " + id + " · " + stepText(p) + " · " + took, "Nothing to do: the result is posted in this thread."
}

// settleAdvice says how an unclear job is settled.
func settleAdvice(job repair.Job) string {
	otherwise := "press “It was not made”"
	if job.Approver.Terminal { // which has no buttons
		otherwise = "use “It was not made” in Slack"
	}
	return humanize.WithNoun(job.Plan.Kind, "Check SuperDuperAI for {a video} with the session's prompt (Debug shows it), made when the request was sent. If there is one: ") +
		"/session settle " + job.Plan.Session + " <file id>. If there is none, " + otherwise + ". Start no other until then: each costs again."
}

func overwrittenVerdict(job repair.Job, id string) (head, next string) {
	const who = "Something else (probably the site) changed the session; we did not overwrite it. "
	switch kind := job.Plan.Kind; {
	case job.Plan.OnlyWrites():
		return "Overwritten, so not done: " + id + ".", who + "Press Debug: the repair is offered again if it is still needed."
	case job.FileID == "":
		return "Overwritten: " + id + ". Nothing was requested.", who + humanize.WithNoun(kind, "Press Debug first: the site may be making the {video} itself.")
	default:
		return humanize.WithNoun(kind, "Overwritten: the {video} for ") + id + " is finished, but the session does not show it.",
			who + humanize.WithNoun(kind, "Do not generate again. Press Debug: if the customer does not see the finished {video}, it offers to show it (no cost).")
	}
}

// marksError reports whether a plan does no more than mark the session as error.
func marksError(p repair.Plan) bool { return p.Action == store.ActionFix && p.Deliver == "" }

func stepText(p repair.Progress) string {
	plan, step := p.Job.Plan, p.Job.Step
	switch {
	case step == repair.StepFinished, plan.OnlyWrites() && step == repair.StepWritten:
		return "saved, rechecked in a few seconds"
	case marksError(plan):
		return "marking as error"
	case plan.Action == store.ActionRestore:
		return "storing the prompt"
	case plan.Action == store.ActionFix:
		return humanize.WithNoun(plan.Kind, "saving the finished {video}")
	case p.Job.FileID == "" && plan.Action == store.ActionReplay:
		return replayStep(p.Job)
	case p.Job.FileID == "":
		return "starting"
	case p.File.State == store.FileFinalizing:
		return "finished, being published"
	case plan.Kind == store.KindImage:
		return "being made"
	}
	return "being made (usually 2–15 min)"
}

// CauseText says why a job did not end well and what to do next.
func CauseText(cause repair.Cause) string {
	return cmp.Or(causeTexts[cause], "Press Debug to check progress.")
}

var causeTexts = map[repair.Cause]string{
	repair.CauseChanged:      "The session changed after the plan was made. Run the command again to see its current state.",
	repair.CauseLate:         "It could not be started in time, and nothing was sent. Run the command again.",
	repair.CauseNoToken:      "No token for SuperDuperAI is configured. Set SUPERDUPERAI_TOKEN (in the SuperDuperAI editor, under the account's API access) and restart the bot. Nothing was changed.",
	repair.CauseUnauthorised: "SuperDuperAI rejected the token; nothing was charged. Set a new SUPERDUPERAI_TOKEN (in the SuperDuperAI editor, under the account's API access), restart the bot and generate again.",
	repair.CauseBalance:      "Our SuperDuperAI account does not have enough balance; nothing was charged. Top it up in SuperDuperAI, then generate again.",
	repair.CauseForbidden:    "Our SuperDuperAI account may not use this model (VIP models need a VIP account). Set {SUPERDUPERAI_MODEL} to another model or upgrade the account, then generate again.",
	repair.CauseRejected:     "SuperDuperAI rejected the request; its reason is below. If it is about balance or a VIP model, fix the SuperDuperAI account; otherwise check the session's length and size, and {SUPERDUPERAI_MODEL}. Then generate again, or refund in Stripe.",
	repair.CauseRateLimited:  "SuperDuperAI is overloaded (rate limit); nothing was started. Generate again in a few minutes.",
	repair.CauseUnavailable:  "SuperDuperAI could not be reached, and nothing was sent. Generate again in a few minutes.",
	repair.CauseServerFault:  "SuperDuperAI answered with an internal error. Check in SuperDuperAI whether {a video} was made after all (it may have been charged); if not, generate again in a few minutes.",
	repair.CauseCertificate:  "SuperDuperAI's certificate does not match the host name, so nothing was sent. Set SUPERDUPERAI_URL to https://dev-editor.superduperai.co, restart the bot and generate again.",
	repair.CauseFileFailed:   "SuperDuperAI could not make it; its reason, if any, is below. Generate again (which costs again; SuperDuperAI's balance shows whether this attempt was charged), or refund in Stripe. If the prompt was refused, it will fail again: refund.",
	repair.CauseNotMade:      "An operator checked: nothing was made. Generate again, or refund in Stripe.",
	repair.CauseUnwritten:    "Fix Redis first: /redis ping and sessionbot doctor say what is wrong.",
	repair.CauseCommand:      "Redis lacks a command this needs, or does not allow it. Have it enabled (sessionbot doctor lists what is missing), then run the command again.",
	repair.CauseTooLong:      "Press Debug in a while: it may still finish. Generate again only once it is stalled: that costs again.",

	repair.CauseNoSecret:    "The site's signing secret is not configured. Set STRIPE_WEBHOOK_SECRET (in Stripe's dashboard under Developers, Webhooks, at the site's endpoint) and restart the bot. Nothing was sent.",
	repair.CauseNoStripeKey: "Stripe's event cannot be read. Set STRIPE_SECRET_KEY to a key that may read Events (sessionbot doctor checks it) and restart the bot. Nothing was sent.",
	repair.CauseNoEvent:     "Stripe no longer has the event: it keeps events for 30 days. Generate the {video} instead, or refund in Stripe.",
	repair.CauseSignature:   "It rejected the signature. Set STRIPE_WEBHOOK_SECRET to the signing secret of the site's own endpoint in Stripe, restart the bot and replay again.",
	repair.CauseClock:       "The clocks differ by more than five minutes, so the site rejected the signature as too old. Synchronize the clock of the bot's server (NTP), then replay again.",
	repair.CauseBlocked:     "A proxy or firewall refused it, or SITE_WEBHOOK_URL is wrong: check both. Or generate the {video} instead.",
	repair.CauseNoWebhook:   "There is no webhook at SITE_WEBHOOK_URL. Set it to the address Stripe's dashboard shows for the site's endpoint, restart the bot and replay again.",
	repair.CauseUnreachable: "The site could not be reached. Replay again in a few minutes, or generate the {video}.",
	repair.CauseSiteFailed:  "Its error is below. Generate the {video} instead, or refund in Stripe.",
	repair.CauseIgnored:     "Check SuperDuperAI for {a video} with the session's prompt (Debug shows it). If there is none, generate it: the site would lose the event again.",
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
