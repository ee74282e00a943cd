package message

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/internal/redact"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// The buttons of an approved bulk plan; their value is its id.
const (
	ActionBulkStop   = "bulk.stop"
	ActionBulkResume = "bulk.resume"
)

// bulkBlocks show how far an approved bulk plan got.
func bulkBlocks(p repair.Progress) []slack.Block {
	job, state := p.Job, p.Job.Bulk
	head, next := bulkHeadline(p)
	lines := Headline(head, next)
	lines = append(lines, troubleLines(p)...)
	lines = append(lines, itemLines(p, repair.ItemRunning, "Running")...)
	facts := []blockkit.Line{
		blockkit.Fact("Requested by", humanize.Person(job.Plan.Requester), blockkit.Plain(" · approved by "), humanize.Person(job.Approver),
			blockkit.Plain(" "), humanize.ClockTime(job.Claimed, p.At)),
		blockkit.Fact("Plan", blockkit.Plain(bulkPlanText(job.Plan))),
	}
	for _, e := range state.Events {
		if e.Cause == "" {
			facts = append(facts, blockkit.Fact(humanize.UpperFirst(string(e.Event))+" by", humanize.Person(e.By), blockkit.Plain(" "), humanize.ClockTime(e.At, p.At)))
		}
	}
	facts = append(facts, noteFact(job.Note)...)
	return []slack.Block{blockkit.Paragraph(lines...), blockkit.Paragraph(facts...)}
}

// bulkPlanText is what was approved, in one line.
func bulkPlanText(p repair.Plan) string {
	text := strings.TrimSuffix(bulkQuestion(p), "?")
	if p.Action != store.ActionFix {
		text += ": " + bulkCostText(p)
	}
	return text
}

// bulkHeadline is how far it got and what to do next.
func bulkHeadline(p repair.Progress) (head, next string) {
	job, state, n := p.Job, p.Job.Bulk, p.Job.Bulk.Counts()
	took := humanize.Duration(p.At.Sub(job.Claimed))
	sums := bulkSums(job)
	stopped := "What is done stays as it is: stopping reverts nothing."
	switch {
	case job.Outcome == store.OutcomeRefused || job.Outcome == store.OutcomeGaveUp:
		return "Ended early: " + sums + ".", CauseText(job.Cause)
	case job.Outcome != "" && n.Left > 0 && state.Last().Cause == repair.CauseLate:
		return "Ended after a day's pause: " + sums + ".", "What is done stays as it is. Run " + PlanCommand(job.Plan) + " again for those that are left."
	case job.Outcome != "" && n.Left > 0:
		return "Stopped: " + sums + " · " + took, stopped + " Run " + PlanCommand(job.Plan) + " again for those that are left."
	case job.Outcome != "" && n.Failed+n.Unclear > 0:
		return "Finished: " + sums + " · " + took, "Check the failed ones with /session debug, or run " + PlanCommand(job.Plan) + " again."
	case job.Outcome != "":
		return "Finished: " + sums + " · " + took, ""
	case state.Stopped():
		return "Stopping: " + sums + ". " + stoppingText(n.Running), stopped
	case state.Paused():
		return "Paused: " + sums + ".", pauseText(job)
	}
	return bulkVerb(job.Plan) + ": " + fmt.Sprintf("%d of %d done", n.Done, len(state.Items)) + nonZero(", %d failed", n.Failed) + nonZero(", %d unclear", n.Unclear) +
		nonZero(", %d skipped", n.Skipped) + nonZero(", %d running", n.Running) + nonZero(", %d left", n.Left) + " · " + took, ""
}

// stoppingText is what follows a stop, by how many are running.
func stoppingText(running int) string {
	switch running {
	case 0:
		return "No others will start."
	case 1:
		return "The one that is running will finish; no others will start."
	}
	return fmt.Sprintf("The %d that are running will finish; no others will start.", running)
}

func bulkVerb(p repair.Plan) string {
	return map[store.Action]string{store.ActionGenerate: "Generating", store.ActionReplay: "Replaying", store.ActionFix: "Fixing"}[p.Action]
}

func nonZero(format string, n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(format, n)
}

