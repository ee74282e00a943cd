package bot

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

func TestDrainCutsShortWhatTakesTooLong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		job  func(context.Context)
		took time.Duration
	}{
		"done in time":     {func(context.Context) { <-time.After(3 * time.Second) }, 3 * time.Second},
		"heeds its end":    {func(ctx context.Context) { <-ctx.Done() }, drainTimeout},
		"heeds nothing":    {func(context.Context) { <-time.After(time.Minute) }, drainTimeout + cancelTimeout},
		"nothing is going": {func(context.Context) {}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				work, cut := context.WithCancel(t.Context())
				defer cut()
				b := &Bot{answers: answers{responder: &responder{log: slog.New(slog.DiscardHandler)}}, queue: newQueue(work, sharedLimits(1, 1)), busy: newQueue(work, sharedLimits(1, 1))}
				b.queue.offer(job{run: c.job})
				started := time.Now()
				b.drain(cut)
				if took := time.Since(started); took != c.took || took > 9*time.Second {
					t.Errorf("took %v, want %v", took, c.took)
				}
				b.queue.wait(time.Hour) // nothing may outlive the test
			})
		})
	}
}
