package workspace

import "sync"

// broadcast wakes all who wait for something to change. Its zero value is ready.
type broadcast struct {
	mu      sync.Mutex
	changed chan struct{}
}

// next returns what is closed at the next wake. Who then looks at the thing
// itself misses no change.
func (b *broadcast) next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changed == nil {
		b.changed = make(chan struct{})
	}
	return b.changed
}

func (b *broadcast) wake() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}
