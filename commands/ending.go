package commands

import (
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
)

// overwrittenText is the verdict on a job whose writing was overwritten.
func overwrittenText(job store.Job) (head, next string) {
	tell, id := job.Plan.Kind.Tell, shortID(job.Plan.Session)
	who := "Somebody else, most likely the site, wrote the session since, and that was left as it is. "
	switch {
	case job.Plan.Action == store.ActionFix:
		return "Overwritten, so not done: " + id + ".", who + "Run the command again: it is offered again where it is still needed."
	case job.FileID == "":
		return "Overwritten: " + id + ". Nothing was asked for.", who + tell("Debug it before anything else: the site may be making the video itself.")
	}
	return tell("Overwritten: the video for ") + id + " is made, but the session does not say so.",
		who + tell("Do not generate again. Debug it: the finished video is remembered, and fix is offered where the customer does not see it.")
}

// shown tells whether the site's answer shows what the job wrote, or would have.
func shown(p store.Progress) bool {
	job := p.Job
	switch {
	case job.Outcome == store.OutcomeUnclear, job.Outcome == store.OutcomeGaveUp:
		return p.Site.Status == string(store.StatusProcessing)
	case job.FileID != "" && (job.Outcome == store.OutcomeDone || job.Cause == store.CauseOverwritten):
		return p.Site.Sees(job.FileID)
	}
	return p.Site.Status == string(store.StatusError)
}

// customerFact tells what the customer's page goes by now, and whether it shows
// what the repair came to.
func customerFact(p store.Progress) blockkit.Line {
	var text string
	foreign := p.Job.Foreign || p.Job.Cause == store.CauseOverwritten
	switch {
	case p.SiteErr != nil:
		text = "unknown: " + siteErrorText(p.SiteErr)
	case !p.Site.Found && foreign:
		text = "“not found or processing not yet started”"
	case !p.Site.Found:
		text = "“not found”, although it was written: tell the engineer on call"
	default:
		text = "status " + blockkit.Cut(blockkit.OneLine(p.Site.Status), 60)
		if p.Site.Status == "" {
			text = "no status, so the page says “File Not Found”"
		}
		unfinished := p.Job.Outcome == store.OutcomeUnclear || p.Job.Outcome == store.OutcomeGaveUp
		switch {
		case foreign && p.Job.FileID == "", shown(p) && unfinished: // an error may be the site's own
		case shown(p):
			text += "; the page shows it"
		case foreign:
			text += "; the page does not show it"
		default:
			text += "; the page does not show it, although it was written: tell the engineer on call"
		}
	}
	return blockkit.Fact("Customer sees", blockkit.Plain(text))
}
