package stats

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
	"github.com/superduperai/sessionbot/store/storetest"
)

// heldUp is a Redis that answers no script until it is released, and whose client never
// times out.
type heldUp struct {
	letGo chan struct{}
	n     atomic.Int32
}

func (*heldUp) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h *heldUp) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "evalsha" {
			h.n.Add(1)
			<-h.letGo
		}
		return next(context.WithoutCancel(ctx), cmd)
	}
}

func (*heldUp) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// TestCountingLookupsDoesNotBlock: answers are counted in the background, and those that
// come during a write with one more.
func TestCountingLookupsDoesNotBlock(t *testing.T) {
	t.Parallel()
	r := rdbtest.Open(t, "redis://"+miniredis.RunT(t).Addr())
	busy := &heldUp{letGo: make(chan struct{})}
	rdbtest.Hook(t, r, busy)
	records := NewStore(r)
	lookups := NewLookups(records, func(err error) { t.Error(err) })
	lookups.Count(storetest.At, true)
	testenv.Until(t, "the first is being written", func() bool { return busy.n.Load() == 1 })
	lookups.Count(storetest.At, true)
	lookups.Count(storetest.At, true)
	lookups.Count(storetest.At, false)
	close(busy.letGo)
	lookups.Wait()
	f, err := records.Figures(t.Context(), storetest.At)
	testenv.Must(t, err)
	if got := f.Series[HourOf(storetest.At)].Lookup; got != (Tries{3, 1}) {
		t.Errorf("counted %+v", got)
	}
	if n := busy.n.Load(); n != 2 {
		t.Errorf("%d writes", n)
	}
}

// TestLookupsWithRedisFrozen: what is not counted is reported, and no caller waits for
// Redis at the end.
func TestLookupsWithRedisFrozen(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	var failed []error
	lookups := NewLookups(NewStore(rdbtest.Open(t, rdbtest.Deaf(server.URL()))), func(err error) { failed = append(failed, err) })
	server.Freeze(t)
	defer server.Thaw(t)
	testenv.Returns(t, "the end", func() {
		lookups.Count(storetest.At, true)
		lookups.Wait()
	})
	if len(failed) != 1 || !errors.Is(failed[0], rdb.ErrNoAnswer) {
		t.Errorf("reported %v", failed)
	}
}
