package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/lease"
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

// TestBulk: each session is repaired by a job of its own, so many at a time, the
// oldest first, and only the whole is shown. What changed meanwhile is skipped.
func TestBulk(t *testing.T) {
	t.Parallel()
	for _, cluster := range []bool{false, true} {
		t.Run(fmt.Sprint("cluster ", cluster), func(t *testing.T) {
			t.Parallel()
			b := newBulkBench(t, cluster, 7)
			p := b.claimed(store.ActionGenerate)
			b.set("webhook:"+b.ids[3], `{"status":"processing","fileId":"f","timestamp":"`+time.Now().UTC().Format(time.RFC3339)+`"}`)
			busy, err := repair.MakePlan(store.ActionFix, b.examinedAll()[5], store.Actor{ID: "U1"}, repair.PlanOptions{TTL: time.Hour, FixText: "sorry"}, time.Now())
			testenv.Must(t, err)
			testenv.Must(t, b.ledger.SavePlan(t.Context(), busy))
			_, err = b.ledger.Claim(t.Context(), busy.ID, "", store.Actor{ID: "U3"}, time.Now())
			testenv.Must(t, err)
			cfg := b.config()
			cfg.Mine = func(id string) bool { return id != busy.ID }
			var mu sync.Mutex
			running, most, shown := 0, 0, []repair.Progress{}
			cfg.Generator = during{cfg.Generator, func(n int) {
				mu.Lock()
				defer mu.Unlock()
				running += n
				most = max(most, running)
			}}
			cfg.Notify = func(_ context.Context, p repair.Progress) error {
				mu.Lock()
				defer mu.Unlock()
				shown = append(shown, p)
				return nil
			}
			job := b.ended(p.ID, cfg)
			want := repair.BulkCounts{Done: 5, Skipped: 2}
			if got := job.Bulk.Counts(); got != want || job.Outcome != store.OutcomeDone || b.once() != 5 || most > 2 {
				t.Errorf("%s with %+v, %d requested, %d at a time", job.Outcome, got, b.once(), most)
			}
			if got := job.Bulk.Items[5].Detail; !slices.Equal(got, []string{"another repair was running"}) {
				t.Errorf("the one that was being repaired: %q", got)
			}
			if got := job.Bulk.Items[3].Cause; got != repair.CauseChanged {
				t.Errorf("the one whose webhook came: %q", got)
			}
			if i := slices.IndexFunc(shown, func(p repair.Progress) bool { return p.Job.ID != job.ID }); i >= 0 {
				t.Errorf("%s is shown", shown[i].Job.ID)
			}
			b.audited("", "claimed done", "outcome done")
			b.audited(b.ids[0], "claimed", "outcome done")
			b.audited(b.ids[5], "refused another repair was running")
		})
	}
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
	slices.Reverse(entries)
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

// TestBulkKilled: killed at any step of the whole or of a session, it goes on
// elsewhere, in two processes at once, and no session is requested twice.
func TestBulkKilled(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"items recorded", "item saved", "item claimed", "checked", "written", "sending", "answered", "sent", "filed", "finished", "finisheddone"} {
		for _, nth := range []int{1, 3} {
			t.Run(fmt.Sprint(at, " ", nth), func(t *testing.T) {
				t.Parallel()
				b := newBulkBench(t, nth == 3, 5)
				p := b.claimed(store.ActionGenerate)
				b.killedAt(at, nth)
				b.leaseEnds(p.ID)
				for i := range p.Items {
					b.leaseEnds(p.ItemID(i))
				}
				b.running(b.config(), b.config())
				testenv.Until(t, "all of it is over", func() bool { return b.job(p.ID).Notified })
				b.once()
				got := b.job(p.ID).Bulk.Counts()
				if got.Done+got.Unclear != 5 || got.Unclear > 2 || b.files.Started() > 5 || b.files.Started() < got.Done {
					t.Errorf("%+v, %d requested", got, b.files.Started())
				}
			})
		}
	}
}

