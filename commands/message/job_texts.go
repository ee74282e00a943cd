package message

import (
	"cmp"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// jobVerdict is the verdict on a job and what to do next, with places for words; see
// jobWords.
func jobVerdict(p repair.Progress) (head, next string) {
	head, next = endVerdict(p)
	switch job := p.Job; {
	case !job.Overwritten || job.Cause == repair.CauseOverwritten:
	case job.Outcome == "":
		next = "Nothing to do now: something else (probably the site) changed the session meanwhile. The bot checks it again when this is finished, and posts the result in this thread."
	default:
		next = "Press Debug before anything else: there may be two {video}s. Something else (probably the site) changed the session meanwhile, and its change was kept."
	}
	return head, next
}

func endVerdict(p repair.Progress) (head, next string) {
	job, cause := p.Job, CauseText(p.Job.Cause)
	took, costs := humanize.Duration(p.At.Sub(job.Claimed)), ""
	if repair.MakesVideo(job.Plan.Action) {
		costs = " · {pay}"
	}
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
	switch {
	case job.Outcome == store.OutcomeDone && marksError(job.Plan):
		return "Done: {id} is marked as error.", markedStep(job.Plan)
	case job.Outcome == store.OutcomeDone:
		return "Done: {video} ready for {id} · " + took + costs, "Send the customer the link."
	case job.Outcome == store.OutcomeRefused:
		return "Not done: nothing was changed in {id}.", cause
	case job.Outcome == store.OutcomeFailed && job.Cause == repair.CauseOverwritten:
		return overwrittenVerdict(job)
	case job.Outcome == store.OutcomeFailed && job.Cause == repair.CauseServerFault:
		return "Failed: no {video} is known for {id}. SuperDuperAI answered with an internal error, so one may exist anyway.", cause
	case job.Outcome == store.OutcomeFailed && job.Cause == repair.CauseChanged:
		return "Failed: no {video} for {id}.", "The prompt changed after the plan was made, so nothing was requested or charged. Press Debug to read it; then run {again}, which asks for a new approval."
	case job.Outcome == store.OutcomeFailed:
		return "Failed: no {video} for {id}.", cause
	case job.Outcome == store.OutcomeUnclear:
		return "Unclear: {a video} was requested for {id}, but we got no answer.", settleAdvice(job)
	case job.Outcome == store.OutcomeCancelled:
		return "Cancelled: nothing was requested for {id}.",
			cancelledWhileWaiting + "{still paid}, and their page shows an error. " + stillWanted
	case job.Outcome == store.OutcomeGaveUp && job.Cause == repair.CauseUnwritten:
		step := "Nothing was requested or charged. Then press Debug: it offers to generate again once the session is stalled."
		switch {
		case job.Plan.OnlyWrites():
			step = "Then press Debug: the change may have been saved after all."
		case job.FileID != "":
			step = "Then run {settle} " + job.FileID + ": the {video} was requested and may be ready, so start no other."
		}
		what := "the result for {id}"
		if job.Plan.Restore != nil {
			what = "the restored prompt of {id}"
		}
		return "Stopped after " + took + ": " + what + " could not be saved to Redis.", cause + " " + step
	case job.Outcome == store.OutcomeGaveUp:
		return "Stopped waiting after " + took + ": the {video} for {id} is not finished.",
			"Start nothing before {later}. Then press Debug.\nIf the file is ready: {settle} " + job.FileID + " (no cost).\nIf Debug says stalled: {again} ({pay}, twice that if the first still finishes).\nOtherwise follow Debug's advice."
	case job.Cancelled != nil:
		return "Cancelling: nothing has been or will be requested for {id}.", "Nothing to do: this message will say when it is cancelled."
	case job.Cancellable():
		return "Waiting: no replica of Redis has confirmed the record of {id} · " + took + " so far",
			"Nothing has been sent or charged. The bot waits on purpose: without a replica a crash could lose the record, and cost a second {video}. " + noReplica +
				" It continues by itself once a replica confirms, and gives up at " + humanize.Clock(job.Claimed.Add(waitsAtMost), p.At) + " at no cost. To end it sooner, which is safe, press {cancel}."
	}
	running := "Running: " + jobText(job.Plan) + " · " + stepText(p) + " · " + took + " so far"
	if job.Approver.Terminal {
		return running, ""
	}
	return running, "Nothing to do: the result is posted in this thread."
}

const (
	waitsAtMost           = 10 * time.Minute // after the approval, as jobs do
	cancelledWhileWaiting = "It was waiting for a replica of Redis when it was cancelled. SuperDuperAI charged us nothing"
	stillWanted           = noReplica + " Then, if the {video} is still wanted, run {again} ({pay}).{or refund}"

	noReplica = "Check why no replica of Redis is connected (line redis.replicas of sessionbot doctor, on the bot's host)."
)

// markedStep is what to decide once a session is marked as error: that alone helps no
// customer.
func markedStep(p repair.Plan) string {
	retries := ""
	if p.Retrying {
		retries = "Stripe is still retrying the event, so the site may still make the {video}: wait for that first. "
	}
	if p.Seen.Disputed {
		return "The dispute decides on the money: refund nothing besides. Answer it in Stripe if it is still open, then write to the customer."
	}
	switch p.Seen.Payment {
	case store.PaymentRefunded:
		return "Write to the customer. The payment has already been refunded, so nothing else is owed."
	case store.PaymentUnverified:
		return "Check in Stripe whether it was paid, and not refunded (search for {session}). Not paid, or refunded: nothing else to do. Paid: " + wanted + "otherwise {refund}. Marking it as error refunded nothing, and started no {video}."
	case store.PaymentNotRequired:
		return retries + humanize.UpperFirst(strings.TrimSuffix(wanted, "; ")) + ". No payment was due, so nothing is to be refunded."
	}
	return retries + humanize.UpperFirst(wanted) + "otherwise {refund}{paid}. Nothing has been refunded so far, and we have started no {video}."
}

const wanted = "ask the customer whether they still want the {video}: if so, press Debug, which says how to have it made ({pay}); "

// settleAdvice says how an unclear job is settled.
func settleAdvice(job repair.Job) string {
	otherwise := "press “" + notMadeLabel + "”"
	if job.Approver.Terminal { // which has no buttons
		otherwise = "press “" + notMadeLabel + "” in Slack"
	}
	return "Do not start another until this is settled: each one costs us money ({pay}). " + lookFor + "\nFound: run {settle} <file id, or the address of its page> (no cost).\nNot found at {appeared} or later: " + otherwise + ", then run {again} ({pay})."
}

// appearsWithin is how long after a request its video shows up in the editor at the latest.
const appearsWithin = 15 * time.Minute

// lookFor is how to find a video that nobody knows of.
const lookFor = "Look in the SuperDuperAI editor for {a video}, finished or in progress, with the session's prompt (Debug shows the prompt), made after {sent}."

// foundAnyway is what to do with such a video once its job has failed.
const foundAnyway = "\nFound: once it is finished, send the customer {file page}, and if an alert lists the session, choose Handled there."

func overwrittenVerdict(job repair.Job) (head, next string) {
	const who = " Something else (probably the site) changed the session, and its change was kept."
	switch {
	case job.Plan.OnlyWrites():
		return "Not done: something else (probably the site) changed {id}, and its change was kept.", "Press Debug: it shows the current state, and offers the repair again if it is still needed."
	case job.FileID == "":
		return "Stopped: something else (probably the site) changed {id} first. Nothing was requested.", "Press Debug before anything else: the site may be making the {video} itself."
	default:
		return "Made, but hidden: the {video} for {id} is finished, and the session does not show it.",
			"Do not generate again. Press Debug: if the customer does not see the {video}, it offers to show it (no cost)." + who
	}
}

// jobText is what a job does, and what it costs.
func jobText(p repair.Plan) string {
	switch {
	case p.Restore != nil:
		return "restore the prompt of {id}"
	case marksError(p):
		return "mark {id} as error"
	case p.Deliver != "":
		return "show the {video} of {id}"
	case p.Action == store.ActionReplay:
		return "replay the webhook for {id} ({pay})"
	}
	return "generate {a video} for {id} ({pay})"
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
		return "saving the finished {video}"
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

// MissingText says what is not configured for a command, and how to configure it.
func MissingText(missing repair.Cause) string {
	return strings.ReplaceAll(CauseText(missing), "{again} ({pay})", "the command again (it shows a plan with the cost first)")
}

// CauseText says why a job did not end well and what to do next, with places for words;
// see jobWords.
func CauseText(cause repair.Cause) string {
	return cmp.Or(causeTexts[cause], "Press Debug to see its state.")
}

var causeTexts = map[repair.Cause]string{
	repair.CauseChanged:      "It changed after the plan was made (see below). {Look at it first}",
	repair.CauseLate:         "The approval expired before it could start: nothing was sent or charged. Run {again}: it asks for a new approval.",
	repair.CauseNoToken:      "No token for SuperDuperAI is configured. Create one in the SuperDuperAI editor (under the account's API access), set it as SUPERDUPERAI_TOKEN in the bot's configuration, restart the bot, then run {again} ({pay}). Nothing was changed.",
	repair.CauseUnauthorised: "SuperDuperAI rejected the token; nothing was charged. Create a new one in the SuperDuperAI editor (under the account's API access), set it as SUPERDUPERAI_TOKEN in the bot's configuration, restart the bot, then run {again} ({pay}).",
	repair.CauseBalance:      "Our SuperDuperAI account does not have enough balance; nothing was charged. Top it up in SuperDuperAI, then run {again} ({pay}).{or refund}",
	repair.CauseForbidden:    "Our SuperDuperAI account may not use this model (VIP models need a VIP account); nothing was charged. Set {SUPERDUPERAI_MODEL} to another model or upgrade the account, then run {again} ({pay}).{or refund}",
	repair.CauseRejected:     "SuperDuperAI rejected the request: nothing is being made, and it charged us nothing. Its reason is below.\nIf it is the length, size or prompt: the bot does not change the order, and it would be rejected again{so refund}.\nOtherwise fix the cause, then run {again} ({pay}). If it is the balance, or a model for VIP accounts only: fix the SuperDuperAI account. If it is another fault of the model: set {SUPERDUPERAI_MODEL} in the bot's configuration, and restart the bot. If it is HTTP 404 or a redirect: check SUPERDUPERAI_URL.",
	repair.CauseRateLimited:  "SuperDuperAI is overloaded (rate limit); nothing was started or charged. In a few minutes run {again} ({pay}).",
	repair.CauseUnavailable:  "SuperDuperAI could not be reached, and nothing was sent or charged. In a few minutes run {again} ({pay}).",
	repair.CauseServerFault:  lookFor + foundAnyway + "\nNot found: run {again} in a few minutes ({pay}).",
	repair.CauseCertificate:  "SuperDuperAI's certificate does not match the host name, so nothing was sent. Set SUPERDUPERAI_URL to https://dev-editor.superduperai.co (the production address, despite its name), restart the bot, then run {again} ({pay}).",
	repair.CauseFileFailed:   "SuperDuperAI could not make it; its reason, if any, is below. If the prompt was refused, it would fail again: mark as error if Debug offers that, then {refund}. Otherwise run {generate}: {pay} for the new attempt (SuperDuperAI's balance shows whether this one was charged).",
	repair.CauseNotMade:      "An operator checked: nothing was made, so nothing should have been charged. Run {again} ({pay}).{or refund}",
	repair.CauseUnwritten:    "Fix Redis first: /redis ping, and sessionbot doctor on the bot's host, say what is wrong.",
	repair.CauseCommand:      "Nothing was started or charged: Redis lacks a command this needs, or does not allow it. Have it enabled (sessionbot doctor, on the bot's host, lists what is missing), then run {again}.",

	repair.CauseNoSecret:    "The bot lacks the site's signing secret, so nothing was sent. Copy it from Stripe's dashboard (Developers, Webhooks, the site's endpoint), set it as STRIPE_WEBHOOK_SECRET in the bot's configuration, restart the bot, then run {again} ({pay}).",
	repair.CauseNoStripeKey: "Stripe's event cannot be read. Set STRIPE_SECRET_KEY to a key that may read Events (sessionbot doctor checks it), restart the bot, then run {again} ({pay}). Nothing was sent.",
	repair.CauseNoEvent:     "Stripe no longer has the event: it keeps events for 30 days. Run {generate} instead ({pay}).{or refund}",
	repair.CauseSignature:   "It rejected the signature. Set STRIPE_WEBHOOK_SECRET to the signing secret of the site's own endpoint in Stripe, restart the bot, then run {again} ({pay}{twice}).",
	repair.CauseClock:       "The bot's clock and the site's differ by more than five minutes, so the site rejected the signature as too old. Correct whichever clock is wrong (NTP), then run {again} ({pay}{twice}).",
	repair.CauseBlocked:     "Best: fix the site's firewall or proxy, or SITE_WEBHOOK_URL in the bot's configuration, then run {again} ({pay}{twice}). Only if you cannot: {generate} ({pay}{twice}).",
	repair.CauseNoWebhook:   "There is no webhook at SITE_WEBHOOK_URL. Set it to the address Stripe's dashboard shows for the site's endpoint, restart the bot, then run {again} ({pay}{twice}).",
	repair.CauseUnreachable: "The site could not be reached. In a few minutes run {again} ({pay}{twice}). Only if it stays down: {generate} ({pay}{twice}).",
	repair.CauseSiteFailed:  "Its error is below. Run {generate} instead ({pay}{twice}).{or refund}",
	repair.CauseIgnored:     lookFor + foundAnyway + "\nNot found: run {generate} ({pay}{twice}).",
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
		return humanize.WithNoun(job.Plan.Kind, "Something went wrong with your {video}; we are sorry. We are looking into your order and will e-mail you shortly.")
	case job.Outcome == "", job.Outcome == store.OutcomeRefused:
		return ""
	}
	return lookingIntoIt
}
