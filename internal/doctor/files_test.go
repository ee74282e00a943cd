package doctor

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/ledger"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/superduper"
)

// TestFilesHost: only the site's own host knows its files. Those that the bot
// generated prove nothing.
func TestFilesHost(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	now := time.Now()
	file := func(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }
	session := func(n int) string { return fmt.Sprintf("cs_live_%d", n) }
	for n := range 6 { // the newest first
		at := now.Add(-time.Duration(n+1) * time.Hour).UTC().Format(time.RFC3339)
		id := file(n)
		if n == 1 {
			id = "../balance" // the value may be anything
		}
		server.Client().Set(t.Context(), "session:"+session(n), `{"status":"processing","prompt":"A fox","fileId":"`+id+`","createdAt":"`+at+`"}`, 0)
	}
	redis, err := rdb.Open(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = redis.Close() })
	seen, err := takeSample(t.Context(), redis)
	if err != nil {
		t.Fatal(err)
	}
	ledger := ledger.New(redis)
	for _, action := range []store.Action{store.ActionGenerate, store.ActionFix} { // one after the other
		ours := repair.Plan{ID: rand.Text(), Action: action, Session: session(0), Created: now, Expires: now.Add(time.Hour)}
		if err := ledger.SavePlan(t.Context(), ours); err != nil {
			t.Fatal(err)
		}
		a, err := ledger.Claim(t.Context(), ours.ID, "", store.Actor{ID: "U1"}, now)
		if err != nil || a.Verdict != repair.Claimed {
			t.Fatal(a.Verdict, err)
		}
		lease, _, err := ledger.Lease(t.Context(), ours.ID, "doctor")
		if err != nil {
			t.Fatal(err)
		}
		a.Job.Outcome, a.Job.Notified, a.Job.Finished = store.OutcomeDone, true, now
		if err := ledger.SaveJob(t.Context(), lease, a.Job); err != nil {
			t.Fatal(err)
		}
	}

	for _, c := range []struct {
		name   string
		known  map[string]int // HTTP status by file, 404 where it is not named
		level  Level          // "" = no line
		asked  []int
		sample *sample
	}{
		{"the newest is known", map[string]int{file(2): 200}, OK, []int{2}, &seen},
		{"an older one is known", map[string]int{file(4): 200}, OK, []int{2, 3, 4}, &seen},
		{"none of three is known", map[string]int{file(5): 200}, Failed, []int{2, 3, 4}, &seen},
		{"only ours is known, of which the latest job is a fix", map[string]int{file(0): 200}, Failed, []int{2, 3, 4}, &seen},
		{"the token is refused", map[string]int{file(2): 401}, "", []int{2}, &seen},
		{"the second is not answered", map[string]int{file(3): 503}, "", []int{2, 3}, &seen},
		{"no session names a file", nil, OK, nil, &sample{}},
		{"no session was seen", nil, "", nil, nil},
	} {
		var asked []int
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			id := path.Base(r.URL.Path)
			asked = append(asked, slices.IndexFunc([]string{file(0), file(1), file(2), file(3), file(4), file(5)}, func(f string) bool { return f == id }))
			status, ok := c.known[id]
			if !ok {
				status = http.StatusNotFound
			}
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, `{"id":%q}`, id) // a client that hung up notices by itself
		}))
		e := &checker{Config: Config{RedisURL: server.URL(), SuperURL: api.URL}, sampled: make(chan struct{}), sample: c.sample}
		close(e.sampled)
		got := e.files(t.Context(), superduper.New(superduper.Config{BaseURL: api.URL, Token: "MARKED"}))
		api.Close()
		if got.Level != c.level || !slices.Equal(asked, c.asked) {
			t.Errorf("%s: %+v, asked for %v; want %q and %v", c.name, got, asked, c.level, c.asked)
		}
	}
}
