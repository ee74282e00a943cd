package sweep

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/superduperai/sessionbot/store"
)

const (
	sampleSize   = 500                    // sessions that tell which layout the site reads
	sampleWithin = 500 * time.Millisecond // or as many as are seen in that time
	sampledFor   = time.Minute
	sweptFor     = time.Hour // and the pause between two sweeps: the watch is asked no longer
)

// Layouts finds out which keys the site reads: as the watch's last sweep saw, or
// without one by some of the sessions. It is safe for use by several goroutines.
type Layouts struct {
	product *store.Redis
	records *store.Watch
	now     func() time.Time

	mu      sync.Mutex // held while sessions are looked at, so that it is done once
	sampled time.Time
	reads   store.Layout // by that sample
}

// NewLayouts looks at the sessions of one Redis, and at what the watch noted.
func NewLayouts(product *store.Redis, records *store.Watch, now func() time.Time) *Layouts {
	return &Layouts{product: product, records: records, now: now}
}

// Reads returns the layout that the site reads: one-key where nothing tells.
func (l *Layouts) Reads(ctx context.Context) store.Layout {
	state, err := l.records.State(ctx)
	if known := state.Reads == store.LayoutOneKey || state.Reads == store.LayoutThreeKey; err == nil && known && l.now().Sub(state.Swept) < sweptFor+state.Pause {
		return state.Reads
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.sampled.IsZero() && l.now().Sub(l.sampled) < sampledFor {
		return l.reads
	}
	reads := l.sample(ctx).Reads()
	if reads == store.LayoutNone { // the first session to come may tell
		return store.LayoutOneKey
	}
	l.sampled, l.reads = l.now(), reads
	return reads
}

// errEnough ends the sweep that takes a sample.
var errEnough = errors.New("enough sessions were seen")

// sample counts the layouts of some sessions: of none where Redis does not answer.
func (l *Layouts) sample(ctx context.Context) store.LayoutCount {
	ctx, cancel := context.WithTimeout(ctx, sampleWithin)
	defer cancel()
	var count store.LayoutCount
	seen, now := 0, l.now()
	_, _ = New(l.product).Sweep(ctx, Options{Now: now, Visit: func(_ context.Context, found []Observation) error { // what was seen counts, however it ended
		for _, o := range found {
			count.Add(o.Session.MadeAs(), now.Sub(o.Session.AsOf(now).StoredAt(now)))
		}
		if seen += len(found); seen >= sampleSize || count.OneKey > 0 {
			return errEnough
		}
		return nil
	}})
	return count
}