// bulkSums say what became of all sessions.
func bulkSums(job repair.Job) string {
	n := job.Bulk.Counts()
	done := humanize.Count(n.Done, bulkNoun(job.Plan)) + " ready"
	if slices.ContainsFunc(job.Bulk.Items, func(i repair.Item) bool { return i.State == repair.ItemDone && i.Cause == repair.CauseNoToken }) {
		done = humanize.Count(n.Done, bulkNoun(job.Plan)) + " started (not tracked without SUPERDUPERAI_TOKEN)"
	}
	if job.Plan.Action == store.ActionFix {
		done = humanize.Count(n.Done, "session") + " fixed"
	}
	return done + nonZero(", %d failed", n.Failed) + nonZero(", %d unclear", n.Unclear) + nonZero(", %d skipped", n.Skipped) +
		nonZero(", %d running", n.Running) + nonZero(", %d not started", n.Left)
}

// pauseText says why a plan was paused and what to do.
func pauseText(job repair.Job) string {
	e := job.Bulk.Last()
	why, then := "Three sessions in a row failed, and the others would fail the same way: "+itemReason(repair.Item{Cause: e.Cause, Detail: e.Detail})+".", "Once that is fixed, "
	if e.Cause == repair.CauseIdle {
		why, then = "It made no progress for more than ten minutes, for example because the bot or Redis was down.", "Check the sessions, then "
	}
	if job.Approver.Terminal { // which has no buttons
		return why + " " + then + "run " + PlanCommand(job.Plan) + " again."
	}
	return why + " " + then + "press Resume. It ends by itself after a day."
}

// troubleLines name the sessions that were not repaired, with the reason.
func troubleLines(p repair.Progress) (lines []blockkit.Line) {
	lines = append(lines, itemLines(p, repair.ItemFailed, "Failed")...)
	lines = append(lines, itemLines(p, repair.ItemUnclear, "Unclear")...)
	return append(lines, itemLines(p, repair.ItemSkipped, "Skipped")...)
}

// itemLines name the sessions in a state, with the reason, the first ten of them.
func itemLines(p repair.Progress, state repair.ItemState, label string) (lines []blockkit.Line) {
	job, more := p.Job, 0
	for i, item := range job.Bulk.Items {
		switch {
		case item.State != state:
		case len(lines) == bulkShown:
			more++
		default:
			session := job.Plan.Items[i].Session
			line := blockkit.L(blockkit.Plain(label+": "), blockkit.Code(humanize.ShortID(session)))
			reason := itemReason(item)
			if text := p.SiteTexts[session]; text != "" && item.Cause == repair.CauseSiteFailed {
				reason += ": " + blockkit.Cut(blockkit.OneLine(redact.Emails(text)), 200)
			}
			if reason != "" {
				line = append(line, blockkit.Plain(" · "+reason))
			}
			lines = append(lines, line)
		}
	}
	if more > 0 {
		lines = append(lines, blockkit.PlainLine(fmt.Sprintf("%s: %d more", label, more)))
	}
	return lines
}

// itemReason says in a clause why a session was not repaired, "" = it was, or it runs.
func itemReason(item repair.Item) string {
	detail := blockkit.Cut(blockkit.OneLine(strings.TrimSuffix(strings.Join(item.Detail, " "), ".")), 200)
	text, known := causeClauses[item.Cause]
	switch {
	case known && detail != "" && item.Cause != repair.CauseChanged:
		return text + ": " + detail
	case detail != "":
		return humanize.LowerFirst(detail)
	}
	return text
}

// causeClauses are the causes in a few words.
var causeClauses = map[repair.Cause]string{
	repair.CauseChanged:      "it changed meanwhile",
	repair.CauseLate:         "it could not be started in time",
	repair.CauseNoToken:      "SUPERDUPERAI_TOKEN is not set",
	repair.CauseUnauthorised: "SuperDuperAI rejected the token (SUPERDUPERAI_TOKEN)",
	repair.CauseBalance:      "our SuperDuperAI account does not have enough balance",
	repair.CauseForbidden:    "our SuperDuperAI account may not use this model",
	repair.CauseRejected:     "SuperDuperAI rejected the request",
	repair.CauseRateLimited:  "SuperDuperAI is overloaded (rate limit)",
	repair.CauseUnavailable:  "SuperDuperAI could not be reached",
	repair.CauseServerFault:  "SuperDuperAI answered with an internal error",
	repair.CauseCertificate:  "SuperDuperAI's certificate does not match its host (SUPERDUPERAI_URL)",
	repair.CauseUnwritten:    "the result could not be saved to Redis",
	repair.CauseCommand:      "Redis lacks a command this needs, or does not allow it",
	repair.CauseFileFailed:   "SuperDuperAI could not make it",
	repair.CauseNotMade:      "nothing was made",
	repair.CauseOverwritten:  "something else (probably the site) changed the session: debug it",
	repair.CauseNoAnswer:     "we got no answer: /session debug says how to settle it",
	repair.CauseNoSecret:     "STRIPE_WEBHOOK_SECRET is not set",
	repair.CauseNoStripeKey:  "STRIPE_SECRET_KEY is not set, or Stripe rejects it",
	repair.CauseNoEvent:      "Stripe no longer has its event: generate instead",
	repair.CauseSignature:    "the site rejected the signature (STRIPE_WEBHOOK_SECRET)",
	repair.CauseClock:        "this machine's clock differs from the site's by more than five minutes",
	repair.CauseBlocked:      "a proxy or firewall refused the event, or SITE_WEBHOOK_URL is wrong",
	repair.CauseNoWebhook:    "there is no webhook at SITE_WEBHOOK_URL",
	repair.CauseUnreachable:  "the site could not be reached",
	repair.CauseSiteFailed:   "the site received the event and reported an error",
	repair.CauseUnheeded:     "the site received the event but started nothing: generate instead",
	repair.CauseTooLong:      "it did not finish in time: debug it later",
}

