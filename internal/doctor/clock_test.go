package doctor

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// TestStripeClock: the clock is judged by the answers to other checks, and not at
// all without any.
func TestStripeClock(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	date := func(ahead time.Duration) []string { return []string{now.Add(ahead).Format(http.TimeFormat)} }
	for _, c := range []struct {
		name   string
		date   []string
		status int
		level  Level // "" = no line
	}{
		{"in step", date(2 * time.Second), 200, OK},
		{"behind", date(-90 * time.Second), 200, Warning},
		{"far ahead", date(6 * time.Minute), 200, Failed},
		{"far ahead, and the key refused", date(6 * time.Minute), 401, Failed},
		{"no date", nil, 200, ""},
		{"not a date", []string{"today"}, 200, ""},
		{"no answer", date(0), 0, ""},
	} {
		var asked atomic.Int32
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			if c.status == 0 {
				panic(http.ErrAbortHandler)
			}
			w.Header()["Date"] = c.date
			w.WriteHeader(c.status)
			_, _ = w.Write([]byte(`{"object":"list","data":[]}`)) // a client that hung up notices by itself
		}))
		e := &checker{Config: Config{StripeKey: "rk_live_MARKED", StripeURL: server.URL, Now: func() time.Time { return now }}, sampled: make(chan struct{})}
		close(e.sampled)
		results := e.stripe(t.Context())
		server.Close()
		got := Result{}
		if i := slices.IndexFunc(results, func(r Result) bool { return r.Check == "stripe.clock" }); i >= 0 {
			got = results[i]
		}
		if got.Level != c.level || c.status != 0 && asked.Load() != 4 {
			t.Errorf("%s: %+v after %d requests, want %q after 4", c.name, got, asked.Load(), c.level)
		}
	}
}
