package breaker_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/superduperai/sessionbot/internal/breaker"
)

// TestBreaker: three failures in a row open it; one request a second is let
// through, and one success closes it.
func TestBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var answer error
		sent := 0
		dead := errors.New("dead")
		b := breaker.New(time.Second, func(err error) bool { return errors.Is(err, dead) })
		do := func() error { return b.Do(func() error { sent++; return answer }) }
		expect := func(step string, want error, times int) {
			t.Helper()
			sent = 0
			if err := do(); !errors.Is(err, want) || sent != times {
				t.Errorf("%s: %v after %d requests, want %v after %d", step, err, sent, want, times)
			}
		}
		answer = dead
		expect("first failure", dead, 1)
		began := time.Now()
		answer = errors.New("refused")
		expect("a refusal shows that it lives", answer, 1)
		answer = dead
		expect("first failure again", dead, 1)
		time.Sleep(time.Second)
		expect("second", dead, 1)
		answer = context.Canceled
		expect("a cancelled one counts for nothing", context.Canceled, 1)
		answer = dead
		expect("third", dead, 1)
		expect("at once", dead, 0)
		var open *breaker.OpenError
		if err := do(); !errors.As(err, &open) || !open.Since.Equal(began) {
			t.Errorf("it is open since %v, want %v", err, began)
		}
		time.Sleep(time.Second + 1)
		expect("one is let through", dead, 1)
		expect("at once again", dead, 0)
		time.Sleep(time.Second + 1)
		answer = nil
		expect("it is back", nil, 1)
		answer = dead
		expect("failures count from the beginning", dead, 1)
		expect("from one", dead, 1)
	})
}

// TestOneRequestAtATime: while it is under way the others fail.
func TestOneRequestAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := breaker.New(time.Minute, func(err error) bool { return err != nil })
		dead := errors.New("dead")
		for range breaker.Failures {
			_ = b.Do(func() error { return dead })
		}
		time.Sleep(time.Minute + 1)
		answered := make(chan error)
		go func() {
			answered <- b.Do(func() error { time.Sleep(30 * time.Second); return nil })
		}()
		synctest.Wait()
		var open *breaker.OpenError
		if err := b.Do(func() error { return nil }); !errors.As(err, &open) {
			t.Errorf("a second request was sent: %v", err)
		}
		if err := <-answered; err != nil {
			t.Error(err)
		}
		if err := b.Do(func() error { return nil }); err != nil {
			t.Errorf("after an answer: %v", err)
		}
	})
}
