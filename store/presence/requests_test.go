package presence_test

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/superduperai/sessionbot/store/presence"
	"github.com/superduperai/sessionbot/store/rdb"
)

func TestShares(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	ctx := t.Context()
	client, err := rdb.Open(ctx, "redis://"+server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	shares := presence.NewSharedRequests(client)

	if err := shares.Save(ctx, "a", "/redis stats", 30*time.Minute); err != nil {
		t.Fatal(err)
	}
	if got, err := shares.Load(ctx, "a"); got != "/redis stats" || err != nil {
		t.Errorf("Load: %q, %v", got, err)
	}
	if ttl := server.TTL("sessionbot:share:a"); ttl != 30*time.Minute {
		t.Errorf("kept for %v", ttl)
	}
	for _, want := range []bool{true, false} {
		if first, err := shares.Claim(ctx, "a", 10*time.Second); first != want || err != nil {
			t.Errorf("Claim: %v, %v, want %v", first, err, want)
		}
	}
	server.FastForward(31 * time.Minute)
	if got, err := shares.Load(ctx, "a"); got != "" || err != nil {
		t.Errorf("after its time: %q, %v", got, err)
	}
	if first, err := shares.Claim(ctx, "a", 10*time.Second); !first || err != nil {
		t.Errorf("Claim after its time: %v, %v", first, err)
	}

	server.Close()
	if err := shares.Save(ctx, "a", "x", time.Minute); err == nil {
		t.Error("Save without a server succeeded")
	}
	if _, err := shares.Load(ctx, "a"); err == nil {
		t.Error("Load without a server succeeded")
	}
	if first, err := shares.Claim(ctx, "a", time.Minute); first || err == nil {
		t.Error("Claim without a server succeeded")
	}
}
