package sweep

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/rdb"
)

// TestFailedSweepsLoseNothing: neither after a time-out, nor an error of Visit, nor without
// an answer of Redis.
func TestFailedSweepsLoseNothing(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		values := manyFinished(1500)
		set(t, client, values)
		s := New(r)
		halfway := func(end error) (Result, error) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			visited := 0
			return s.Sweep(ctx, Options{Now: at, Limits: limits, Visit: func(context.Context, []Observation) error {
				if visited++; visited == 3 {
					if end != nil {
						return end
					}
					cancel()
				}
				return nil
			}})
		}
		enough := errors.New("enough")
		for _, full := range []bool{true, false} {
			if got, err := halfway(nil); err != nil || got.Count.Complete || got.Full != full || got.Count.Sessions == 0 || got.Count.Sessions >= 1500 {
				t.Fatalf("time ran out: %+v, %v", got, err)
			}
			if _, err := halfway(enough); !errors.Is(err, enough) || errors.Is(err, rdb.ErrNoAnswer) {
				t.Fatalf("a visitor's error: %v", err)
			}
			got := sweepOnce(t, s, at)
			if got.Full != full {
				t.Errorf("after failures it is full: %v", got.Full)
			}
			sameCount(t, naively(t, r, sessionIDs(values), at), got.Count)
			for id := range maps.Keys(got.verdicts) {
				delete(values, "webhook:"+id)
				must(t, client.Del(t.Context(), "webhook:"+id).Err()) // reported, so the next need not be full
				s.Written(id)
			}
			for id := range 1000 { // of those the failing sweeps read some
				s.Written(fmt.Sprint("cs_live_done", id))
			}
		}
	})
}

func TestFrozenRedisIsAnError(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	set(t, server.Client(), manyFinished(10))
	s := New(open(t, server.URL()))
	sweepOnce(t, s, at)
	set(t, server.Client(), map[string]string{"webhook:cs_live_done1": `{"status":"error"}`})
	s.Written("cs_live_done1")
	server.Freeze(t)
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if got, err := s.Sweep(ctx, Options{Now: at, Limits: limits}); !errors.Is(err, rdb.ErrNoAnswer) {
			t.Errorf("a frozen Redis was swept: %+v, %v", got, err)
		}
	}
	server.Thaw(t)
	if got := sweepOnce(t, s, at); got.Full || len(got.verdicts) != 1 || got.Count.Sessions != 10 {
		t.Errorf("after it thawed: %+v", got)
	}
}

// TestKeysThatAreReturnedTwice, as SCAN may do where Redis resizes its table of
// keys: each session counts once, whether it is read or not.
func TestKeysThatAreReturnedTwice(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	const done, fresh = 3000, 1000
	values := manyFinished(done)
	for n := range fresh {
		values[fmt.Sprint("prompt:cs_test_", n)] = oddValues[0]
	}
	set(t, server.Client(), values)
	r := open(t, server.URL())
	client, err := r.Client(t.Context())
	must(t, err)
	twice := &repeating{}
	client.AddHook(twice)
	others := map[string]string{}
	for n := range 40_000 {
		others[fmt.Sprint("balance:", n)] = "7"
	}
	s := New(r)
	for round := range 4 {
		resized := false
		got := sweepOnce(t, s, at, func(o *Options) {
			o.Visit = func(ctx context.Context, _ []Observation) error {
				switch {
				case resized:
				case round%2 == 0:
					set(t, server.Client(), others)
				default:
					must(t, server.Client().Unlink(ctx, slices.Collect(maps.Keys(others))...).Err())
				}
				resized = true
				return nil
			}
		})
		if got.Full != (round == 0) || got.Count.Sessions != done+fresh || got.Count.Verdicts[diagnosis.VerdictCompleted] != done {
			t.Errorf("sweep %d: %d sessions, %v", round, got.Count.Sessions, got.Count.Verdicts)
		}
	}
	if twice.repeated == 0 {
		t.Error("no key was returned twice")
	}
}

// repeating returns with each page of keys those of the page before.
type repeating struct {
	before   []string
	repeated int
}

// DialHook does nothing.
func (*repeating) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessPipelineHook does nothing.
func (*repeating) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// ProcessHook repeats keys.
func (r *repeating) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if scan, ok := cmd.(*redis.ScanCmd); ok && err == nil {
			page, cursor := scan.Val()
			scan.SetVal(slices.Concat(page, r.before), cursor)
			r.repeated += len(r.before)
			r.before = page
		}
		return err
	}
}
