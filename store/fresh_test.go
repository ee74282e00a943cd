package store

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
)

// TestFirstSweepLooksAtTheFresh: what was written long ago is left to the second,
// and what never expires is not. In a cluster nothing is left.
func TestFirstSweepLooksAtTheFresh(t *testing.T) {
	everywhere(t, func(t *testing.T, client redis.UniversalClient, r *Redis) {
		for id, life := range map[string]time.Duration{"cs_live_old": KeyLife - freshFor - time.Hour, "cs_live_fresh": KeyLife - freshFor + time.Hour,
			"cs_live_for_ever": 0} {
			must(t, client.Set(t.Context(), prefixPrompt+id, foxPrompt, life).Err())
		}
		s := NewSweeper(r)
		s.manyKeys = 0
		unread := 1
		if _, cluster := client.(*redis.ClusterClient); cluster {
			unread = 0
		}
		first := sweepOnce(t, s, at)
		if !first.Quick || first.Sessions != 3 || first.Unread != unread || len(first.verdicts) != 3-unread || unread > 0 && first.verdicts["cs_live_old"] != "" {
			t.Errorf("the first: %+v", first)
		}
		if second := sweepOnce(t, s, at); second.Quick || second.Unread != 0 || len(second.verdicts) != 3 {
			t.Errorf("the second: %+v", second)
		}
	})
}

// TestFreshKeys tells keys of every kind apart, however many make a page.
func TestFreshKeys(t *testing.T) {
	server := redistest.Start(t)
	client := server.Client()
	lives := map[string]time.Duration{"": time.Hour, "\x00\xff\r\n$-1\r\n": time.Hour, "\xff\x00\r\n:1\r\n": KeyLife, "ever": 0, "year": 365 * 24 * time.Hour,
		"old": KeyLife - freshFor - time.Minute, "young": KeyLife - freshFor + time.Minute}
	for n := range 2000 {
		lives[fmt.Sprint(n)] = time.Hour
	}
	want := 0
	pipe := client.Pipeline()
	for id, life := range lives {
		pipe.Set(t.Context(), prefixPrompt+id, foxPrompt, life)
		pipe.Set(t.Context(), "other:"+id, "x", 0)
		if life == 0 || life > KeyLife-freshFor {
			want++
		}
	}
	_, err := pipe.Exec(t.Context())
	must(t, err)
	for _, count := range []int{1, 249, 250, 251, 3001} {
		fresh, old := map[string]bool{}, 0
		must(t, scan(t.Context(), client, freshPages(prefixPrompt+"*", count, func(n int) { old += n }), nil,
			func(key []byte) { fresh[strings.TrimPrefix(string(key), prefixPrompt)] = true },
			func() func(context.Context) error { return func(context.Context) error { return nil } }))
		for id := range fresh {
			if life := lives[id]; life > 0 && life <= KeyLife-freshFor {
				t.Errorf("%d keys a page: %q is old", count, id)
			}
		}
		if len(fresh) != want || old != len(lives)-want {
			t.Errorf("%d keys a page: %d fresh and %d old ones", count, len(fresh), old)
		}
	}
}

// TestScriptThatIsRefused half way: the server shows all keys from there on, and
// nobody who was met is lost.
func TestScriptThatIsRefused(t *testing.T) {
	server := redistest.Start(t)
	const sessions = 40_000
	pipe := server.Client().Pipeline()
	for n := range sessions {
		pipe.Set(t.Context(), fmt.Sprint(prefixPrompt, "cs_live_", n), foxPrompt, KeyLife)
	}
	_, err := pipe.Exec(t.Context())
	must(t, err)
	must(t, server.Client().ACLSetUser(t.Context(), "some", "on", ">pw", "~*", "+@all").Err())
	r := open(t, "redis://some:pw@"+server.Addr())
	client, err := r.client(t.Context())
	must(t, err)
	var scripts atomic.Int64
	refused := make(chan struct{})
	client.(*redis.Client).AddHook(before(func(cmd redis.Cmder) {
		switch cmd.Name() {
		case "eval_ro":
			if scripts.Add(1) == 6 {
				must(t, server.Client().ACLSetUser(t.Context(), "some", "-eval_ro").Err())
				close(refused)
			}
		case "mget": // all that were met before wait for their statuses
			<-refused
		}
	}))
	s := NewSweeper(r)
	s.manyKeys = 0
	if first := sweepOnce(t, s, at); len(first.verdicts) != sessions || !first.Quick {
		t.Errorf("%d were read of %d", len(first.verdicts), sessions)
	}
	if n := scripts.Load(); n > 6+scanAhead {
		t.Errorf("it was tried %d times", n)
	}
}

// TestDocumentedUserRunsTheScript with the permissions that the documents name.
func TestDocumentedUserRunsTheScript(t *testing.T) {
	server := redistest.Start(t)
	document, err := os.ReadFile("../docs/security.md")
	must(t, err)
	line := regexp.MustCompile(`(?m)^ACL SETUSER sessionbot on >PASSWORD (.*getrange.*)$`).FindSubmatch(document)
	user := []any{"ACL", "SETUSER", "sessionbot", "on", ">pw"}
	for _, word := range regexp.MustCompile(`\([^)]*\)|\S+`).FindAllString(string(line[1]), -1) {
		user = append(user, word)
	}
	must(t, server.Client().Do(t.Context(), user...).Err())
	must(t, server.Client().Set(t.Context(), prefixPrompt+"cs_live_old", foxPrompt, time.Hour).Err())
	s := NewSweeper(open(t, "redis://sessionbot:pw@"+server.Addr()))
	s.manyKeys = 0
	first := sweepOnce(t, s, at)
	if denied := server.Client().ACLLog(t.Context(), 10).Val(); first.Unread != 1 || len(denied) > 0 {
		t.Errorf("%+v, denied: %v", first, denied)
	}
}

// before does something before each command that goes to Redis by itself.
type before func(cmd redis.Cmder)

func (b before) DialHook(next redis.DialHook) redis.DialHook { return next }
func (b before) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		b(cmd)
		return next(ctx, cmd)
	}
}
func (b before) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
