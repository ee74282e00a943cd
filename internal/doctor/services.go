package doctor

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/superduperai/sessionbot/internal/payments"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/superduper"
)

// stripe checks the key, what it may read, and that it fits the sessions.
func (e *exam) stripe(ctx context.Context) []Result {
	if e.Unusable["STRIPE_SECRET_KEY"] || e.Unusable["STRIPE_API_URL"] {
		return nil
	}
	if e.StripeKey == "" {
		return sideBySide(ctx, check{"stripe.key", func(context.Context) Result {
			return warn("STRIPE_SECRET_KEY is empty: no payment can be verified", "create a restricted key with read access to Checkout Sessions, PaymentIntents, Charges and Events")
		}})
	}
	dated := &clock{now: e.Now, through: http.DefaultTransport}
	results := sideBySide(ctx,
		check{"stripe.key", func(context.Context) Result { return judgeKey(e.StripeKey) }},
		check{"stripe.read", func(ctx context.Context) Result { return e.stripeRead(ctx, dated.client()) }},
		check{"stripe.mode", func(ctx context.Context) Result {
			select {
			case <-e.sampled:
			case <-ctx.Done():
			}
			return e.stripeMode()
		}})
	return append(results, sideBySide(ctx, check{"stripe.clock", func(context.Context) Result { return dated.result("Stripe's") }})...)
}

func judgeKey(key string) Result {
	mode := payments.ModeOf(key)
	switch {
	case !payments.Restricted(key):
		return warn("a full secret key ("+mask(key)+"), which may move money", "create a restricted key that may only read")
	case mode == payments.UnknownMode:
		return warn("a restricted key of unknown mode ("+mask(key)+")", "check that it is whole")
	}
	return fine("a restricted key, " + string(mode) + " mode (" + mask(key) + ")")
}

func (e *exam) stripeRead(ctx context.Context, client *http.Client) Result {
	lacking, err := payments.New(payments.Config{Key: e.StripeKey, BaseURL: e.StripeURL, HTTP: client}).Access(ctx)
	switch {
	case errors.Is(err, store.StripeKeyRefused):
		return broken("Stripe does not accept the key", "copy it again from Stripe's dashboard under Developers, API keys; it may have been rolled")
	case errors.Is(err, store.StripeRateLimited):
		return warn("Stripe asks for a pause", "try again in a minute")
	case errors.Is(err, store.StripeNoAnswer):
		return broken("Stripe cannot be reached: "+reason(err), "check the network, STRIPE_API_URL and Stripe's status page")
	case err != nil:
		return broken("Stripe answers with a fault ("+err.Error()+")", "check STRIPE_API_URL and Stripe's status page")
	case len(lacking) > 0:
		return broken("the key may not read "+list(lacking), "give it read access to them in Stripe's dashboard")
	}
	return fine("Checkout Sessions, Events, PaymentIntents and Charges can be read")
}

// stripeMode tells whether the key can know the sessions. Where those were not
// seen, a line of Redis' says why.
func (e *exam) stripeMode() Result {
	select {
	case <-e.sampled:
	default:
		return Result{}
	}
	if e.sample == nil {
		return Result{}
	}
	return judgeMode(payments.ModeOf(e.StripeKey), *e.sample)
}

func judgeMode(mode payments.Mode, s sample) Result {
	same, other := s.Live, s.Test
	if mode == payments.Test {
		same, other = s.Test, s.Live
	}
	switch {
	case mode == payments.UnknownMode || same+other == 0:
		return fine("no session whose mode could be compared")
	case same == 0:
		return broken(fmt.Sprintf("a key of %s mode, and all %d sessions of the sample are of the other", mode, other), "set STRIPE_SECRET_KEY to the key of that mode")
	case other > 0:
		return warn(fmt.Sprintf("%d of %d sessions of the sample are not of the key's mode (%s): their payments cannot be verified", other, same+other, mode), "keep test and live sessions in Redis of their own")
	}
	return fine(fmt.Sprintf("all sessions of the sample are of the key's mode (%s)", mode))
}

// Where the servers usually are.
const (
	superHost = "https://dev-editor.superduperai.co"
	siteHost  = "https://superduperai.co"
)

// superduper checks the API that makes the videos.
func (e *exam) superduper(ctx context.Context) []Result {
	if e.Unusable["SUPERDUPERAI_URL"] {
		return nil
	}
	client := superduper.New(superduper.Config{BaseURL: e.SuperURL, Token: e.SuperToken, SiteURL: e.SiteURL})
	results := sideBySide(ctx, check{"superduperai", func(ctx context.Context) Result {
		ctx, expiry := traced(ctx)
		if err := client.Ping(ctx); err != nil {
			r := unreachable("SuperDuperAI", "SUPERDUPERAI_URL", superHost, err)
			if e.SuperToken == "" { // it is not used then
				r.Level = Warning
			}
			return r
		}
		return judgeExpiry(*expiry.Load(), e.Now())
	}})
	if results[0].Level == Failed || e.Unusable["SUPERDUPERAI_TOKEN"] {
		return results
	}
	if e.SuperToken == "" {
		return append(results, sideBySide(ctx, check{"superduperai.token", func(context.Context) Result {
			return warn("SUPERDUPERAI_TOKEN is empty: files cannot be seen, and generate is refused", "copy the token from the SuperDuperAI editor")
		}})...)
	}
	return append(results, sideBySide(ctx,
		check{"superduperai.token", func(ctx context.Context) Result { return e.superToken(ctx, client) }},
		check{"superduperai.models", func(ctx context.Context) Result { return e.models(ctx, client) }},
		check{"superduperai.files", func(ctx context.Context) Result { return e.files(ctx, client) }})...)
}

