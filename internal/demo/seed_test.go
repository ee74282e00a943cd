package demo_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// Nearly all of Redis is what the site leaves of a delivered session: one key
// that says processing, written within a minute of the payment.
func TestOrdinarySessions(t *testing.T) {
	t.Parallel()
	inShape, verdicts := 0, map[diagnosis.Verdict]int{}
	for _, example := range demo.Ordinary(now, 400) {
		verdicts[example.Verdict]++
		held := store.Session{SessionKey: key("session", example.ID, example.Redis)}
		after := held.SessionKey.Value.Timestamp.Sub(example.Payment.ChargedAt)
		if len(example.Redis) == 1 && held.SessionKey.Full && held.Status() == store.StatusProcessing && held.FileID() == example.FileID &&
			example.File == store.FileCompleted && after > 0 && after <= time.Minute {
			inShape++
		}
	}
	want := map[diagnosis.Verdict]int{diagnosis.VerdictCompleted: 392, diagnosis.VerdictAbandoned: 4, diagnosis.VerdictFailed: 2, diagnosis.VerdictRefunded: 2}
	if inShape != 388 || !maps.Equal(verdicts, want) {
		t.Errorf("%d of 400 are as the site leaves them, want 388; %v, want %v", inShape, verdicts, want)
	}
}

func TestSeedIsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	first, second := demo.Seed(now), demo.Seed(now)
	for i := range first {
		a, b := first[i], second[i]
		if a.ID != b.ID || a.Verdict != b.Verdict || len(a.Redis) != len(b.Redis) {
			t.Fatalf("%s differs", a.ID)
		}
		for key, v := range a.Redis {
			if b.Redis[key].Text != v.Text || b.Redis[key].Age != v.Age || v.Age < 0 || v.Age >= store.KeyLife {
				t.Errorf("%s: %+v, then %+v", key, v, b.Redis[key])
			}
		}
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	examples := demo.Examples(now)
	if err := demo.Load(t.Context(), rdb, examples); err != nil {
		t.Fatal(err)
	}
	keys := 0
	for _, example := range examples {
		for key, v := range example.Redis {
			keys++
			if v.Hash != nil {
				if got := server.HGet(key, "status"); got != v.Hash["status"] {
					t.Errorf("%s holds %q", key, got)
				}
			} else if got, err := server.Get(key); err != nil || got != v.Text {
				t.Errorf("%s holds %q, error %v", key, got, err)
			}
			if got := server.TTL(key); got != store.KeyLife-v.Age {
				t.Errorf("%s lives for %v, want %v", key, got, store.KeyLife-v.Age)
			}
		}
	}
	if got := len(server.Keys()); got != keys {
		t.Errorf("%d keys, want %d", got, keys)
	}
	server.SetError("LOADING")
	if err := demo.Load(context.Background(), rdb, examples); err == nil {
		t.Error("a Redis that refuses goes unnoticed")
	}
}
