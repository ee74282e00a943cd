package watchstate

import (
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
	"github.com/superduperai/sessionbot/store/storetest"
)

func leading(t *testing.T, w *Records, owner string) lease.Lease {
	t.Helper()
	testenv.Must(t, w.Begin(t.Context(), storetest.At))
	l, ok, err := w.Lead(t.Context(), owner)
	if err != nil || !ok {
		t.Fatalf("%s does not get the lead: %v", owner, err)
	}
	return l
}

// TestOneProcessLeads: one of several leads, and a former leader stores nothing.
func TestOneProcessLeads(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		w := New(r)
		w.Leases.Timings.Life = time.Hour
		first := leading(t, w, "one")
		if again := leading(t, w, "one"); again != first {
			t.Errorf("renewed: %+v, before %+v", again, first)
		}
		if _, ok, err := w.Lead(t.Context(), "two"); ok || err != nil {
			t.Fatalf("two lead: %v", err)
		}
		if ttl := client.PTTL(t.Context(), "sessionbot:{watch}:leader").Val(); ttl <= 0 || ttl > w.Leases.Timings.Life {
			t.Errorf("the lead lives for %s", ttl)
		}
		testenv.Must(t, client.Del(t.Context(), "sessionbot:{watch}:leader").Err()) // as if it ran out
		if again := leading(t, w, "one"); again == first {
			t.Error("a lead that ended in between is the same")
		}
		testenv.Must(t, client.Del(t.Context(), "sessionbot:{watch}:leader").Err())
		second := leading(t, w, "two")
		if err := w.Note(t.Context(), first, Swept(storetest.At)); !errors.Is(err, lease.ErrLost) {
			t.Errorf("noted by the old leader: %v", err)
		}
		at := func(seconds int) time.Time { return storetest.At.Add(time.Duration(seconds) * time.Second) }
		testenv.Must(t, w.Begin(t.Context(), storetest.At))
		testenv.Must(t, w.Begin(t.Context(), storetest.At.Add(time.Hour)))
		testenv.Must(t, w.Note(t.Context(), second, Swept(storetest.At), Cursor(storetest.At.Add(time.Second)), BacklogNotified(), Unreachable("away"), SiteLayout(store.LayoutThreeKey),
			Listed(at(2)), StripeReadAt(at(3)), Pause(4*time.Second), Sold(at(5)), Found(at(6)), Notified(at(7)), Proven("url", at(8))))
		state, err := w.State(t.Context())
		want := State{Epoch: storetest.At, Swept: storetest.At, Cursor: storetest.At.Add(time.Second), BacklogNotified: true, Unreachable: "away", SiteLayout: store.LayoutThreeKey,
			Listed: at(2), StripeReadAt: at(3), Pause: 4 * time.Second, Sold: at(5), Found: at(6), Notified: at(7), Proven: Proof{URL: urlDigest("url"), Created: at(8)}}
		if err != nil || state != want {
			t.Errorf("%+v, %v; want %+v", state, err, want)
		}
	})
}
