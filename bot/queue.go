package bot

import (
	"context"
	"slices"
	"sync"
	"time"
)

// limits bound the jobs of a queue: in all, of one person and of one channel.
type limits struct{ total, person, channel load }

type load struct{ running, waiting int }

// fairLimits keep one person, or one busy channel, from taking the whole queue.
func fairLimits(running, waiting int) limits {
	return limits{
		total:   load{running, waiting},
		person:  load{running / 4, waiting / 2},
		channel: load{running * 3 / 4, waiting * 3 / 4},
	}
}

// sharedLimits let anybody take the whole queue.
func sharedLimits(running, waiting int) limits {
	total := load{running, waiting}
	return limits{total, total, total}
}

// job is work for a person who waits in a channel.
type job struct {
	person, channel string
	run             func(context.Context)
}

// queue runs a bounded number of jobs at a time and refuses those it cannot hold.
type queue struct {
	limits limits
	run    func(*job)
	jobs   sync.WaitGroup // running

	mu      sync.Mutex
	running []*job
	waiting []*job // in order of arrival
}

// newQueue returns a queue whose jobs run under ctx. They must not panic.
func newQueue(ctx context.Context, l limits) *queue {
	return &queue{limits: l, run: func(j *job) { j.run(ctx) }}
}

// offer queues a job and reports whether there was room. It does not block.
func (q *queue) offer(j job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	person, channel := loadOf(q.waiting, &j)
	if len(q.waiting) >= q.limits.total.waiting || person >= q.limits.person.waiting || channel >= q.limits.channel.waiting {
		return false
	}
	q.waiting = append(q.waiting, &j)
	q.start()
	return true
}

// nearlyFull reports whether there is room for fewer than eight jobs: as many as
// the connections may offer at the same time.
func (q *queue) nearlyFull() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting) > q.limits.total.waiting-8
}

// start runs waiting jobs as far as the limits allow.
func (q *queue) start() {
	for len(q.running) < q.limits.total.running {
		i := q.next()
		if i < 0 {
			return
		}
		j := q.waiting[i]
		q.waiting = slices.Delete(q.waiting, i, i+1)
		q.running = append(q.running, j)
		q.jobs.Go(func() {
			q.run(j)
			q.mu.Lock()
			defer q.mu.Unlock()
			q.running = slices.DeleteFunc(q.running, func(r *job) bool { return r == j })
			q.start()
		})
	}
}

// next is the index of the oldest job of the person with the fewest running,
// -1 if none may run.
func (q *queue) next() int {
	best, fewest := -1, q.limits.person.running
	for i, j := range q.waiting {
		person, channel := loadOf(q.running, j)
		if person < fewest && channel < q.limits.channel.running {
			best, fewest = i, person
		}
	}
	return best
}

// loadOf counts the jobs of a job's person and of its channel.
func loadOf(jobs []*job, of *job) (person, channel int) {
	for _, j := range jobs {
		if j.person == of.person {
			person++
		}
		if j.channel == of.channel {
			channel++
		}
	}
	return person, channel
}

// wait reports whether all jobs ended in time. No more may be offered.
func (q *queue) wait(atMost time.Duration) bool {
	done := make(chan struct{})
	go func() {
		q.jobs.Wait()
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-time.After(atMost):
		return false
	}
}
