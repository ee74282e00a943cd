package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/superduperai/sessionbot/internal/redistest"
)

// plainSession is what nearly all sessions hold, by prefix.
func plainSession(n int) map[string]string {
	return map[string]string{
		prefixPrompt:  `{"prompt":"` + strings.Repeat("ж", max(n, 0)%700) + `","timestamp":"` + ago(time.Duration(n)*time.Minute) + `"}`,
		prefixWebhook: `{"status":"completed","fileId":"f","timestamp":"` + ago(time.Duration(n)*time.Minute/2) + `","toolSlug":"veo3"}`,
		prefixLookup:  `{"fileId":"f","timestamp":"` + ago(time.Duration(n)*time.Minute/2) + `"}`,
	}
}

// counts counts both ways.
func counts(t *testing.T, r *Redis, client *redis.Client) (recounted Count, walked Count, err error) {
	t.Helper()
	how := Counting{Now: at, Limits: limits, Known: func(_ context.Context, ids []string) map[string]Payment {
		known := map[string]Payment{}
		for _, id := range ids {
			if strings.ContainsAny(id, "13579") {
				known[id] = Payment{SessionID: id, State: PaymentUnpaid}
			}
		}
		return known
	}}
	c := newRecount(client, how)
	c.seen.master(client.DBSize(t.Context()).Val())
	if err := c.run(t.Context(), r); err != nil {
		return Count{}, Count{}, err
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	walked, err = r.Count(ctx, how)
	must(t, err)
	return c.count(), walked, nil
}

// TestRecountIsAsGoodAsAWalk over sessions most of which are plain.
func TestRecountIsAsGoodAsAWalk(t *testing.T) {
	server := redistest.Start(t)
	client, r := server.Client(), open(t, server.URL())
	through := 0
	rapid.Check(t, func(rt *rapid.T) {
		must(t, client.FlushDB(t.Context()).Err())
		for n := range rapid.IntRange(0, 12).Draw(rt, "sessions") {
			values := plainSession(rapid.IntRange(-20, 3000).Draw(rt, "plain"))
			for _, prefix := range prefixes {
				key := fmt.Sprint(prefix, "cs_live_", n)
				switch odd := rapid.IntRange(-120, len(oddValues)-1).Draw(rt, key); {
				case odd < -115:
				case odd == -115:
					must(t, client.HSet(t.Context(), key, "a", "b").Err())
				case odd < 0:
					must(t, client.Set(t.Context(), key, values[prefix], KeyLife-67*time.Minute).Err())
				default:
					must(t, client.Set(t.Context(), key, oddValues[odd], KeyLife-67*time.Minute).Err())
				}
			}
		}
		got, want, err := counts(t, r, client)
		if errors.Is(err, errNotPlain) {
			return
		}
		must(t, err)
		through++
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Count{}, "Longest", "Shortest", "TTLsOfSome"), cmpopts.IgnoreFields(Namespace{}, "Sampled", "SampledBytes")); diff != "" || length(got.Longest) != length(want.Longest) || length(got.Shortest) != length(want.Shortest) {
			rt.Fatalf("(-walked +recounted):\n%s%v %v", diff, got.Longest, got.Shortest)
		}
	})
	if through == 0 {
		t.Error("none of them was recounted")
	}
}

func length(p *PromptLength) int {
	if p == nil {
		return -1
	}
	return p.Length
}