// superToken asks for a file that does not exist: who is let in is told so.
func (e *exam) superToken(ctx context.Context, client *superduper.Client) Result {
	_, err := client.File(ctx, "00000000-0000-4000-8000-000000000000")
	switch {
	case err == nil, errors.Is(err, superduper.NotFound), errors.Is(err, superduper.Rejected), errors.Is(err, superduper.Malformed):
		return fine("accepted (" + mask(e.SuperToken) + ")")
	case errors.Is(err, superduper.Unauthorised), errors.Is(err, superduper.Forbidden):
		return broken("SuperDuperAI does not accept SUPERDUPERAI_TOKEN ("+mask(e.SuperToken)+")", "copy it again from the SuperDuperAI editor")
	case errors.Is(err, superduper.RateLimited):
		return warn("SuperDuperAI asks for a pause", "try again in a minute")
	}
	return unreachable("SuperDuperAI", "SUPERDUPERAI_URL", superHost, err)
}

func (e *exam) models(ctx context.Context, client *superduper.Client) Result {
	names, whole, err := client.Models(ctx)
	if err != nil {
		return warn("the list of models cannot be read: "+why(err), "check SUPERDUPERAI_MODEL and SUPERDUPERAI_IMAGE_MODEL by hand")
	}
	return judgeModels(e.Models, names, whole)
}

func judgeModels(wanted, names []string, whole bool) Result {
	var missing []string
	for _, model := range wanted {
		if !slices.Contains(names, model) {
			missing = append(missing, model)
		}
	}
	switch {
	case len(missing) == 0:
		return fine("there are " + strings.Join(wanted, " and "))
	case !whole:
		return warn("not on the first page of models: "+list(missing), "check SUPERDUPERAI_MODEL and SUPERDUPERAI_IMAGE_MODEL by hand")
	}
	return broken("there is no "+list(missing)+"; there are "+list(names), "set SUPERDUPERAI_MODEL or SUPERDUPERAI_IMAGE_MODEL to one of them")
}

// site checks the page that customers see, by a session that nobody has.
func (e *exam) site(ctx context.Context) []Result {
	if e.Unusable["SITE_URL"] {
		return nil
	}
	return sideBySide(ctx, check{"site", func(ctx context.Context) Result {
		ctx, expiry := traced(ctx)
		client := superduper.New(superduper.Config{SiteURL: e.SiteURL})
		if _, err := client.SessionStatus(ctx, "cs_test_sessionbot"+rand.Text()); err != nil {
			r := unreachable("the site", "SITE_URL", siteHost, err)
			return warn(r.Seen+": what customers see is not shown", r.Remedy)
		}
		return judgeExpiry(*expiry.Load(), e.Now())
	}})
}

// unreachable is the result where a server of SuperDuperAI's did not answer as
// it should; host is where it usually is.
func unreachable(who, variable, host string, err error) Result {
	if errors.Is(err, superduper.Certificate) {
		return broken(who+" cannot be trusted: "+why(err), certificateRemedy(err, "write "+variable+"="+host+", the host that its certificate is for"))
	}
	return broken(who+" cannot be used: "+why(err), "check "+variable+" (usually "+host+") and the network between")
}

// why says what a call of superduper's failed with.
func why(err error) string {
	var failed *superduper.Error
	switch {
	case !errors.As(err, &failed) || failed.Status == 0:
		return reason(err)
	case errors.Is(err, superduper.Malformed):
		return "it answers something else than expected"
	}
	return fmt.Sprintf("it answers HTTP %d", failed.Status)
}

// traced notes until when the certificate of the server that is asked holds.
func traced(ctx context.Context) (context.Context, *atomic.Pointer[time.Time]) {
	expiry := &atomic.Pointer[time.Time]{}
	expiry.Store(&time.Time{})
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{TLSHandshakeDone: func(state tls.ConnectionState, err error) {
		if err == nil && len(state.PeerCertificates) > 0 {
			expiry.Store(&state.PeerCertificates[0].NotAfter)
		}
	}}), expiry
}

// judgeExpiry warns of a certificate that is about to end; zero = none was
// shown.
func judgeExpiry(until, now time.Time) Result {
	const soon = 14 * 24 * time.Hour
	left := until.Sub(now)
	switch {
	case until.IsZero():
		return fine("answers, unencrypted")
	case left < soon:
		return warn(fmt.Sprintf("answers, but its certificate ends in %s", plural(int(left.Hours()/24), "day")), "have its owner renew it")
	}
	return fine(fmt.Sprintf("answers; its certificate holds for %s", plural(int(left.Hours()/24), "day")))
}
