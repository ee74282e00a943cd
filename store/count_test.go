package store

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
)

// kind is a sort of session of which many are stored.
type kind struct {
	keys    map[string]string // prefix to value
	verdict Verdict
	prompt  int // length in UTF-16 units, 0 = none readable
}

// kinds are one of each way in which a session can lie in Redis. Their times
// are of the last 24 h, but for the last one's.
func kinds() []kind {
	return []kind{
		{map[string]string{prefixPrompt: foxPrompt}, VerdictOrphaned, 5},
		{map[string]string{prefixPrompt: `{"prompt":"` + strings.Repeat("🦊", 51) + `","timestamp":"` + ago(time.Minute) + `"}`},
			VerdictWaiting, 102},
		{map[string]string{prefixPrompt: foxPrompt, prefixWebhook: `{"status":"completed","fileId":"f","timestamp":"` + ago(time.Hour) + `"}`,
			prefixLookup: `{"fileId":"f"}`}, VerdictCompleted, 5},
		{map[string]string{prefixLookup: `{"prompt":"` + strings.Repeat("ж", 2001) + `","status":"error","createdAt":"` + ago(time.Hour) + `"}`},
			VerdictFailed, 2001},
		{map[string]string{prefixLookup: `{"prompt":"长","status":"processing","createdAt":"` + ago(time.Hour) + `"}`}, VerdictStalled, 1},
		{map[string]string{prefixLookup: `{"fileId":"f"}`, prefixWebhook: `{"status":"processing","fileId":"f","timestamp":"` + ago(time.Minute) + `"}`},
			VerdictProcessing, 0},
		{map[string]string{prefixWebhook: `{"status":"proc`}, VerdictCorrupt, 0},
		{map[string]string{prefixLookup: `{"fileId":"f"}`}, VerdictUnclear, 0},
		{map[string]string{prefixPrompt: `{"prompt":"old one","timestamp":"` + ago(48*time.Hour) + `"}`}, VerdictOrphaned, 7},
	}
}

// fill stores n sessions, of all kinds in turn, and what is none of ours.
func fill(t *testing.T, client redis.UniversalClient, n int) {
	t.Helper()
	all := kinds()
	pipe := client.Pipeline()
	for i := range n {
		for prefix, value := range all[i%len(all)].keys {
			pipe.Set(t.Context(), fmt.Sprintf("%scs_live_%06d", prefix, i), value, KeyLife)
		}
		pipe.Set(t.Context(), fmt.Sprintf("balance:%d", i), "7", 0)
	}
	pipe.HSet(t.Context(), "webhook:cs_live_hash", "status", "error")
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// counted is what fill stored, by multiplication.
func counted(n int) Count {
	c := Count{Complete: true, Sessions: n + 1, Verdicts: map[Verdict]int{VerdictCorrupt: 1}, Distribution: map[string]int{}, TTLs: zeros(TTLClasses)}
	all := kinds()
	for i, k := range all {
		times := n / len(all)
		c.Survey.Keys += int64(times * (len(k.keys) + 1))
		c.TTLs["7-30 days"] += times * len(k.keys)
		c.Verdicts[k.verdict] += times
		if k.prompt > 0 {
			c.Prompts += times
			c.PromptCharacters += int64(times * k.prompt)
		}
		switch i {
		case 0, 2, 4, 8:
			c.Distribution["0-100"] += times
		case 1:
			c.Distribution["101-500"] += times
		case 3:
			c.Distribution["2000+"] += times
		}
	}
	c.Survey.Keys++ // the hash
	c.TTLs["never expires"] = 1
	c.Survey.Scanned = c.Survey.Keys
	c.Distribution["501-1000"], c.Distribution["1001-2000"] = 0, 0
	c.AverageLength = (5 + 102 + 5 + 2001 + 1 + 7 + 3) / 6 // of six prompts, rounded
	return c
}

func TestCount(t *testing.T) {
	const n = 2700 // 300 of each kind: several SCANs
	for name, start := range map[string]func(*testing.T) (string, redis.UniversalClient){
		"miniredis": func(t *testing.T) (string, redis.UniversalClient) {
			mini := miniredis.RunT(t)
			return "redis://" + mini.Addr(), redis.NewClient(&redis.Options{Addr: mini.Addr()})
		},
		"a server": func(t *testing.T) (string, redis.UniversalClient) {
			server := redistest.Start(t)
			return server.URL(), server.Client()
		},
		"a cluster": func(t *testing.T) (string, redis.UniversalClient) {
			cluster := redistest.StartCluster(t)
			return cluster.URL(), cluster.Client()
		},
	} {
		t.Run(name, func(t *testing.T) {
			url, client := start(t)
			fill(t, client, n)
			got, err := open(t, url).Count(t.Context(), Counting{Now: at, Limits: limits})
			if err != nil {
				t.Fatal(err)
			}
			if got.Longest == nil || got.Longest.Length != 2001 || got.Shortest == nil || got.Shortest.Length != 1 {
				t.Errorf("longest %+v, shortest %+v", got.Longest, got.Shortest)
			}
			// Four kinds (completed, failed, stalled, processing) against the
			// orphaned of the last 24 h; the corrupt ones have no time.
			if r := got.WebhookSuccessRate; r == nil || *r != 0.8 {
				t.Errorf("webhook success rate %v", deref(r))
			}
			if r := got.GenerationSuccessRate; r == nil || *r != 1.0/3 {
				t.Errorf("generation success rate %v", deref(r))
			}
			want := counted(n)
			want.Longest, want.Shortest = got.Longest, got.Shortest
			want.WebhookSuccessRate, want.GenerationSuccessRate = got.WebhookSuccessRate, got.GenerationSuccessRate
			want.Slots, want.Hours = got.Slots, got.Hours
			want.Survey.Namespaces, want.Survey.Others = got.Survey.Namespaces, got.Survey.Others
			want.Survey.Untold = name == "miniredis" // it knows of no memory
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("count (-want +got):\n%s", diff)
			}
		})
	}
}

