package commands

import (
	"context"
	"errors"
	"fmt"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/superduper"
)

// usageError says that a request was put wrongly, and how to put it.
type usageError struct {
	text  string
	usage []string
}

func (e usageError) Error() string { return e.text }

// refusal says in words for people why something is not done.
type refusal struct{ text string }

func (e refusal) Error() string { return e.text }

func refuse(text string) error { return refusal{text} }

// explain is the one place where an error becomes an answer.
func (r *Registry) explain(req Request, name string, err error) Answer {
	answer := Answer{Name: name}
	var usage usageError
	var refused refusal
	if errors.Is(err, store.NoStripeKey) {
		err = refuse("No Stripe key is configured. Set STRIPE_SECRET_KEY (a restricted key that may read Checkout Sessions, payments and events) and start the bot again.")
	}
	switch {
	case errors.As(err, &usage):
		answer.Outcome = Usage
		lines := []blockkit.Line{blockkit.L(blockkit.Bold(blockkit.Cut(blockkit.OneLine(usage.text), 300)))}
		for _, line := range usage.usage {
			lines = append(lines, blockkit.L(blockkit.Plain(line)))
		}
		answer.Blocks = []slack.Block{blockkit.Paragraph(lines...)}
	case errors.As(err, &refused):
		answer.Outcome = Refused
		answer.Blocks = []slack.Block{blockkit.Paragraph(blockkit.L(blockkit.Plain(refused.text)))}
	default:
		answer.Outcome, answer.Err = Failed, err
		certainty := "Nothing was changed."
		if name == settleName {
			certainty = "It is not known whether it counted: see /session history."
		}
		answer.Blocks = []slack.Block{blockkit.Paragraph(blockkit.L(blockkit.Plain(failureText(err, certainty, req.Ref))))}
	}
	return answer
}

// failureText says what failed and what to do next.
func failureText(err error, certainty, ref string) string {
	var unverified store.Unverified
	switch {
	case errors.As(err, &unverified):
		return "Stripe could not be asked: " + unverifiedText(unverified) + "."
	case errors.Is(err, store.ErrSilent), errors.Is(err, store.ErrRefused):
		return redisErrorText(err) + " " + certainty
	case errors.Is(err, context.DeadlineExceeded):
		return "That took too long and was stopped. Try again in a minute. " + certainty
	}
	return fmt.Sprintf("Something went wrong on our side. %s Ref %s.", certainty, ref)
}

// redisErrorText says why Redis could not be read, and what to do.
func redisErrorText(err error) string {
	switch {
	case errors.Is(err, store.ErrRefused):
		return "Redis refused the bot: the engineer on call has to check user, password and ACL of REDIS_URL."
	case errors.Is(err, store.ErrSilent):
		return "Redis did not answer. Try again in a minute; if it stays silent, tell the engineer on call."
	}
	return "Redis answered with a fault of its own: tell the engineer on call."
}

// unverifiedText says why a payment could not be verified, and the remedy.
func unverifiedText(why store.Unverified) string {
	switch why {
	case store.NoStripeKey:
		return "no Stripe key is configured (STRIPE_SECRET_KEY)"
	case store.StripeWrongMode:
		return "the Stripe key is of the other mode (live or test) than the session"
	case store.StripeKeyRefused:
		return "Stripe refused the key (STRIPE_SECRET_KEY)"
	case store.StripeForbidden:
		return "the Stripe key may not read Checkout Sessions, payments or events"
	case store.StripeRateLimited:
		return "Stripe asked us to slow down; try again in a minute"
	case store.StripeNoAnswer:
		return "Stripe did not answer"
	}
	return "Stripe answered with a fault of its own; try again in a minute"
}

// fileErrorText says why a file could not be seen.
func fileErrorText(err error) string {
	var api *superduper.Error
	if !errors.As(err, &api) {
		return "SuperDuperAI did not answer"
	}
	switch api.Kind {
	case superduper.NoToken:
		return "no token is configured (SUPERDUPERAI_TOKEN)"
	case superduper.Unauthorised, superduper.Forbidden:
		return "SuperDuperAI refused the token (SUPERDUPERAI_TOKEN)"
	case superduper.NotFound:
		return "SuperDuperAI does not know it (yet)"
	case superduper.RateLimited:
		return "SuperDuperAI asked us to slow down"
	case superduper.Certificate:
		return "the certificate does not fit the host: use https://dev-editor.superduperai.co (SUPERDUPERAI_URL)"
	case superduper.Malformed:
		return "SuperDuperAI's answer could not be read"
	}
	if api.Status != 0 {
		return fmt.Sprintf("SuperDuperAI answered HTTP %d", api.Status)
	}
	return "SuperDuperAI did not answer"
}

// siteErrorText says why the site's answer is not known.
func siteErrorText(err error) string {
	var api *superduper.Error
	if errors.As(err, &api) {
		switch api.Kind {
		case superduper.Malformed:
			return "the site's answer could not be read"
		case superduper.Certificate:
			return "the site's certificate does not fit its host (SITE_URL)"
		}
		if api.Status != 0 {
			return fmt.Sprintf("the site answered HTTP %d", api.Status)
		}
	}
	return "the site did not answer"
}
