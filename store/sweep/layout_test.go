package sweep

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
)

// TestLayoutBySweep: what the site reads is told by every sweep, also by the
// finished sessions that it does not read again.
func TestLayoutBySweep(t *testing.T) {
	everywhere(t, func(t *testing.T, client redis.UniversalClient, r *store.Redis) {
		s := New(r)
		check := func(step string, want store.Layout) {
			t.Helper()
			for range 2 {
				if got := sweepOnce(t, s, at).Reads; got != want {
					t.Errorf("%s: %q, want %q", step, got, want)
				}
			}
		}
		check("nothing", store.LayoutNone)
		set(t, client, map[string]string{"prompt:cs_live_1": `{"prompt":"A fox","timestamp":"` + ago(8*24*time.Hour) + `"}`})
		check("three keys of long ago", store.LayoutNone)
		set(t, client, map[string]string{"prompt:cs_live_2": `{"prompt":"A fox","timestamp":"` + ago(6*24*time.Hour) + `"}`,
			"webhook:cs_live_2": `{"status":"completed","fileId":"` + doneFile + `","timestamp":"` + ago(time.Hour) + `"}`})
		check("three keys, finished", store.LayoutThreeKey)
		set(t, client, map[string]string{"session:cs_live_3": `{"prompt":"A fox","createdAt":"` + ago(9*24*time.Hour) + `","status":"processing","fileId":"` + doneFile + `"}`})
		check("a full object, finished", store.LayoutOneKey)
	})
}

// TestLayouts: the watch is asked, and without it some of the sessions.
func TestLayouts(t *testing.T) {
	everywhere(t, func(t *testing.T, client redis.UniversalClient, r *store.Redis) {
		now := at
		records := store.NewWatch(r)
		l := NewLayouts(r, records, func() time.Time { return now })
		check := func(step string, want store.Layout) {
			t.Helper()
			if got := l.Reads(t.Context()); got != want {
				t.Errorf("%s: %q, want %q", step, got, want)
			}
		}
		lead, _, err := records.Lead(t.Context(), "one")
		must(t, err)
		note := func(reads store.Layout) {
			t.Helper()
			must(t, records.Note(t.Context(), lead, store.Swept(now), store.Reads(reads)))
		}
		check("nothing is known", store.LayoutOneKey)
		set(t, client, map[string]string{"prompt:cs_live_1": `{"prompt":"A fox","timestamp":"` + ago(time.Hour) + `"}`})
		check("the first session tells", store.LayoutThreeKey)
		note(store.LayoutOneKey)
		check("the watch saw more", store.LayoutOneKey)
		now = now.Add(2 * time.Hour)
		check("it does not watch any more", store.LayoutThreeKey)
		note(store.LayoutNone)
		check("it saw nothing that tells", store.LayoutThreeKey)
		set(t, client, map[string]string{"session:cs_live_2": `{"prompt":"A fox","createdAt":"` + ago(time.Hour) + `"}`})
		now = now.Add(2 * time.Minute)
		check("looked again", store.LayoutOneKey)
	})
}
