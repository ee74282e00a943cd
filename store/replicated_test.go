package store

import (
	"context"
	"errors"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
)

// TestReplicated: a replica that does not follow is told, and one that is not
// there is not waited for.
func TestReplicated(t *testing.T) {
	master := redistest.Start(t)
	l := NewLedger(open(t, master.URL()))
	if err := l.Replicated(t.Context()); err != nil {
		t.Errorf("without a replica: %v", err)
	}
	replica := redistest.StartReplica(t, master)
	claimed(t, l, "cs_live_replica")
	if err := l.Replicated(t.Context()); err != nil {
		t.Errorf("with a replica that follows: %v", err)
	}
	if n := replica.Client().Exists(t.Context(), jobOfKey("cs_live_replica")).Val(); n != 1 {
		t.Error("the replica does not have the claim")
	}
	replica.Freeze(t)
	for name, replicated := range map[string]func(context.Context) error{
		"ledger": l.Replicated, "watch": NewWatch(open(t, master.URL())).Replicated,
	} {
		if err := replicated(t.Context()); !errors.Is(err, ErrNotReplicated) {
			t.Errorf("%s with a replica that stands still: %v", name, err)
		}
	}
	replica.Thaw(t)
}

func TestReplicatedEverywhere(t *testing.T) {
	everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *Redis) {
		if err := NewLedger(r).Replicated(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
