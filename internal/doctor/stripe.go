package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/superduperai/sessionbot/internal/payments"
	"github.com/superduperai/sessionbot/store"
)

// stripe checks the key, what it may read, and that it fits the sessions.
func (e *checker) stripe(ctx context.Context) []Result {
	if e.Unusable["STRIPE_SECRET_KEY"] || e.Unusable["STRIPE_API_URL"] {
		return nil
	}
	if e.StripeKey == "" {
		return e.runChecks(ctx, known("stripe.key", warn("STRIPE_SECRET_KEY is empty: no payment can be verified",
			"create a restricted key with read access to Checkout Sessions, PaymentIntents, Charges and Events")))
	}
	dated := &clock{now: e.Now, next: http.DefaultTransport}
	results := e.runChecks(ctx,
		known("stripe.key", judgeKey(e.StripeKey)),
		check{"stripe.read", func(ctx context.Context) Result { return e.stripeRead(ctx, dated) }},
		check{"stripe.mode", e.stripeMode})
	return append(results, e.runChecks(ctx, known("stripe.clock", dated.result("Stripe's")))...)
}

func judgeKey(key string) Result {
	mode := payments.ModeOf(key)
	switch {
	case !payments.Restricted(key):
		return warn("a full secret key ("+mask(key)+"), which can move money", "create a restricted key that may only read")
	case mode == payments.UnknownMode:
		return warn("a restricted key of unknown mode ("+mask(key)+")", "check that it is complete")
	}
	return pass("a restricted key, " + string(mode) + " mode (" + mask(key) + ")")
}

func (e *checker) stripeRead(ctx context.Context, transport http.RoundTripper) Result {
	lacking, err := payments.New(payments.Config{Key: e.StripeKey, BaseURL: e.StripeURL, Transport: transport}).Access(ctx)
	switch {
	case errors.Is(err, store.StripeKeyRefused):
		return fail("Stripe rejects the key", "copy it again from Stripe's dashboard under Developers, API keys; it may have been rolled")
	case errors.Is(err, store.StripeRateLimited):
		return warn("Stripe's rate limit was reached", "try again in a minute")
	case errors.Is(err, store.StripeNoAnswer):
		return fail("Stripe cannot be reached: "+reason(err), "check the network, STRIPE_API_URL and Stripe's status page")
	case err != nil:
		return fail("Stripe answers with an error ("+err.Error()+")", "check STRIPE_API_URL and Stripe's status page")
	case len(lacking) > 0:
		return fail("the key may not read "+list(lacking), "give it read access to them in Stripe's dashboard")
	}
	return pass("Checkout Sessions, Events, PaymentIntents and Charges can be read")
}

// stripeMode checks that the key is of the sessions' mode. Why no session could be
// read is reported by the checks of Redis.
func (e *checker) stripeMode(ctx context.Context) Result {
	sample := e.awaitSample(ctx)
	if sample == nil {
		return Result{}
	}
	return judgeMode(payments.ModeOf(e.StripeKey), *sample)
}

func judgeMode(mode payments.Mode, s sample) Result {
	same, other := s.Live, s.Test
	if mode == payments.Test {
		same, other = s.Test, s.Live
	}
	switch {
	case mode == payments.UnknownMode || same+other == 0:
		return pass("no sessions to compare with the key's mode")
	case same == 0:
		return fail(fmt.Sprintf("a %s-mode key, but all %d sessions in the sample are of the other mode", mode, other), "set STRIPE_SECRET_KEY to the key of that mode")
	case other > 0:
		return warn(fmt.Sprintf("%d of %d sessions in the sample are not of the key's mode (%s): their payments cannot be verified", other, same+other, mode), "keep test and live sessions in separate Redis servers")
	}
	return pass(fmt.Sprintf("all sessions in the sample are of the key's mode (%s)", mode))
}
