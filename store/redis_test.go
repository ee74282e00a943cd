package store

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
)

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ url, fault string }{
		{"redis://localhost", ""},
		{"redis://:hunter2@localhost:6379/3", ""},
		{"rediss://bot:hunter2@cache.example:6380", ""},
		{"redis://[::1]:6379", ""},
		{"redis://localhost?read_timeout=5s&pool_size=3", ""},
		{"redis://a:1?addr=b:2&addr=c:3", ""},
		{"redis://a:1?addr=b:2&master_name=main", ""},
		{"redis://a:1/4?master_name=main&password=hunter2", ""},
		{"", "begin with"},
		{"http://:hunter2@localhost", "begin with"},
		{"hunter2@localhost:6379", "not a URL"},
		{"redis://", "no host"},
		{"redis://:hunter2@", "no host"},
		{"redis://:hunt/er2@localhost:6379", "percent-encode"},
		{"redis://user/hunter2@localhost:6379", "percent-encode"},
		{"redis://user?hunter2@localhost:6379", "percent-encode"},
		{"redis://:hunter2#1@localhost:6379", "percent-encode"},
		{"redis://bot:12#hunter2@localhost:6379", "percent-encode"}, // else a host named bot
		{"redis://bot:hunter2#1", "percent-encode"},
		{"redis://:hunter2/@x@localhost:6379", "percent-encode"},
		{"redis://:hunter2%@localhost:6379", "percent-encode"},
		{"redis://:hunter2^[@localhost:6379", "percent-encode"},
		{"redis://<hunter2>@localhost:6379", "percent-encode"},
		{"redis://bot:hunt@er:2@localhost:6379", ""}, // the last @ counts, and the first colon
		{"redis://:hunter2%2F%23%3F%40%3A@localhost:6379/1", ""},
		{`"redis://:hunter2@localhost:6379"`, "cut them"},
		{"'redis://:hunter2@localhost:6379'", "cut them"},
		{"“redis://:hunter2@localhost:6379”", "cut them"},
		{"redis://:hunter2@localhost:6379'", "cut them"},
		{"\"redis://:hunter2@localhost:6379\"\n", "cut them"},
		{"redis://:hunter2@localhost:6379\n", "cut that"},
		{"redis://:hunter2@localhost:6379\r\n", "cut that"},
		{" redis://:hunter2@localhost:6379", "cut that"},
		{"\uFEFFredis://:hunter2@localhost:6379", "cut that"},
		{"redis://:hunter2@local host:6379", "cut that"},
		{"redis://:hunter2@localhost:6379\u200b", "cut that"},
		{"REDIS_URL=redis://:hunter2@localhost:6379", "stands before redis://"},
		{"redis-cli -u redis://:hunter2@localhost:6379", "stands before redis://"},
		{"rediss://:hunter2@localhost:6379?skip_verify=true", "SSL_CERT_FILE"},
		{"rediss://:hunter2@localhost:6379?skip_verify=1&read_timeout=1s", "SSL_CERT_FILE"},
		{"rediss://:hunter2@a:1?addr=b:2&skip_verify=true", "SSL_CERT_FILE"},
		{"rediss://:hunter2@a:1?master_name=main&skip_verify=true", "SSL_CERT_FILE"},
		{"redis://localhost/three", "database number"},
		{"redis://localhost?addr=user:hunter2@b:1", "addr=host:port"},
		{"redis://localhost?read_timeout=hunter2", "read_timeout"},
		{"redis://a:1/3?addr=b:2", "no numbered databases"},
		{"redis://a:1?addr=b:2&db=3", "no numbered databases"},
	} {
		err := CheckURL(c.url)
		if (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("CheckURL(%q) = %v; want %q in it", c.url, err, c.fault)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("CheckURL(%q) tells the password: %v", c.url, err)
		}
		var wrong *URLError
		if err != nil && !errors.As(err, &wrong) && !errors.Is(err, ErrClusterDatabase) {
			t.Errorf("CheckURL(%q) is a %T", c.url, err)
		}
	}
}

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
			s, err := open(t, p.url).Session(t.Context(), "cs_live_1")
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
	r := open(t, cluster.URL())
	id := spreadID(t, cluster)
	for key, value := range map[string]string{
		"prompt:": foxPrompt, "webhook:": `{"status":"processing","fileId":"` + fileF + `"}`, "session:": `{"fileId":"` + fileF + `"}`,
	} {
		if err := cluster.Client().Set(t.Context(), key+id, value, KeyLife).Err(); err != nil {
			t.Fatal(err)
		}
	}
	s, err := r.Session(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if s.PromptText() != "A fox" || s.Status() != StatusProcessing || s.FileID() != fileF || s.Layout() != LayoutThreeKey {
		t.Errorf("got %+v", s)
	}
}

