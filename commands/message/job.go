package message

import (
	"net"
	"net/url"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// ProgressBlocks show the state of a job, in the place of its plan; siteURL is the address
// of the site, for links, and cents are what a video costs, by estimate, 0 = unknown.
func ProgressBlocks(p repair.Progress, siteURL string, cents int) []slack.Block {
	if p.Job.Bulk != nil {
		return bulkBlocks(p)
	}
	job, kind, site := p.Job, p.Job.Plan.Kind, site(siteURL)
	lines := append(site.jobHeading(p, cents, false), detailLines(p)...)
	facts := []blockkit.Line{
		blockkit.Fact("Session", blockkit.Code(job.Plan.Session), blockkit.Plain(" (commands accept the short form, too)")),
		blockkit.Fact("Requested by", humanize.Person(job.Plan.Requester), blockkit.Plain(" · approved by "), humanize.Person(job.Approver),
			blockkit.Plain(" "), humanize.ClockTime(job.Claimed, p.At)),
	}
	if cancelled := job.Cancelled; cancelled != nil {
		facts = append(facts, blockkit.Fact("Cancelled by", humanize.Person(cancelled.By), blockkit.Plain(" "), humanize.ClockTime(cancelled.At, p.At)))
	}
	facts = append(facts, noteFact(job.Note)...)
	facts = append(facts, sentFact(p)...)
	if job.FileID != "" {
		line := blockkit.Fact("File", blockkit.Code(blockkit.Cut(job.FileID, 60)))
		if p.File.State == store.FileCompleted {
			line = append(line, blockkit.Plain(" · "), site.fileLink(kind, job.FileID))
		}
		facts = append(facts, line)
	}
	if p.Site != nil {
		facts = append(facts, jobSiteFact(p))
	}
	blocks := []slack.Block{blockkit.Paragraph(lines...), blockkit.Paragraph(facts...)}
	if picture := p.File.ThumbnailURL; job.Outcome == store.OutcomeDone && fetchable(picture) {
		altText := "The first picture of the video"
		if kind == store.KindImage {
			altText = "The image"
		}
		blocks = append(blocks, slack.NewImageBlock(picture, altText, "", nil))
	}
	if sentence := site.jobSentence(job); sentence != "" {
		blocks = append(blocks, forCustomer(), blockkit.Quote(sentence))
	}
	if job.Outcome != "" && !job.Approver.Terminal { // which has no buttons
		blocks = append(blocks, blockkit.Context(DebugHint))
	}
	return blocks
}

// Unclear shows an unclear job and how to settle it, with its buttons.
func Unclear(job repair.Job, siteURL string, now time.Time) []slack.Block {
	p := repair.Progress{Job: job, At: now}
	lines := append(site(siteURL).jobHeading(p, 0, false), detailLines(p)...)
	return append(blockkit.Message(append(lines, sentFact(p)...)...), slack.NewActionBlock("", ProgressActions(p)...))
}

// detailLines quote other services on why a job did not end well.
func detailLines(p repair.Progress) []blockkit.Line {
	var lines []blockkit.Line
	for _, detail := range p.Job.Detail {
		lines = append(lines, blockkit.PlainLine("· "+humanize.Quoted(detail)))
	}
	said := []string{p.SiteText}
	if p.Job.Cause == repair.CauseFileFailed { // not kept with the job: it may quote the prompt
		said = append(said, p.File.Error)
	}
	for _, text := range said {
		if text != "" {
			lines = append(lines, blockkit.PlainLine("· “"+humanize.Quoted(text)+"”"))
		}
	}
	return lines
}

// sentFact is when a request was sent whose answer is not known.
func sentFact(p repair.Progress) []blockkit.Line {
	if p.Job.Outcome != store.OutcomeUnclear {
		return nil
	}
	return []blockkit.Line{blockkit.Fact("Request sent", humanize.ClockTime(p.Job.Sending, p.At))}
}

// EndReply is posted in the thread of a job's message once the job has ended: an edit of
// that message notifies no one. Its buttons are those of the message above.
func EndReply(p repair.Progress, siteURL string, cents int) []slack.Block {
	if p.Job.Bulk != nil {
		return bulkEnd(p)
	}
	job, site := p.Job, site(siteURL)
	lines := site.jobHeading(p, cents, true)
	lines[0] = append(blockkit.L(humanize.Person(job.Approver), blockkit.Plain(" ")), lines[0]...)
	lines = append(lines, detailLines(p)...)
	var links blockkit.Line
	if job.FileID != "" && p.File.State == store.FileCompleted {
		links = append(links, site.fileLink(job.Plan.Kind, job.FileID))
	}
	if page := planSituation(job.Plan).PaymentPage; page != "" {
		if links != nil {
			links = append(links, blockkit.Plain(" · "))
		}
		links = append(links, blockkit.Link(page, "payment in Stripe"))
	}
	if links != nil {
		lines = append(lines, links)
	}
	blocks := blockkit.Message(append(lines, sentFact(p)...)...)
	if sentence := site.jobSentence(job); sentence != "" {
		blocks = append(blocks, forCustomer(), blockkit.Quote(sentence))
	}
	return blocks
}

// fetchable reports whether Slack can fetch a picture: only over https. A
// workspace on this machine may fetch one from this machine.
func fetchable(address string) bool {
	u, err := url.Parse(address)
	if err != nil || len(address) > 3000 {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && ip != nil && ip.IsLoopback()
}

// ProgressActions are the buttons of a job: one that waits can be cancelled, an
// unclear one settled, and after a restore the video can be started.
func ProgressActions(p repair.Progress) []slack.BlockElement {
	job := p.Job
	if job.Bulk != nil {
		return append(bulkActions(job), jobNoteButton(job)...)
	}
	debug := DebugButton("Debug", job.Plan.Session)
	switch {
	case job.Cancellable():
		return []slack.BlockElement{blockkit.Button(ActionCancel, "Cancel", job.ID)}
	case job.Outcome == "":
		return jobNoteButton(job)
	case job.Outcome == store.OutcomeUnclear:
		return []slack.BlockElement{notMadeButton(job.ID, job.Plan.Kind), debug}
	}
	return append(append(startButtons(p), debug), jobNoteButton(job)...)
}

// notMadeButton settles an unclear job: nothing was made.
func notMadeButton(job string, kind store.Kind) *slack.ButtonBlockElement {
	label := humanize.WithNoun(kind, notMadeLabel)
	button := blockkit.Button(ActionNotMade, label, job)
	blockkit.Confirm(button, "Have you checked?", humanize.WithNoun(kind, "Confirm only after you have looked for it in SuperDuperAI: if there is one after all, we pay for the next {video} as well."), label, "Back")
	return button
}

const notMadeLabel = "No {video} was made"

// jobSiteFact is what the customer sees now, and whether that is the job's result.
func jobSiteFact(p repair.Progress) blockkit.Line {
	job := p.Job
	overwritten := job.Overwritten || job.Cause == repair.CauseOverwritten
	unfinished := job.Outcome == store.OutcomeUnclear || job.Outcome == store.OutcomeGaveUp
	result := "the error"
	if job.FileID != "" && (job.Outcome == store.OutcomeDone || job.Cause == repair.CauseOverwritten) {
		result = "the {video}"
	}
	status := "status " + blockkit.Cut(blockkit.OneLine(p.Site.Status), 60)
	if p.Site.Status == "" {
		status = "no status, so the page says “File Not Found”"
	}
	const mismatch = ", although it was saved: check the site's log, and that it uses this Redis"
	text := status
	switch shown := siteShows(p); {
	case p.SiteErr != nil:
		text = "unknown: " + siteErrorText(p.SiteErr)
	case job.Plan.Action == store.ActionReplay && job.Outcome != store.OutcomeDone, // nothing of it is ours
		job.Plan.Action == store.ActionRestore: // which the page does not show
		text = status + pageText(*p.Site)
		if !p.Site.Found {
			text = siteNotFound
		}
	case !p.Site.Found && overwritten:
		text = siteNotFound
	case !p.Site.Found:
		text = "“not found”" + mismatch
	case overwritten && job.FileID == "", shown && unfinished: // an error may be the site's own
		text += pageText(*p.Site)
	case shown:
		text += ": the customer sees " + result
	case overwritten:
		text += ": the customer does not see " + result
	default:
		text += ": the customer does not see " + result + mismatch
	}
	return blockkit.Fact("Customer's page", blockkit.Plain(humanize.WithNoun(job.Plan.Kind, text)))
}

// pageText is what a status means for the customer, "" = the status says it.
func pageText(page store.Site) string {
	switch status := store.Status(page.Status); {
	case status == store.StatusError:
		return ": the customer sees an error"
	case status == store.StatusProcessing && page.FileID == "":
		return " without a file: the page says “File Not Found”"
	case status == store.StatusProcessing, status == store.StatusPending:
		return ": the customer's page is still waiting"
	}
	return ""
}

// siteShows reports whether the site shows what the job wrote, or would have.
func siteShows(p repair.Progress) bool {
	job := p.Job
	switch {
	case job.Outcome == store.OutcomeUnclear, job.Outcome == store.OutcomeGaveUp:
		return p.Site.Status == string(store.StatusProcessing)
	case job.FileID != "" && (job.Outcome == store.OutcomeDone || job.Cause == repair.CauseOverwritten):
		return p.Site.Sees(job.FileID)
	}
	return p.Site.Status == string(store.StatusError)
}
