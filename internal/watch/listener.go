package watch

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/keyspace"
	"github.com/superduperai/sessionbot/store/watchstate"
)

// batchInterval is the interval at which written sessions are put in the due queue:
// one session is written several times in a row.
const batchInterval = 100 * time.Millisecond

// listener puts the sessions that Redis reports as written in the due queue.
type listener struct {
	*term
	subscribed chan struct{} // closed once subscribed, or if that failed: then the first sweep begins
	release    func()        // closes it
	lastWrite  atomic.Int64  // when Redis last reported a write, in Unix milliseconds
}

// listen listens until ctx ends or the connection fails. A failure is reported
// only if Redis did send notifications before: its owner need not allow them.
func (l *listener) listen(ctx context.Context) error {
	listening, cancel := context.WithCancel(ctx)
	defer cancel()
	written := make(chan string, 10_000)
	go l.collect(listening, written)
	onNotification := func(session string) {
		l.lastWrite.Store(l.Now().UnixMilli())
		l.sweeper.Written(session)
		select {
		case written <- session:
		default: // the next sweep reads it
		}
	}
	onSubscribed := func() {
		l.sweeper.Missed()
		l.release()
	}
	err := keyspace.NewListener(l.Product, onNotification, onSubscribed).Listen(listening)
	l.release()
	if err == nil || ctx.Err() != nil {
		return nil
	}
	if !l.snapshot().state.Notified.IsZero() {
		l.monitor.report(ctx, incident.PartNotifications, err)
	}
	return err
}

// await waits a moment for the subscription: when it begins all sessions have to
// be read again.
func (l *listener) await(ctx context.Context) {
	select {
	case <-l.subscribed:
	case <-time.After(l.Timings.FirstSweep):
	case <-ctx.Done():
	}
}

func newListener(t *term) *listener {
	subscribed := make(chan struct{})
	return &listener{term: t, subscribed: subscribed, release: sync.OnceFunc(func() { close(subscribed) })}
}

// collect puts the sessions that are written in the due queue, until ctx ends.
func (l *listener) collect(ctx context.Context, written <-chan string) {
	tick := time.NewTicker(batchInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		sessions := map[string]bool{}
		for range len(written) {
			sessions[<-written] = true
		}
		if len(sessions) == 0 {
			continue
		}
		var dues []watchstate.DueSession
		for id := range sessions {
			dues = append(dues, watchstate.DueSession{Session: id, At: l.Now()})
		}
		if failures, known := l.monitor.failureCount(incident.PartNotifications); failures > 0 || !known {
			l.monitor.report(ctx, incident.PartNotifications, nil)
		}
		if err := l.Records.AddDue(ctx, dues...); err != nil {
			l.Log.WarnContext(ctx, "enqueue failed, left to the sweep", "error", err)
		}
		signal(l.inspectNow)
	}
}
