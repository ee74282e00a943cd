package store

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
)

// heldUp is a Redis that answers no script until it is let go, and whose answers
// nobody gives up waiting for.
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

// TestNoAnswerWaitsForLookups: the site's answers are counted, but aside, and
// those that come during a write with one more.
func TestNoAnswerWaitsForLookups(t *testing.T) {
	t.Parallel()
	r := open(t, "redis://"+miniredis.RunT(t).Addr())
	busy := &heldUp{letGo: make(chan struct{})}
	hook(t, r, busy)
	records := NewWatch(r)
	lookups := NewLookups(records, func(err error) { t.Error(err) })
	s := working()
	x := s.examiner()
	x.Lookups = lookups
	for range 3 {
		x.Examine(t.Context(), "cs_live_1")
	}
	s.site.err = errors.New("away")
	x.Examine(t.Context(), "cs_live_1")
	close(busy.letGo)
	lookups.Wait()
	f, err := records.Figures(t.Context(), at)
	must(t, err)
	if got := f.Series[HourOf(at)].Lookup; got != (Tries{3, 1}) {
		t.Errorf("counted %+v", got)
	}
	if n := busy.n.Load(); n != 2 {
		t.Errorf("%d writes", n)
	}
}

// TestLookupsWithRedisFrozen: what is not counted is told, and nobody waits for
// Redis at the end.
func TestLookupsWithRedisFrozen(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	var failed []error
	lookups := NewLookups(NewWatch(open(t, deaf(server.URL()))), func(err error) { failed = append(failed, err) })
	server.Freeze(t)
	defer server.Thaw(t)
	testenv.Returns(t, "the end", func() {
		lookups.Count(at, true)
		lookups.Wait()
	})
	if len(failed) != 1 || !errors.Is(failed[0], ErrSilent) {
		t.Errorf("told %v", failed)
	}
}

// TestAnswersCountHoweverLate: what a source answered in time is not lost on who
// looks late.
func TestAnswersCountHoweverLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for range 50 { // a choice between both would be made at random
			wait := begin(t.Context(), time.Second, func(context.Context) (string, error) { return "here", nil })
			<-time.After(2 * time.Second) // on the bubble's clock
			if answer, err := wait(); answer != "here" || err != nil {
				t.Fatalf("got %q, %v", answer, err)
			}
		}
	})
}
