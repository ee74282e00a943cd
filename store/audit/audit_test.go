package audit

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
	"github.com/superduperai/sessionbot/store/storetest"
)

func TestRepaired(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		l := NewTrail(r)
		for _, e := range []Entry{
			{Session: "a", Event: Claimed, Action: store.ActionGenerate}, {Session: "a", Event: Claimed, Action: store.ActionFix},
			{Session: "b", Event: Refused, Action: store.ActionFix}, {Session: "c", Event: Claimed, Action: store.ActionGenerate},
		} {
			testenv.Must(t, l.Record(t.Context(), e))
		}
		got, err := l.Repaired(t.Context(), time.Now().Add(-time.Minute))
		if diff := cmp.Diff(map[string]store.Action{"a": store.ActionFix, "c": store.ActionGenerate}, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
		if got, err := l.Repaired(t.Context(), time.Now().Add(time.Minute)); len(got) != 0 || err != nil {
			t.Errorf("%v, %v", got, err)
		}
	})
}

func TestRecordOnce(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		l := NewTrail(r)
		paused := Entry{At: storetest.At, Event: Paused, Action: store.ActionFix, Plan: "p", Detail: "done 2"}
		again, other, later, resumed := paused, paused, paused, paused
		again.Detail, other.Plan, later.At, resumed.Event = "done 3", "q", storetest.At.Add(time.Millisecond), Resumed
		for _, e := range []Entry{paused, again, other, later, resumed, later} {
			testenv.Must(t, l.RecordOnce(t.Context(), e))
		}
		got, err := l.History(t.Context(), "", 10)
		if diff := cmp.Diff([]Entry{paused, other, resumed, later}, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
		if ttl := client.TTL(t.Context(), auditKey).Val(); ttl <= 0 {
			t.Errorf("the trail lives for %s", ttl)
		}
	})
}

func TestHistory(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		l := NewTrail(r)
		entry := func(n int, session string) Entry {
			return Entry{At: storetest.At.Add(time.Duration(n) * time.Second), Who: store.Actor{ID: "U0ANN"}, Event: Claimed, Action: store.ActionFix,
				Session: session, Plan: "p", Detail: "<b> & “quotes”", Before: map[string]string{"webhook": ""}}
		}
		for n := range 3 {
			if err := l.Record(t.Context(), entry(n, "cs_live_h")); err != nil {
				t.Fatal(err)
			}
		}
		pipe := client.Pipeline()
		for range auditPage + 10 {
			pipe.XAdd(t.Context(), &redis.XAddArgs{Stream: auditKey, Values: []any{"session", "cs_live_other", "entry", "{}"}})
		}
		if _, err := pipe.Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, err := l.History(t.Context(), "cs_live_h", 2)
		if diff := cmp.Diff([]Entry{entry(1, "cs_live_h"), entry(2, "cs_live_h")}, got); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		if got, err := l.History(t.Context(), "cs_live_h", 100); len(got) != 3 || err != nil {
			t.Errorf("all: %d, %v", len(got), err)
		}
		if got, err := l.History(t.Context(), "cs_live_none", 100); len(got) != 0 || err != nil {
			t.Errorf("of no session: %d, %v", len(got), err)
		}
		if ttl := client.TTL(t.Context(), auditKey).Val(); ttl <= 0 {
			t.Errorf("the trail lives for %s", ttl)
		}
	})
}

func TestMatching(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		l := NewTrail(r)
		for _, session := range []string{"cs_live_a1B2xx0001", "cs_live_a1B2yy0002", "cs_live_a1B2xx0001", "cs_live_a1B2…0001", ""} {
			testenv.Must(t, l.Record(t.Context(), Entry{Session: session, Event: Refused, Action: store.ActionFix}))
		}
		_, short := store.FindID("cs_live_a1B2…0001")
		got, err := l.Matching(t.Context(), short.(store.ShortID)) //nolint:errorlint,forcetypeassert // FindID does not wrap it
		if diff := cmp.Diff([]string{"cs_live_a1B2xx0001"}, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
	})
}

func TestLatest(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		l := NewTrail(r)
		for n, event := range []Event{Ended, Claimed, Ended, Refused, Ended, Claimed} {
			testenv.Must(t, l.Record(t.Context(), Entry{At: storetest.At.Add(time.Duration(n) * time.Second), Event: event}))
		}
		got, err := l.Latest(t.Context(), Ended, 2)
		want := []Entry{{At: storetest.At.Add(4 * time.Second), Event: Ended}, {At: storetest.At.Add(2 * time.Second), Event: Ended}}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		if got, err := l.Latest(t.Context(), Settled, 2); len(got) != 0 || err != nil {
			t.Errorf("%v, %v", got, err)
		}
	})
}
