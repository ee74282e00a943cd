package watch

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"
)

// until makes an interval between two starts the pause after one.
func until(interval time.Duration) func(took time.Duration) time.Duration {
	return func(took time.Duration) time.Duration { return interval - took }
}

// every does something again and again until ctx ends, with a pause in between.
// What fails is logged, once while it goes on failing, and tried again.
func (s *shift) every(ctx context.Context, part string, pause func(took time.Duration) time.Duration, wake <-chan struct{}, do func(context.Context) error) {
	failing := false
	for ctx.Err() == nil {
		started := s.Now()
		err := contained(func() error { return do(ctx) })
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			s.Log.WarnContext(ctx, "a part of the watch failed and will be tried again", "part", part, "error", err)
		case err == nil && failing:
			s.Log.InfoContext(ctx, "a part of the watch works again", "part", part)
		}
		failing = err != nil
		wait := time.NewTimer(max(pause(s.Now().Sub(started)), s.Timings.Round/10))
		select {
		case <-ctx.Done():
		case <-wake:
		case <-wait.C:
		}
		wait.Stop()
	}
}

// contained makes a panic an error. Its value may hold a customer's data, so
// only the runtime's own words are told.
func contained(do func() error) (err error) {
	defer func() {
		value := recover()
		if value == nil {
			return
		}
		what := fmt.Sprintf("%T", value)
		if fault, ok := value.(runtime.Error); ok {
			what = fault.Error()
		}
		err = fmt.Errorf("it panicked: %s\n%s", what, debug.Stack())
	}()
	return do()
}

// pause waits, and no longer than ctx.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
