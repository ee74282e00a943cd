package watch

import (
	"fmt"
	"testing"

	"github.com/superduperai/sessionbot/store"
)

func (b *bench) notifies(events string) {
	b.t.Helper()
	if err := b.client.ConfigSet(b.t.Context(), "notify-keyspace-events", events).Err(); err != nil {
		b.t.Fatal(err)
	}
}

// TestSweepsAreSpared while Redis is proven to tell of every write: each is as
// good as gone through, sessions in trouble are told all the same, and full
// sweeps come back as soon as the proof fails.
func TestSweepsAreSpared(t *testing.T) {
	b := newBench(t)
	b.notifies("KA")
	for n := range 20 {
		b.put(fmt.Sprint("prompt:cs_done_", n), `{"prompt":"A fox"}`)
		b.put(fmt.Sprint("webhook:cs_done_", n), `{"status":"completed"}`)
	}
	b.run()
	b.until("sweeps are spared", func() bool { return b.figures.spared.Load() > 0 })
	before := b.figures.swept.Load()
	state, err := b.records.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.pays("cs_1", overdue())
	b.expect("first 1")
	b.until("five more are spared", func() bool { return b.figures.spared.Load() > 5 })
	if n := b.figures.swept.Load(); n != before {
		t.Errorf("%d full sweeps while Redis told of every write", n-before)
	}
	if later, err := b.records.State(t.Context()); err != nil || !later.Swept.After(state.Swept) || later.Notified.IsZero() {
		t.Errorf("a spared sweep does not count: %+v and %+v, %v", state, later, err)
	}
	if n := b.figures.of(store.VerdictCompleted); n != 20 {
		t.Errorf("%d completed", n)
	}
	b.notifies("")
	b.until("full sweeps come back", func() bool { return b.figures.swept.Load() > before+2 })
}

// TestBrokenEarIsNoProof: what was written while nobody listened is found by a
// full sweep, which comes at once.
func TestBrokenEarIsNoProof(t *testing.T) {
	b := newBench(t)
	b.notifies("KA")
	b.run()
	b.until("sweeps are spared", func() bool { return b.figures.spared.Load() > 0 })
	before := b.figures.swept.Load()
	if err := b.client.Do(t.Context(), "client", "kill", "type", "pubsub").Err(); err != nil {
		t.Fatal(err)
	}
	b.until("one full sweep", func() bool { return b.figures.swept.Load() > before })
	spared := b.figures.spared.Load()
	b.until("sweeps are spared again", func() bool { return b.figures.spared.Load() > spared })
}
