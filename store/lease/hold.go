package lease

import (
	"context"
	"errors"
	"sync"
	"time"
)

// releaseFor bounds the release of a lease.
const releaseFor = time.Second

// Hold renews the lease until release is called, which ends it. The context that
// it returns ends with ctx, and as soon as the lease is lost or could not be
// renewed in time: before it ends.
func (s *Store) Hold(ctx context.Context, l Lease) (held context.Context, release func() error) {
	held, stop := context.WithCancel(ctx)
	var renewing sync.WaitGroup
	renewing.Go(func() {
		defer stop()
		s.keep(held, l)
	})
	return held, func() error {
		stop()
		renewing.Wait()
		free, done := context.WithTimeout(context.WithoutCancel(ctx), releaseFor)
		defer done()
		if err := s.Release(free, l); !errors.Is(err, ErrLost) {
			return err
		}
		return nil
	}
}

// keep renews the lease until ctx ends or the lease may.
func (s *Store) keep(ctx context.Context, l Lease) {
	tick := time.NewTicker(s.Timings.Renew)
	defer tick.Stop()
	renewed := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		limited, done := context.WithTimeout(ctx, s.Timings.Renew)
		asked := time.Now() // the lease lives from some moment after that
		err := s.Renew(limited, l)
		done()
		switch {
		case err == nil:
			renewed = asked
		case errors.Is(err, ErrLost), time.Since(renewed) > s.Timings.Life-s.Timings.Renew:
			return
		}
	}
}
