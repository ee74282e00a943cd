package bot

import (
	"context"
	"slices"
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
	closed   bool
	waiting  []job // in the order of arrival
	idle     []hand
	persons  map[string]share
	channels map[string]share
}

// hand is where a worker waits for its next job; closed = there will be none.
type hand chan job

// newQueue starts the workers. Their jobs run under ctx and must not panic.
func newQueue(ctx context.Context, l limits) *queue {
	q := &queue{limits: l, persons: map[string]share{}, channels: map[string]share{}}
	for range l.all.running {
		mine := make(hand, 1)
		q.idle = append(q.idle, mine)
		q.workers.Go(func() {
			for j := range mine {
				j.run(ctx)
				q.done(j, mine)
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
	q.handOut()
	return true
}

// full reports whether there is next to no room: what several connections hear
// at the same time still finds some. It does not wait for the workers.
func (q *queue) full() bool { return int(q.length.Load()) > q.limits.all.waiting-8 }

func (q *queue) mayRun(j job) bool {
	return q.persons[j.person].running < q.limits.person.running && q.channels[j.channel].running < q.limits.channel.running
}

// handOut gives idle workers what may run now: the one that was busy last comes
// first, whose stack and memory are still at hand.
func (q *queue) handOut() {
	for last := len(q.idle) - 1; last >= 0; last-- {
		i := q.choose()
		if i < 0 {
			break
		}
		j := q.waiting[i]
		q.waiting = slices.Delete(q.waiting, i, i+1)
		q.length.Add(-1)
		q.count(j, share{waiting: -1, running: 1})
		q.idle[last] <- j
		q.idle = q.idle[:last]
	}
	if !q.closed || len(q.waiting) > 0 {
		return
	}
	for _, mine := range q.idle {
		close(mine)
	}
	q.idle = nil
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

// done makes room, and the worker idle.
func (q *queue) done(j job, mine hand) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.count(j, share{running: -1})
	q.idle = append(q.idle, mine)
	q.handOut()
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
	q.handOut()
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
