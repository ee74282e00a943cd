package bot

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestQueueHoldsWhatItMayAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t.Context(), 2, 3)
		goOn := make(chan struct{})
		var ran atomic.Int32
		job := func(context.Context) { <-goOn; ran.Add(1) }
		for i := range 5 {
			if !q.offer(job) {
				t.Fatalf("job %d was refused", i)
			}
			synctest.Wait() // a worker takes it where one is free
		}
		if q.offer(job) {
			t.Error("the sixth job found room")
		}
		close(goOn)
		synctest.Wait()
		if !q.offer(job) {
			t.Error("no room after the work was done")
		}
		q.close()
		if !q.wait(time.Second) || ran.Load() != 6 {
			t.Errorf("%d jobs were done", ran.Load())
		}
	})
}

func TestQueueGivesUpWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		q := newQueue(ctx, 1, 1)
		q.offer(func(ctx context.Context) { <-ctx.Done() })
		q.close()
		started := time.Now()
		if q.wait(7*time.Second) || time.Since(started) != 7*time.Second {
			t.Errorf("waited %v", time.Since(started))
		}
		cancel()
		if !q.wait(time.Second) {
			t.Error("the job outlived its context")
		}
	})
}