// TestRecountOfMany: the lives of all keys are told by those of some.
func TestRecountOfMany(t *testing.T) {
	server := redistest.Start(t)
	client, r := server.Client(), open(t, server.URL())
	const n = 18_000
	pipe := client.Pipeline()
	for i := range n {
		for prefix, value := range plainSession(i) {
			if i%10 > 0 || prefix == prefixPrompt {
				pipe.Set(t.Context(), fmt.Sprint(prefix, "cs_live_", i), value, KeyLife/time.Duration(1+i%5*i%5*6))
			}
		}
		if i%1000 == 0 {
			_, err := pipe.Exec(t.Context())
			must(t, err)
		}
	}
	_, err := pipe.Exec(t.Context())
	must(t, err)
	how := Counting{Now: at, Limits: limits}
	got, err := r.recount(t.Context(), how)
	must(t, err)
	if got.Sessions != n || got.Verdicts[VerdictCompleted] != n*9/10 || got.Prompts != n-n/700-1 || got.Survey.Scanned != got.Survey.Keys {
		t.Errorf("%d sessions, %v, %d prompts, %+v", got.Sessions, got.Verdicts, got.Prompts, got.Survey)
	}
	lives, exact := 0, map[string]int{}
	for _, n := range got.TTLs {
		lives += n
	}
	iter := client.Scan(t.Context(), 0, "*", 1000).Iterator()
	for iter.Next(t.Context()) {
		exact[ttlClass(client.PTTL(t.Context(), iter.Val()).Val())]++
	}
	keys := int(got.Survey.Keys)
	if lives < keys-len(TTLClasses) || lives > keys {
		t.Errorf("%d keys live, of %d", lives, keys)
	}
	for class, want := range exact {
		if n := got.TTLs[class]; n < want-keys/20 || n > want+keys/20 {
			t.Errorf("about %d live %s, and not %d", n, class, want)
		}
	}
	limited, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := r.recount(limited, how); !errors.Is(err, errNotPlain) {
		t.Errorf("what may have to end early is recounted: %v", err)
	}
}

// TestRecountGivesUp where it would not be the quicker way.
func TestRecountGivesUp(t *testing.T) {
	server := redistest.Start(t)
	client, r := server.Client(), open(t, server.URL())
	for name, keys := range map[string]int{"few": 100, "one key each": manyKeys + 1} {
		must(t, client.FlushDB(t.Context()).Err())
		pipe := client.Pipeline()
		for i := range keys {
			pipe.Set(t.Context(), prefixLookup+"cs_live_"+strconv.Itoa(i), oddValues[13], KeyLife)
		}
		_, err := pipe.Exec(t.Context())
		must(t, err)
		if _, err := r.recount(t.Context(), Counting{Now: at, Limits: limits}); !errors.Is(err, errNotPlain) {
			t.Errorf("%s: %v", name, err)
		}
		if c, err := r.Count(t.Context(), Counting{Now: at, Limits: limits}); err != nil || c.Sessions != keys {
			t.Errorf("%s: %d sessions, %v", name, c.Sessions, err)
		}
	}
}

// TestRecountHearsAllKeys: a session is not counted before its last key was met,
// which may say otherwise; one whose mapping is missing is counted all the same.
func TestRecountHearsAllKeys(t *testing.T) {
	c := newRecount(nil, Counting{Now: at, Limits: limits})
	for prefix, value := range plainSession(5) {
		if prefix != prefixLookup {
			must(t, c.take([]answer{c.told(prefix+"cs_live_1", []byte(value))}))
		}
	}
	if c.tally.sums.Sessions != 0 || !c.parts[0].rests() {
		t.Errorf("%+v", c.parts)
	}
	must(t, c.take([]answer{c.told(prefixLookup+"cs_live_1", []byte(oddValues[14]))}))
	if c.parts[0].rests() || c.tally.sums.Sessions != 0 {
		t.Errorf("a full object says processing: %+v", c.parts)
	}
}

// TestRecountAsksForFewLargeValues at a time.
func TestRecountAsksForFewLargeValues(t *testing.T) {
	server := redistest.Start(t)
	client := server.Client()
	var keys []string
	for n := range 200 {
		keys = append(keys, fmt.Sprint(prefixWebhook, "cs_live_", n))
		must(t, client.Set(t.Context(), keys[n], oddValues[15], KeyLife).Err())
	}
	c := newRecount(client, Counting{Now: at, Limits: limits})
	must(t, c.values(t.Context(), keys))
	if c.size*len(picture) > 2*mostBytes {
		t.Errorf("%d of them are asked for at a time", c.size)
	}
	for n := range keys {
		keys[n] = prefixPrompt + keys[n]
	}
	must(t, c.values(t.Context(), keys))
	if c.size < 200 {
		t.Errorf("%d small ones are asked for at a time", c.size)
	}
}
