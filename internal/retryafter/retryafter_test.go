package retryafter_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/superduperai/sessionbot/internal/retryafter"
)

// TestRead: every form is read, and never beyond what the caller can wait.
func TestRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
		const limit = 5 * time.Minute
		for _, c := range []struct {
			value, date string
			want        time.Duration
		}{
			{"", "", 0},
			{"7", "", 7 * time.Second},
			{"0", "", 0},
			{"-5", "", 0},
			{"1.5", "", 1500 * time.Millisecond},
			{"0.25", "", 250 * time.Millisecond},
			{"300", "", limit},
			{"86400", "", limit},
			{"99999999999999999999999", "", limit},
			{"1e400", "", 0},
			{"NaN", "", 0},
			{"soon", "", 0},
			{"7 seconds", "", 0},
			{in(30 * time.Second), "", 30 * time.Second},
			{in(-time.Hour), "", 0},
			{in(24 * time.Hour), "", limit},
			{in(30 * time.Second), in(10 * time.Second), 20 * time.Second},
			{in(time.Hour), in(time.Hour - time.Minute), time.Minute},
			{in(30 * time.Second), "today", 30 * time.Second},
		} {
			h := http.Header{}
			h.Set(retryafter.Header, c.value)
			h.Set("Date", c.date)
			if got := retryafter.Read(h, limit); got != c.want {
				t.Errorf("Retry-After %q, Date %q: %v, want %v", c.value, c.date, got, c.want)
			}
		}
	})
}
