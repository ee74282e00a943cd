package jobs_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/superduper"
)

// bulkBench is a bench with several orphaned sessions, and a SuperDuperAI that counts
// the requests for each.
type bulkBench struct {
	*bench
	ids []string

	mu       sync.Mutex
	requests map[string]int // by prompt
	refuse   superduper.Kind
	after    int // requests, of which the following are refused
}

func newBulkBench(t *testing.T, cluster bool, n int) *bulkBench {
	t.Helper()
	b := &bulkBench{bench: newBench(t, cluster), requests: map[string]int{}}
	for i := range n {
		id := fmt.Sprintf("cs_live_bulk%02d", i)
		b.ids = append(b.ids, id)
		stored := time.Now().Add(-time.Hour).UTC().Format("2006-01-02T15:04:05.000Z")
		b.set("prompt:"+id, `{"prompt":"A fox for `+id+`","timestamp":"`+stored+`"}`)
	}
	return b
}

func (b *bulkBench) config() jobs.Config {
	cfg := b.bench.config()
	cfg.Generator = counted{cfg.Generator, b}
	return cfg
}

// counted counts the requests, and refuses some.
type counted struct {
	jobs.Generator
	b *bulkBench
}

func (c counted) Generate(ctx context.Context, r superduper.Request) (string, error) {
	c.b.mu.Lock()
	c.b.requests[r.Prompt]++
	refused := c.b.refuse != "" && len(c.b.requests) > c.b.after
	kind := c.b.refuse
	c.b.mu.Unlock()
	if refused {
		return "", &superduper.Error{Kind: kind}
	}
	return c.Generator.Generate(ctx, r)
}

func (b *bulkBench) examinedAll() (examined []diagnosis.Examination) {
	for _, id := range b.ids {
		x := examiner(b.product, superduper.New(superduper.Config{BaseURL: b.apiURL, Token: token}), b.ledger)
		examined = append(examined, x.Examine(b.t.Context(), id))
	}
	return examined
}

// claimed plans a repair of all sessions and claims it.
func (b *bulkBench) claimed(action store.Action) repair.Plan {
	b.t.Helper()
	p := repair.MakeBulkPlan(action, b.examinedAll(), store.Actor{ID: "U1"}, repair.BulkOptions{PlanOptions: repair.PlanOptions{TTL: time.Hour, FixText: "sorry",
		Models: repair.Models{Video: "google-cloud/veo3-text2video"}, Prices: repair.ListPrices}}, time.Now())
	if len(p.Items) != len(b.ids) {
		b.t.Fatalf("%d items, left out: %v", len(p.Items), p.LeftOut)
	}
	testenv.Must(b.t, b.ledger.SavePlan(b.t.Context(), p))
	answer, err := b.ledger.Claim(b.t.Context(), p.ID, "", store.Actor{ID: "U2"}, time.Now())
	if err != nil || answer.Verdict != repair.Claimed {
		b.t.Fatalf("%s, %v", answer.Verdict, err)
	}
	return p
}

// once checks that no session was requested twice, and returns how many were.
func (b *bulkBench) once() int {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for prompt, n := range b.requests {
		if n != 1 {
			b.t.Errorf("%d requests with the prompt %q", n, prompt)
		}
	}
	return len(b.requests)
}

func (b *bulkBench) job(id string) repair.Job {
	b.t.Helper()
	job, err := b.ledger.LoadJob(b.t.Context(), id)
	testenv.Must(b.t, err)
	return job
}

// running runs runners until the test ends or stop is called.
func (b *bulkBench) running(cfgs ...jobs.Config) (stop func()) {
	ctx, cancel := context.WithCancel(b.t.Context())
	var all sync.WaitGroup
	for _, cfg := range cfgs {
		all.Go(func() {
			if err := jobs.New(cfg).Run(ctx); err != nil {
				b.t.Error(err)
			}
		})
	}
	stop = sync.OnceFunc(func() { cancel(); all.Wait() })
	b.t.Cleanup(stop)
	return stop
}

func (b *bulkBench) until(id, what string, holds func(*repair.Bulk) bool) {
	b.t.Helper()
	testenv.Until(b.t, what, func() bool { return holds(b.job(id).Bulk) })
}

// during reports that a file is being made: +1 from its request on, -1 once it is seen.
type during struct {
	jobs.Generator
	happens func(int)
}

func (d during) Generate(ctx context.Context, r superduper.Request) (string, error) {
	d.happens(1)
	return d.Generator.Generate(ctx, r)
}

func (d during) File(ctx context.Context, id string) (store.File, error) {
	file, err := d.Generator.File(ctx, id)
	if file.State == store.FileCompleted {
		d.happens(-1)
	}
	return file, err
}

// audited checks the entries of a session, "" = of bulk plans, by their beginning.
func (b *bulkBench) audited(session string, want ...string) {
	b.t.Helper()
	entries, err := audit.NewTrail(b.product).History(b.t.Context(), session, 20)
	testenv.Must(b.t, err)
	var got []string
	for _, e := range entries {
		got = append(got, strings.TrimSpace(string(e.Event)+" "+e.Detail))
	}
	fits := len(got) == len(want)
	for i := 0; fits && i < len(want); i++ {
		event, detail, _ := strings.Cut(want[i], " ")
		fits = strings.HasPrefix(got[i], event) && (session == "" || strings.Contains(got[i], detail))
	}
	if !fits {
		b.t.Errorf("on record about %q: %q, want %q", session, got, want)
	}
}

// held is a SuperDuperAI that finishes no file until it is released.
type held struct {
	jobs.Generator
	release chan struct{}
}

func (h held) File(ctx context.Context, id string) (store.File, error) {
	select {
	case <-h.release:
		return h.Generator.File(ctx, id)
	default:
		return store.File{State: store.FileInProgress}, nil
	}
}
