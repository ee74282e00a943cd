package repair

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// warnings returns what the approver should know, most important first, and the first
// warning that needs a second press, if the action makes a video: that is what may cost a
// second one, or the money back.
func warnings(x diagnosis.Examination, action store.Action, retrying bool) (list []string, risk string) {
	warn := func(when bool, text string) bool {
		if when {
			list = append(list, x.Session.Kind().Reword(text))
		}
		return when
	}
	makesVideo := MakesVideo(action)
	warnRisk := func(when bool, text string) {
		if warn(when, text) && makesVideo && risk == "" {
			risk = list[len(list)-1]
		}
	}
	warnRisk(retrying && makesVideo, "Stripe is still retrying the event: if a retry also gets through, we pay for two videos.")
	restores := action == store.ActionRestore
	siteReads := x.Session.PromptTarget(x.SiteLayout).Kind == x.Session.SessionKey.Kind || x.SiteLayout != store.LayoutOneKey
	warn(retrying && restores && siteReads, "Stripe is still retrying the event: with the prompt restored, the site makes the video at the next retry. Do not generate one as well.")
	warn(retrying && !makesVideo && !restores, "Stripe is still retrying the event: whether or not you approve, the site may still make a video, and we pay for it.")
	saysCompleted := x.Site != nil && x.Site.Found && x.Site.Status == string(store.StatusCompleted) && x.Session.Status() != store.StatusCompleted
	warn(makesVideo && x.Deliver == "" && saysCompleted,
		"The site reports completed, Redis does not: open the customer's page first. If it shows the video, make no other.")
	for _, made := range x.Repair.Made {
		warnRisk(makesVideo, generationText(made))
	}
	started := x.Repair.Action == store.ActionGenerate || x.Repair.Action == store.ActionReplay
	warnRisk(makesVideo && len(x.Repair.Made) == 0 && started && x.Repair.Outcome == store.OutcomeGaveUp,
		"A video was started for this payment before, and whether it was made is unknown.")
	for _, file := range x.Repair.Replaced {
		warnRisk(makesVideo && !strings.EqualFold(file, x.Session.NamedFile()),
			"An earlier repair replaced a video that was being made and may be ready by now: "+file+".")
	}
	doubt := cmp.Or(siteDoubt(x.Session), x.Repair.Doubt)
	warnRisk(makesVideo && doubt != "", doubt)
	warnRisk(x.Payment.Disputed, "The customer disputes the payment.")
	warn(makesVideo && x.Event.Undelivered() && x.SiteShowsOutcome(),
		"Stripe reports the event as undelivered to at least one endpoint, although the site has received it.")
	warn(unseenEvent(x), unseenEventText)
	unverified := x.Payment.State == store.PaymentUnverified
	warn(unverified && makesVideo, unverifiedText)
	warn(unverified && !makesVideo, "The payment could not be verified: it is unknown whether the customer is owed a video.")
	warn(x.Payment.State == store.PaymentPartiallyRefunded, "Part of the payment was refunded.")
	named := x.Session.NamedFile() != ""
	underWay := x.File.State == store.FileInProgress || x.File.State == store.FileFinalizing
	warn(named && makesVideo && underWay, "The first video was not finished at the last check: if it still finishes, we pay for both, and the new one is shown.")
	invalid := named && x.Session.FileID() == ""
	warn(invalid, "The file id stored in Redis is not valid, so a video may exist that the bot cannot see. Look in SuperDuperAI for one with its prompt (debug shows it) first: if there is one, cancel, and send the customer its link.")
	warn(named && !invalid && makesVideo && !underWay, fmt.Sprintf("The session already has a file (%s): it will be replaced.", plainWord(string(x.File.State))))
	warn(named && !invalid && action == store.ActionFix && x.Deliver == "", "The session already has a file: it stays.")
	warn(named && action == store.ActionFix && x.Deliver != "" && !strings.EqualFold(x.Deliver, x.Session.NamedFile()),
		"The session refers to another file: it will be replaced.")
	if n := max(x.Payment.VideoCount, x.Session.SessionKey.Value.VideoCount); n > 1 && !x.Payment.Disputed { // else the dispute decides on all of it
		only := fmt.Sprintf("The customer paid for %d videos, but a session makes only one: refund the other %d in Stripe", n, n-1)
		warn(x.Payment.State == store.PaymentPaid, fmt.Sprintf("%s (%d/%d of what was paid) once this plan is done or cancelled.", only, n-1, n))
		warn(x.Payment.State == store.PaymentPartiallyRefunded, only+" once this plan is done or cancelled, unless that was the refund.")
	}
	warn(promptsDiffer(x.Session), "Redis holds two different prompts: the newer format's (session) is used.")
	if left := x.Session.PromptKey().TTL; left > 0 && left < nearEnd {
		warn(true, fmt.Sprintf("Close to 30 days old: the prompt expires in %d h.", int(left.Hours())))
	}
	return list, risk
}

const (
	unseenEventText = "Whether Stripe is still retrying the event is unknown: the site may start this video itself."
	unverifiedText  = "The payment could not be verified: this video may not have been paid for."
)

// generationText describes an earlier generation for the same payment.
func generationText(m diagnosis.Generation) string {
	cost := ""
	if m.Cents > 0 {
		cost = fmt.Sprintf(", for about $%.2f", float64(m.Cents)/100)
	}
	return fmt.Sprintf("A video was started for this payment before: %s%s, file %s.", m.At.Format("2006-01-02 15:04 UTC"), cost, m.FileID)
}

// siteDoubt returns why the site may have started a video without recording it: its own
// request timed out, or it stopped during it. "" if nothing indicates that.
func siteDoubt(s store.Session) string {
	text := ""
	if t := s.Current().Error; t != nil {
		text = strings.ToLower(*t)
	}
	switch {
	case strings.Contains(text, "timeout"), strings.Contains(text, "timed out"):
		return "The site's own request to SuperDuperAI timed out: a video may exist there already. Check SuperDuperAI first."
	case s.Status() == store.StatusProcessing && s.FileID() == "":
		return "The site stopped while it was requesting the video: one may exist already. Check SuperDuperAI first."
	}
	return ""
}

// promptsDiffer reports whether both layouts hold a prompt, and not the same.
func promptsDiffer(s store.Session) bool {
	a, b := s.SessionKey.Value.Prompt, s.Prompt.Value.Prompt
	return a != nil && b != nil && *a != "" && *b != "" && *a != *b
}

// unseenEvent reports whether there should be an event that was not seen.
func unseenEvent(x diagnosis.Examination) bool {
	paid := []store.PaymentState{store.PaymentPaid, store.PaymentPartiallyRefunded, store.PaymentNotRequired}
	return x.Event.State == "" && slices.Contains(paid, x.Payment.State) && !x.SiteShowsOutcome()
}

const (
	nearEnd       = 48 * time.Hour // TTL of a prompt under which a plan warns
	stripeRetries = 72 * time.Hour // for which Stripe retries an event
)

// retrying reports whether Stripe may still deliver the event to the site by itself.
func retrying(x diagnosis.Examination, now time.Time) bool {
	return !RetriesUntil(x.Event, now).IsZero() && !x.SiteShowsOutcome()
}

// RetriesUntil returns until when Stripe delivers the event to some endpoint by
// itself, the zero time if it does not.
func RetriesUntil(e store.Event, now time.Time) time.Time {
	until := e.Created.Add(stripeRetries)
	if e.Undelivered() && now.Before(until) {
		return until
	}
	return time.Time{}
}
