package demo_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stripe/stripe-go/v76/webhook"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/store"
)

const (
	paidID      = "cs_live_paid"
	completed   = `{"type":"checkout.session.completed","data":{"object":{"id":"` + paidID + `"}}}`
	succeeded   = `{"type":"payment_intent.succeeded","data":{"object":{"id":"pi_paid"}}}`
	topUp       = `{"type":"payment_intent.succeeded","data":{"object":{"id":"pi_other"}}}`
	pending     = `{"prompt":"p","status":"pending","videoCount":3}`
	delivered   = `{"prompt":"p","status":"processing","fileId":"first"}`
	tooMany     = `SuperDuperAI API failed: 429 - {"detail":"Too many"}`
	webhookPath = "/api/webhooks/stripe"
)

// session is what session:<id> holds afterwards, but for the time.
func (w *siteWorld) session(t *testing.T) map[string]any {
	t.Helper()
	raw, err := w.redis.Get("session:" + paidID)
	if err != nil {
		return nil
	}
	var session map[string]any
	if err := json.Unmarshal([]byte(raw), &session); err != nil {
		t.Fatal(err)
	}
	delete(session, "timestamp")
	return session
}

func TestSiteWebhook(t *testing.T) {
	t.Parallel()
	refused := &demo.Fault{Status: 429, Body: `{"detail":"Too many"}`}
	for _, test := range []struct {
		name, event, session string
		fault                *demo.Fault // of the generation
		status, started      int
		want                 map[string]any // fileId "new" = that of the video just started
	}{
		{"paid", completed, pending, nil, 200, 1, map[string]any{"prompt": "p", "status": "processing", "fileId": "new", "videoCount": 3.0}},
		{"the intent's event", succeeded, pending, nil, 200, 1, map[string]any{"prompt": "p", "status": "processing", "fileId": "new", "videoCount": 3.0}},
		{"a second event makes a second video", succeeded, delivered, nil, 200, 1, map[string]any{"prompt": "p", "status": "processing", "fileId": "new"}},
		{"a failing second event", succeeded, delivered, refused, 200, 0,
			map[string]any{"prompt": "p", "status": "error", "error": tooMany, "fileId": "first"}},
		{"refused", completed, pending, refused, 200, 0, map[string]any{"prompt": "p", "status": "error", "error": tooMany, "videoCount": 3.0}},
		{"no file in the answer", completed, pending, &demo.Fault{Status: 200, Body: `{}`}, 200, 0,
			map[string]any{"prompt": "p", "status": "error", "error": "SuperDuperAI API failed: no file ID returned", "videoCount": 3.0}},
		{"a missing key", completed, "", nil, 200, 0, nil},
		{"a mapping", completed, `{"fileId":"f"}`, nil, 200, 0, map[string]any{"fileId": "f"}},
		{"an intent of something else", topUp, pending, nil, 200, 0, map[string]any{"prompt": "p", "status": "pending", "videoCount": 3.0}},
		{"an event of another type", `{"type":"charge.refunded","data":{"object":{"id":"` + paidID + `"}}}`, delivered, nil, 200, 0,
			map[string]any{"prompt": "p", "status": "processing", "fileId": "first"}},
		{"no event", `[]`, delivered, nil, 400, 0, map[string]any{"prompt": "p", "status": "processing", "fileId": "first"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newSiteWorld(t)
			w.stripe.Put(demo.CheckoutSession{ID: paidID, Status: "complete", PaymentStatus: "paid", IntentID: "pi_paid", Created: now})
			if test.session != "" {
				w.set(t, "session:"+paidID, test.session)
			}
			if test.fault != nil {
				w.files.BreakFor("generate-video", *test.fault)
			}
			status, answer := w.call(http.MethodPost, webhookPath, test.event)
			got := w.session(t)
			if test.want["fileId"] == "new" && got["fileId"] != nil && got["fileId"] != "first" {
				got["fileId"] = "new"
			}
			if diff := cmp.Diff(test.want, got); diff != "" || status != test.status || w.files.Started() != test.started {
				t.Errorf("HTTP %d %s, %d started; want %d, %d; the session (-want +got):\n%s",
					status, answer, w.files.Started(), test.status, test.started, diff)
			}
		})
	}
}

