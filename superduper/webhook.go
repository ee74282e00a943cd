package superduper

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76/webhook"
)

// ProbeWebhook requests the site's webhook by GET, which starts nothing.
func (c *Client) ProbeWebhook(ctx context.Context) error {
	_, err := c.call(ctx, http.MethodGet, c.webhook, nil, "")
	return err
}

// Replay sends one of Stripe's events to the site's webhook as Stripe does, signed
// with its secret at the given time. Every call may start a video, and is sent once.
// It returns nil if the site accepted the event; the session shows whether it started a
// video. An error of kind Unclear means that it may have started one all the same.
func (c *Client) Replay(ctx context.Context, event []byte, at time.Time) error {
	if c.secret == "" {
		return &Error{Kind: NoToken}
	}
	signature := hex.EncodeToString(webhook.ComputeSignature(at, event, c.secret))
	header := http.Header{"Stripe-Signature": {fmt.Sprintf("t=%d,v1=%s", at.Unix(), signature)}}
	_, err := c.send(ctx, http.MethodPost, c.webhook, event, header)
	failed, ok := errors.AsType[*Error](err)
	switch {
	case !ok:
		return err
	case failed.Status/100 == 2: // its body does not matter
		return nil
	case failed.Kind == Unavailable && failed.Status != 0: // it may have died while requesting a video
		failed.Kind = Unclear
	}
	if strings.ContainsAny(failed.Detail, "@") || strings.Contains(failed.Detail, "whsec_") {
		failed.Detail = "" // it repeats the customer's address, or the secret
	}
	return failed
}
