package alert

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
)

// alertText is the headline of an incident, and what happened and what to do next.
func alertText(i incident.Incident, videoCents int, now time.Time) (head string, next []blockkit.Line) {
	if summary := summaries[i.Kind]; summary != nil {
		head, text := summary(i)
		return head, []blockkit.Line{blockkit.PlainLine(text)}
	}
	if !i.Closed.IsZero() {
		return "Resolved after " + humanize.Duration(i.Closed.Sub(i.Opened)) + ": " + humanize.Count(len(i.Cases), "session") + ".", []blockkit.Line{blockkit.PlainLine(tallyText(i)), clockLine(i, now)}
	}
	open := i.Open()
	next = []blockkit.Line{alertAdvice(verdictOf(i.Kind, open), open, videoCents, now)}
	if len(open) < len(i.Cases) {
		next = append(next, blockkit.PlainLine(humanize.Count(len(i.Cases), "session")+" in all; "+humanize.LowerFirst(tallyText(i))))
	}
	clock := clockLine(i, now)
	if verdictOf(i.Kind, open) == diagnosis.VerdictOrphaned {
		clock = append(clock, blockkit.Plain(" Nothing is lost yet: prompts are kept for 30 days."))
	}
	next = append(next, clock)
	return troubleText(i, open) + ".", next
}

// troubleText is how many sessions are in trouble, since when, and the money.
func troubleText(i incident.Incident, open []incident.Case) string {
	text := casesText(verdictOf(i.Kind, open), open)
	if len(open) > 1 && !i.Since.IsZero() {
		text += " since " + humanize.Clock(i.Since, i.LastJoinedAt)
	}
	if sum := humanize.Sums(incident.SumOf(open).Money); sum != "" && len(open) > 1 {
		text += " (" + sum + ")"
	}
	return text
}

// verdictOf is the verdict of an incident: orphaned once the prompts of all its lost
// sessions are restored.
func verdictOf(kind incident.Kind, open []incident.Case) diagnosis.Verdict {
	if len(open) > 0 && !slices.ContainsFunc(open, func(c incident.Case) bool { return !promptRestored(kind, c) }) {
		return diagnosis.VerdictOrphaned
	}
	return diagnosis.Verdict(kind)
}

// promptRestored reports whether a session stays in an incident about lost prompts
// although its own is back: it still has no video.
func promptRestored(kind incident.Kind, c incident.Case) bool {
	return kind == incident.Kind(diagnosis.VerdictLost) && c.Verdict == diagnosis.VerdictOrphaned
}

// pluralText is a text for one session and for several.
type pluralText struct{ one, many string }

func (t pluralText) of(n int) string {
	if n == 1 {
		return t.one
	}
	return t.many
}

// casesTexts name the trouble, without the full stop; the number precedes many.
var casesTexts = map[diagnosis.Verdict]pluralText{
	diagnosis.VerdictOrphaned:    {"A paid session got no video", "paid sessions have had no video"},
	diagnosis.VerdictStalled:     {"Stalled: a video is taking too long", "videos have stalled"},
	diagnosis.VerdictLost:        {"Lost: a paid session has no prompt to make a video from", "paid sessions have had no prompt to make a video from"},
	diagnosis.VerdictFailed:      {"Failed: a video could not be made", "videos have failed"},
	diagnosis.VerdictUndelivered: {"Undelivered: a video is ready, but its customer does not see it", "finished videos have not been shown to their customers"},
}

func casesText(v diagnosis.Verdict, open []incident.Case) string {
	text := cmp.Or(casesTexts[v], pluralText{"A session is " + humanize.Words(string(v)), "sessions have been " + humanize.Words(string(v))})
	if v == diagnosis.VerdictOrphaned && allUnverified(open) {
		text = pluralText{"A session got no video; its payment is unverified", "sessions have had no video (payment unverified)"}
	}
	if len(open) == 1 {
		return text.one
	}
	return humanize.Thousands(int64(len(open))) + " " + text.many
}

func allUnverified(open []incident.Case) bool {
	return len(open) > 0 && !slices.ContainsFunc(open, func(c incident.Case) bool { return c.Payment != store.PaymentUnverified })
}

var endingTexts = map[incident.Ending]string{
	incident.EndReplayed:  "replayed",
	incident.EndGenerated: "generated",
	incident.EndFixed:     "marked as error",
	incident.EndShown:     "video shown",
	incident.EndHandled:   "handled",
	incident.EndRefunded:  "refunded",
	incident.EndUnpaid:    "turned out unpaid",
	incident.EndGone:      "gone from Redis",
}

func endingText(kind incident.Kind, e incident.Ending) string {
	switch {
	case e == incident.EndLate && webhookMissing(kind):
		return "the webhook came late"
	case e == incident.EndLate:
		return "recovered"
	}
	return cmp.Or(endingTexts[e], "other change")
}

// webhookMissing reports whether the webhooks of the incident's sessions did not come; else
// the site received them, and the video is missing.
func webhookMissing(kind incident.Kind) bool {
	return kind == incident.Kind(diagnosis.VerdictOrphaned) || kind == incident.Kind(diagnosis.VerdictLost)
}

// tallyText counts how sessions left: 31 webhooks came late, 5 generated.
func tallyText(i incident.Incident) string {
	tally := i.Tally()
	var parts []string
	for _, e := range incident.Endings {
		switch n := tally[e]; {
		case n == 0:
		case e == incident.EndLate && webhookMissing(i.Kind):
			parts = append(parts, humanize.Count(n, "webhook")+" came late")
		default:
			parts = append(parts, humanize.Thousands(int64(n))+" "+endingText(i.Kind, e))
		}
	}
	if parts == nil {
		return "None resolved."
	}
	return strings.Join(parts, ", ") + "."
}
