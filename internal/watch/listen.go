package watch

import (
	"context"
	"time"

	"github.com/superduperai/sessionbot/store"
)

const (
	// fullEvery is the time between two full sweeps while Redis is proven to tell
	// of every write.
	fullEvery = 30 * time.Minute
	// proveFor is how long a proof may take.
	proveFor = 2 * time.Second
	// unprovenFor is how long nobody tries again where there was no proof: most
	// servers tell of no writes, and then listening begins anew as well.
	unprovenFor = 5 * time.Minute
)

// hearing is what the watch knows of Redis telling of writes.
type hearing struct {
	listener *store.Listener
	again    context.CancelFunc // ends listening, which then begins anew
	lost     time.Time          // when writes may last have been missed
	unproven time.Time          // when it was last not proven
}

// listen hears what Redis says was written. That it does not is told only where
// it did before: Redis' owner need not allow it.
func (s *shift) listen(ctx context.Context) error {
	err := s.hear(ctx)
	if err == nil || ctx.Err() != nil {
		return err
	}
	state, stateErr := s.Records.State(ctx)
	if stateErr != nil {
		return stateErr
	}
	if !state.Notified.IsZero() {
		s.report(ctx, store.PartNotifications, err)
	}
	return err
}

// hear has sessions looked at that Redis says were written.
func (s *shift) hear(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	heard := make(chan string, 10_000)
	go func() {
		for ctx.Err() == nil {
			s.collect(ctx, heard)
		}
	}()
	listener := store.NewListener(s.Product, func(session string) {
		s.notified.Store(s.Now().UnixMilli())
		s.sweeper.Written(session)
		select {
		case heard <- session:
		default:
			s.missed() // the sweep finds it
		}
	}, s.missed)
	s.mu.Lock()
	s.hearing.listener, s.hearing.again = listener, cancel
	s.mu.Unlock()
	err := listener.Listen(ctx)
	s.missed()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// missed notes that writes may have been missed until now: only a full sweep
// makes up for that.
func (s *shift) missed() {
	s.sweeper.Missed()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hearing.lost = s.Now()
}

// spared tells whether a full sweep would find nothing that is not known: one
// went through lately, and since before it began Redis has told of every write,
// which is proven just now; and Stripe answers, so that nobody waits for it.
func (s *shift) spared(ctx context.Context) bool {
	s.mu.Lock()
	h, now := s.hearing, s.Now()
	due := s.full.IsZero() || now.Sub(s.full) >= fullEvery || !h.lost.Before(s.full)
	verified := s.Stripe == nil || s.caughtUp && s.silent.IsZero() && !s.doubtful
	s.mu.Unlock()
	if due || !verified || h.listener == nil || now.Sub(h.unproven) < unprovenFor {
		return false
	}
	proven, err := h.listener.Prove(ctx, min(proveFor, s.Interval))
	if proven {
		s.notified.Store(s.Now().UnixMilli())
		return true
	}
	if err != nil {
		s.Log.DebugContext(ctx, "it cannot be proven that Redis tells of writes", "error", err)
	}
	s.mu.Lock()
	s.hearing.unproven = s.Now()
	s.mu.Unlock()
	h.again()
	return false
}

const (
	collectFor  = 100 * time.Millisecond // one session is written several times in a row
	collectSize = 1000
)

// collect puts what was heard within a moment on the due list, together.
func (s *shift) collect(ctx context.Context, heard <-chan string) {
	sessions := map[string]bool{}
	var over <-chan time.Time
	for len(sessions) < collectSize {
		select {
		case id := <-heard:
			if sessions[id] = true; over == nil {
				over = time.After(collectFor)
			}
			continue
		case <-over:
		case <-ctx.Done():
			return
		}
		break
	}
	var dues []store.Due
	for id := range sessions {
		dues = append(dues, store.Due{Session: id, At: s.Now()})
	}
	s.mu.Lock()
	fails, known := s.fails[store.PartNotifications]
	s.mu.Unlock()
	if fails > 0 || !known { // else it is not news that they are heard
		s.report(ctx, store.PartNotifications, nil)
	}
	if err := s.Records.Put(ctx, dues...); err != nil {
		s.Log.DebugContext(ctx, "what was written is left to the sweep", "error", err)
	}
	s.nudge()
}
