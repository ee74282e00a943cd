package bot

import (
	"context"
	"sync"
	"time"
)

// queue hands jobs to a fixed number of workers and refuses what it cannot
// hold, so that neither a burst nor a slow neighbour grows the process.
type queue struct {
	jobs    chan func(context.Context)
	workers sync.WaitGroup
}

// newQueue starts the workers. Their jobs run under ctx and must not panic.
func newQueue(ctx context.Context, workers, size int) *queue {
	q := &queue{jobs: make(chan func(context.Context), size)}
	for range workers {
		q.workers.Go(func() {
			for job := range q.jobs {
				job(ctx)
			}
		})
	}
	return q
}

// offer queues a job, or reports at once that there is no room. It must not be
// called after close.
func (q *queue) offer(job func(context.Context)) bool {
	select {
	case q.jobs <- job:
		return true
	default:
		return false
	}
}

// close takes no more jobs; those that were taken are still carried out.
func (q *queue) close() { close(q.jobs) }

// wait reports whether all jobs were done within the time.
func (q *queue) wait(atMost time.Duration) bool {
	done := make(chan struct{})
	go func() {
		q.workers.Wait()
		close(done)
	}()
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}
