package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/superduperai/sessionbot/superduper"
)

// webhook checks what a replay needs: the secret, Stripe's key and an address that
// answers. Nothing is posted there: an event would start a video, and one with a wrong
// signature would show in the site's log as an attack.
func (e *checker) webhook(ctx context.Context) []Result {
	if e.Unusable["STRIPE_WEBHOOK_SECRET"] {
		return nil
	}
	if e.WebhookSecret == "" {
		return e.runChecks(ctx, known("webhook.secret", warn("STRIPE_WEBHOOK_SECRET is empty: replay is refused",
			"copy the signing secret of the site's endpoint from Stripe's dashboard under Developers, Webhooks")))
	}
	secret := pass("set (" + mask(e.WebhookSecret) + "); the first replay shows whether it is the site's own")
	if e.StripeKey == "" && !e.Unusable["STRIPE_SECRET_KEY"] {
		secret = warn("set ("+mask(e.WebhookSecret)+"), but replay is refused without STRIPE_SECRET_KEY", "set STRIPE_SECRET_KEY to a key that may read Events")
	}
	checks := []check{known("webhook.secret", secret)}
	if !e.Unusable["SITE_WEBHOOK_URL"] && !e.Unusable["SITE_URL"] {
		checks = append(checks, check{"webhook.url", func(ctx context.Context) Result {
			return judgeWebhook(superduper.New(superduper.Config{WebhookURL: e.WebhookURL}).ProbeWebhook(ctx))
		}})
	}
	return e.runChecks(ctx, checks...)
}

// judgeWebhook judges the webhook by its answer to a GET, which a handler of events
// refuses.
func judgeWebhook(err error) Result {
	const remedy = "set SITE_WEBHOOK_URL to the address that Stripe's dashboard shows for the site's endpoint"
	failed, _ := errors.AsType[*superduper.Error](err)
	switch {
	case err == nil:
		return pass("answers")
	case failed == nil || failed.Status == 0:
		r := unreachable("the site's webhook", "SITE_WEBHOOK_URL", siteHost, err)
		return warn(r.Seen, r.Remedy)
	case failed.Status/100 == 3:
		return warn(fmt.Sprintf("redirects (HTTP %d), which a replay does not follow", failed.Status), remedy)
	case failed.Status == http.StatusNotFound:
		return warn("there is no such page on the site (HTTP 404)", remedy)
	case failed.Status == http.StatusUnauthorized, failed.Status == http.StatusForbidden:
		return warn(fmt.Sprintf("a proxy or firewall refuses the request (HTTP %d)", failed.Status), "have it allow the address, as for Stripe")
	case failed.Status >= http.StatusInternalServerError:
		return warn(fmt.Sprintf("the site answers HTTP %d", failed.Status), "check the site's log")
	}
	return pass(fmt.Sprintf("answers (HTTP %d to a GET, which starts nothing)", failed.Status))
}
