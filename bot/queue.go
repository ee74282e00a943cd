package bot

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// limits bound a queue: what it carries out at the same time, what waits, and
// how much of either may be one person's or one channel's.
type limits struct {
	all, person, channel share
}

type share struct{ running, waiting int }

// fair keeps one person, or one busy channel, from taking the whole queue.
func fair(running, waiting int) limits {
	return limits{
		all:     share{running, waiting},
		person:  share{running / 4, waiting / 2},
		channel: share{running * 3 / 4, waiting * 3 / 4},
	}
}

// common is a queue whose room is whoever's comes first.
func common(running, waiting int) limits {
	all := share{running, waiting}
	return limits{all: all, person: all, channel: all}
}

// job is work for somebody who waits somewhere.
type job struct {
	person, channel string
	run             func(context.Context)
}

// queue hands jobs to a fixed number of workers and refuses what it cannot
// hold, so that neither a burst nor a slow neighbour grows the process.
type queue struct {
	limits  limits
	workers sync.WaitGroup
	length  atomic.Int32 // of waiting

	mu       sync.Mutex
	changed  *sync.Cond
	closed   bool
	waiting  []job // in the order of arrival
	persons  map[string]share
	channels map[string]share
}

// newQueue starts the workers. Their jobs run under ctx and must not panic.
func newQueue(ctx context.Context, l limits) *queue {
	q := &queue{limits: l, persons: map[string]share{}, channels: map[string]share{}}
	q.changed = sync.NewCond(&q.mu)
	for range l.all.running {
		q.workers.Go(func() {
			for {
				j, ok := q.next()
				if !ok {
					return
				}
				j.run(ctx)
				q.done(j)
			}
		})
	}
	return q
}

// offer queues a job, or reports at once that there is no room. It must not be
// called after close.
func (q *queue) offer(j job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) >= q.limits.all.waiting || q.persons[j.person].waiting >= q.limits.person.waiting ||
		q.channels[j.channel].waiting >= q.limits.channel.waiting {
		return false
	}
	q.waiting = append(q.waiting, j)
	q.length.Add(1)
	q.count(j, share{waiting: 1})
	if q.mayRun(j) {
		q.changed.Signal()
	}
	return true
}

// full reports whether there is next to no room: what several connections hear
// at the same time still finds some. It does not wait for the workers.
func (q *queue) full() bool { return int(q.length.Load()) > q.limits.all.waiting-8 }

func (q *queue) mayRun(j job) bool {
	return q.persons[j.person].running < q.limits.person.running && q.channels[j.channel].running < q.limits.channel.running
}

// next waits for a job that may run now; false = there will be none.
func (q *queue) next() (job, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if i := q.choose(); i >= 0 {
			j := q.waiting[i]
			q.waiting = append(q.waiting[:i], q.waiting[i+1:]...)
			q.length.Add(-1)
			q.count(j, share{waiting: -1, running: 1})
			if q.choose() >= 0 {
				q.changed.Signal() // there is work for another, too
			}
			return j, true
		}
		if q.closed && len(q.waiting) == 0 {
			return job{}, false
		}
		q.changed.Wait()
	}
}

// choose is the place of the oldest job of whoever has the fewest running, -1 =
// nothing may run.
func (q *queue) choose() int {
	best := -1
	for i, j := range q.waiting {
		if q.mayRun(j) && (best < 0 || q.persons[j.person].running < q.persons[q.waiting[best].person].running) {
			best = i
		}
	}
	return best
}

// done makes room, and whoever calls it looks for the next job.
func (q *queue) done(j job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.count(j, share{running: -1})
	if q.closed {
		q.changed.Broadcast() // the others may go
	}
}

func (q *queue) count(j job, change share) {
	add(q.persons, j.person, change)
	add(q.channels, j.channel, change)
}

// add forgets whoever has nothing in the queue any more.
func add(of map[string]share, who string, change share) {
	s := share{running: of[who].running + change.running, waiting: of[who].waiting + change.waiting}
	if s == (share{}) {
		delete(of, who)
		return
	}
	of[who] = s
}

// close takes no more jobs; those that were taken are still carried out.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.changed.Broadcast()
}

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
