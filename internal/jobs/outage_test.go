package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
)

// TestRedisOutage: at whatever step Redis closes the connections, the job continues
// once it is back. Until then only this process knows the request's outcome.
func TestRedisOutage(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"written", "answered", "filed"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, false)
			id := b.claimed(store.ActionGenerate)
			g := newGate(t, b.redisURL)
			product, ledger := opened(t, g.url())
			cfg := config(product, ledger, b.apiURL)
			var once sync.Once
			cfg.OnStep = func(step string) {
				if step == at {
					once.Do(func() { g.shut(10) })
				}
			}
			// It could not release the lease either.
			cfg.Log = slog.New(interrupted(func(context.Context, time.Duration) { b.leaseEnds(id) }))
			b.endedWell(id, cfg)
		})
	}
}

// TestLongRedisOutage: the outcome is kept after the lease has expired, as long as
// no other process has the job.
func TestLongRedisOutage(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	id := b.claimed(store.ActionGenerate)
	g := newGate(t, b.redisURL)
	product, ledger := opened(t, g.url())
	cfg := config(product, ledger, b.apiURL)
	outlived(&cfg, func() {
		g.shut(math.MaxInt)
		b.leaseEnds(id)
	}, func() { g.shut(0) })
	b.endedWell(id, cfg)
}

// outlived makes Redis unavailable once the request is answered, until the runner
// has lost its lease.
func outlived(cfg *jobs.Config, leave, comeBack func()) {
	cfg.Ledger.Leases.Timings.Renew = 100 * time.Millisecond
	var held context.Context // ends with the lease
	cfg.Product = eachTime{cfg.Product, func(ctx context.Context) { held = ctx }}
	var away atomic.Bool
	var passed atomic.Int64
	cfg.Now = func() time.Time { // time flies while Redis is away
		if away.Load() {
			passed.Add(int64(lease.Job.Life))
		}
		return time.Now().Add(time.Duration(passed.Load()))
	}
	cfg.OnStep = func(step string) {
		if step != "answered" {
			return
		}
		leave()
		away.Store(true)
		context.AfterFunc(held, func() {
			away.Store(false)
			comeBack()
		})
	}
}

// TestRedisFrozen: Redis reads commands without answering for longer than a lease
// lives, and then executes all of them.
func TestRedisFrozen(t *testing.T) {
	t.Parallel()
	b := newOwnBench(t)
	id, cfg := b.claimed(store.ActionGenerate), b.config()
	var product *rdb.Redis
	product, cfg.Ledger = opened(t, redistest.Patient(t, b.server.URL()+"?read_timeout=5s&max_retries=-1"))
	cfg.Trail = audit.NewTrail(product)
	client, err := product.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	called := make(chan struct{}) // the record, which may be tried several times
	client.AddHook(unanswered{call: sync.OnceFunc(func() { close(called) })})
	outlived(&cfg, func() {
		b.leaseEnds(id)
		b.server.Freeze(t)
	}, func() {
		<-called
		b.server.Thaw(t)
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- jobs.New(cfg).Run(ctx) }()
	testenv.Until(t, "what the request came to is recorded", func() bool {
		job, err := b.ledger.LoadJob(t.Context(), id)
		return err == nil && job.FileID != ""
	})
	b.endedWell(id, b.config())
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// unanswered is a hook that is called when a script was not answered in time
// although the caller still waits.
type unanswered struct {
	passing
	call func()
}

// ProcessHook implements redis.Hook.
func (u unanswered) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		var late net.Error
		deadline, _ := ctx.Deadline()
		if cmd.Name() == "evalsha" && errors.As(err, &late) && late.Timeout() && time.Now().Before(deadline) {
			u.call()
		}
		return err
	}
}

// passing is a hook that does nothing.
type passing struct{}

// DialHook implements redis.Hook.
func (passing) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessPipelineHook implements redis.Hook.
func (passing) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
