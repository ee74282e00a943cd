package superduper

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76/webhook"
)

const (
	secret = "whsec_example"
	event  = "{\n  \"id\": \"evt_1\",\n  \"object\": \"event\", \"api_version\": \"2025-06-30.basil\",\n  \"type\": \"checkout.session.completed\", \"data\": {\"object\": {\"id\": \"cs_live_1\", \"customer_details\": {\"email\": \"ann@example.com\"}}}\n}\n"
)

// webhookOf returns a client of a site whose webhook answers so.
func webhookOf(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return New(Config{SiteURL: "http://127.0.0.1:1", Token: token, WebhookURL: server.URL + "/api/webhooks/stripe", WebhookSecret: secret})
}

// TestReplay: the event arrives byte for byte, once, with a signature that Stripe's
// own library accepts, and without the API's token.
func TestReplay(t *testing.T) {
	t.Parallel()
	var posts atomic.Int32
	client := webhookOf(t, func(w http.ResponseWriter, r *http.Request) {
		posts.Add(1)
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != event || r.Method != http.MethodPost || r.URL.Path != "/api/webhooks/stripe" {
			t.Errorf("%s %s with %q, %v", r.Method, r.URL.Path, body, err)
		}
		_, err = webhook.ConstructEventWithOptions(body, r.Header.Get("Stripe-Signature"), secret, webhook.ConstructEventOptions{IgnoreAPIVersionMismatch: true})
		if err != nil || r.Header.Get("Authorization") != "" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%v, header %v", err, r.Header)
		}
		_, _ = io.WriteString(w, strings.Repeat("x", 2*bodyLimit)) // who asked has hung up
	})
	if err := client.Replay(t.Context(), []byte(event), time.Now()); err != nil || posts.Load() != 1 {
		t.Errorf("%v after %d requests", err, posts.Load())
	}
	if err := New(Config{WebhookURL: client.webhook}).Replay(t.Context(), []byte(event), time.Now()); !errors.Is(err, NoToken) || posts.Load() != 1 {
		t.Errorf("without a secret: %v after %d requests", err, posts.Load())
	}
}

// TestReplayRefused: an event that is not accepted is refused or unclear, is sent once, and
// its error quotes nothing about the customer.
func TestReplayRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		handler http.HandlerFunc
		kind    Kind
		status  int
		detail  string
	}{
		{"400", answer(400, `{"error":"Webhook signature verification failed"}`), Rejected, 400, "Webhook signature verification failed"},
		{"400 that repeats the event", answer(400, event), Rejected, 400, ""},
		{"400 that repeats the secret", answer(400, "no signature by "+secret), Rejected, 400, ""},
		{"a redirect", answer(308, ``, "Location", "/"), Malformed, 308, ""},
		{"401", answer(401, `who`), Unauthorised, 401, "who"},
		{"403", answer(403, `no`), Forbidden, 403, "no"},
		{"404", answer(404, ``), NotFound, 404, ""},
		{"405", answer(405, ``), Rejected, 405, ""},
		{"408", answer(408, ``), Unclear, 408, ""},
		{"429", answer(429, ``), RateLimited, 429, ""},
		{"500", answer(500, `{"error":"Webhook handler failed"}`), Unclear, 500, "Webhook handler failed"},
		{"503", answer(503, ``), Unclear, 503, ""},
		{"504", answer(504, ``), Unclear, 504, ""},
		{"no answer", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, Unclear, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var posts atomic.Int32
			client := webhookOf(t, func(w http.ResponseWriter, r *http.Request) {
				posts.Add(1)
				c.handler(w, r)
			})
			var got *Error
			err := client.Replay(t.Context(), []byte(event), time.Now())
			if !errors.As(err, &got) || got.Kind != c.kind || got.Status != c.status || got.Detail != c.detail || posts.Load() != 1 {
				t.Errorf("%+v after %d requests", got, posts.Load())
			}
			if dated := !got.Date.IsZero(); dated != (c.status != 0) {
				t.Errorf("its clock shows %v", got.Date)
			}
		})
	}
}

// TestReplayUnreachable: without a connection nothing was sent.
func TestReplayUnreachable(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(nil)
	server.Close()
	client := New(Config{WebhookURL: server.URL, WebhookSecret: secret})
	if err := client.Replay(t.Context(), []byte(event), time.Now()); !errors.Is(err, Unavailable) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	client = webhookOf(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body) // else the server would not notice who hangs up
		cancel()
		<-r.Context().Done()
	})
	if err := client.Replay(ctx, []byte(event), time.Now()); !errors.Is(err, Unclear) {
		t.Error(err)
	}
}