// spreadID is an id whose three keys lie on three different masters.
func spreadID(t *testing.T, cluster *redistest.Cluster) string {
	t.Helper()
	for n := range 10_000 {
		id := "cs_live_spread" + strings.Repeat("x", n%50) + string(rune('a'+n%26))
		holders := map[*redistest.Server]bool{}
		for _, prefix := range keyOrder {
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
	r := open(t, server.URL())
	client := server.Client()
	large := `{"prompt":"A fox","imageFile":{"content":"` + strings.Repeat("QUJD", 3<<20/4) + `"}}`
	ctx := t.Context()
	pipe := client.Pipeline()
	pipe.HSet(ctx, "prompt:cs_live_rare", "status", "error")
	pipe.Set(ctx, "webhook:cs_live_rare", "", 0)
	pipe.Set(ctx, "session:cs_live_rare", large, 0)
	pipe.SetRange(ctx, "session:cs_live_huge", maxValue+5, "x")
	if _, err := pipe.Exec(ctx); err != nil {
		t.Fatal(err)
	}
	s, err := r.Session(ctx, "cs_live_rare")
	if err != nil {
		t.Fatal(err)
	}
	if !s.Prompt.Exists || !s.Prompt.Other || s.Prompt.Fault != FaultOtherType {
		t.Errorf("a hash: %+v", s.Prompt)
	}
	if !s.Webhook.Exists || s.Webhook.Fault != faultSyntax || s.Webhook.TTL != 0 {
		t.Errorf("an empty string that never expires: %+v", s.Webhook)
	}
	if s.PromptText() != "A fox" || s.Lookup.Size != len(large) || s.Lookup.Fault != "" {
		t.Errorf("three megabytes: %d bytes, %q", s.Lookup.Size, s.Lookup.Fault)
	}
	if s, err = r.Session(ctx, "cs_live_huge"); err != nil || s.Lookup.Fault != FaultTooLarge {
		t.Errorf("more than is read: %q, %v", s.Lookup.Fault, err)
	}
	if s, err = r.Session(ctx, "cs_live_none"); err != nil || s.Layout() != LayoutNone {
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
	r := open(t, "redis://"+addr)
	if _, err := r.Session(t.Context(), "cs_live_1"); !errors.Is(err, ErrSilent) {
		t.Fatalf("nobody listens, and the error is %v", err)
	}
	back := miniredis.NewMiniRedis()
	if err := back.StartAddr(addr); err != nil {
		t.Skipf("the port was taken by somebody else: %v", err)
	}
	defer back.Close()
	if _, err := r.Session(t.Context(), "cs_live_1"); err != nil {
		t.Fatalf("Redis is back, and the error is %v", err)
	}
}

func TestClusterHasNoDatabases(t *testing.T) {
	t.Parallel()
	cluster := redistest.LockCluster(t)
	if _, err := Open(t.Context(), cluster.Nodes[0].URL()+"/2"); !errors.Is(err, ErrClusterDatabase) {
		t.Fatalf("got %v", err)
	}
}

func TestFrozenRedisIsSilentInTime(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	for name, r := range map[string]*Redis{"known": open(t, deaf(server.URL())), "unknown": {single: unasked(t, deaf(server.URL()))}} {
		t.Run(name, func(t *testing.T) {
			server.Freeze(t)
			defer server.Thaw(t)
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			testenv.Returns(t, "the question", func() {
				if _, err := r.Session(ctx, "cs_live_1"); !errors.Is(err, ErrSilent) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

// deaf is the URL of a Redis for a client that waits for an answer without end,
// unless who asks has a deadline.
func deaf(url string) string { return url + "?read_timeout=-1" }

// unasked are the options of a Redis that was away when it was opened.
func unasked(t *testing.T, url string) *redis.Options {
	t.Helper()
	r, err := parse(url)
	if err != nil {
		t.Fatal(err)
	}
	return r.single
}

func TestErrorsOfRedisAreNotSilence(t *testing.T) {
	t.Parallel()
	mini := miniredis.RunT(t)
	mini.RequireAuth("hunter2")
	r := open(t, "redis://:wrong@"+mini.Addr())
	_, err := r.Session(t.Context(), "cs_live_1")
	if err == nil || errors.Is(err, ErrSilent) || strings.Contains(err.Error(), "wrong@") {
		t.Fatalf("got %v", err)
	}
}
