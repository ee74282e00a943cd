package alert

import (
	"cmp"
	"slices"
	"strings"

	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
)

// summaries are the texts of incidents that are not about single sessions: a
// headline and what to do next.
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
	case i.Kind == incident.PaymentsUnverified, i.Kind == incident.FilesUnchecked, i.Kind == incident.Degraded && !slices.Contains(i.Parts, incident.PartSweep):
		return ":warning:"
	}
	return ":rotating_light:"
}

// cause is what went wrong and what helps.
type cause struct{ text, remedy string }

var (
	stripeSilent     = cause{"Stripe does not answer", "See Stripe's status page. This is corrected when Stripe answers."}
	unverifiedCauses = map[store.Unverified]cause{
		store.StripeWrongMode:   {"the Stripe key is of the other mode (live or test)", "Set STRIPE_SECRET_KEY to a key of their mode, or keep tests in another Redis."},
		store.StripeKeyRefused:  {"Stripe refuses the key", "Set STRIPE_SECRET_KEY to a key that is valid."},
		store.StripeForbidden:   {"the Stripe key may not read what it has to", "Give the key in STRIPE_SECRET_KEY the right to read Checkout Sessions, PaymentIntents, Charges and Events."},
		store.StripeRateLimited: {"Stripe asks us to slow down", stripeSilent.remedy},
	}
)

func unverifiedPaymentsText(i incident.Incident) (head, next string) {
	sessions := humanize.Count(i.Sessions, "session")
	switch {
	case !i.Closed.IsZero() && i.Why == store.StripeWrongMode:
		return "The Stripe key fits all sessions again.", noAction("any paid session without a video is alerted.")
	case !i.Closed.IsZero():
		return "Stripe answers again" + lasted(i) + ".", noAction("payment of " + sessions + " is verified now, and any paid session without a video is alerted.")
	}
	why := cmp.Or(unverifiedCauses[i.Why], stripeSilent)
	return "Payment of " + sessions + " cannot be verified since " + humanize.Clock(i.Since, i.LastJoinedAt) + ": " + why.text + ".",
		"→ " + why.remedy + " Until then nobody is called for single sessions."
}

// lasted is how long a closed incident lasted.
func lasted(i incident.Incident) string { return " after " + humanize.Duration(i.Closed.Sub(i.Since)) }

func noAction(because string) string { return "→ Nothing to do: " + because }

var (
	stripeUnreadable = cause{"Stripe cannot be asked what was paid", "See Stripe's status page and STRIPE_SECRET_KEY; the bot's log has the cause. Until then who pays from now on is not noticed."}
	// partCauses are the parts of the watch that can fail.
	partCauses = map[string]cause{
		incident.PartSweep:         {"the sessions in Redis cannot be read", "Look after Redis; the bot's log has the cause. Until then orphans may be noticed late or not at all."},
		incident.PartEvents:        {"the Stripe key may not list events", "Give the key in STRIPE_SECRET_KEY the right to read Events. Until then Stripe's list of sessions has to do: orphans may be noticed up to an hour late, and why is not known."},
		incident.PartFiles:         {"what is seen of files cannot be kept", "Check the bot's own Redis (STATE_REDIS_URL); the bot's log has the cause. Until then videos that fail or stall are not noticed."},
		incident.PartNotifications: {"Redis tells of no writes any more", "Nothing is urgent: the sweep notices the same one interval later. The bot's log has the cause."},
	}
)

// degradedText is about the watch itself.
func degradedText(i incident.Incident) (head, next string) {
	switch {
	case len(i.Parts) == 0 && !i.Closed.IsZero():
		return "Nobody watched from " + humanize.Clock(i.Since, i.Closed) + " to " + humanize.Clock(i.Closed, i.Closed) + ".",
			noAction("what happened meanwhile has been looked at. If the bot was not stopped on purpose, see its log.")
	case !i.Closed.IsZero():
		return "The watch sees everything again" + lasted(i) + ".", noAction("what happened meanwhile is looked at.")
	}
	var failing, remedies []string
	for _, part := range i.Parts {
		c := cmp.Or(partCauses[part], stripeUnreadable)
		failing, remedies = append(failing, c.text), append(remedies, "→ "+c.remedy)
	}
	return "The watch sees less since " + humanize.Clock(i.Since, i.LastJoinedAt) + ": " + strings.Join(failing, "; ") + " (three times in a row).",
		strings.Join(remedies, "\n")
}

var (
	filesSilent = cause{"SuperDuperAI does not answer", "See SuperDuperAI's status, and SUPERDUPERAI_URL. This is corrected when it answers."}
	fileCauses  = map[store.FileTrouble]cause{
		store.FileNoToken:      {"no token is configured", "Set SUPERDUPERAI_TOKEN."},
		store.FileUnauthorized: {"SuperDuperAI refuses the token", "Set SUPERDUPERAI_TOKEN to a token that is valid."},
		store.FileForbidden:    {"SuperDuperAI does not let this token read files", "Set SUPERDUPERAI_TOKEN to a token of the account that the site uses."},
		store.FileNotFound:     {"SuperDuperAI does not know any of them", "Set SUPERDUPERAI_URL to the host that the site uses."},
		store.FileUnreadable:   {"what answers is not SuperDuperAI", "Set SUPERDUPERAI_URL to the host that the site uses."},
	}
)

func uncheckedFilesText(i incident.Incident) (head, next string) {
	if !i.Closed.IsZero() {
		return "Files can be checked again" + lasted(i) + ".", noAction("whatever became due meanwhile is being checked.")
	}
	c := cmp.Or(fileCauses[i.Trouble], filesSilent)
	return "Files cannot be checked since " + humanize.Clock(i.Since, i.LastJoinedAt) + ": " + c.text + ".",
		"→ " + c.remedy + " Until then videos that fail or stall are not noticed, and nobody is called for single ones. Orphans are."
}

// noSessionsText is about a Redis that holds no session.
func noSessionsText(i incident.Incident) (head, next string) {
	if !i.Closed.IsZero() {
		return "Redis holds sessions again" + lasted(i) + ".", noAction("any paid session without a video is alerted.")
	}
	return "Redis holds no sessions, although Stripe lists sales.",
		"→ Check that REDIS_URL is the Redis that the site uses (host, database number), and that nobody has emptied it. Until then nobody is called for single sessions."
}

// backlogText is about the sessions that were orphaned before the watch began.
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
	next = "→ Look through them when there is time. Nobody is called for them, now or later.\n" +
		"By verdict: " + strings.Join(parts, ", ") + "."
	if unverified == i.Sessions {
		next += "\nPayment is unverified: checkouts that were left unpaid are among them."
	}
	return "From before this watch began: " + humanize.Count(i.Sessions, "session") + " older than 24 h without a video.", next
}
