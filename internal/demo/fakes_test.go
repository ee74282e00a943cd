package demo_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/payments"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/superduper"
)

func get(t *testing.T, address string, into any) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer rk_example")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

func TestStripePages(t *testing.T) {
	t.Parallel()
	stripe := demo.NewStripe()
	server := httptest.NewServer(stripe)
	t.Cleanup(server.Close)
	for i, id := range []string{"cs_live_a", "cs_live_b", "cs_live_c", "cs_live_d"} {
		stripe.Put(demo.CheckoutSession{ID: id, Status: "complete", PaymentStatus: "paid", Amount: 100,
			Created: now.Add(-time.Duration(i) * time.Minute), Event: store.EventDelivered})
	}
	tests := []struct {
		query string
		want  string
		more  bool
	}{
		{"", "abcd", false},
		{"limit=2", "ab", true},
		{"limit=2&starting_after=cs_live_b", "cd", false},
		{"limit=2&ending_before=cs_live_d", "bc", true},
		{"limit=3&ending_before=cs_live_d", "abc", false},
		{"created[gte]=" + unix(-time.Minute), "ab", false},
		{"created[gt]=" + unix(-time.Minute), "a", false},
		{"created[lte]=" + unix(-2*time.Minute), "cd", false},
		{"created[lt]=" + unix(-2*time.Minute), "d", false},
		{"status=open", "", false},
		{"payment_intent=pi_unknown", "", false},
		{"customer_details[email]=nobody@example.com", "", false},
	}
	for _, test := range tests {
		var page struct {
			Data []struct {
				ID string `json:"id"`
			} `json:"data"`
			More bool `json:"has_more"`
		}
		query, err := url.ParseQuery(test.query)
		if err != nil {
			t.Fatal(err)
		}
		status := get(t, server.URL+"/v1/checkout/sessions?"+query.Encode(), &page)
		got := ""
		for _, o := range page.Data {
			got += strings.TrimPrefix(o.ID, "cs_live_")
		}
		if got != test.want || page.More != test.more || status != 200 || page.Data == nil {
			t.Errorf("%q: %q, more %t, HTTP %d; want %q, more %t", test.query, got, page.More, status, test.want, test.more)
		}
	}
}

func unix(ago time.Duration) string {
	text, _ := json.Marshal(now.Add(ago).Unix()) // a number always encodes
	return string(text)
}

func TestStripeFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func() time.Time { return now })
	w.stripe.Put(demo.CheckoutSession{ID: "cs_live_a", Status: "open", Created: now})
	w.stripe.BreakFor("cs_live_b", demo.Fault{Status: 503})
	if _, err := w.reader.Payment(t.Context(), "cs_live_b"); !errors.Is(err, store.StripeFault) {
		t.Errorf("b: %v, want a fault", err)
	}
	if s, err := w.reader.Payment(t.Context(), "cs_live_a"); err != nil || s.State != store.PaymentUnpaid {
		t.Errorf("a: %+v, error %v", s, err)
	}
	w.stripe.Break(demo.Fault{Hang: true})
	ctx, giveUp := context.WithCancel(t.Context())
	hanging := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
		giveUp()
		w.stripe.ServeHTTP(answer, r)
	}))
	reader := payments.New(payments.Config{Key: "rk_example", BaseURL: hanging.URL, Now: time.Now})
	if _, err := reader.Payment(ctx, "cs_live_a"); !errors.Is(err, store.StripeNoAnswer) {
		t.Errorf("hanging: %v, want no answer", err)
	}
	hanging.Close() // after the request, which is counted
	w.stripe.Heal()
	if s, err := w.reader.Payment(t.Context(), "cs_live_b"); err != nil || s.State != store.PaymentMissing {
		t.Errorf("healed: %+v, error %v", s, err)
	}
	if got := w.stripe.Calls(); got != 4 {
		t.Errorf("%d calls, want 4", got)
	}
}

