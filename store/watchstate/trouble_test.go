package watchstate

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
	"github.com/superduperai/sessionbot/store/storetest"
)

// TestTroubled: what the last sweep found is recorded, and what only earlier ones found
// is not; a sweep that fails takes nothing away.
func TestTroubled(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		w := New(r)
		lead := leading(t, w, "one")
		if got, err := w.Troubled(t.Context()); err != nil || !got.Swept.IsZero() || got.Sessions != nil {
			t.Errorf("before the first sweep: %+v, %v", got, err)
		}
		expect := func(want TroubledRecord) {
			t.Helper()
			got, err := w.Troubled(t.Context())
			testenv.Must(t, err)
			slices.Sort(got.Sessions)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("recorded (-want +got):\n%s", diff)
			}
		}
		var many []string // more than one round removes
		for n := range 2*chunkSize + 1 {
			many = append(many, fmt.Sprintf("cs_many%04d", n))
		}
		first, second := storetest.At, storetest.At.Add(time.Minute)
		testenv.Must(t, w.AddTroubled(t.Context(), lead, first, many...))
		testenv.Must(t, w.AddTroubled(t.Context(), lead, first))
		testenv.Must(t, w.KeepTroubled(t.Context(), lead, first, len(many), time.Hour))
		expect(TroubledRecord{Sessions: many, Swept: first, Whole: true})

		testenv.Must(t, w.AddTroubled(t.Context(), lead, second, "cs_a", many[0]))
		expect(TroubledRecord{Sessions: append([]string{"cs_a"}, many...), Swept: first, Whole: true}) // the second sweep is under way, or failed
		testenv.Must(t, w.KeepTroubled(t.Context(), lead, second, 2, time.Hour))
		expect(TroubledRecord{Sessions: []string{"cs_a", many[0]}, Swept: second, Whole: true})
		testenv.Must(t, w.KeepTroubled(t.Context(), lead, second, 3, time.Hour))
		expect(TroubledRecord{Sessions: []string{"cs_a", many[0]}, Swept: second})

		for key, most := range map[string]time.Duration{troubledKey: RecordLife, troubledAtKey: time.Hour} {
			if ttl := client.PTTL(t.Context(), key).Val(); ttl <= 0 || ttl > most {
				t.Errorf("%s lives for %s", key, ttl)
			}
		}
		testenv.Must(t, w.Leases.Release(t.Context(), lead))
		leading(t, w, "two")
		if err := w.AddTroubled(t.Context(), lead, second, "cs_b"); !errors.Is(err, lease.ErrLost) {
			t.Errorf("added after the lead was lost: %v", err)
		}
		if err := w.KeepTroubled(t.Context(), lead, second.Add(time.Minute), 0, time.Hour); !errors.Is(err, lease.ErrLost) {
			t.Errorf("kept after the lead was lost: %v", err)
		}
		expect(TroubledRecord{Sessions: []string{"cs_a", many[0]}, Swept: second})
	})
}

// TestTroubledIsBounded: no more are recorded, which the record says.
func TestTroubledIsBounded(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		w := New(r)
		lead := leading(t, w, "one")
		for sweep := range 2 {
			swept := storetest.At.Add(time.Duration(sweep) * time.Minute)
			var found []string
			for n := range MaxTroubled + 5 {
				found = append(found, fmt.Sprintf("cs_%d", n))
			}
			testenv.Must(t, w.AddTroubled(t.Context(), lead, swept, found...))
			testenv.Must(t, w.KeepTroubled(t.Context(), lead, swept, len(found), time.Hour))
			got, err := w.Troubled(t.Context())
			if err != nil || len(got.Sessions) != MaxTroubled || got.Whole || !got.Swept.Equal(swept) {
				t.Errorf("%d recorded, whole: %v, %v", len(got.Sessions), got.Whole, err)
			}
		}
	})
}
