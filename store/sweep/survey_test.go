package sweep

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/stats"
)

// kind is a kind of session of which many are stored.
type kind struct {
	keys    map[string]string // prefix to value
	verdict diagnosis.Verdict
	prompt  int // length in UTF-16 units, 0 = none readable
}

// kinds are one of each way in which a session can lie in Redis. Their times
// are of the last 24 h, but for the last one's.
func kinds() []kind {
	return []kind{
		{map[string]string{"prompt:": oddValues[0]}, diagnosis.VerdictOrphaned, 5},
		{map[string]string{"prompt:": `{"prompt":"` + strings.Repeat("🦊", 51) + `","timestamp":"` + ago(time.Minute) + `"}`}, diagnosis.VerdictWaiting, 102},
		{map[string]string{"prompt:": oddValues[0], "webhook:": oddValues[6], "session:": `{"fileId":"0f000000-0000-4000-8000-00000000000f"}`}, diagnosis.VerdictCompleted, 5},
		{map[string]string{"session:": `{"prompt":"` + strings.Repeat("ж", 2001) + `","status":"error","createdAt":"` + ago(time.Hour) + `"}`}, diagnosis.VerdictFailed, 2001},
		{map[string]string{"session:": `{"prompt":"长","status":"processing","createdAt":"` + ago(time.Hour) + `"}`}, diagnosis.VerdictStalled, 1},
		{map[string]string{"session:": `{"fileId":"0f000000-0000-4000-8000-00000000000f"}`, "webhook:": `{"status":"processing","fileId":"0f000000-0000-4000-8000-00000000000f","timestamp":"` + ago(time.Minute) + `"}`}, diagnosis.VerdictProcessing, 0},
		{map[string]string{"webhook:": `{"status":"proc`}, diagnosis.VerdictCorrupt, 0},
		{map[string]string{"session:": `{"fileId":"0f000000-0000-4000-8000-00000000000f"}`}, diagnosis.VerdictUnclear, 0},
		{map[string]string{"prompt:": `{"prompt":"old one","timestamp":"` + ago(48*time.Hour) + `"}`}, diagnosis.VerdictOrphaned, 7},
	}
}

// foreign are keys of no session.
var foreign = []string{"balance:", "webhook:evt:", "session:job-", "prompt:cs_live_a_", "session:cs_demo_", "sessionbot:{watch}:paid:cs_live_x", "no colon "}

// TestCount counts many of each kind, by multiplication, and again without
// reading those that are finished.
func TestCount(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		const times = 300
		want := stats.Count{Complete: true, Verdicts: map[diagnosis.Verdict]int{}, Distribution: map[string]int{"0-100": 4 * times, "101-500": times,
			"501-1000": 0, "1001-2000": 0, "2000+": times}, AverageLength: (5 + 102 + 5 + 2001 + 1 + 7 + 3) / 6, // rounded
			Longest: &stats.PromptLength{Length: 2001}, Shortest: &stats.PromptLength{Length: 1}}
		values, sessionKeys := map[string]string{}, int64(0)
		for i, k := range kinds() {
			for n := range times {
				for prefix, value := range k.keys {
					values[fmt.Sprintf("%scs_live_%dn%d", prefix, i, n)] = value
				}
				values[fmt.Sprint(foreign[i%len(foreign)], n)] = "7"
			}
			want.Sessions += times
			want.Verdicts[k.verdict] += times
			sessionKeys += int64(times * len(k.keys))
			if k.prompt > 0 {
				want.Prompts += times
				want.PromptCharacters += int64(times * k.prompt)
			}
		}
		values["prompt:cs_live_"], values["session:cs_test_"] = "7", "7"
		set(t, client, values)
		// Completed, failed, stalled and processing against the orphaned of the
		// last 24 h; the corrupt have no time.
		webhook, generation := 0.8, 1.0/3
		want.WebhookSuccessRate, want.GenerationSuccessRate = &webhook, &generation
		s := New(r)
		var scanned, all int64
		first := sweepOnce(t, s, at, func(o *Options) { o.Progress = func(done, of int64) { scanned, all = done, of } }).Count
		want.Slots, want.Hours = first.Slots, first.Hours
		sameCount(t, want, first)
		wantTTLs := map[string]int{"under 1 day": 0, "1-7 days": 0, "7-30 days": int(sessionKeys), "over 30 days": 0, "never expires": 0}
		survey := first.Survey
		if diff := cmp.Diff(wantTTLs, survey.TTLs); diff != "" || survey.SessionKeys != sessionKeys {
			t.Errorf("%d keys of sessions, want %d: %s", survey.SessionKeys, sessionKeys, diff)
		}
		if keys := int64(len(values)); survey.Keys != keys || survey.Scanned != keys || scanned != keys || all != keys {
			t.Errorf("%d of %d keys, %d of %d reported; want %d", survey.Scanned, survey.Keys, scanned, all, keys)
		}
		second := sweepOnce(t, s, at)
		if second.Full || len(second.verdicts) != 8*times {
			t.Errorf("the second sweep read %d sessions", len(second.verdicts))
		}
		sameCount(t, first, second.Count)
		if diff := cmp.Diff(survey, second.Count.Survey); diff != "" {
			t.Errorf("the survey is of the full sweep:\n%s", diff)
		}
	})
}

