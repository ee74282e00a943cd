package alert

import (
	"cmp"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
)

// summaries are the texts of incidents that have no cases: a headline and the next step.
var summaries = map[incident.Kind]func(incident.Incident) (head, next string){
	incident.Backlog:            backlogText,
	incident.PaymentsUnverified: unverifiedPaymentsText,
	incident.Degraded:           degradedText,
	incident.FilesUnchecked:     uncheckedFilesText,
	incident.NoSessions:         noSessionsText,
}

func alertEmoji(i incident.Incident) string {
	switch {
	case !i.Closed.IsZero():
		return ":white_check_mark:"
	case i.Kind == incident.Backlog:
		return ":information_source:"
	case i.Kind == incident.PaymentsUnverified, i.Kind == incident.FilesUnchecked, i.Kind == incident.Degraded && !incident.Unwatched(i.Parts):
		return ":warning:"
	}
	return ":rotating_light:"
}

// cause is what went wrong, and the remedy.
type cause struct{ text, remedy string }

var (
	testKey          = cause{"the sessions are live, the bot's Stripe key is a test key", "Set STRIPE_SECRET_KEY to a live key and restart the bot."}
	stripeSilent     = cause{"Stripe does not answer", "Check Stripe's status page; if it reports no incident, check the bot's network and log. This message is updated when Stripe answers."}
	unverifiedCauses = map[store.Unverified]cause{
		store.StripeWrongMode:   {"the sessions are from test mode, the bot's Stripe key is live", "They are worth no real money: keep test sessions in another Redis, and leave the live key as it is."},
		store.StripeKeyRefused:  {"Stripe rejects the key", "Set STRIPE_SECRET_KEY to a valid key and restart the bot."},
		store.StripeForbidden:   {"the Stripe key lacks permissions", "Allow the key in STRIPE_SECRET_KEY to read Checkout Sessions, PaymentIntents, Charges and Events."},
		store.StripeRateLimited: {"Stripe's rate limit was reached", stripeSilent.remedy},
	}
)

func unverifiedPaymentsText(i incident.Incident) (head, next string) {
	switch {
	case !i.Closed.IsZero() && i.Why == store.StripeWrongMode:
		return "The Stripe key fits all sessions again.", noAction("paid sessions without a video are alerted again.")
	case !i.Closed.IsZero():
		return "Stripe answers again" + lasted(i) + ".", noAction("the payments are verified now, and paid sessions without a video are alerted again.")
	}
	why := cmp.Or(unverifiedCauses[i.Why], stripeSilent)
	if i.Why == store.StripeWrongMode && i.Live {
		why = testKey
	}
	return paymentsOf(i.Sessions) + " cannot be verified (since " + humanize.Clock(i.Since, i.LastJoinedAt) + "): " + why.text + ".",
		"→ " + why.remedy + " Until then no alerts are sent for individual sessions."
}

// paymentsOf names the payments of so many sessions.
func paymentsOf(sessions int) string {
	return "The payment" + pluralText{"", "s"}.of(sessions) + " of " + humanize.Count(sessions, "session")
}

// lasted is how long a closed incident lasted.
func lasted(i incident.Incident) string { return " after " + humanize.Duration(i.Closed.Sub(i.Since)) }

func noAction(because string) string { return "→ Nothing to do: " + because }

var (
	stripeUnreadable = cause{"payments cannot be read from Stripe", "Check Stripe's status page and STRIPE_SECRET_KEY; the bot's log has the cause. Until fixed, new payments go unnoticed."}
	// partCauses are the parts of the watch that can fail.
	partCauses = map[string]cause{
		incident.PartSweep:         {"the sessions in Redis cannot be read", "Check Redis (/redis ping, and sessionbot doctor on the bot's host); the bot's log has the cause. Until fixed, paid sessions without a video may be noticed late or not at all."},
		incident.PartEvents:        {"the Stripe key has no permission to list events", "Allow the key in STRIPE_SECRET_KEY to read Events. Until fixed, paid sessions without a video may be noticed up to an hour late, without the cause."},
		incident.PartFiles:         {"the state of files cannot be saved", "Check the bot's own Redis (STATE_REDIS_URL); the bot's log has the cause. Until fixed, failed and stalled videos go unnoticed."},
		incident.PartInspection:    {"sessions cannot be examined", "Check the bot's log for “task failed, will retry” of the task “inspection”: it has the cause. Until fixed, paid sessions without a video get no alert."},
		incident.PartNotifications: {"Redis sends no notifications any more", "Not urgent: everything is still noticed, about a minute later. The bot's log has the cause."},
	}
)

