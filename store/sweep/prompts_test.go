package sweep

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/stats"
)

func TestPrompts(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		pipe := client.Pipeline()
		for key, value := range map[string]string{
			"prompt:cs_live_old":     `{"prompt":"old","timestamp":"` + ago(time.Hour) + `"}`,
			"session:cs_live_new":    `{"prompt":"new 🦊","createdAt":"` + ago(time.Minute) + `"}`,
			"prompt:cs_live_b":       `{"prompt":"` + strings.Repeat("ж", 1000) + `","timestamp":"` + ago(2*time.Minute) + `"}`,
			"prompt:cs_live_a":       `{"prompt":"tie","timestamp":"` + ago(2*time.Minute) + `"}`,
			"prompt:cs_live_byTTL":   `{"prompt":"no time"}`,
			"prompt:cs_live_none":    `{"prompt":""}`,
			"session:cs_live_lookup": `{"fileId":"0f000000-0000-4000-8000-00000000000f"}`,
			"prompt:cs_live_a_b":     `{"prompt":"of no session","timestamp":"` + ago(time.Second) + `"}`,
			"prompt:evt:1":           `{"prompt":"of no session","timestamp":"` + ago(time.Second) + `"}`,
		} {
			pipe.Set(t.Context(), key, value, store.KeyLife-30*time.Minute)
		}
		_, err := pipe.Exec(t.Context())
		must(t, err)
		for _, newest := range []int{4, 1, 10, 0} {
			list := sweepOnce(t, New(r), at, func(o *Options) { o.Newest = newest })
			var ids []string
			for _, p := range list.Prompts {
				ids = append(ids, p.ID)
			}
			want := []string{"cs_live_new", "cs_live_a", "cs_live_b", "cs_live_byTTL", "cs_live_old"}
			if diff := cmp.Diff(strings.Join(want[:min(newest, len(want))], " "), strings.Join(ids, " ")); diff != "" || list.Count.Prompts != 5 {
				t.Errorf("%d of %d (-want +got):\n%s", newest, list.Count.Prompts, diff)
			}
			if newest < 3 {
				continue
			}
			if p := list.Prompts[0]; p.Text != "new 🦊" || p.Length != 6 || !p.At.Equal(at.Add(-time.Minute)) {
				t.Errorf("got %+v", p)
			}
			if p := list.Prompts[2]; p.Text != strings.Repeat("ж", promptRunes) || p.Length != 1000 {
				t.Errorf("%d characters of %d are kept", len([]rune(p.Text)), p.Length)
			}
			if p := list.Prompts[3]; p.At.After(at.Add(-30*time.Minute)) || p.At.Before(at.Add(-40*time.Minute)) {
				t.Errorf("by its TTL it is of %s", p.At)
			}
		}
	})
}

// TestPromptsOfSessionsThatAreNotRead count in later sweeps as in the first: the
// longest, the shortest, and when they were.
func TestPromptsOfSessionsThatAreNotRead(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		values := map[string]string{}
		for n, length := range []int{900, 3, 70_000, 12, 0} {
			age := time.Duration(n*7)*time.Hour + 5*time.Minute
			values[fmt.Sprint("session:cs_live_", n)] = `{"prompt":"` + strings.Repeat("🦊", length) + `","createdAt":"` + ago(age) +
				`","status":"processing","fileId":"` + doneFile + `"}`
		}
		values["prompt:cs_test_1"] = `{"prompt":"not finished","timestamp":"` + ago(time.Hour) + `"}`
		set(t, client, values)
		s := New(r)
		first := sweepOnce(t, s, at).Count
		if *first.Longest != (stats.PromptLength{ID: "cs_live_2", Length: 140_000}) || *first.Shortest != (stats.PromptLength{ID: "cs_live_1", Length: 6}) {
			t.Errorf("longest %+v, shortest %+v", first.Longest, first.Shortest)
		}
		later := sweepOnce(t, s, at)
		if later.Full || len(later.verdicts) != 1 || first.Prompts != 5 || len(first.Hours) != 5 {
			t.Errorf("%d sessions were read, %d prompts, %d hours", len(later.verdicts), first.Prompts, len(first.Hours))
		}
		if diff := cmp.Diff(first, later.Count); diff != "" {
			t.Errorf("later (-first +later):\n%s", diff)
		}
	})
}

func TestBeginning(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		runes int
		want  string
	}{{"", 3, ""}, {"abc", 3, "abc"}, {"abcd", 3, "abc"}, {"ж🦊長d", 3, "ж🦊長"}, {"a\xff\xffb", 3, "a��"}} {
		if got := beginning(c.text, c.runes); got != c.want {
			t.Errorf("the first %d of %q are %q", c.runes, c.text, got)
		}
	}
}
