package stats

import (
	"context"
	"sync"
	"time"
)

// lookupWithin bounds one write of what was counted; a process that ends waits
// for two at most.
const lookupWithin = 250 * time.Millisecond

// Lookups counts the questions to the site in the series, aside: no answer waits
// for it. What is counted during a write goes with the next one.
type Lookups struct {
	records *Store
	failed  func(error) // told where some were not counted

	mu      sync.Mutex
	counted map[int64]Tries // and not written yet, by hour
	busy    bool            // somebody writes
	writing sync.WaitGroup
}

// NewLookups counts in these records, and tells failed what could not be
// written: it is missing in the figures, and not tried again.
func NewLookups(records *Store, failed func(error)) *Lookups {
	return &Lookups{records: records, failed: failed, counted: map[int64]Tries{}}
}

// Count counts one question, and whether its answer agreed with Redis.
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

// Wait returns when all that was counted is written, or could not be.
func (l *Lookups) Wait() { l.writing.Wait() }

// write goes on until nothing is left to be written.
func (l *Lookups) write() {
	for {
		counted := l.take()
		if len(counted) == 0 {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), lookupWithin)
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
