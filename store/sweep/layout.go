package sweep

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/rdb"
)

const (
	lookWithin = 500 * time.Millisecond // to see all sessions: enough for some ten thousand
	// A look holds for so many times as long as it took, so that looks take Redis
	// little time, and for a minute at most.
	lookedFactor = 100
	lookedFor    = time.Minute
	sweptFor     = time.Hour // and the pause between two sweeps: after that the record of the watch is stale
)

// Layouts determines which keys the site reads: by the watch's last sweep, or without
// one by the sessions if they are few. It is safe for concurrent use.
type Layouts struct {
	product *rdb.Redis
	records *incident.Records
	now     func() time.Time
	within  time.Duration // lookWithin; tests, which run on busy machines, have longer

	mu         sync.Mutex // held while sessions are looked at, so that it is done once
	looked     time.Time
	holds      time.Duration
	siteLayout store.Layout // by that look
}

// NewLayouts returns Layouts of the product's sessions and the watch's records.
func NewLayouts(product *rdb.Redis, records *incident.Records, now func() time.Time) *Layouts {
	return &Layouts{product: product, records: records, now: now, within: lookWithin}
}

// SiteLayout returns the layout that the site reads: one-key unless proven otherwise, with
// which a repair writes more.
func (l *Layouts) SiteLayout(ctx context.Context) store.Layout {
	state, err := l.records.State(ctx)
	if known := state.SiteLayout == store.LayoutOneKey || state.SiteLayout == store.LayoutThreeKey; err == nil && known && l.now().Sub(state.Swept) < sweptFor+state.Pause {
		return state.SiteLayout
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.looked.IsZero() || l.now().Sub(l.looked) >= l.holds {
		began := time.Now()
		l.siteLayout = l.look(ctx)
		l.looked, l.holds = l.now(), min(lookedFor, lookedFactor*time.Since(began))
	}
	return l.siteLayout
}

// errOneKey ends a look early.
var errOneKey = errors.New("a full object was seen")

// look returns three-key only if every session was visited in time: a single full
// object would prove one-key. Callers share the result, so it outlives ctx.
func (l *Layouts) look(ctx context.Context) store.Layout {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.within)
	defer cancel()
	now := l.now()
	swept, err := New(l.product).Sweep(ctx, Options{Now: now, Visit: func(_ context.Context, found []Observation) error {
		for _, o := range found {
			if o.Session.MadeAs(now) == store.LayoutOneKey {
				return errOneKey
			}
		}
		return nil
	}})
	if err == nil && swept.Count.Complete && swept.SiteLayout == store.LayoutThreeKey {
		return store.LayoutThreeKey
	}
	return store.LayoutOneKey
}
