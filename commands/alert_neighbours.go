package commands

import (
	"strings"

	"github.com/superduperai/sessionbot/store"
)

func unverifiedAlert(i store.Incident) (string, []string) {
	sessions := count(i.Sessions, "session")
	switch {
	case !i.Closed.IsZero() && i.Why == store.StripeWrongMode:
		return "The Stripe key fits all sessions again.", []string{"→ Nothing to do: any paid session without a video is alerted."}
	case !i.Closed.IsZero():
		return "Stripe answers again after " + span(i.Closed.Sub(i.Since)) + ".",
			[]string{"→ Nothing to do: payment of " + sessions + " is verified now, and any paid session without a video is alerted."}
	}
	remedy := "See Stripe's status page. This is corrected when Stripe answers."
	switch i.Why {
	case store.StripeWrongMode:
		remedy = "Set STRIPE_SECRET_KEY to a key of their mode, or keep tests in another Redis."
	case store.StripeKeyRefused:
		remedy = "Set STRIPE_SECRET_KEY to a key that is valid."
	case store.StripeForbidden:
		remedy = "Give the key in STRIPE_SECRET_KEY the right to read Checkout Sessions, PaymentIntents, Charges and Events."
	}
	return "Payment of " + sessions + " cannot be verified since " + clock(i.Since, i.Grown) + ": " + unverifiedCause(i.Why) + ".",
		[]string{"→ " + remedy + " Until then nobody is called for single sessions."}
}

// unverifiedCause is unverifiedText of many sessions, without advice.
func unverifiedCause(why store.Unverified) string {
	switch why {
	case store.StripeWrongMode:
		return "the Stripe key is of the other mode (live or test)"
	case store.StripeForbidden:
		return "the Stripe key may not read what it has to"
	case store.StripeKeyRefused:
		return "Stripe refuses the key"
	case store.StripeRateLimited:
		return "Stripe asks us to slow down"
	}
	return "Stripe does not answer"
}

func blindText(i store.Incident) (string, []string) {
	switch {
	case len(i.Parts) == 0 && !i.Closed.IsZero():
		return "Nobody watched from " + clock(i.Since, i.Closed) + " to " + clock(i.Closed, i.Closed) + ".",
			[]string{"→ Nothing to do: what happened meanwhile has been looked at. If the bot was not stopped on purpose, see its log."}
	case !i.Closed.IsZero():
		return "The watch sees everything again after " + span(i.Closed.Sub(i.Since)) + ".",
			[]string{"→ Nothing to do: what happened meanwhile is looked at."}
	}
	var fails, next []string
	for _, part := range i.Parts {
		failing, remedy := blindPart(part)
		fails, next = append(fails, failing), append(next, "→ "+remedy)
	}
	return "The watch sees less since " + clock(i.Since, i.Grown) + ": " + strings.Join(fails, "; ") + " (three times in a row).", next
}

// filesText is about SuperDuperAI, which does not say how files stand.
func filesText(i store.Incident) (string, []string) {
	if !i.Closed.IsZero() {
		return "Files can be checked again after " + span(i.Closed.Sub(i.Since)) + ".",
			[]string{"→ Nothing to do: whatever became due meanwhile is being checked."}
	}
	cause, remedy := "SuperDuperAI does not answer", "See SuperDuperAI's status, and SUPERDUPERAI_URL. This is corrected when it answers."
	switch i.Trouble {
	case store.FileNoToken:
		cause, remedy = "no token is configured", "Set SUPERDUPERAI_TOKEN."
	case store.FileUnauthorized:
		cause, remedy = "SuperDuperAI refuses the token", "Set SUPERDUPERAI_TOKEN to a token that is valid."
	case store.FileForbidden:
		cause, remedy = "SuperDuperAI does not let this token read files", "Set SUPERDUPERAI_TOKEN to a token of the account that the site uses."
	case store.FileNotFound:
		cause, remedy = "SuperDuperAI does not know any of them", "Set SUPERDUPERAI_URL to the host that the site uses."
	case store.FileUnreadable:
		cause, remedy = "what answers is not SuperDuperAI", "Set SUPERDUPERAI_URL to the host that the site uses."
	}
	return "Files cannot be checked since " + clock(i.Since, i.Grown) + ": " + cause + ".",
		[]string{"→ " + remedy + " Until then videos that fail or stall are not noticed, and nobody is called for single ones. Orphans are."}
}

// emptyText is about a Redis that holds no session.
func emptyText(i store.Incident) (string, []string) {
	if !i.Closed.IsZero() {
		return "Redis holds sessions again after " + span(i.Closed.Sub(i.Since)) + ".",
			[]string{"→ Nothing to do: any paid session without a video is alerted."}
	}
	return "Redis holds no sessions, although Stripe lists sales.",
		[]string{"→ Check that REDIS_URL is the Redis that the site uses (host, database number), and that nobody has emptied it. Until then nobody is called for single sessions."}
}

// blindPart says what a part of the watch cannot do, what follows and what helps.
func blindPart(part string) (failing, remedy string) {
	switch part {
	case store.PartSweep:
		return "the sessions in Redis cannot be read", "Look after Redis; the bot's log has the cause. Until then orphans may be noticed late or not at all."
	case store.PartEvents:
		return "the Stripe key may not list events", "Give the key in STRIPE_SECRET_KEY the right to read Events. Until then Stripe's list of sessions has to do: orphans may be noticed up to an hour late, and why is not known."
	case store.PartFiles:
		return "what is seen of files cannot be kept", "Check the bot's own Redis (STATE_REDIS_URL); the bot's log has the cause. Until then videos that fail or stall are not noticed."
	case store.PartNotifications:
		return "Redis tells of no writes any more", "Nothing is urgent: the sweep notices the same one interval later. The bot's log has the cause."
	}
	return "Stripe cannot be asked what was paid", "See Stripe's status page and STRIPE_SECRET_KEY; the bot's log has the cause. Until then who pays from now on is not noticed."
}