func deref(r *float64) any {
	if r == nil {
		return nil
	}
	return *r
}

func TestCountOfNothing(t *testing.T) {
	mini := miniredis.RunT(t)
	c, err := open(t, "redis://"+mini.Addr()).Count(t.Context(), Counting{Now: at, Limits: limits})
	if err != nil || !c.Complete || c.Sessions != 0 || c.Longest != nil || c.WebhookSuccessRate != nil ||
		c.GenerationSuccessRate != nil || len(c.Distribution) != len(LengthClasses) {
		t.Errorf("got %+v, %v", c, err)
	}
}

// TestCountSaysHowFarItCame lets the time run out in the midst of a walk.
func TestCountSaysHowFarItCame(t *testing.T) {
	server := redistest.Start(t)
	fill(t, server.Client(), 2700)
	r := open(t, server.URL())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	visited := 0
	seen := newSurveyor(true, nil)
	complete, err := r.walk(ctx, seen, func(Session) {
		if visited++; visited == 1500 {
			cancel()
		}
	})
	if s := seen.survey(); err != nil || complete || s.Scanned == 0 || s.Scanned >= s.Keys {
		t.Errorf("after %d sessions: %+v, %v", visited, s, err)
	}
}

func TestCountOfAFrozenRedisIsAnError(t *testing.T) {
	server := redistest.Start(t)
	r := open(t, server.URL())
	server.Freeze(t)
	defer server.Thaw(t)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := r.Count(ctx, Counting{Now: at, Limits: limits}); err == nil {
		t.Error("a frozen Redis was counted")
	}
}

// TestBatch: what is read at a time is bounded in sessions and in bytes.
func TestBatch(t *testing.T) {
	small, large := meeting{size: 1000}, meeting{size: batchBytes / 2}
	many := make([]meeting, 250)
	for _, c := range []struct {
		met  []meeting
		want int
	}{
		{[]meeting{small}, 1},
		{many, batchIDs},
		{[]meeting{large, large, large}, 2},
		{[]meeting{{size: 20 * batchBytes}, small}, 1},
		{[]meeting{small, {size: 20 * batchBytes}}, 1},
	} {
		if got := batch(c.met); got != c.want {
			t.Errorf("batch of %d, first %d bytes: %d; want %d", len(c.met), c.met[0].size, got, c.want)
		}
	}
}