// The time when a session changed is noted, and its life begins again.
func TestSiteWebhookStartsTheLifeAgain(t *testing.T) {
	t.Parallel()
	w := newSiteWorld(t)
	w.set(t, "session:"+paidID, pending)
	w.call(http.MethodPost, webhookPath, completed)
	raw, err := w.redis.Get("session:" + paidID)
	if err != nil {
		t.Fatal(err)
	}
	var session struct{ Timestamp time.Time }
	if err := json.Unmarshal([]byte(raw), &session); err != nil || session.Timestamp.IsZero() || w.redis.TTL("session:"+paidID) != store.KeyLife {
		t.Errorf("%s lives for %v, error %v", raw, w.redis.TTL("session:"+paidID), err)
	}
}

func TestSiteWebhookSignature(t *testing.T) {
	t.Parallel()
	w := newSiteWorld(t)
	w.config.Secret = "whsec_example"
	sign := func(secret string, at time.Time) string {
		return webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: []byte(completed), Secret: secret, Timestamp: at}).Header
	}
	for name, test := range map[string]struct {
		header string
		want   int
	}{
		"signed":              {sign("whsec_example", time.Now()), 200},
		"of another endpoint": {sign("whsec_other", time.Now()), 400},
		"an hour old":         {sign("whsec_example", time.Now().Add(-time.Hour)), 400},
		"not signed":          {"", 400},
	} {
		if status, answer := w.call(http.MethodPost, webhookPath, completed, test.header); status != test.want {
			t.Errorf("%s: HTTP %d %s, want %d", name, status, answer, test.want)
		}
	}
}

// What the site cannot do at all it answers with 500, and Stripe tries again.
func TestSiteWebhookFails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		event string
		fail  func(*siteWorld)
	}{
		"Redis refuses":       {completed, func(w *siteWorld) { w.redis.SetError("LOADING") }},
		"the value is a hash": {completed, func(w *siteWorld) { w.redis.HSet("session:"+paidID, "status", "error") }},
		"Stripe is down":      {succeeded, func(w *siteWorld) { w.stripe.Break(demo.Fault{Status: 503}) }},
	} {
		w := newSiteWorld(t)
		test.fail(w)
		if status, answer := w.call(http.MethodPost, webhookPath, test.event); status != 500 || w.files.Started() != 0 {
			t.Errorf("%s: HTTP %d %s, %d started; want 500 and none", name, status, answer, w.files.Started())
		}
	}
}

// tooLate carries requests out, but has their answers come too late.
type tooLate struct{ handler http.Handler }

func (l tooLate) RoundTrip(r *http.Request) (*http.Response, error) {
	l.handler.ServeHTTP(httptest.NewRecorder(), r)
	return nil, context.DeadlineExceeded
}

// After the site's own time-out the customer reads an error, and the video may
// be made all the same.
func TestSiteGivesUp(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		client  func(*siteWorld) *http.Client
		started int
	}{
		"before anything was started": {func(w *siteWorld) *http.Client {
			w.files.Break(demo.Fault{Hang: true})
			return &http.Client{Timeout: time.Millisecond}
		}, 0},
		"although it was started": {func(w *siteWorld) *http.Client { return &http.Client{Transport: tooLate{w.files}} }, 1},
	} {
		w := newSiteWorld(t)
		w.set(t, "session:"+paidID, delivered)
		w.config.Client = test.client(w)
		status, _ := w.call(http.MethodPost, webhookPath, completed)
		want := map[string]any{"prompt": "p", "status": "error", "error": "The operation was aborted due to timeout", "fileId": "first"}
		if diff := cmp.Diff(want, w.session(t)); diff != "" || status != 200 || w.files.Started() != test.started {
			t.Errorf("%s: HTTP %d, %d started, want %d; the session (-want +got):\n%s", name, status, w.files.Started(), test.started, diff)
		}
	}
}
