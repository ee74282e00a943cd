package watch

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/superduperai/sessionbot/store"
)

const (
	// batchDelay: one session is written several times in a row.
	batchDelay = 100 * time.Millisecond
	batchSize  = 1000
)

// listener has sessions inspected that Redis reports as written.
type listener struct {
	*term
	subscribed chan struct{} // closed once subscribed, or if that failed
	once       sync.Once
	lastWrite  atomic.Int64 // when Redis last reported a write, in Unix milliseconds
}

// listen listens until ctx ends or the connection fails. A failure is reported
// only if Redis did send notifications before: its owner need not allow them.
func (l *listener) listen(ctx context.Context) error {
	err := l.subscribe(ctx)
	l.release()
	if err == nil || ctx.Err() != nil {
		return nil
	}
	if !l.known().state.Notified.IsZero() {
		l.monitor.report(ctx, store.PartNotifications, err)
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

// release lets the first sweep begin.
func (l *listener) release() { l.once.Do(func() { close(l.subscribed) }) }

func (l *listener) subscribe(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	written := make(chan string, 10_000)
	go func() {
		for ctx.Err() == nil {
			l.collect(ctx, written)
		}
	}()
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
	return store.NewListener(l.Product, onNotification, onSubscribed).Listen(ctx)
}

// collect puts the sessions that are written within a moment on the due list.
func (l *listener) collect(ctx context.Context, written <-chan string) {
	sessions := map[string]bool{}
	var timeout <-chan time.Time
collect:
	for len(sessions) < batchSize {
		select {
		case id := <-written:
			if sessions[id] = true; timeout == nil {
				timeout = time.After(batchDelay)
			}
		case <-timeout:
			break collect
		case <-ctx.Done():
			return
		}
	}
	if failures, known := l.monitor.of(store.PartNotifications); failures > 0 || !known {
		l.monitor.report(ctx, store.PartNotifications, nil)
	}
	var dues []store.Due
	for id := range sessions {
		dues = append(dues, store.Due{Session: id, At: l.Now()})
	}
	if err := l.Records.Put(ctx, dues...); err != nil {
		l.Log.WarnContext(ctx, "enqueue failed, left to the sweep", "error", err)
	}
	wake(l.wake)
}
