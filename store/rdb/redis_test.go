package rdb_test

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
	"github.com/superduperai/sessionbot/store/sessions"
	"github.com/superduperai/sessionbot/store/storetest"
)

// TestSessionOfEachTopology reads the same session wherever it lies.
func TestSessionOfEachTopology(t *testing.T) {
	t.Parallel()
	type place struct {
		url    string
		client redis.UniversalClient
	}
	for name, start := range map[string]func(*testing.T) place{
		"miniredis": func(t *testing.T) place {
			mini := miniredis.RunT(t)
			return place{"redis://" + mini.Addr() + "/3", redis.NewClient(&redis.Options{Addr: mini.Addr(), DB: 3})}
		},
		"a server": func(t *testing.T) place {
			server := redistest.NewDatabase(t)
			return place{server.URL(), server.Client()}
		},
		"a Sentinel's master": func(t *testing.T) place {
			sentinel := redistest.NewSentinelDatabase(t)
			return place{sentinel.URL(), sentinel.Client()}
		},
		"a cluster": func(t *testing.T) place {
			cluster := redistest.LockCluster(t)
			return place{cluster.URL(), cluster.Client()}
		},
		"a cluster of which one address is named": func(t *testing.T) place {
			cluster := redistest.LockCluster(t)
			return place{cluster.Nodes[1].URL(), cluster.Client()}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t)
			for _, key := range []string{"prompt:", "webhook:", "session:"} {
				if err := p.client.Set(t.Context(), key+"cs_live_1", `{"prompt":"A fox"}`, time.Hour).Err(); err != nil {
					t.Fatal(err)
				}
			}
			s, err := (sessions.Reader{Redis: rdbtest.Open(t, p.url)}).Session(t.Context(), "cs_live_1")
			if err != nil {
				t.Fatal(err)
			}
			for _, key := range s.Keys() {
				if !key.Exists || key.Fault != "" || key.Size != 18 || key.TTL <= 59*time.Minute || key.TTL > time.Hour {
					t.Errorf("got %+v", key)
				}
			}
		})
	}
}

