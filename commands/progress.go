package commands

import (
	"net"
	"net/url"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
)

// ProgressBlocks shows how a job stands, in the place of its plan.
func (r *Registry) ProgressBlocks(p store.Progress) []slack.Block {
	job := p.Job
	head, next := progressText(p)
	switch {
	case !job.Foreign || job.Cause == store.CauseOverwritten:
	case job.Outcome == "":
		next = "Somebody else, most likely the site, wrote the session in the meantime. It is looked at once more when this is made."
	default:
		next = "Somebody else, most likely the site, wrote the session in the meantime, and it was left as it is: debug it before anything else; " +
			job.Plan.Kind.Tell("there may be two videos.")
	}
	lines := []blockkit.Line{blockkit.L(blockkit.Bold(head))}
	if next != "" {
		lines = append(lines, blockkit.L(blockkit.Plain("→ "+next)))
	}
	details := slices.Clone(job.Detail)
	if job.Cause == store.CauseFileFailed && p.File.Error != "" { // not kept with the job: it may quote the prompt
		details = append(details, p.File.Error)
	}
	for _, detail := range details {
		lines = append(lines, blockkit.L(blockkit.Plain("· "+blockkit.Cut(blockkit.OneLine(detail), 300))))
	}
	facts := []blockkit.Line{
		blockkit.Fact("Session", blockkit.Code(job.Plan.Session)),
		append(blockkit.Fact("Asked by", person(job.Plan.Requester), blockkit.Plain(" · approved by ")),
			person(job.Approver), blockkit.Plain(" "+clock(job.Claimed, p.At))),
	}
	if said := job.Cancelled; said != nil {
		facts = append(facts, blockkit.Fact("Cancelled by", person(said.By), blockkit.Plain(" "+clock(said.At, p.At))))
	}
	if job.FileID != "" {
		line := blockkit.Fact("File", blockkit.Code(blockkit.Cut(job.FileID, 60)))
		if p.File.State == store.FileCompleted {
			line = append(line, blockkit.Plain(" · "), blockkit.Link(r.deps.filePage(job.FileID), job.Plan.Kind.Tell("open the video")))
		}
		facts = append(facts, line)
	}
	if p.Site != nil {
		facts = append(facts, customerFact(p))
	}
	blocks := []slack.Block{blockkit.Paragraph(lines...), blockkit.Paragraph(facts...)}
	if picture := p.File.ThumbnailURL; job.Outcome == store.OutcomeDone && fetchable(picture) {
		blocks = append(blocks, slack.NewImageBlock(picture, pictureText(job.Plan.Kind), "", nil))
	}
	if sentence := r.outcomeSentence(job); sentence != "" {
		blocks = append(blocks, blockkit.Paragraph(blockkit.L(blockkit.Bold("For the customer"))), blockkit.Quote(sentence))
	}
	return blocks
}

func pictureText(kind store.Kind) string {
	if kind == store.KindImage {
		return "The image"
	}
	return "The first picture of the video"
}