func TestCountOfNothing(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		c := sweepOnce(t, New(r), at).Count
		if c.Sessions != 0 || c.Longest != nil || c.WebhookSuccessRate != nil || c.GenerationSuccessRate != nil || len(c.Distribution) != len(stats.LengthClasses) {
			t.Errorf("got %+v", c)
		}
	})
}

// TestLifetimes: those of a sample are extrapolated.
func TestLifetimes(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		const day, n = 24 * time.Hour, 12_000
		pipe := client.Pipeline()
		for i := range n {
			life := []time.Duration{time.Hour, 3 * day, 10 * day, 40 * day, 0}[i%5]
			pipe.Set(t.Context(), fmt.Sprint("session:cs_live_", i), `{"fileId":"0f000000-0000-4000-8000-00000000000f"}`, life)
		}
		_, err := pipe.Exec(t.Context())
		must(t, err)
		s := sweepOnce(t, New(r), at).Count.Survey
		if !s.TTLsOfSome || s.SessionKeys != n {
			t.Errorf("%+v", s)
		}
		for class, got := range s.TTLs {
			if got < n/10 || got > n*3/10 {
				t.Errorf("%d live %s, of %d about a fifth", got, class, n)
			}
		}
	})
}

// TestSurvey: keys are counted by the text before their first colon, and MEMORY USAGE is
// called for some strings only.
func TestSurvey(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		pipe := client.Pipeline()
		for n := range 12 {
			for m := range 20 - n {
				pipe.Set(t.Context(), fmt.Sprintf("name%02d:%d", n, m), "value", 0)
			}
		}
		pipe.HSet(t.Context(), "hash:1", "a", "b")
		pipe.Set(t.Context(), "nothing before a colon", "x", 0)
		_, err := pipe.Exec(t.Context())
		must(t, err)
		s := sweepOnce(t, New(r), at).Count.Survey
		embedded := strings.HasSuffix(t.Name(), "embedded") // it does not know of memory
		if s.Keys != 176 || s.Scanned != 176 || len(s.Namespaces) != topNamespaces || s.MemoryDenied != embedded || s.SessionKeys != 0 {
			t.Errorf("%+v", s)
		}
		if first := s.Namespaces[0]; first.Name != "name00" || first.Keys != 20 {
			t.Errorf("first %+v", first)
		}
		if s.Others.Keys != 10+9+1+1 {
			t.Errorf("others %+v", s.Others)
		}
		sampled, bytes := s.Others.Sampled, s.Others.SampledBytes
		for _, n := range s.Namespaces {
			sampled, bytes = sampled+n.Sampled, bytes+n.SampledBytes
		}
		if sampled == 0 && !embedded || sampled > 3*memorySample || bytes < 10*sampled {
			t.Errorf("%d bytes of %d keys", bytes, sampled)
		}
	})
}

// TestNamespacesAreBounded: names that come late are among the others, and
// their number is right all the same.
func TestNamespacesAreBounded(t *testing.T) {
	t.Parallel()
	s := newSurveyor(nil)
	s.sums.Keys = 3 * maxNamespaces
	var keys []string
	for n := range 3 * maxNamespaces {
		keys = append(keys, fmt.Sprint("name", n, strings.Repeat("n", 100), ":x"))
	}
	must(t, s.page(t.Context(), redis.NewClient(&redis.Options{}), 1, keys)) // a page that is not sampled
	if len(s.byName) != maxNamespaces {
		t.Errorf("%d names are distinguished", len(s.byName))
	}
	got := s.survey()
	if got.Others.Keys != 3*maxNamespaces-topNamespaces || got.Scanned != 3*maxNamespaces || len(got.Namespaces[0].Name) != namespaceName {
		t.Errorf("%+v", got)
	}
}

// TestMemoryUsageDenied: the other figures are complete.
func TestMemoryUsageDenied(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	set(t, server.Client(), manyFinished(9))
	must(t, server.Client().ACLSetUser(t.Context(), "small", "on", ">pw", "~*", "+@all", "-memory").Err())
	c := sweepOnce(t, New(open(t, "redis://small:pw@"+server.Addr())), at).Count
	if !c.Survey.MemoryDenied || c.Survey.Scanned != 27 || c.Survey.Namespaces[0].Keys != 9 || c.Survey.SessionKeys != 27 || c.Sessions != 9 {
		t.Errorf("%+v", c.Survey)
	}
}