// TestSessionKeysOnThreeMasters makes sure that no test of a cluster passes
// because the keys happen to lie on one node.
func TestSessionKeysOnThreeMasters(t *testing.T) {
	t.Parallel()
	cluster := redistest.LockCluster(t)
	r := rdbtest.Open(t, cluster.URL())
	id := spreadID(t, cluster)
	for key, value := range map[string]string{
		"prompt:": storetest.FoxPrompt, "webhook:": `{"status":"processing","fileId":"` + storetest.File1 + `"}`, "session:": `{"fileId":"` + storetest.File1 + `"}`,
	} {
		if err := cluster.Client().Set(t.Context(), key+id, value, store.KeyLife).Err(); err != nil {
			t.Fatal(err)
		}
	}
	s, err := (sessions.Reader{Redis: r}).Session(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if s.PromptText() != "A fox" || s.Status() != store.StatusProcessing || s.FileID() != storetest.File1 || s.Layout() != store.LayoutThreeKey {
		t.Errorf("got %+v", s)
	}
}

// spreadID is an id whose three keys lie on three different masters.
func spreadID(t *testing.T, cluster *redistest.Cluster) string {
	t.Helper()
	for n := range 10_000 {
		id := "cs_live_spread" + strings.Repeat("x", n%50) + string(rune('a'+n%26))
		holders := map[*redistest.Server]bool{}
		for _, prefix := range store.KeyPrefixes {
			holders[cluster.NodeOf(t, prefix+id)] = true
		}
		if len(holders) == 3 {
			return id
		}
	}
	t.Fatal("no id has its keys on three masters")
	return ""
}

func TestSessionOfWhatIsRare(t *testing.T) {
	t.Parallel()
	server := redistest.NewDatabase(t)
	r := rdbtest.Open(t, server.URL())
	client := server.Client()
	large := `{"prompt":"A fox","imageFile":{"content":"` + strings.Repeat("QUJD", 3<<20/4) + `"}}`
	ctx := t.Context()
	pipe := client.Pipeline()
	pipe.HSet(ctx, "prompt:cs_live_rare", "status", "error")
	pipe.Set(ctx, "webhook:cs_live_rare", "", 0)
	pipe.Set(ctx, "session:cs_live_rare", large, 0)
	pipe.SetRange(ctx, "session:cs_live_huge", rdb.MaxValue+5, "x")
	if _, err := pipe.Exec(ctx); err != nil {
		t.Fatal(err)
	}
	s, err := (sessions.Reader{Redis: r}).Session(ctx, "cs_live_rare")
	if err != nil {
		t.Fatal(err)
	}
	if !s.Prompt.Exists || !s.Prompt.WrongType || s.Prompt.Fault != store.FaultOtherType {
		t.Errorf("a hash: %+v", s.Prompt)
	}
	if !s.Webhook.Exists || s.Webhook.Fault != "it is not JSON" || s.Webhook.TTL != 0 {
		t.Errorf("an empty string that never expires: %+v", s.Webhook)
	}
	if s.PromptText() != "A fox" || s.SessionKey.Size != len(large) || s.SessionKey.Fault != "" {
		t.Errorf("three megabytes: %d bytes, %q", s.SessionKey.Size, s.SessionKey.Fault)
	}
	if s, err = (sessions.Reader{Redis: r}).Session(ctx, "cs_live_huge"); err != nil || s.SessionKey.Fault != store.FaultTooLarge {
		t.Errorf("more than is read: %q, %v", s.SessionKey.Fault, err)
	}
	if s, err = (sessions.Reader{Redis: r}).Session(ctx, "cs_live_none"); err != nil || s.Layout() != store.LayoutNone {
		t.Errorf("nothing there: %+v, %v", s, err)
	}
}

func TestOpenWhileRedisIsAway(t *testing.T) {
	t.Parallel()
	mini := miniredis.NewMiniRedis()
	if err := mini.StartAddr("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	addr := mini.Addr()
	mini.Close()
	r := rdbtest.Open(t, "redis://"+addr)
	if _, err := (sessions.Reader{Redis: r}).Session(t.Context(), "cs_live_1"); !errors.Is(err, rdb.ErrNoAnswer) {
		t.Fatalf("nobody listens, and the error is %v", err)
	}
	back := miniredis.NewMiniRedis()
	if err := back.StartAddr(addr); err != nil {
		t.Skipf("the port was taken by somebody else: %v", err)
	}
	defer back.Close()
	if _, err := (sessions.Reader{Redis: r}).Session(t.Context(), "cs_live_1"); err != nil {
		t.Fatalf("Redis is back, and the error is %v", err)
	}
}

func TestClusterHasNoDatabases(t *testing.T) {
	t.Parallel()
	cluster := redistest.LockCluster(t)
	if _, err := rdb.Open(t.Context(), cluster.Nodes[0].URL()+"/2"); !errors.Is(err, rdb.ErrClusterDatabase) {
		t.Fatalf("got %v", err)
	}
}

func TestErrorsOfRedisAreNotSilence(t *testing.T) {
	t.Parallel()
	mini := miniredis.RunT(t)
	mini.RequireAuth("hunter2")
	r := rdbtest.Open(t, "redis://:wrong@"+mini.Addr())
	_, err := (sessions.Reader{Redis: r}).Session(t.Context(), "cs_live_1")
	if err == nil || errors.Is(err, rdb.ErrNoAnswer) || strings.Contains(err.Error(), "wrong@") {
		t.Fatalf("got %v", err)
	}
}

// TestLargestValueIsRead: what may be read passes the measure.
func TestLargestValueIsRead(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	testenv.Must(t, server.Client().SetRange(t.Context(), "session:cs_live_1", rdb.MaxValue, rand.Text()).Err())
	s, err := (sessions.Reader{Redis: rdbtest.Open(t, redistest.Patient(t, server.URL()))}).Session(context.Background(), "cs_live_1")
	if err != nil || s.SessionKey.Fault != store.FaultTooLarge {
		t.Errorf("%q, %v", s.SessionKey.Fault, err)
	}
}
