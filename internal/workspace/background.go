package workspace

import (
	"context"
	"sync"
	"time"
)

// background is the work under way that belongs to no request.
type background struct {
	ctx    context.Context // ends with stop
	cancel context.CancelFunc
	mu     sync.Mutex // held while work begins, and while stop ends that
	work   sync.WaitGroup
}

func newBackground() *background {
	ctx, cancel := context.WithCancel(context.Background())
	return &background{ctx: ctx, cancel: cancel}
}

// run starts work, unless stop was called.
func (b *background) run(work func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx.Err() == nil {
		b.work.Go(work)
	}
}

// after starts work after a while, unless stop is called before.
func (b *background) after(wait time.Duration, work func()) {
	b.run(func() {
		select {
		case <-time.After(wait):
			work()
		case <-b.ctx.Done():
		}
	})
}

// stop lets no work begin any more, and ends what waits.
func (b *background) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cancel()
}
