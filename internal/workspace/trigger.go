package workspace

import (
	"crypto/rand"
	"maps"
	"sync"
	"time"
)

// triggerLife is how long a trigger id is good.
const triggerLife = 3 * time.Second

// triggers are the trigger ids that were handed out and not used.
type triggers struct {
	now func() time.Time
	mu  sync.Mutex
	all map[string]time.Time
}

func newTriggers(now func() time.Time) *triggers {
	return &triggers{now: now, all: map[string]time.Time{}}
}

func (t *triggers) issue() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	maps.DeleteFunc(t.all, func(_ string, at time.Time) bool { return now.Sub(at) > responseLife })
	id := rand.Text()
	t.all[id] = now
	return id
}

// use takes a trigger id; it is good once and for three seconds.
func (t *triggers) use(id string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	at, ok := t.all[id]
	delete(t.all, id)
	switch {
	case !ok:
		return fail("invalid_trigger_id")
	case t.now().Sub(at) > triggerLife:
		return fail("expired_trigger_id")
	}
	return nil
}
