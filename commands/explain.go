package commands

import (
	"context"
	"errors"
	"fmt"

	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/breaker"
	"github.com/superduperai/sessionbot/internal/requestid"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
)

// usageError says what is wrong with a request.
type usageError string

func (e usageError) Error() string { return string(e) }

// refusal says why a request is refused.
type refusal string

func (e refusal) Error() string { return string(e) }

func refuse(text string) error { return refusal(text) }

// explain is the one place where an error becomes an answer. usage follows a
// usageError.
func explain(ctx context.Context, name string, usage []string, err error) Answer {
	if errors.Is(err, store.NoStripeKey) {
		err = refuse("No Stripe key is configured. Set STRIPE_SECRET_KEY (a restricted key that may read Checkout Sessions, payments and events) in the bot's configuration and restart the bot.")
	}
	if unresolved, ok := errors.AsType[notWhole](err); ok {
		return unresolved.answer()
	}
	if wrong, ok := errors.AsType[usageError](err); ok {
		lines := []blockkit.Line{blockkit.BoldLine(blockkit.Cut(blockkit.OneLine(string(wrong)), 300))}
		for _, line := range usage {
			lines = append(lines, blockkit.PlainLine(line))
		}
		return Answer{Name: name, Outcome: Usage, Blocks: blockkit.Message(lines...)}
	}
	if refused, ok := errors.AsType[refusal](err); ok {
		return Answer{Name: name, Outcome: Refused, Blocks: blockkit.Message(blockkit.PlainLine(string(refused)))}
	}
	certainty := "Nothing was changed."
	if name == settleName {
		certainty = "Whether it counted is unknown: check /session history."
	}
	return Answer{Name: name, Outcome: Failed, Err: err, Blocks: blockkit.Message(blockkit.PlainLine(failureText(err, certainty, requestid.FromContext(ctx))))}
}

func failureText(err error, certainty, ref string) string {
	if why, ok := errors.AsType[store.Unverified](err); ok {
		return "The search failed: " + message.UnverifiedText(why, breaker.OpenSince(err)) + ". Nothing was changed. Search again in a minute, or in Stripe's dashboard."
	}
	switch {
	case rdb.Kind(err) != nil:
		return message.RedisErrorText(err) + " " + certainty
	case errors.Is(err, context.DeadlineExceeded):
		return "That took too long and was stopped. Try again in a minute. " + certainty
	}
	return fmt.Sprintf("Something went wrong on our side. %s Ref %s: the bot's log has the cause.", certainty, ref)
}