// fetchable: Slack fetches pictures itself, and only over https. A workspace on
// this machine may take one from this machine.
func fetchable(address string) bool {
	u, err := url.Parse(address)
	if err != nil || len(address) > 3000 {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && ip != nil && ip.IsLoopback()
}

// ProgressActions are the buttons of a job: one that waits can be cancelled, an
// unclear one settled.
func ProgressActions(job store.Job) []slack.BlockElement {
	debug := debugButton("Debug", job.Plan.Session)
	if job.Cancellable() {
		return []slack.BlockElement{blockkit.Button(ActionCancel, "Cancel", job.ID)}
	}
	if job.Outcome == "" {
		return nil
	}
	if job.Outcome != store.OutcomeUnclear {
		return []slack.BlockElement{debug}
	}
	return []slack.BlockElement{notMadeButton(job.ID), debug}
}

// notMadeButton settles an unclear job: nothing was made.
func notMadeButton(job string) *slack.ButtonBlockElement {
	notMade := blockkit.Button(ActionNotMade, "It was not made", job)
	text := func(s string) *slack.TextBlockObject {
		return slack.NewTextBlockObject(slack.PlainTextType, s, false, false)
	}
	notMade.Confirm = slack.NewConfirmationBlockObject(text("Did you look?"),
		text("Only say so after looking in SuperDuperAI: another generation costs again."), text("It was not made"), text("Back"))
	return notMade
}

// progressText is the verdict on a job and what to do next.
func progressText(p store.Progress) (head, next string) {
	job := p.Job
	tell, id, cause := job.Plan.Kind.Tell, shortID(job.Plan.Session), job.Plan.Kind.Tell(causeText(job.Cause))
	took := span(p.At.Sub(job.Claimed))
	switch job.Outcome {
	case store.OutcomeDone:
		if marksError(job.Plan) {
			if job.Plan.Seen.Payment == store.PaymentRefunded {
				return "Done: " + id + " is marked as error.", "Write to the customer; the payment is refunded already."
			}
			return "Done: " + id + " is marked as error.", "Write to the customer, and refund in Stripe if nothing will be made."
		}
		return tell("Done: video ready for ") + id + " · " + took, "Send the customer the link."
	case store.OutcomeRefused:
		return "Not done, nothing was changed: " + id + ".", cause
	case store.OutcomeFailed:
		if job.Cause == store.CauseOverwritten {
			return overwrittenText(job)
		}
		return tell("Failed: no video for ") + id + ".", cause
	case store.OutcomeUnclear:
		none := "press the button"
		if job.Approver.Terminal { // there are no buttons
			none = "debug it in Slack and press “It was not made” there"
		}
		return tell("Unclear: a video was asked for ") + id + ", and the answer got lost.",
			tell("Look in SuperDuperAI for a video with this prompt from ") + job.Sending.UTC().Format("15:04 UTC") +
				". If there is one: /session settle " + job.Plan.Session + " <file id>. If there is none, " + none + ". Start no other before."
	case store.OutcomeCancelled:
		return "Cancelled, nothing was asked for: " + id + ".",
			"The customer's page says that it failed. Generate again once a replica of Redis is connected, or refund the customer in Stripe."
	case store.OutcomeGaveUp:
		if job.Cause == store.CauseUnwritten {
			return "Given up after " + took + ": Redis did not take what became of " + id + ".", cause + " " + unwrittenStep(job)
		}
		return "Given up after " + took + ": " + tell("the video for ") + id + " is not finished.",
			cause + " Once it is finished: /session settle " + job.Plan.Session + " " + job.FileID
	}
	switch {
	case job.Cancelled != nil:
		return "Being cancelled, nothing is asked for: " + id + ".", ""
	case job.Cancellable():
		how := "press Cancel"
		if job.Approver.Terminal { // there are no buttons
			how = "press Ctrl-C"
		}
		return "Waiting: no replica of Redis has confirmed the record of " + id + " · " + took,
			tell("A crash now could make a second paid video, so nothing is sent. It goes on by itself once a replica confirms, and ends ten minutes after the approval. To give it up, " + how + ".")
	}
	return "Running: " + id + " · " + stepText(p) + " · " + took, ""
}

// marksError tells whether a plan does no more than mark the session as error.
func marksError(p store.Plan) bool { return p.Action == store.ActionFix && p.Deliver == "" }

// unwrittenStep is what to do once Redis takes writes again.
func unwrittenStep(job store.Job) string {
	if job.FileID == "" {
		return "Then debug the session: nothing was started, and it can be generated again when it is stalled."
	}
	return "Then: /session settle " + job.Plan.Session + " " + job.FileID + job.Plan.Kind.Tell(" – the video was asked for and may be ready.")
}

func stepText(p store.Progress) string {
	switch {
	case p.Job.Step == store.StepFinished, p.Job.Plan.Action == store.ActionFix && p.Job.Step == store.StepWritten:
		return "written, looked at again in some seconds"
	case marksError(p.Job.Plan):
		return "marking as error"
	case p.Job.Plan.Action == store.ActionFix:
		return p.Job.Plan.Kind.Tell("writing down the finished video")
	case p.Job.FileID == "":
		return "starting"
	case p.File.State == store.FileFinalizing:
		return "made, being put in place"
	}
	return p.Job.Plan.Kind.Tell("being made (usually 2–15 min)")
}

// causeText says why a job did not end well and what to do next.
func causeText(cause store.Cause) string {
	switch cause {
	case store.CauseChanged:
		return "The session is not what was approved. Run the command again to see it as it is now."
	case store.CauseLate:
		return "It could not be begun in time. Run the command again."
	case store.CauseNoToken:
		return "No token for SuperDuperAI is configured. Set SUPERDUPERAI_TOKEN (it is shown in the SuperDuperAI editor, under the account's API access) and start the bot again. Nothing was changed."
	case store.CauseUnauthorised:
		return "SuperDuperAI refused the token. Set SUPERDUPERAI_TOKEN anew (it is shown in the SuperDuperAI editor, under the account's API access), start the bot again and generate again."
	case store.CauseBalance:
		return "SuperDuperAI's account has too little balance for it. Ask whoever runs that account to top it up, then generate again."
	case store.CauseForbidden:
		return "SuperDuperAI does not let this account use the model, such as a VIP one. Ask whoever runs that account, or set SUPERDUPERAI_MODEL to another model; then generate again."
	case store.CauseRejected:
		return "SuperDuperAI does not take the request; what it says stands below. If that is about balance or a VIP model, ask whoever runs the account; else ask the engineer on call."
	case store.CauseRateLimited:
		return "SuperDuperAI has too much to do. Generate again later."
	case store.CauseUnavailable:
		return "SuperDuperAI could not be reached, and nothing was sent. Generate again in some minutes."
	case store.CauseServerFault:
		return "SuperDuperAI answered with a fault of its own. Look there whether a video was made all the same; if not, generate again in some minutes."
	case store.CauseCertificate:
		return "The certificate does not fit the host: set SUPERDUPERAI_URL to https://dev-editor.superduperai.co, then generate again."
	case store.CauseFileFailed:
		return "SuperDuperAI could not make it. Generate again, or refund the customer in Stripe."
	case store.CauseNotMade:
		return "Somebody looked: nothing was made. Generate again, or refund the customer in Stripe."
	case store.CauseUnwritten:
		return "The engineer on call has to mend that first: /redis ping and sessionbot doctor say what is wrong."
	case store.CauseCommand:
		return "It needs a command that Redis does not have, or does not allow the bot. The engineer on call has to mend that: sessionbot doctor names all that is missing. Then run the command again."
	case store.CauseTooLong:
		return "Debug it later: it may still be finished. Generate again only when it is stalled."
	}
	return "Debug the session to see how it stands."
}

// outcomeSentence is what support can send as it is, "" = nothing yet.
func (r *Registry) outcomeSentence(job store.Job) string {
	tell := job.Plan.Kind.Tell
	switch {
	case job.FileID != "" && (job.Outcome == store.OutcomeDone || job.Cause == store.CauseOverwritten):
		return tell("Your video is ready: ") + r.deps.filePage(job.FileID)
	case job.Outcome == store.OutcomeDone && job.Plan.Seen.Payment == store.PaymentRefunded:
		return "Your payment was refunded in full; depending on your bank it takes 5 to 10 days to arrive."
	case job.Outcome == store.OutcomeDone:
		return tell("Something went wrong with your video. We are putting it right and will write to you.")
	case job.Outcome == "", job.Outcome == store.OutcomeRefused:
		return ""
	}
	return lookingIntoIt
}

// WhyNot says in a clause why a click started nothing, for the audit trail.
func WhyNot(a store.ClaimAnswer) string {
	switch a.Verdict {
	case store.AlreadyClaimed:
		return "the plan was approved already"
	case store.AlreadyCancelled:
		return "the plan was cancelled already"
	case store.Expired:
		return "the plan had expired"
	case store.Busy:
		return "another repair was " + string(a.Doing)
	}
	return words(string(a.Verdict))
}

// ClaimLine answers a click that starts nothing.
func ClaimLine(a store.ClaimAnswer, now time.Time) blockkit.Line {
	again := " Nothing was changed. Run /session " + string(a.Plan.Action) + " again."
	switch a.Verdict {
	case store.AlreadyClaimed:
		return blockkit.L(blockkit.Plain("Approved already, "+ago(a.At, now)+", by "), person(a.By),
			blockkit.Plain(": "+standsText(a.Job.Outcome)+". The message shows more."))
	case store.AlreadyCancelled:
		return blockkit.L(blockkit.Plain("This plan was cancelled "+ago(a.At, now)+" by "), person(a.By), blockkit.Plain("."+again))
	case store.Expired:
		return blockkit.L(blockkit.Plain("This plan expired at " + a.Plan.Expires.UTC().Format("15:04 UTC") + "." + again))
	case store.Busy:
		if a.Doing == store.JobUnclear {
			return blockkit.L(blockkit.Plain("Not done: an earlier generation for this session is unclear. Settle that one first. Nothing was changed."))
		}
		return blockkit.L(blockkit.Plain("Not done: another repair of this session is running. Nothing was changed."))
	case store.NeedsSecondClick:
		return blockkit.L(blockkit.Bold("That was your first press; nothing is done yet. "),
			blockkit.Plain(a.Plan.Risk+" To go on all the same, wait a moment and press “"+secondPress+"” in the plan's message."))
	}
	return blockkit.L(blockkit.Plain("This plan is gone. Nothing was changed. Run the command again."))
}

// standsText says in a clause how a job stands.
func standsText(outcome store.Outcome) string {
	switch outcome {
	case store.OutcomeDone:
		return "it is done"
	case store.OutcomeRefused:
		return "it was not done"
	case store.OutcomeFailed:
		return "it failed"
	case store.OutcomeUnclear:
		return "its outcome is unclear"
	case store.OutcomeGaveUp:
		return "it was given up"
	case store.OutcomeCancelled:
		return "it was cancelled"
	}
	return "it is running"
}

// CancelledBlocks take the place of a cancelled plan.
func CancelledBlocks(p store.Plan, by store.Actor, at time.Time) []slack.Block {
	return []slack.Block{blockkit.Paragraph(
		blockkit.L(blockkit.Bold("Cancelled, nothing was changed: "), blockkit.Code(shortID(p.Session))),
		blockkit.Fact("Cancelled by", person(by), blockkit.Plain(" "+at.UTC().Format("15:04 UTC"))),
	)}
}

// ExpiredBlocks take the place of a plan that nobody approved in time.
func ExpiredBlocks(p store.Plan) []slack.Block {
	return []slack.Block{blockkit.Paragraph(
		blockkit.L(blockkit.Bold("Expired, nothing was changed: "), blockkit.Code(shortID(p.Session))),
		blockkit.L(blockkit.Plain("→ Run /session "+string(p.Action)+" again.")),
	)}
}
