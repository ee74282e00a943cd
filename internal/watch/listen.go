package watch

import (
	"context"
	"time"

	"github.com/superduperai/sessionbot/store"
)

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
	err := store.NewListener(s.Product, func(session string) {
		s.notified.Store(s.Now().UnixMilli())
		s.sweeper.Written(session)
		select {
		case heard <- session:
		default: // the next sweep reads it
		}
	}, func() {
		s.sweeper.Missed()
		s.listens()
	}).Listen(ctx)
	s.listens()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// listens lets the first sweep begin.
func (s *shift) listens() { s.listenOnce.Do(func() { close(s.listening) }) }

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