// degradedText describes a fault of the watch itself.
func degradedText(i incident.Incident) (head, next string) {
	switch {
	case len(i.Parts) == 0 && !i.Closed.IsZero():
		return "Monitoring was down from " + humanize.Clock(i.Since, i.Closed) + " to " + humanize.Clock(i.Closed, i.Closed) + ".",
			noAction("the gap has been checked. If the bot was not stopped on purpose, check its log.")
	case !i.Closed.IsZero():
		return "Monitoring is restored" + lasted(i) + ".", noAction("the gap is being checked.")
	}
	var failing, remedies []string
	for _, part := range i.Parts {
		c := cmp.Or(partCauses[part], stripeUnreadable)
		failing, remedies = append(failing, c.text), append(remedies, "→ "+c.remedy)
	}
	return "Monitoring has been impaired since " + humanize.Clock(i.Since, i.LastJoinedAt) + ": " + strings.Join(failing, "; ") + ". The last three checks failed.",
		strings.Join(remedies, "\n")
}

var (
	filesSilent = cause{"SuperDuperAI does not answer", "Check SuperDuperAI's status, and SUPERDUPERAI_URL in the bot's configuration. This message is updated when it answers."}
	fileCauses  = map[store.FileTrouble]cause{
		store.FileNoToken:      {"no token is configured", "Set SUPERDUPERAI_TOKEN and restart the bot."},
		store.FileUnauthorized: {"SuperDuperAI rejects the token", "Set a valid SUPERDUPERAI_TOKEN and restart the bot."},
		store.FileForbidden:    {"the token may not read files at SuperDuperAI", "Set SUPERDUPERAI_TOKEN to a token of the account that the site uses."},
		store.FileNotFound:     {"SuperDuperAI knows none of them", "Set SUPERDUPERAI_URL to the host the site uses, and restart the bot."},
		store.FileUnreadable:   {"what answers is not SuperDuperAI", "Set SUPERDUPERAI_URL to the host the site uses, and restart the bot."},
	}
)

func uncheckedFilesText(i incident.Incident) (head, next string) {
	if !i.Closed.IsZero() {
		return "Files can be checked again" + lasted(i) + ".", noAction("the gap is being checked.")
	}
	c := cmp.Or(fileCauses[i.Trouble], filesSilent)
	return "Files cannot be checked (since " + humanize.Clock(i.Since, i.LastJoinedAt) + "): " + c.text + ".",
		"→ " + c.remedy + " Until then failed and stalled videos raise no alert. Paid sessions for which no video was started still do."
}

// noSessionsText describes a Redis without sessions.
func noSessionsText(i incident.Incident) (head, next string) {
	if !i.Closed.IsZero() {
		return "Redis holds sessions again" + lasted(i) + ".", noAction("paid sessions without a video are alerted again.")
	}
	return "Redis holds no sessions, although Stripe lists sales.",
		"→ Check that REDIS_URL is the Redis the site uses (host, database number), and that it has not been emptied. Until then no alerts are sent for individual sessions."
}

// promptLife is how long a prompt is kept.
const promptLife = 30 * 24 * time.Hour

// expiryText says by when, since without its prompt no video can be made.
func expiryText(i incident.Incident) string {
	open := i.Open()
	if len(open) == 0 || open[0].At.IsZero() {
		return " before their prompts expire, 30 days after the order"
	}
	return " before their prompts expire, the first on " + open[0].At.Add(promptLife).UTC().Format("2 Jan")
}

// backlogText describes the sessions that were orphaned before the watch began.
func backlogText(i incident.Incident) (head, next string) {
	var parts []string
	unverified := 0
	for _, v := range diagnosis.Verdicts {
		sum, found := i.Sums[v]
		if !found {
			continue
		}
		unverified += sum.Unverified
		part := humanize.Thousands(int64(sum.Sessions)) + " " + humanize.Words(string(v))
		if paid := humanize.Sums(sum.Money); paid != "" {
			part += " (" + paid + ")"
		}
		parts = append(parts, part)
	}
	next = "→ Not urgent: go through them" + expiryText(i) + ". You will not be alerted about them again.\n" +
		"By verdict: " + strings.Join(parts, ", ") + "."
	if unverified == i.Sessions {
		next += "\nTheir payments are unverified: unpaid checkouts may be among them."
	}
	return "From before monitoring started: " + humanize.Count(i.Sessions, "session") + " older than 24 h without a video.", next
}
