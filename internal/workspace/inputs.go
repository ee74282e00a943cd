package workspace

import (
	"sync"

	"github.com/superduperai/sessionbot/internal/workspace/form"
)

// inputKey is a form that one person fills: a message's, or a view's.
type inputKey struct{ user, channel, ts, view string }

// inputs are what people have chosen and filled in. It is safe for concurrent
// use; its zero value is ready.
type inputs struct {
	mu  sync.Mutex
	all map[inputKey]form.Values
}

func (i *inputs) set(key inputKey, e form.Element, state form.State) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.all == nil {
		i.all = map[inputKey]form.Values{}
	}
	if i.all[key] == nil {
		i.all[key] = form.Values{}
	}
	i.all[key].Set(e, state)
}

// of returns a copy of what a form holds; nil is an untouched form.
func (i *inputs) of(key inputKey) form.Values {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.all[key] == nil {
		return nil
	}
	return i.all[key].Clone()
}

// forget drops what a form holds.
func (i *inputs) forget(key inputKey) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.all, key)
}

func (i *inputs) reset() {
	i.mu.Lock()
	defer i.mu.Unlock()
	clear(i.all)
}