// TestBulkStopped: what runs ends, nothing more begins, and that is on record.
func TestBulkStopped(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t, false, 6)
	p := b.claimed(store.ActionGenerate)
	cfg, release := b.config(), make(chan struct{})
	cfg.Generator = held{cfg.Generator, release}
	b.running(cfg)
	b.until(p.ID, "two run", func(s *repair.Bulk) bool { return s.Counts().Running == 2 })
	by := repair.BulkEvent{By: store.Actor{ID: "U4"}, Where: "C1", At: time.Now()}
	if _, done, err := b.ledger.StopBulk(t.Context(), p.ID, by); !done || err != nil {
		t.Fatalf("stopped: %v, %v", done, err)
	}
	if _, done, err := b.ledger.StopBulk(t.Context(), p.ID, repair.BulkEvent{By: store.Actor{ID: "U5"}, At: time.Now()}); done || err != nil {
		t.Fatalf("stopped again: %v, %v", done, err)
	}
	if _, done, err := b.ledger.ResumeBulk(t.Context(), p.ID, by); done || err != nil {
		t.Fatalf("resumed after a stop: %v, %v", done, err)
	}
	close(release)
	testenv.Until(t, "it is over", func() bool { return b.job(p.ID).Notified })
	job := b.job(p.ID)
	if got := job.Bulk.Counts(); got != (repair.BulkCounts{Done: 2, Left: 4}) || job.Outcome != store.OutcomeCancelled || b.once() != 2 {
		t.Errorf("%s with %+v", job.Outcome, got)
	}
	b.audited("", "claimed", "stopped", "outcome")
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

// TestBulkPaused: three failures in a row for a cause that concerns all pause it; once
// that is mended and somebody resumes it, the others are made.
func TestBulkPaused(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t, true, 8)
	p := b.claimed(store.ActionGenerate)
	b.refuse, b.after = superduper.Unpaid, 2
	b.running(b.config(), b.config())
	b.until(p.ID, "it is paused", (*repair.Bulk).Paused)
	b.until(p.ID, "nothing runs", func(s *repair.Bulk) bool { return s.Counts().Running == 0 })
	state := b.job(p.ID).Bulk
	if got := state.Counts(); got.Done != 2 || got.Failed < 3 || got.Failed > 4 || state.Last().Cause != repair.CauseBalance {
		t.Errorf("%+v because of %s", got, state.Last().Cause)
	}
	b.mu.Lock()
	b.refuse = ""
	b.mu.Unlock()
	if _, done, err := b.ledger.ResumeBulk(t.Context(), p.ID, repair.BulkEvent{By: store.Actor{ID: "U4"}, Where: "C1", At: time.Now()}); !done || err != nil {
		t.Fatalf("resumed: %v, %v", done, err)
	}
	testenv.Until(t, "it is over", func() bool { return b.job(p.ID).Notified })
	job := b.job(p.ID)
	got, want := job.Bulk.Counts(), state.Counts()
	want.Done, want.Left = want.Done+want.Left, 0
	if diff := cmp.Diff(want, got); diff != "" || job.Outcome != store.OutcomeFailed || b.once() != 8 {
		t.Errorf("%s, %d requested (-want +got):\n%s", job.Outcome, b.once(), diff)
	}
	b.audited("", "claimed", "paused", "resumed", "outcome")
}

// TestBulkLeftAlone: one that nobody carried on for long does not go on by itself.
func TestBulkLeftAlone(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t, false, 3)
	p := b.claimed(store.ActionGenerate)
	cfg := b.config()
	cfg.Now = func() time.Time { return time.Now().Add(time.Hour) }
	stop := b.running(cfg)
	b.until(p.ID, "it is paused", (*repair.Bulk).Paused)
	stop()
	if got := b.job(p.ID).Bulk; got.Counts().Left != 3 || got.Last().Cause != repair.CauseIdle || b.once() != 0 {
		t.Errorf("%+v because of %s", got.Counts(), got.Last().Cause)
	}
	cfg.Now = func() time.Time { return time.Now().Add(48 * time.Hour) }
	if job := b.ended(p.ID, cfg); job.Outcome != store.OutcomeCancelled || job.Bulk.Counts().Left != 3 {
		t.Errorf("paused for a day, it is %s with %+v", job.Outcome, job.Bulk.Counts())
	}
}

// TestBulkFencedOut: a process that lost the plan to another begins nothing.
func TestBulkFencedOut(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t, false, 4)
	p := b.claimed(store.ActionFix)
	cfg := b.config()
	cfg.OnStep = func(step string) {
		if step == "item claimed" {
			b.leaseEnds(p.ID)
			_, _, err := b.ledger.Lease(t.Context(), p.ID, "another")
			testenv.Must(t, err)
		}
	}
	if err := jobs.New(cfg).Execute(t.Context(), p.ID); !errors.Is(err, lease.ErrLost) {
		t.Errorf("it ended with %v", err)
	}
	if got := b.job(p.ID).Bulk.Counts(); got != (repair.BulkCounts{Running: 2, Left: 2}) {
		t.Errorf("%+v", got)
	}
	b.leaseEnds(p.ID)
	if job := b.ended(p.ID, b.config()); job.Bulk.Counts() != (repair.BulkCounts{Done: 4}) {
		t.Errorf("%+v", job.Bulk.Counts())
	}
}
