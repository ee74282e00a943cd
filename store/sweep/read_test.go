package sweep

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/keyspace"
	"github.com/superduperai/sessionbot/store/probe"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/sessions"
)

// TestReadIsAsGoodAsSessions for whatever a session's keys hold, except for what
// only a repair needs.
func TestReadIsAsGoodAsSessions(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		var ids []string
		values := map[string]string{}
		for n, value := range append(oddValues, strings.Repeat(" ", headSize-1)+"{}", `{"prompt":"`+strings.Repeat("x", headSize-13)+`"}`) {
			for k, prefix := range prefixes {
				id := fmt.Sprintf("cs_live_%d%c", n, 'a'+k)
				values[prefix+id], ids = value, append(ids, id, "cs_test_none")
				values["webhook:"+id+"more"], ids = oddValues[6], append(ids, id+"more")
				values[prefix+id+"more"] = value
			}
		}
		set(t, client, values)
		for k, prefix := range prefixes {
			id := fmt.Sprint("cs_live_hash", k)
			must(t, client.HSet(t.Context(), prefix+id, "prompt", "x").Err())
			ids = append(ids, id)
		}
		for chunk := range slices.Chunk(ids, readSize) {
			got, err := Read(t.Context(), r, chunk, at)
			must(t, err)
			want, err := (sessions.Reader{Redis: r}).Sessions(t.Context(), chunk)
			must(t, err)
			loosely := []cmp.Option{cmpopts.IgnoreFields(store.Key{}, "TTL", "Digest", "Size")}
			if diff := cmp.Diff(want, got, loosely...); diff != "" {
				t.Fatalf("(-whole +read):\n%s", diff)
			}
			for i, s := range got {
				want, got := diagnose(want[i]), diagnose(s)
				if want.Verdict != got.Verdict || got.Time().Sub(want.Time()).Abs() > time.Minute {
					t.Errorf("%s: %s of %s, and read whole %s of %s", s.ID, got.Verdict, got.Time(), want.Verdict, want.Time())
				}
			}
		}
	})
}

func diagnose(s store.Session) diagnosis.Diagnosis {
	return diagnosis.Diagnose(diagnosis.Evidence{Session: s}, at, limits)
}

// TestInvalidTimes: where the values hold no time, or one of the future, the
// TTL says when they were written.
func TestInvalidTimes(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		want := map[string]time.Duration{}
		for n, value := range []string{`{"prompt":"none"}`, `{"prompt":"none","createdAt":"yesterday"}`, `{"prompt":"none","createdAt":"` + ago(-time.Hour) + `"}`,
			`{"prompt":"some","createdAt":"` + ago(3*time.Hour) + `"}`, `{"prompt":"some","timestamp":"` + ago(3*time.Hour) + `"}`,
			`{"prompt":"some","createdAt":"` + ago(-time.Hour) + `","timestamp":"` + ago(3*time.Hour) + `"}`} {
			id := fmt.Sprint("cs_live_", n)
			want[id] = time.Hour
			if n > 2 {
				want[id] = 3 * time.Hour
			}
			must(t, client.Set(t.Context(), "session:"+id, value, store.KeyLife-time.Hour).Err())
		}
		for id, age := range want {
			got, err := Read(t.Context(), r, []string{id}, at)
			must(t, err)
			if stored := got[0].AsOf(at).CreatedAt(at); stored.Sub(at.Add(-age)).Abs() > 5*time.Minute {
				t.Errorf("%s was stored at %s, want %s ago", id, stored, age)
			}
		}
	})
}

// TestEmptyValues count as missing among others; alone they are read whole, and
// cannot be read.
func TestEmptyValues(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		set(t, client, map[string]string{"prompt:cs_live_1": oddValues[0], "webhook:cs_live_1": "", "session:cs_live_2": ""})
		got := sweepOnce(t, New(r), at)
		want := map[string]diagnosis.Verdict{"cs_live_1": diagnosis.VerdictOrphaned, "cs_live_2": diagnosis.VerdictCorrupt}
		if diff := cmp.Diff(want, got.verdicts); diff != "" {
			t.Error(diff)
		}
	})
}