func TestPrompts(t *testing.T) {
	for name, start := range map[string]func(*testing.T) (string, redis.UniversalClient){
		"a server": func(t *testing.T) (string, redis.UniversalClient) {
			server := redistest.Start(t)
			return server.URL(), server.Client()
		},
		"a cluster": func(t *testing.T) (string, redis.UniversalClient) {
			cluster := redistest.StartCluster(t)
			return cluster.URL(), cluster.Client()
		},
	} {
		t.Run(name, func(t *testing.T) {
			url, client := start(t)
			pipe := client.Pipeline()
			for key, value := range map[string]string{
				"prompt:cs_live_old":     `{"prompt":"old","timestamp":"` + ago(time.Hour) + `"}`,
				"session:cs_live_new":    `{"prompt":"new 🦊","createdAt":"` + ago(time.Minute) + `"}`,
				"prompt:cs_live_b":       `{"prompt":"` + strings.Repeat("ж", 1000) + `","timestamp":"` + ago(2*time.Minute) + `"}`,
				"prompt:cs_live_a":       `{"prompt":"tie","timestamp":"` + ago(2*time.Minute) + `"}`,
				"prompt:cs_live_by_ttl":  `{"prompt":"no time"}`,
				"prompt:cs_live_none":    `{"prompt":""}`,
				"session:cs_live_lookup": `{"fileId":"f"}`,
			} {
				pipe.Set(t.Context(), key, value, KeyLife-30*time.Minute)
			}
			if _, err := pipe.Exec(t.Context()); err != nil {
				t.Fatal(err)
			}
			r := open(t, url)
			r.now = func() time.Time { return at }
			list, err := r.Prompts(t.Context(), 4, nil)
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, p := range list.Newest {
				ids = append(ids, p.ID)
			}
			if diff := cmp.Diff([]string{"cs_live_new", "cs_live_a", "cs_live_b", "cs_live_by_ttl"}, ids); diff != "" {
				t.Errorf("order (-want +got):\n%s", diff)
			}
			if list.Total != 5 || !list.Complete {
				t.Errorf("total %d, complete %v", list.Total, list.Complete)
			}
			if p := list.Newest[0]; p.Text != "new 🦊" || p.Length != 6 || !p.At.Equal(at.Add(-time.Minute)) {
				t.Errorf("got %+v", p)
			}
			if p := list.Newest[2]; p.Text != strings.Repeat("ж", promptRunes) || p.Length != 1000 {
				t.Errorf("%d characters of %d are kept", len([]rune(p.Text)), p.Length)
			}
		})
	}
}

func TestServer(t *testing.T) {
	t.Run("a server", func(t *testing.T) {
		server := redistest.Start(t)
		fill(t, server.Client(), 9)
		if err := server.Client().ConfigSet(t.Context(), "maxmemory", "100mb").Err(); err != nil {
			t.Fatal(err)
		}
		s, err := open(t, server.URL()).Server(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s.Version == "" || s.UsedMemoryBytes == 0 || s.UsedMemoryPeakBytes < s.UsedMemoryBytes || s.Keys != 22 ||
			s.MaxMemoryBytes != 100<<20 || s.PingMS <= 0 || s.ConnectedClients < 1 || s.Nodes != 1 || s.MaxMemoryPolicy != "noeviction" {
			t.Errorf("got %+v", s)
		}
	})
	t.Run("a cluster", func(t *testing.T) {
		cluster := redistest.StartCluster(t)
		fill(t, cluster.Client(), 9)
		if err := cluster.Nodes[0].Client().ConfigSet(t.Context(), "maxmemory", "100mb").Err(); err != nil {
			t.Fatal(err)
		}
		r := open(t, cluster.URL())
		s, err := r.Server(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s.Keys != 22 || s.Nodes != 3 || s.MaxMemoryBytes != 0 || s.ConnectedClients < 3 {
			t.Errorf("got %+v", s)
		}
		cluster.Nodes[2].Freeze(t)
		defer cluster.Nodes[2].Thaw(t)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		if _, err := r.Ping(ctx); err == nil {
			t.Error("one of three masters is frozen, and all is said to be well")
		}
	})
	t.Run("miniredis, which tells little", func(t *testing.T) {
		mini := miniredis.RunT(t)
		r := open(t, "redis://"+mini.Addr())
		s, err := r.Server(t.Context())
		if err != nil || s.UsedMemoryBytes != 0 || s.Nodes != 1 {
			t.Errorf("got %+v, %v", s, err)
		}
		if took, err := r.Ping(t.Context()); err != nil || took <= 0 {
			t.Errorf("ping %s, %v", took, err)
		}
	})
}
