package commands

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
)

// alertText is the headline of an incident and what to do next.
func alertText(i incident.Incident) (head, next string) {
	if summary := summaries[i.Kind]; summary != nil {
		return summary(i)
	}
	if !i.Closed.IsZero() {
		return "Resolved after " + span(i.Closed.Sub(i.Opened)) + ": " + count(len(i.Cases), "session") + ".", tallyText(i)
	}
	open := i.Open()
	head = casesText(diagnosis.Verdict(i.Kind), open)
	if len(open) > 1 && !i.Since.IsZero() {
		head += " since " + clock(i.Since, i.LastJoinedAt)
	}
	if sum := sumText(incident.SumOf(open)); sum != "" && len(open) > 1 {
		head += " (" + sum + ")"
	}
	next = "→ " + adviceText(diagnosis.Verdict(i.Kind), open, i.LastJoinedAt)
	if len(open) < len(i.Cases) {
		next += fmt.Sprintf("\n%s in all; %s", count(len(i.Cases), "session"), lowerFirst(tallyText(i)))
	}
	return head + ".", next
}

// pluralText is a text about one session and about several.
type pluralText struct{ one, many string }

// casesTexts name the trouble, without the full stop; the number precedes many.
var casesTexts = map[diagnosis.Verdict]pluralText{
	diagnosis.VerdictOrphaned:    {"A paid session got no video", "paid sessions got no video"},
	diagnosis.VerdictStalled:     {"Stalled: a video has been in the making for too long", "videos are stalled"},
	diagnosis.VerdictLost:        {"Lost: a paid session has no prompt to make a video from", "paid sessions lost their prompts"},
	diagnosis.VerdictFailed:      {"Failed: a video could not be made", "videos failed"},
	diagnosis.VerdictUndelivered: {"Undelivered: a video is ready, and its customer does not see it", "videos are ready, and their customers do not see them"},
}

func casesText(v diagnosis.Verdict, open []incident.Case) string {
	text := cmp.Or(casesTexts[v], pluralText{"A session is " + humanize(string(v)), "sessions are " + humanize(string(v))})
	if v == diagnosis.VerdictOrphaned && allUnverified(open) {
		text = pluralText{"A session got no video; its payment is unverified", "sessions got no video (payment unverified)"}
	}
	if len(open) == 1 {
		return text.one
	}
	return thousands(int64(len(open))) + " " + text.many
}

func allUnverified(open []incident.Case) bool {
	return len(open) > 0 && !slices.ContainsFunc(open, func(c incident.Case) bool { return c.Payment != store.PaymentUnverified })
}

var advices = map[diagnosis.Verdict]pluralText{
	diagnosis.VerdictStalled: {"Debug it: if SuperDuperAI does not finish it, generate it anew.",
		"They are in the making for too long. Debug one: if SuperDuperAI does not finish it, generate it anew."},
	diagnosis.VerdictLost:   {"Ask the customer for the prompt, or refund in Stripe.", "Ask the customer for the prompt, or refund in Stripe."},
	diagnosis.VerdictFailed: {"Generate it anew, or refund in Stripe.", "Generate them anew, or refund in Stripe."},
	diagnosis.VerdictUndelivered: {"Show the video, which costs nothing; then send the customer the link.",
		"Show the video, which costs nothing; then send the customer the link."},
}

// adviceText says what probably happened and what helps.
func adviceText(v diagnosis.Verdict, open []incident.Case, now time.Time) string {
	if v == diagnosis.VerdictOrphaned {
		return orphanAdvice(open, now)
	}
	advice := cmp.Or(advices[v], pluralText{"Debug it to see what is wrong.", "Debug it to see what is wrong."})
	if len(open) > 1 {
		return advice.many
	}
	return advice.one
}