// A video is requested and made as time passes.
func TestAVideoIsMade(t *testing.T) {
	t.Parallel()
	clock := now
	w := newWorld(t, func() time.Time { return clock })
	id, err := w.client.Generate(t.Context(), superduper.Request{Prompt: "a fox", Model: "m"})
	if err != nil {
		t.Fatal(err)
	}
	var video store.File
	for _, step := range []struct {
		at   time.Duration
		want store.FileState
	}{
		{0, store.FileInProgress}, {8 * time.Minute, store.FileInProgress},
		{9 * time.Minute, store.FileFinalizing}, {10 * time.Minute, store.FileCompleted},
	} {
		clock = now.Add(step.at)
		if video, err = w.client.File(t.Context(), id); err != nil || video.State != step.want {
			t.Errorf("after %v: %s, error %v; want %s", step.at, video.State, err, step.want)
		}
	}
	resp, err := http.Get(video.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if picture, err := io.ReadAll(resp.Body); err != nil || !strings.HasPrefix(string(picture), "<svg") {
		t.Errorf("%.40q, error %v", picture, err)
	}
	id, err = w.client.Generate(t.Context(), superduper.Request{Image: true, Prompt: "a fox", Model: "m"})
	if err != nil {
		t.Fatal(err)
	}
	if image, err := w.client.File(t.Context(), id); err != nil || image.Type != "image" {
		t.Errorf("image: %+v, error %v", image, err)
	}
	if err := w.client.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
	if got := w.files.Started(); got != 2 {
		t.Errorf("%d started, want 2", got)
	}
}

func TestGenerationsGoWrong(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		prompt  string
		fault   *demo.Fault
		want    superduper.Kind
		started int
	}{
		{"no prompt", "", nil, superduper.Rejected, 0},
		{"token refused", "x", &demo.Fault{Status: 401}, superduper.Unauthorised, 0},
		{"too many", "x", &demo.Fault{Status: 429, RetryAfter: 3 * time.Second}, superduper.RateLimited, 0},
		{"down", "x", &demo.Fault{Status: 500}, superduper.Unavailable, 0},
		{"cut before it began", "x", &demo.Fault{Cut: true}, superduper.Unclear, 0},
		{"cut after it began", "x", &demo.Fault{Cut: true, Late: true}, superduper.Unclear, 1},
	}
	for _, test := range tests {
		w := newWorld(t, func() time.Time { return now })
		if test.fault != nil {
			w.files.BreakFor("generate-video", *test.fault)
		}
		_, err := w.client.Generate(t.Context(), superduper.Request{Prompt: test.prompt, Model: "m"})
		if !errors.Is(err, test.want) || w.files.Started() != test.started {
			t.Errorf("%s: %v, %d started; want %s, %d", test.name, err, w.files.Started(), test.want, test.started)
		}
	}
}

// TestStripeEvent: an event of a list is found by its id, as it is.
func TestStripeEvent(t *testing.T) {
	t.Parallel()
	stripe := demo.NewStripe()
	server := httptest.NewServer(stripe)
	t.Cleanup(server.Close)
	stripe.Put(demo.CheckoutSession{ID: "cs_live_a", Status: "complete", PaymentStatus: "paid", Amount: 100, Created: now, Event: store.EventFailed})
	var list struct{ Data []map[string]any }
	var one map[string]any
	if status := get(t, server.URL+"/v1/events", &list); status != http.StatusOK || len(list.Data) != 1 {
		t.Fatalf("HTTP %d: %v", status, list)
	}
	status := get(t, server.URL+"/v1/events/"+list.Data[0]["id"].(string), &one)
	if diff := cmp.Diff(list.Data[0], one); status != http.StatusOK || diff != "" {
		t.Errorf("HTTP %d: %s", status, diff)
	}
	if status := get(t, server.URL+"/v1/events/evt_none", &one); status != http.StatusNotFound {
		t.Errorf("an event that there is not: HTTP %d", status)
	}
}
