package commands

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
)

func alertEmoji(i store.Incident) string {
	switch {
	case !i.Closed.IsZero():
		return ":white_check_mark:"
	case i.Kind == store.IncidentHistory:
		return ":information_source:"
	case i.Kind == store.IncidentUnverified, i.Kind == store.IncidentFiles, i.Kind == store.IncidentBlind && !slices.Contains(i.Parts, store.PartSweep):
		return ":warning:"
	}
	return ":rotating_light:"
}

// alertText is the headline of an incident and what to do next.
func alertText(i store.Incident) (head string, next []string) {
	switch {
	case i.Kind == store.IncidentHistory:
		return historyText(i)
	case i.Kind == store.IncidentUnverified:
		return unverifiedAlert(i)
	case i.Kind == store.IncidentBlind:
		return blindText(i)
	case i.Kind == store.IncidentFiles:
		return filesText(i)
	case i.Kind == store.IncidentEmpty:
		return emptyText(i)
	case !i.Closed.IsZero():
		return "Resolved after " + span(i.Closed.Sub(i.Opened)) + ": " + count(len(i.Cases), "session") + ".", []string{tallyText(i)}
	}
	open := i.Open()
	head = troubleText(store.Verdict(i.Kind), open)
	if len(open) > 1 && !i.Since.IsZero() {
		head += " since " + clock(i.Since, i.Grown)
	}
	if sum := sumText(store.SumOf(open)); sum != "" && len(open) > 1 {
		head += " (" + sum + ")"
	}
	next = []string{"→ " + adviceText(store.Verdict(i.Kind), open, i.Grown)}
	if len(open) < len(i.Cases) {
		next = append(next, fmt.Sprintf("%s in all; %s", count(len(i.Cases), "session"), lowerFirst(tallyText(i))))
	}
	return head + ".", next
}

// troubleText names the trouble, without the full stop.
func troubleText(v store.Verdict, open []store.Case) string {
	one := len(open) == 1
	pick := func(single, many string) string {
		if one {
			return single
		}
		return grouped(int64(len(open))) + " " + many
	}
	switch v {
	case store.VerdictOrphaned:
		if unverified(open) {
			return pick("A session got no video; its payment is unverified", "sessions got no video (payment unverified)")
		}
		return pick("A paid session got no video", "paid sessions got no video")
	case store.VerdictStalled:
		return pick("Stalled: a video has been in the making for too long", "videos are stalled")
	case store.VerdictLost:
		return pick("Lost: a paid session has no prompt to make a video from", "paid sessions lost their prompts")
	case store.VerdictFailed:
		return pick("Failed: a video could not be made", "videos failed")
	case store.VerdictUndelivered:
		return pick("Undelivered: a video is ready, and its customer does not see it", "videos are ready, and their customers do not see them")
	}
	return pick("A session is "+words(string(v)), "sessions are "+words(string(v)))
}

func unverified(open []store.Case) bool {
	return len(open) > 0 && !slices.ContainsFunc(open, func(c store.Case) bool { return c.Payment != store.PaymentUnverified })
}

// adviceText says what probably happened and what helps.
func adviceText(v store.Verdict, open []store.Case, now time.Time) string {
	switch v {
	case store.VerdictOrphaned:
		return orphanAdvice(open, now)
	case store.VerdictStalled:
		if len(open) > 1 {
			return "They are in the making for too long. Debug one: if SuperDuperAI does not finish it, generate it anew."
		}
		return "Debug it: if SuperDuperAI does not finish it, generate it anew."
	case store.VerdictLost:
		return "Ask the customer for the prompt, or refund in Stripe."
	case store.VerdictFailed:
		if len(open) > 1 {
			return "Generate them anew, or refund in Stripe."
		}
		return "Generate it anew, or refund in Stripe."
	case store.VerdictUndelivered:
		return "Show the video, which costs nothing; then send the customer the link."
	}
	return "Debug it to see what is wrong."
}

func orphanAdvice(open []store.Case, now time.Time) string {
	if unverified(open) {
		return "No Stripe key is configured, so checkouts that were left unpaid are among them: set STRIPE_SECRET_KEY (a restricted key that may only read) to be told of paid ones alone."
	}
	if len(open) == 1 {
		return loneAdvice(open[0])
	}
	state, since := store.CommonEvent(open)
	from := ""
	if !since.IsZero() {
		from = " since " + clock(since, now)
	}
	switch state {
	case store.EventFailed:
		return "Stripe's events have been undelivered at one endpoint at least" + from + ": likely the site's, not the sessions. Mend the endpoint, then resend the events from Stripe."
	case store.EventPending:
		return "Stripe is still delivering the events: the webhooks may come yet. Wait some minutes, then generate."
	case store.EventDelivered:
		return "Stripe delivered the events and the site answered, so the site lost them. Generate the videos: resending helps only if the site is mended."
	case store.EventNone:
		return "Stripe created no events, so no webhooks will come. Generate the videos."
	}
	if causes := causesText(open); causes != "" {
		return "No common cause: " + causes + ". Generate the videos; where the event is undelivered, resending the event from Stripe helps, too."
	}
	return "Generate the videos, or resend the events from Stripe. Debug tells more."
}

