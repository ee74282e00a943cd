package bot

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestQueueLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t.Context(), sharedLimits(2, 3))
		goOn := make(chan struct{})
		var ran atomic.Int32
		work := job{run: func(context.Context) { <-goOn; ran.Add(1) }}
		for i := range 5 {
			if !q.offer(work) {
				t.Fatalf("job %d was refused", i)
			}
			synctest.Wait() // a worker takes it where one is free
		}
		if q.offer(work) {
			t.Error("the sixth job found room")
		}
		close(goOn)
		synctest.Wait()
		if !q.offer(work) {
			t.Error("no room after the work was done")
		}
		if !q.wait(time.Second) || ran.Load() != 6 {
			t.Errorf("%d jobs were done", ran.Load())
		}
		if len(q.running)+len(q.waiting) != 0 {
			t.Errorf("it still holds %v, %v", q.running, q.waiting)
		}
	})
}

func TestQueueWaitTimesOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		q := newQueue(ctx, sharedLimits(1, 1))
		q.offer(job{run: func(ctx context.Context) { <-ctx.Done() }})
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

// crowd offers a queue jobs that take a second each, and records when each ran.
type crowd struct {
	*queue
	began time.Time
	mu    sync.Mutex
	ran   map[string][]time.Duration // by person, since the start
}

func newCrowd(t *testing.T) *crowd {
	return &crowd{queue: newQueue(t.Context(), fairLimits(workers, queueSize)), began: time.Now(), ran: map[string][]time.Duration{}}
}

// ask offers n jobs and returns how many were taken.
func (c *crowd) ask(person, channel string, n int) (taken int) {
	for range n {
		if c.offer(job{person: person, channel: channel, run: func(context.Context) {
			c.mu.Lock()
			c.ran[person] = append(c.ran[person], time.Since(c.began))
			c.mu.Unlock()
			time.Sleep(time.Second)
		}}) {
			taken++
		}
		synctest.Wait() // a worker takes it where one is free
	}
	return taken
}

// times are when a person's jobs began.
func (c *crowd) times(person string) []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ran[person]
}

// end waits for all jobs: nothing may outlive the test.
func (c *crowd) end() {
	c.wait(time.Hour)
}

func TestQueueIsFair(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		crowd func(*crowd)
		waits time.Duration // of somebody else, elsewhere
	}{
		"by one person": {func(c *crowd) {
			if taken := c.ask("U1", "C1", 1000); taken != workers/4+queueSize/2 {
				t.Errorf("%d jobs of one person were taken", taken)
			}
		}, 0},
		"by the people of one channel": {func(c *crowd) {
			for i := range 100 {
				c.ask(fmt.Sprint("U", i), "C1", 10)
			}
		}, 0},
		"by some people everywhere": {func(c *crowd) {
			for i := range 4 {
				c.ask(fmt.Sprint("U", i), fmt.Sprint("C", i), 60)
			}
		}, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q := newCrowd(t)
				defer q.end()
				c.crowd(q)
				if q.ask("U0LONE", "C9", 1) != 1 {
					t.Fatal("there was no room for somebody else")
				}
				time.Sleep(10 * time.Second)
				if ran := q.times("U0LONE"); !slices.Equal(ran, []time.Duration{c.waits}) {
					t.Errorf("somebody else's turn came after %v, want %v", ran, c.waits)
				}
			})
		})
	}
}

// A job that ends makes room for its person elsewhere and for others in its
// channel: both go on at once.
func TestQueueUsesFreedRoomAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newCrowd(t)
		q.limits.person.running, q.limits.channel.running = 1, 1
		q.ask("U1", "C1", 1)
		q.ask("U1", "C2", 1) // waits for U1
		q.ask("U2", "C1", 1) // waits for C1
		time.Sleep(10 * time.Second)
		if got, want := [][]time.Duration{q.times("U1"), q.times("U2")}, [][]time.Duration{{0, time.Second}, {time.Second}}; !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("ran at %v, want %v", got, want)
		}
		q.end()
	})
}

func TestQueueKeepsAPersonsOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newCrowd(t)
		q.ask("U1", "C1", 20)
		time.Sleep(10 * time.Second)
		want := slices.Concat(slices.Repeat([]time.Duration{0}, 8), slices.Repeat([]time.Duration{time.Second}, 8),
			slices.Repeat([]time.Duration{2 * time.Second}, 4))
		if ran := q.times("U1"); !slices.Equal(ran, want) {
			t.Errorf("ran at %v", ran)
		}
		q.end()
	})
}
