package watchstate

import (
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
	"github.com/superduperai/sessionbot/store/storetest"
)

func TestDueList(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		w := New(r)
		testenv.Must(t, w.AddDue(t.Context(), DueSession{"late", storetest.At.Add(time.Minute)}, DueSession{"now", storetest.At}, DueSession{"early", storetest.At.Add(-time.Hour)}))
		testenv.Must(t, w.AddDue(t.Context(), DueSession{"early", storetest.At.Add(time.Hour)}, DueSession{"late", storetest.At.Add(time.Second)}))
		names := func(now time.Time, limit int) (ids []string) {
			dues, err := w.Due(t.Context(), now, limit)
			testenv.Must(t, err)
			for _, d := range dues {
				ids = append(ids, d.Session)
			}
			return ids
		}
		if got := names(storetest.At, 10); !slices.Equal(got, []string{"early", "now"}) {
			t.Errorf("due now: %v", got)
		}
		if got := names(storetest.At.Add(time.Second), 10); len(got) != 3 {
			t.Errorf("the earlier time does not count: %v", got)
		}
		if got := names(storetest.At.Add(time.Hour), 1); !slices.Equal(got, []string{"early"}) {
			t.Errorf("the first: %v", got)
		}
		dues, err := w.Due(t.Context(), storetest.At, 10)
		testenv.Must(t, err)
		testenv.Must(t, w.AddDue(t.Context(), DueSession{"now", storetest.At.Add(-time.Second)})) // while it is inspected
		testenv.Must(t, w.RemoveDue(t.Context(), dues))
		if got := names(storetest.At.Add(time.Hour), 10); !slices.Equal(got, []string{"now", "late"}) {
			t.Errorf("left: %v", got)
		}
		dues, err = w.Due(t.Context(), storetest.At, 10)
		testenv.Must(t, err)
		testenv.Must(t, w.AddDue(t.Context(), DueSession{"now", storetest.At.Add(time.Second)})) // likewise, as late as it is
		testenv.Must(t, w.RemoveDue(t.Context(), dues))
		if got := names(storetest.At, 10); !slices.Equal(got, []string{"now"}) {
			t.Errorf("left of what was written meanwhile: %v", got)
		}
		dues, err = w.Due(t.Context(), storetest.At, 10)
		testenv.Must(t, err)
		testenv.Must(t, w.RemoveDue(t.Context(), dues, DueSession{"now", storetest.At.Add(2 * time.Second)}))
		if got := names(storetest.At.Add(time.Second), 10); !slices.Equal(got, []string{"late"}) {
			t.Errorf("before it is due again: %v", got)
		}
		if got := names(storetest.At.Add(2*time.Second), 10); !slices.Equal(got, []string{"late", "now"}) {
			t.Errorf("due again: %v", got)
		}
	})
}
