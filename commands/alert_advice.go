package commands

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
)

// alertAdvices say what helps, the cheapest first. {make} or {Make} is how a video can
// be made from here and what that costs; see makeText.
var alertAdvices = map[diagnosis.Verdict]pluralText{
	diagnosis.VerdictStalled: {"Wait if SuperDuperAI is still making it: Debug shows that. Otherwise {make}",
		"Wait if SuperDuperAI is still making them: Debug shows that. Otherwise {make}"},
	diagnosis.VerdictLost:   {"Ask the customer for the prompt, or refund in Stripe.", "Ask the customers for their prompts, or refund in Stripe."},
	diagnosis.VerdictFailed: {"{Make}", "If they failed at the same time, check the balance and the model at SuperDuperAI first. {Make}"},
	diagnosis.VerdictUndelivered: {"Show the video, which costs nothing; then send the customer the link.",
		"Show the videos, which costs nothing; then send the customers the links."},
}

// orphanTexts say what Stripe knows of an orphan's event, and what follows for one
// orphan and for several with the same state.
var orphanTexts = map[store.EventState]struct {
	event  string // for a row
	advice pluralText
}{
	store.EventFailed: {"undelivered", pluralText{
		"The event is undelivered at one endpoint at least, likely the site's. Resend it in Stripe, or wait: Stripe retries for three days. Otherwise {make}",
		"Stripe's events have been undelivered at one endpoint at least{since}: likely the site's, not the sessions. Fix the endpoint first; then resend the events in Stripe, or wait for its retries. Otherwise {make}"}},
	store.EventPending: {"still being delivered", pluralText{
		"Stripe is still delivering the event: wait some minutes, the webhook may still arrive. Otherwise {make}",
		"Stripe is still delivering the events: wait some minutes, the webhooks may still arrive. Otherwise {make}"}},
	store.EventDelivered: {"delivered and answered", pluralText{
		"Stripe delivered the event and the site answered, so the site lost it. {Make}",
		"Stripe delivered the events and the site answered, so the site lost them. {Make}"}},
	store.EventNone: {"no event", pluralText{
		"Stripe created no event, so no webhook will come. {Make}",
		"Stripe created no events, so no webhooks will come. {Make}"}},
}

// alertAdvice says what probably happened, and what helps.
func alertAdvice(v diagnosis.Verdict, open []incident.Case, videoCents int, now time.Time) string {
	advice := cmp.Or(alertAdvices[v], pluralText{"Debug it to see what is wrong.", "Debug them to see what is wrong."}).of(len(open))
	if v == diagnosis.VerdictOrphaned {
		advice = orphanAdvice(open, now)
	}
	how := makeText(open, videoCents)
	return strings.NewReplacer("{make}", how, "{Make}", strings.ToUpper(how[:1])+how[1:]).Replace(advice)
}

func orphanAdvice(open []incident.Case, now time.Time) string {
	if allUnverified(open) {
		return "No Stripe key is configured, so unpaid checkouts are among them: set STRIPE_SECRET_KEY (a restricted key that may only read), and only paid ones are alerted."
	}
	state, since := commonEvent(open)
	if text := orphanTexts[state].advice.of(len(open)); text != "" {
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
			parts = append(parts, thousands(int64(n))+" "+orphanTexts[e].event)
		}
	}
	if parts == nil {
		return "What Stripe knows of the event could not be seen: Debug looks again. {Make}"
	}
	return "No common cause; Stripe says: " + strings.Join(parts, ", ") + ". Where an event is undelivered, resend it in Stripe, or wait. Otherwise {make}"
}

// commonEvent is the state of the event that sessions have in common at Stripe, and
// since when; see incident.CommonEvent.
func commonEvent(open []incident.Case) (store.EventState, time.Time) {
	if len(open) == 1 {
		return open[0].Event, time.Time{}
	}
	return incident.CommonEvent(open)
}

// makeText is how videos can be made from here, and what that costs beside what was
// paid; refunding is the last resort.
func makeText(open []incident.Case, videoCents int) string {
	var how []string
	for _, o := range []struct {
		action store.Action
		text   pluralText
	}{{store.ActionReplay, pluralText{"replay the webhook", "replay the webhooks"}}, {store.ActionGenerate, pluralText{"generate the video", "generate the videos"}}} {
		if slices.ContainsFunc(open, func(c incident.Case) bool { return slices.Contains(c.Allowed, o.action) }) {
			how = append(how, o.text.of(len(open)))
		}
	}
	if how == nil {
		return "refund in Stripe: " + pluralText{"it", "they"}.of(len(open)) + " cannot be made from here, and Debug shows why."
	}
	text := strings.Join(how, " or ")
	if videoCents > 0 {
		text += " (about " + dollars(videoCents) + pluralText{"", " each"}.of(len(open))
		if sum := sumText(incident.SumOf(open)); sum != "" {
			text += pluralText{" for a " + sum + " order", "; the customers paid " + sum + " in all"}.of(len(open))
		}
		text += ")"
	}
	return text + ", or refund in Stripe."
}

// dollars is an estimated cost.
func dollars(cents int) string { return strings.TrimSuffix(money(int64(cents), "usd"), ".00") }
