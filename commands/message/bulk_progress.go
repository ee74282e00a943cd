package message

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
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
	var tasks []*slack.TaskCardBlock
	for i, item := range append(troubleItems(p), shownOf(p, repair.ItemRunning)...) {
		tasks = append(tasks, blockkit.Task(strconv.Itoa(i+1), item.title(), itemStatus[item.state], item.why()))
	}
	facts := []blockkit.Line{
		blockkit.Fact("Requested by", humanize.Person(job.Plan.Requester), blockkit.Plain(" · approved by "), humanize.Person(job.Approver),
			blockkit.Plain(" "), humanize.ClockTime(job.Claimed, p.At)),
	}
	for _, e := range state.Events {
		if e.Cause == "" {
			facts = append(facts, blockkit.Fact(humanize.UpperFirst(string(e.Event))+" by", humanize.Person(e.By), blockkit.Plain(" "), humanize.ClockTime(e.At, p.At)))
		}
	}
	facts = append(append(facts, canaryFact(job)...), noteFact(job.Note)...)
	return []slack.Block{blockkit.Paragraph(Headline(bulkHeadline(p))...), blockkit.Plan(bulkPlanText(job.Plan), tasks...), blockkit.Paragraph(facts...)}
}

// bulkPlanText names the approved plan in one line.
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
	again := "To go on, run " + PlanCommand(job.Plan) + " again: it shows a plan first, for the " + humanize.Thousands(int64(n.Left)) + " not started" + leftCost(job, "")
	if n.Failed > 0 {
		again += " and for what failed"
	}
	if again += "."; n.Unclear > 0 {
		again = "Settle what is unclear (/session debug " + firstUnclear(job) + " says how). " + again
	}
	switch {
	case job.Outcome == store.OutcomeRefused || job.Outcome == store.OutcomeGaveUp:
		return "Ended early: " + sums + ".", strings.ReplaceAll(CauseText(job.Cause), "{again}", PlanCommand(job.Plan))
	case job.Outcome != "" && n.Left > 0 && state.Last().Cause == repair.CauseLate:
		return "Ended after a day's pause: " + sums + ".", stays(job) + " " + again
	case job.Outcome != "" && n.Left > 0:
		return "Stopped: " + sums + " · " + took, stays(job) + " " + again
	case job.Outcome != "":
		return "Finished: " + sums + " · " + took, finishedText(job)
	case state.Stopped():
		return "Stopping: " + sums + ". " + stoppingText(n.Running), stays(job)
	case state.Paused():
		return "Paused: " + sums + ".", pauseText(job)
	}
	return bulkVerb(job.Plan) + ": " + fmt.Sprintf("%d of %d done", n.Done, len(state.Items)) + nonZero(", %d failed", n.Failed) + nonZero(", %d unclear", n.Unclear) +
		nonZero(", %d skipped", n.Skipped) + nonZero(", %d running", n.Running) + nonZero(", %d not started", n.Left) + " · " + took, cmp.Or(canaryText(job), runningText(job))
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

// troubleItems are the sessions that were not repaired.
func troubleItems(p repair.Progress) []shownItem {
	return slices.Concat(shownOf(p, repair.ItemFailed), shownOf(p, repair.ItemUnclear), shownOf(p, repair.ItemSkipped))
}

// shownItem is a session of a bulk plan as its progress shows it, or how many more are in
// that state.
type shownItem struct {
	state   repair.ItemState
	session string // "" = a line for the others
	reason  string
	more    int
}

// shownOf are the sessions in a state, with the reason, the first ten of them.
func shownOf(p repair.Progress, state repair.ItemState) (shown []shownItem) {
	job, more := p.Job, 0
	for i, item := range job.Bulk.Items {
		switch {
		case item.State != state:
		case len(shown) == bulkShown:
			more++
		default:
			session, reason := job.Plan.Items[i].Session, itemReason(item)
			if text := p.SiteTexts[session]; text != "" && item.Cause == repair.CauseSiteFailed {
				reason += ": " + blockkit.Cut(blockkit.OneLine(redact.Emails(text)), 200)
			}
			shown = append(shown, shownItem{state: state, session: session, reason: reason})
		}
	}
	if more > 0 {
		shown = append(shown, shownItem{state: state, more: more})
	}
	return shown
}

// title is the state and the session.
func (i shownItem) title() string {
	name := humanize.ShortID(i.session)
	if i.session == "" {
		name = fmt.Sprintf("%d more", i.more)
	}
	return humanize.UpperFirst(string(i.state)) + ": " + name
}

func (i shownItem) why() blockkit.Line {
	if i.reason == "" {
		return nil
	}
	return blockkit.PlainLine(i.reason)
}

// itemStatus is how a task in such a state is marked.
var itemStatus = map[repair.ItemState]slack.TaskCardStatus{
	repair.ItemRunning: slack.TaskCardStatusInProgress, repair.ItemSkipped: slack.TaskCardStatusComplete,
	repair.ItemFailed: slack.TaskCardStatusError, repair.ItemUnclear: slack.TaskCardStatusError,
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
	repair.CauseIgnored:      "the site accepted the event, but shows no video: look for it in SuperDuperAI, then generate",
	repair.CauseTooLong:      "it did not finish in time: debug it later",
	repair.CausePageUnseen:   "the site did not say what the customer's page shows (SITE_URL)",
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
	head, next := bulkHeadline(p)
	lines := Headline(head, strings.Replace(next, "press Resume", "press Resume in the plan's message above", 1))
	lines[0] = append(blockkit.L(humanize.Person(p.Job.Approver), blockkit.Plain(" ")), lines[0]...)
	for _, item := range troubleItems(p) {
		lines = append(lines, blockkit.TaskLine(item.title(), item.why()))
	}
	return blockkit.Message(lines...)
}

// BulkClickReply answers a click on Stop or Resume that changed nothing.
func BulkClickReply(job repair.Job) blockkit.Line {
	switch {
	case job.Bulk == nil:
		return blockkit.PlainLine("This plan is gone: it is too old. Nothing was changed.")
	case job.Outcome != "", !job.Bulk.Stopped() && job.Bulk.Over():
		return blockkit.PlainLine("Nothing was changed: this bulk plan has already ended (" + bulkSums(job) + ").")
	case job.Bulk.Stopped():
		return blockkit.L(blockkit.Plain("Already stopped by "), humanize.Person(job.Bulk.Last().By), blockkit.Plain(". What is running will finish."))
	}
	return blockkit.PlainLine("Nothing was changed: the plan is not paused and goes on by itself (" + bulkSums(job) + ").")
}

// BulkReport is the result of a bulk plan, for --json.
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

// BulkSession is the state of one session: done, failed, unclear, skipped, running or
// left; or left out of the plan.
type BulkSession struct {
	ID      string `json:"id"`
	Outcome string `json:"outcome"`
	Reason  string `json:"reason"`
}

// BulkJSON returns the result of a bulk plan.
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