// orphanTexts say what Stripe knows of an orphan's event, and what follows for one
// orphan and for several with the same state.
var orphanTexts = map[store.EventState]struct {
	event  string
	advice pluralText
}{
	store.EventFailed: {"undelivered at one endpoint at least", pluralText{
		"The event is undelivered at one endpoint at least, likely the site's. Generate the video, or resend the event from Stripe.",
		"Stripe's events have been undelivered at one endpoint at least{since}: likely the site's, not the sessions. Mend the endpoint, then resend the events from Stripe."}},
	store.EventPending: {"still being delivered", pluralText{
		"Stripe is still delivering the event: the webhook may come yet. Wait some minutes, then generate.",
		"Stripe is still delivering the events: the webhooks may come yet. Wait some minutes, then generate."}},
	store.EventDelivered: {"delivered and answered, so the site lost it", pluralText{
		"Stripe delivered the event and the site answered, so the site lost it. Generate the video: resending helps only if the site is mended.",
		"Stripe delivered the events and the site answered, so the site lost them. Generate the videos: resending helps only if the site is mended."}},
	store.EventNone: {"no event", pluralText{
		"Stripe created no event, so no webhook will come. Generate the video.",
		"Stripe created no events, so no webhooks will come. Generate the videos."}},
}

func orphanAdvice(open []incident.Case, now time.Time) string {
	switch {
	case allUnverified(open):
		return "No Stripe key is configured, so checkouts that were left unpaid are among them: set STRIPE_SECRET_KEY (a restricted key that may only read) to be told of paid ones alone."
	case len(open) == 1:
		return singleAdvice(open[0])
	}
	state, since := incident.CommonEvent(open)
	if text := orphanTexts[state].advice.many; text != "" {
		from := ""
		if !since.IsZero() {
			from = " since " + clock(since, now)
		}
		return strings.Replace(text, "{since}", from, 1)
	}
	counts := map[store.EventState]int{}
	for _, c := range open {
		counts[c.Event]++
	}
	var parts []string
	for _, e := range []store.EventState{store.EventFailed, store.EventPending, store.EventDelivered, store.EventNone} {
		if n := counts[e]; n > 0 {
			parts = append(parts, orphanTexts[e].event+" "+thousands(int64(n)))
		}
	}
	if parts == nil {
		return "Generate the videos, or resend the events from Stripe. Debug tells more."
	}
	return "No common cause: " + strings.Join(parts, ", ") + ". Generate the videos; where the event is undelivered, resending the event from Stripe helps, too."
}

// singleAdvice is for a single orphan. One that was made from a picture, for
// example, cannot be generated from here.
func singleAdvice(c incident.Case) string {
	switch generate := slices.Contains(c.Allowed, store.ActionGenerate); {
	case !generate && c.Event == store.EventNone:
		return "Stripe created no event, so no webhook will come, and it cannot be generated from here. Debug tells why; else refund in Stripe."
	case !generate:
		return "Resend the event from Stripe: it cannot be generated from here. Debug tells why."
	}
	return cmp.Or(orphanTexts[c.Event].advice.one, "Generate the video, or resend the event from Stripe. Debug tells more.")
}

var endingTexts = map[incident.Ending]string{
	incident.EndGenerated: "generated",
	incident.EndReplayed:  "replayed",
	incident.EndFixed:     "marked as error",
	incident.EndShown:     "video shown",
	incident.EndRefunded:  "refunded",
	incident.EndUnpaid:    "turned out unpaid",
	incident.EndGone:      "gone from Redis",
}

func endingText(kind incident.Kind, e incident.Ending) string {
	switch {
	case e == incident.EndLate && webhookMissing(kind):
		return "the webhook came late"
	case e == incident.EndLate:
		return "moved on"
	}
	return cmp.Or(endingTexts[e], "changed otherwise")
}

// webhookMissing reports whether the incident is about webhooks that did not
// come; else the site knows of the payment, and the video is missing.
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
			parts = append(parts, count(n, "webhook")+" came late")
		default:
			parts = append(parts, thousands(int64(n))+" "+endingText(i.Kind, e))
		}
	}
	if parts == nil {
		return "No session left."
	}
	return strings.Join(parts, ", ") + "."
}

// sumText is the money affected, currency by currency.
func sumText(s incident.Sum) string {
	var parts []string
	for _, currency := range slices.Sorted(maps.Keys(s.Money)) {
		parts = append(parts, money(s.Money[currency], currency))
	}
	return strings.Join(parts, " + ")
}
