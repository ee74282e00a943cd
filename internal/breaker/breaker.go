// Package breaker is a circuit breaker for a service that people wait for.
package breaker

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
)

// Failures is how many failures in a row open a Breaker.
const Failures = 3

// OpenError means that a request was not sent, because several in a row failed
// and the next try is not due yet.
type OpenError struct {
	Since time.Time // of the first of these failures
	Err   error     // the last of them
}

// Error names the last failure.
func (e *OpenError) Error() string { return "circuit breaker open: " + e.Err.Error() }

// Unwrap returns the last failure.
func (e *OpenError) Unwrap() error { return e.Err }

// OpenSince returns since when the service has failed, if err says that a request was not
// sent for that reason; zero = it was sent.
func OpenSince(err error) time.Time {
	var open *OpenError
	if errors.As(err, &open) {
		return open.Since
	}
	return time.Time{}
}

// ErrInconclusive marks, wrapped, a failure that says nothing about the service.
var ErrInconclusive = errors.New("inconclusive")

// Breaker lets one request in each pause through to a service after Failures in a
// row, and fails the others at once with an *OpenError.
type Breaker struct {
	circuit *gobreaker.CircuitBreaker[struct{}]

	mu    sync.Mutex
	since time.Time // zero = the last request succeeded
	last  error
}

// New returns a Breaker. failed reports which errors are the service's failure to
// answer; others show that it works. A caller who cancels shows neither.
func New(pause time.Duration, failed func(error) bool) *Breaker {
	b := &Breaker{}
	b.circuit = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Timeout:      pause,
		ReadyToTrip:  func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= Failures },
		IsExcluded:   func(err error) bool { return errors.Is(err, context.Canceled) || errors.Is(err, ErrInconclusive) },
		IsSuccessful: func(err error) bool { return !b.note(err, failed(err)) },
	})
	return b
}

func (b *Breaker) note(err error, failed bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !failed {
		b.since = time.Time{}
		return false
	}
	if b.since.IsZero() {
		b.since = time.Now()
	}
	b.last = err
	return true
}

// Do sends a request, unless the breaker is open.
func (b *Breaker) Do(request func() error) error {
	_, err := b.circuit.Execute(func() (struct{}, error) { return struct{}{}, request() })
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		b.mu.Lock()
		defer b.mu.Unlock()
		return &OpenError{Since: b.since, Err: b.last}
	}
	return err
}