// bulkActions are the buttons of an approved bulk plan.
func bulkActions(job repair.Job) []slack.BlockElement {
	stop := blockkit.Button(ActionBulkStop, "Stop", job.ID)
	switch {
	case job.Outcome != "" || job.Bulk.Stopped():
		return nil
	case job.Bulk.Paused():
		resume := blockkit.Button(ActionBulkResume, "Resume", job.ID)
		resume.Style = slack.StylePrimary
		return []slack.BlockElement{resume, stop}
	}
	return []slack.BlockElement{stop}
}

// bulkEnd is posted in the thread of a bulk plan that is over or paused: it mentions
// the person who approved it.
func bulkEnd(p repair.Progress) []slack.Block {
	lines := Headline(bulkHeadline(p))
	lines[0] = append(blockkit.L(humanize.Person(p.Job.Approver), blockkit.Plain(" ")), lines[0]...)
	return blockkit.Message(append(lines, troubleLines(p)...)...)
}

// BulkClickReply answers a click on Stop or Resume that changed nothing.
func BulkClickReply(job repair.Job) blockkit.Line {
	switch {
	case job.Bulk == nil:
		return blockkit.PlainLine("This plan is gone: it is too old. Nothing was changed.")
	case job.Outcome != "", !job.Bulk.Stopped() && job.Bulk.Over():
		return blockkit.PlainLine("This bulk plan has already ended: " + bulkSums(job) + ".")
	case job.Bulk.Stopped():
		return blockkit.L(blockkit.Plain("Already stopped by "), humanize.Person(job.Bulk.Last().By), blockkit.Plain(". What is running will finish."))
	}
	return blockkit.PlainLine("It is not paused: " + bulkSums(job) + ".")
}

// BulkReport is what a bulk plan came to, for --json.
type BulkReport struct {
	Plan     string        `json:"plan"` // "" = nothing was planned
	Action   store.Action  `json:"action"`
	Done     int           `json:"done"`
	Failed   int           `json:"failed"` // those with an unclear outcome included
	Skipped  int           `json:"skipped"`
	Left     int           `json:"left"` // not begun, or still running
	Paused   bool          `json:"paused"`
	Sessions []BulkSession `json:"sessions"`
	LeftOut  []BulkSession `json:"left_out"`
}

// BulkSession is what became of one session: done, failed, unclear, skipped, running or
// left; or left out of the plan.
type BulkSession struct {
	ID      string `json:"id"`
	Outcome string `json:"outcome"`
	Reason  string `json:"reason"`
}

// BulkJSON reports what a bulk plan came to.
func BulkJSON(job repair.Job) BulkReport {
	report := BulkReport{Plan: job.ID, Action: job.Plan.Action, Sessions: []BulkSession{}, LeftOut: []BulkSession{}}
	for _, l := range job.Plan.LeftOut {
		report.LeftOut = append(report.LeftOut, BulkSession{ID: l.Session, Outcome: string(l.Reason), Reason: l.Detail})
	}
	if job.Bulk == nil {
		return report
	}
	n := job.Bulk.Counts()
	report.Done, report.Failed, report.Skipped, report.Left = n.Done, n.Failed+n.Unclear, n.Skipped, n.Left+n.Running
	report.Paused = job.Bulk.Paused()
	for i, item := range job.Bulk.Items {
		outcome := string(item.State)
		if item.State == repair.ItemWaiting {
			outcome = "left"
		}
		report.Sessions = append(report.Sessions, BulkSession{ID: job.Plan.Items[i].Session, Outcome: outcome, Reason: itemReason(item)})
	}
	return report
}
