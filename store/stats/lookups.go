package stats

import (
	"context"
	"sync"
	"time"
)

// writeTimeout bounds one write of the counts; a process that ends waits for two at most.
const writeTimeout = 250 * time.Millisecond

// Lookups counts the requests to the site in the series, in the background. What is
// counted during a write is written with the next one.
type Lookups struct {
	records *Store
	failed  func(error) // called if some were not written

	mu      sync.Mutex
	counted map[int64]Tries // not written yet, by hour
	busy    bool            // write is running
	writing sync.WaitGroup
}

// NewLookups returns Lookups that call failed if counts could not be written: they are
// lost.
func NewLookups(records *Store, failed func(error)) *Lookups {
	return &Lookups{records: records, failed: failed, counted: map[int64]Tries{}}
}

// Count counts one request, and whether its answer agreed with Redis.
func (l *Lookups) Count(at time.Time, agreed bool) {
	one := Tries{Bad: 1}
	if agreed {
		one = Tries{Good: 1}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counted[HourOf(at)] = l.counted[HourOf(at)].Add(one)
	if !l.busy {
		l.busy = true
		l.writing.Go(l.write)
	}
}

// Wait waits until all counts are written, or lost.
func (l *Lookups) Wait() { l.writing.Wait() }

// write runs until all counts are written.
func (l *Lookups) write() {
	for {
		counted := l.take()
		if len(counted) == 0 {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
		for hour, tries := range counted {
			if err := l.records.countLookups(ctx, hour, tries); err != nil {
				l.failed(err)
			}
		}
		cancel()
	}
}

func (l *Lookups) take() map[int64]Tries {
	l.mu.Lock()
	defer l.mu.Unlock()
	taken := l.counted
	l.counted, l.busy = map[int64]Tries{}, len(taken) > 0
	return taken
}