// loneAdvice is for a single orphan. One that was made from a picture, for one,
// cannot be generated from here.
func loneAdvice(c store.Case) string {
	generable := slices.Contains(c.Allowed, store.ActionGenerate)
	switch {
	case !generable && c.Event == store.EventNone:
		return "Stripe created no event, so no webhook will come, and it cannot be generated from here. Debug tells why; else refund in Stripe."
	case !generable:
		return "Resend the event from Stripe: it cannot be generated from here. Debug tells why."
	case c.Event == store.EventFailed:
		return "The event is undelivered at one endpoint at least, likely the site's. Generate the video, or resend the event from Stripe."
	case c.Event == store.EventPending:
		return "Stripe is still delivering the event: the webhook may come yet. Wait some minutes, then generate."
	case c.Event == store.EventDelivered:
		return "Stripe delivered the event and the site answered, so the site lost it. Generate the video: resending helps only if the site is mended."
	case c.Event == store.EventNone:
		return "Stripe created no event, so no webhook will come. Generate the video."
	}
	return "Generate the video, or resend the event from Stripe. Debug tells more."
}

// causesText counts what Stripe knows of the events, "" = nothing.
func causesText(open []store.Case) string {
	counts := map[store.EventState]int{}
	for _, c := range open {
		counts[c.Event]++
	}
	var parts []string
	for _, e := range []store.EventState{store.EventFailed, store.EventPending, store.EventDelivered, store.EventNone} {
		if n := counts[e]; n > 0 {
			parts = append(parts, caseEvent(e)+" "+grouped(int64(n)))
		}
	}
	return strings.Join(parts, ", ")
}

// caseEvent is what Stripe knows of the event, "" = it was not asked.
func caseEvent(e store.EventState) string {
	switch e {
	case store.EventFailed:
		return "undelivered at one endpoint at least"
	case store.EventPending:
		return "still being delivered"
	case store.EventDelivered:
		return "delivered and answered, so the site lost it"
	case store.EventNone:
		return "no event"
	}
	return ""
}

func endingText(kind store.IncidentKind, e store.Ending) string {
	switch e {
	case store.EndLate:
		if !unheard(kind) {
			return "moved on"
		}
		return "the webhook came late"
	case store.EndGenerated:
		return "generated"
	case store.EndFixed:
		return "marked as error"
	case store.EndShown:
		return "video shown"
	case store.EndRefunded:
		return "refunded"
	case store.EndUnpaid:
		return "turned out unpaid"
	case store.EndGone:
		return "gone from Redis"
	}
	return "changed otherwise"
}

// unheard tells whether what is missing is the webhook; where the site heard of
// the payment it is the video.
func unheard(kind store.IncidentKind) bool {
	return kind == store.IncidentKind(store.VerdictOrphaned) || kind == store.IncidentKind(store.VerdictLost)
}

// tallyText counts how sessions left: 31 webhooks came late, 5 generated.
func tallyText(i store.Incident) string {
	tally := i.Tally()
	var parts []string
	for _, e := range store.Endings {
		switch n := tally[e]; {
		case n == 0:
		case e == store.EndLate && unheard(i.Kind):
			parts = append(parts, count(n, "webhook")+" came late")
		default:
			parts = append(parts, grouped(int64(n))+" "+endingText(i.Kind, e))
		}
	}
	if parts == nil {
		return "No session left."
	}
	return strings.Join(parts, ", ") + "."
}

// sumText is the money affected, currency by currency.
func sumText(s store.Sum) string {
	var parts []string
	for _, currency := range slices.Sorted(maps.Keys(s.Money)) {
		parts = append(parts, money(s.Money[currency], currency))
	}
	return strings.Join(parts, " + ")
}

func historyText(i store.Incident) (string, []string) {
	var parts []string
	unverified := 0
	for _, v := range store.Verdicts {
		sum, found := i.Sums[v]
		if !found {
			continue
		}
		unverified += sum.Unverified
		part := grouped(int64(sum.Sessions)) + " " + words(string(v))
		if paid := sumText(sum); paid != "" {
			part += " (" + paid + ")"
		}
		parts = append(parts, part)
	}
	next := []string{
		"→ Look through them when there is time. Nobody is called for them, now or later.",
		"By verdict: " + strings.Join(parts, ", ") + ".",
	}
	if unverified == i.Sessions {
		next = append(next, "Payment is unverified: checkouts that were left unpaid are among them.")
	}
	return "From before this watch began: " + count(i.Sessions, "session") + " older than 24 h without a video.", next
}

// AlertReply is a line in the thread of an alert: so many by now, still nobody,
// or open again.
func AlertReply(i store.Incident, reason, mention string, now time.Time) Alert {
	open := i.Open()
	head := troubleText(store.Verdict(i.Kind), open)
	if sum := sumText(store.SumOf(open)); sum != "" {
		head += " (" + sum + ")"
	}
	next := ""
	switch reason {
	case "reminder":
		head = "Still open after " + span(now.Sub(i.PostedAt)) + ": " + lowerFirst(head)
		next = "→ Nobody has acknowledged it: press Acknowledge above, or Snooze."
	case "reopened":
		head = "Open again: " + lowerFirst(head)
		next = "→ See the message above."
	default:
		head = "Growing: " + lowerFirst(head)
		next = "→ See the message above."
	}
	return withHead("", head+".", mention,
		[]slack.Block{blockkit.Paragraph(blockkit.L(blockkit.Plain(next)))})
}
