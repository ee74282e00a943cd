package incident

import (
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
	"github.com/superduperai/sessionbot/store/storetest"
)

// TestEverySince: open incidents, and those that are over since then, once each.
func TestEverySince(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		w := NewRecords(r)
		lead := leading(t, w, "one")
		at := storetest.At
		for id, over := range map[string]time.Time{"open": {}, "over": at, "longer": at.Add(-24 * time.Hour), "retiring": at, "ancient": at.Add(-archiveLife - time.Hour)} {
			i := Incident{ID: id, Kind: Kind(diagnosis.VerdictOrphaned), Cases: []Case{{ID: "cs_" + id}}}
			_, err := w.OpenIncident(t.Context(), lead, i)
			testenv.Must(t, err)
			if over.IsZero() {
				continue
			}
			testenv.Must(t, w.Archive(t.Context(), id, over))
			if id != "retiring" {
				testenv.Must(t, w.RetireIncident(t.Context(), lead, id))
			}
		}
		testenv.Must(t, w.Archive(t.Context(), "gone", at)) // of which nothing is known any more
		for since, want := range map[time.Time][]string{
			at: {"open", "over", "retiring"}, at.Add(-48 * time.Hour): {"longer", "open", "over", "retiring"}, at.Add(time.Second): {"open", "retiring"},
			at.Add(-30 * 24 * time.Hour): {"longer", "open", "over", "retiring"},
		} {
			got, err := w.EverySince(t.Context(), since)
			testenv.Must(t, err)
			var ids []string
			for _, i := range got {
				if ids = append(ids, i.ID); len(i.Cases) != 1 || i.Cases[0].ID != "cs_"+i.ID {
					t.Errorf("%s has the cases %+v", i.ID, i.Cases)
				}
			}
			if slices.Sort(ids); !slices.Equal(ids, want) {
				t.Errorf("since %s: %q, want %q", since, ids, want)
			}
		}
		if ttl := client.PTTL(t.Context(), archiveKey).Val(); ttl <= 0 || ttl > archiveLife {
			t.Errorf("the archive lives for %s", ttl)
		}
	})
}

// TestOpenOnce: one incident with an id, even when it is over.
func TestOpenOnce(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		w := NewRecords(r)
		lead := leading(t, w, "one")
		open := func() bool {
			t.Helper()
			opened, err := w.OpenOnce(t.Context(), lead, Incident{ID: "digest-1", Kind: Digest})
			testenv.Must(t, err)
			return opened
		}
		if !open() || open() {
			t.Error("opened never, or twice")
		}
		testenv.Must(t, w.RetireIncident(t.Context(), lead, "digest-1"))
		if open() {
			t.Error("opened again when it was over")
		}
	})
}
