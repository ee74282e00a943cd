package doctor

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"github.com/superduperai/sessionbot/superduper"
)

// The usual servers.
const (
	superHost = "https://dev-editor.superduperai.co"
	siteHost  = "https://superduperai.co"
)

// superduper checks the API that generates the videos.
func (e *checker) superduper(ctx context.Context) []Result {
	if e.Unusable["SUPERDUPERAI_URL"] {
		return nil
	}
	client := superduper.New(superduper.Config{BaseURL: e.SuperURL, Token: e.SuperToken, SiteURL: e.SiteURL})
	results := e.runChecks(ctx, check{"superduperai", func(ctx context.Context) Result {
		ctx, expiry := traced(ctx)
		if err := client.Ping(ctx); err != nil {
			r := unreachable("SuperDuperAI", "SUPERDUPERAI_URL", superHost, err)
			if e.SuperToken == "" { // the API is not used then
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
		return append(results, e.runChecks(ctx, known("superduperai.token",
			warn("SUPERDUPERAI_TOKEN is empty: files cannot be checked, and generate is refused", "copy the token from the SuperDuperAI editor")))...)
	}
	return append(results, e.runChecks(ctx,
		check{"superduperai.token", func(ctx context.Context) Result { return e.superToken(ctx, client) }},
		check{"superduperai.models", func(ctx context.Context) Result { return e.models(ctx, client) }},
		check{"superduperai.files", func(ctx context.Context) Result { return e.files(ctx, client) }})...)
}

// superToken requests a file that does not exist, which the API says only to a valid token.
func (e *checker) superToken(ctx context.Context, client *superduper.Client) Result {
	_, err := client.File(ctx, "00000000-0000-4000-8000-000000000000")
	switch {
	case err == nil, errors.Is(err, superduper.NotFound), errors.Is(err, superduper.Rejected), errors.Is(err, superduper.Malformed):
		return pass("accepted (" + mask(e.SuperToken) + ")")
	case errors.Is(err, superduper.Unauthorised), errors.Is(err, superduper.Forbidden):
		return fail("SuperDuperAI rejects SUPERDUPERAI_TOKEN ("+mask(e.SuperToken)+")", "copy it again from the SuperDuperAI editor")
	case errors.Is(err, superduper.RateLimited):
		return warn("SuperDuperAI's rate limit was reached", "try again in a minute")
	}
	return unreachable("SuperDuperAI", "SUPERDUPERAI_URL", superHost, err)
}

func (e *checker) models(ctx context.Context, client *superduper.Client) Result {
	names, complete, err := client.Models(ctx)
	if err != nil {
		return warn("the list of models cannot be read: "+why(err), "check SUPERDUPERAI_MODEL and SUPERDUPERAI_IMAGE_MODEL by hand")
	}
	return judgeModels(e.Models, names, complete)
}

func judgeModels(wanted, names []string, complete bool) Result {
	missing := without(wanted, names)
	switch {
	case len(missing) == 0:
		return pass("there are " + strings.Join(wanted, " and "))
	case !complete:
		return warn("not on the first page of models: "+list(missing), "check SUPERDUPERAI_MODEL and SUPERDUPERAI_IMAGE_MODEL by hand")
	}
	return fail("there is no "+list(missing)+"; there are "+list(names), "set SUPERDUPERAI_MODEL or SUPERDUPERAI_IMAGE_MODEL to one of them")
}

// site requests the status of a session that does not exist.
func (e *checker) site(ctx context.Context) []Result {
	if e.Unusable["SITE_URL"] {
		return nil
	}
	return e.runChecks(ctx, check{"site", func(ctx context.Context) Result {
		ctx, expiry := traced(ctx)
		client := superduper.New(superduper.Config{SiteURL: e.SiteURL})
		if _, err := client.SessionStatus(ctx, "cs_test_sessionbot"+rand.Text()); err != nil {
			r := unreachable("the site", "SITE_URL", siteHost, err)
			return warn(r.Seen+": what customers see is unknown", r.Remedy)
		}
		return judgeExpiry(*expiry.Load(), e.Now())
	}})
}

// unreachable is the result of a request that SuperDuperAI or the site did not
// answer as it should; host is the usual one.
func unreachable(who, variable, host string, err error) Result {
	if errors.Is(err, superduper.Certificate) {
		_, remedy := certificate(err)
		return fail(who+" cannot be trusted: "+why(err), cmp.Or(remedy, "set "+variable+"="+host+", the host its certificate is for"))
	}
	return fail(who+" cannot be used: "+why(err), "check "+variable+" (usually "+host+") and the network between")
}

// why says in a clause why a request failed.
func why(err error) string {
	failed, ok := errors.AsType[*superduper.Error](err)
	switch {
	case !ok || failed.Status == 0:
		return reason(err)
	case errors.Is(err, superduper.Malformed):
		return "its answer is not what was expected"
	}
	return fmt.Sprintf("it answers HTTP %d", failed.Status)
}

// traced returns a context that records when the certificate of the server that
// is requested expires; zero = none was shown.
func traced(ctx context.Context) (context.Context, *atomic.Pointer[time.Time]) {
	expiry := &atomic.Pointer[time.Time]{}
	expiry.Store(&time.Time{})
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{TLSHandshakeDone: func(state tls.ConnectionState, err error) {
		if err == nil && len(state.PeerCertificates) > 0 {
			expiry.Store(&state.PeerCertificates[0].NotAfter)
		}
	}}), expiry
}

// judgeExpiry warns of a certificate that expires soon; zero = none was shown.
func judgeExpiry(until, now time.Time) Result {
	const soon = 14 * 24 * time.Hour
	left := until.Sub(now)
	switch {
	case until.IsZero():
		return pass("answers, unencrypted")
	case left < soon:
		return warn(fmt.Sprintf("answers, but its certificate expires in %s", plural(int(left.Hours()/24), "day")), "have its owner renew it")
	}
	return pass(fmt.Sprintf("answers; its certificate is valid for %s", plural(int(left.Hours()/24), "day")))
}