// TestPicturesAreLeftOut by the server, where that can be done for certain.
func TestPicturesAreLeftOut(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	r, client := open(t, server.URL()), server.Client()
	sent := func() int {
		info := client.Info(t.Context(), "stats").Val()
		n, err := strconv.Atoi(regexp.MustCompile(`total_net_output_bytes:(\d+)`).FindStringSubmatch(info)[1])
		must(t, err)
		return n
	}
	content := strings.Repeat("iVBORw0KGgo", 3<<20/11)
	with := func(before, content, after string) string {
		return `{"prompt":"A fox",` + before + `"imageFile":{"name":"x.png","content":"` + content + `"},"status":"processing",` + after + `"createdAt":"` + ago(time.Hour) + `"}`
	}
	for name, c := range map[string]struct {
		value string
		whole bool
	}{
		"one":                    {with("", content, ""), false},
		"two":                    {with(`"second":{"content":"`+content+`"},`, content, ""), false},
		"a hundred":              {with(`"all":[`+strings.Repeat(`{"content":"`+content[:20_000]+`"},`, 90)+`7],`, content, ""), false},
		"too many":               {with(`"all":[`+strings.Repeat(`{"content":"`+content[:20_000]+`"},`, 101)+`7],`, "", ""), true},
		"text that speaks of it": {with(`"error":"\"content\":\"",`, content, ""), false},
		"escaped":                {with("", content+`\n`, ""), true},
		"escapes elsewhere":      {with(`"style":"\n\"",`, content, `"z":"\\",`), false},
		"members behind it":      {with("", content, `"modelType":"image","width":1024,"height":768,`), false},
		"larger than 8 MiB":      {with("", strings.Repeat(content, 3), ""), true},
		"cut off":                {`{"prompt":"A fox","imageFile":{"content":"` + content, true},
		"cut off after it":       {`{"prompt":"A fox","imageFile":{"content":"` + content + `"`, true},
	} {
		set(t, client, map[string]string{"session:cs_live_1": c.value})
		before := sent()
		got, err := Read(t.Context(), r, []string{"cs_live_1"}, at)
		must(t, err)
		if bytes := sent() - before; (bytes > 1<<20) != c.whole {
			t.Errorf("%s: %d bytes were sent", name, bytes)
		}
		value, full, fault := store.ParseValue([]byte(c.value))
		if key := got[0].SessionKey; key.Fault != fault || key.Full != full || !cmp.Equal(key.Value, value) {
			t.Errorf("%s: %+v; want %+v, %q", name, key, value, fault)
		}
	}
}

// TestReadWithoutAPermission: what a user may not run is an error that says so,
// not sessions that cannot be read. What is only used in the script can be missing:
// then long values are read whole.
func TestReadWithoutAPermission(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	set(t, server.Client(), map[string]string{"prompt:cs_live_1": oddValues[22], "webhook:cs_live_1": oddValues[6]})
	for n, missing := range []string{"getrange", "eval_ro", "strlen", "get", "scan", "dbsize", "pttl"} {
		user := fmt.Sprint("small", n)
		must(t, server.Client().ACLSetUser(t.Context(), user, "on", ">pw", "~*", "+@all", "-"+missing).Err())
		got, err := New(open(t, "redis://"+user+":pw@"+server.Addr())).Sweep(t.Context(), Options{Now: at, Limits: limits})
		if fine := missing == "strlen" || missing == "get"; fine != (err == nil) || !fine && !errors.Is(err, rdb.ErrNoPermission) {
			t.Errorf("without %s: %+v, %v", missing, got, err)
		}
	}
}

// TestTheDocumentedUser may sweep, and remember files.
func TestTheDocumentedUser(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/security.md")
	must(t, err)
	lines := regexp.MustCompile(`(?m)^ACL SETUSER sessionbot on >PASSWORD (.*)$`).FindAllStringSubmatch(string(text), -1)
	if len(lines) != 2 {
		t.Fatalf("the document has %d lines for users, want 2", len(lines))
	}
	product, state := redistest.Start(t), redistest.Start(t)
	user := func(server *redistest.Server, line string) *rdb.Redis {
		args := []any{"ACL", "SETUSER", "sessionbot", "on", ">PASSWORD"}
		for _, rule := range regexp.MustCompile(`\([^)]*\)|\S+`).FindAllString(line, -1) {
			args = append(args, rule)
		}
		must(t, server.Client().Do(t.Context(), args...).Err())
		return open(t, "redis://sessionbot:PASSWORD@"+server.Addr())
	}
	values := manyFinished(50)
	for n, value := range oddValues {
		values[fmt.Sprint("session:cs_live_", n)], values[fmt.Sprint("prompt:cs_test_", n)], values[fmt.Sprint("webhook:cs_test_", n)] = value, value, value
	}
	values["balance:1"] = "7"
	set(t, product.Client(), values)
	must(t, product.Client().HSet(t.Context(), "webhook:cs_live_hash", "a", "b").Err())
	r := user(product, lines[0][1])
	s, f := New(r), NewFiles(user(state, lines[1][1]), func() time.Time { return at })
	for _, full := range []bool{true, false} {
		if got := sweepOnce(t, s, at); got.Full != full || got.Count.Sessions != 51+2*len(oddValues) || got.Count.Survey.MemoryDenied {
			t.Errorf("%d sessions, %+v", got.Count.Sessions, got.Count.Survey)
		}
	}
	if n, err := keyspace.Settings(t.Context(), r); err != nil || n != (keyspace.Notifications{Masters: 1}) {
		t.Errorf("%+v, %v", n, err)
	}
	if access, err := probe.TryAccess(t.Context(), r, probe.ForProduct); err != nil || len(access.Denied) > 0 {
		t.Errorf("refused: %q, %v", access.Denied, err)
	}
	session := naming("cs_live_1", uuid(1), store.StatusProcessing, time.Hour)
	for _, state := range []store.FileState{store.FileInProgress, store.FileCompleted} {
		must(t, f.Save(t.Context(), session.FileRef(at), state))
		if got := states(t, f, session); got[0] != state {
			t.Errorf("it is %s, want %s", got[0], state)
		}
		must(t, errors.Join(f.Save(t.Context(), store.FileRef{FileID: uuid(2)}, store.FileUnchecked), f.Keep(t.Context())))
	}
	if got, err := f.Known(t.Context(), session.FileRef(at)); got.File.State != store.FileCompleted || err != nil {
		t.Errorf("%s, %v", got.File.State, err)
	}
}
