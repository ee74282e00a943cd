package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/store"
)

// told remembers what people were told.
type told struct {
	mu   sync.Mutex
	list []store.Progress
	fail int // so many ends cannot be told
}

func (t *told) tell(_ context.Context, p store.Progress) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p.Job.Outcome != "" && t.fail > 0 {
		t.fail--
		return errors.New("Slack is away")
	}
	t.list = append(t.list, p)
	return nil
}

func (t *told) last() store.Progress {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.list[len(t.list)-1]
}

// agreeing is a site that says what Redis says.
type agreeing struct{}

func (agreeing) SessionStatus(context.Context, string) (store.Site, error) {
	return store.Site{Found: true, Status: "completed"}, nil
}

// TestEndIsShownUntilItSucceeds: a job whose end could not be told is not over; it is on
// record and counted once all the same, and who tells it later tells all of it.
func TestEndIsShownUntilItSucceeds(t *testing.T) {
	t.Parallel()
	b := newBench(t, true)
	id, cfg := b.claimed(store.ActionGenerate), b.config()
	people, over := &told{fail: 1}, 0
	cfg.Notify, cfg.Site, cfg.OnFinished = people.tell, agreeing{}, func(store.Job) { over++ }
	if _, err := jobs.New(cfg).Execute(t.Context(), id); err == nil {
		t.Fatal("an end that was not told was taken for told")
	}
	job := b.ended(id, cfg) // by a runner that did not see the file being made
	p := people.last()
	if p.File.State != store.FileCompleted || p.Site == nil || p.Site.Status != "completed" || !p.At.Equal(job.Finished) {
		t.Errorf("told %+v, site %+v, at %v", p.File, p.Site, p.At)
	}
	b.recordedOnce(over)
	if again, err := b.ledger.Retell(t.Context(), id); !again || err != nil {
		t.Fatalf("told again: %v, %v", again, err)
	}
	people.list = nil
	b.ended(id, cfg)
	if p := people.last(); p.Job.Outcome != store.OutcomeDone {
		t.Errorf("told again %+v", p.Job)
	}
	b.recordedOnce(over)
	if b.files.Started() != 1 {
		t.Errorf("%d started", b.files.Started())
	}
}

func (b *bench) recordedOnce(over int) {
	b.t.Helper()
	entries, err := b.ledger.History(b.t.Context(), session, 10)
	ends := slices.DeleteFunc(slices.Clone(entries), func(e store.Entry) bool { return e.Event != store.AuditOutcome })
	if err != nil || len(entries) != 2 || len(ends) != 1 || over != 1 { // the claim is the other one
		b.t.Errorf("counted %d times; on record %+v, %v", over, entries, err)
	}
}

// TestProgressIsNotRepeated: only an end can be overtaken.
func TestProgressIsNotRepeated(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	id := b.claimed(store.ActionFix)
	if again, err := b.ledger.Retell(t.Context(), id); again || err != nil {
		t.Errorf("%v, %v", again, err)
	}
	if _, err := b.ledger.Retell(t.Context(), "nothing"); !errors.Is(err, store.ErrUnknownJob) {
		t.Error(err)
	}
}

// TestCountsAreReported: those that run and those that wait for a person.
func TestCountsAreReported(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	id, cfg := b.claimed(store.ActionFix), b.config()
	var running, unclear []int
	cfg.ReportCounts = func(r, u int) { running, unclear = append(running, r), append(unclear, u) }
	b.ended(id, cfg)
	if running[0] != 1 || unclear[0] != 0 {
		t.Errorf("running %v, unclear %v", running, unclear)
	}
}

// TestRetryBackoff: what is interrupted again and again is tried ever
// more rarely, and never before the pause ends that Slack asks for.
func TestRetryBackoff(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	b.claimed(store.ActionFix)
	cfg := b.config()
	var mu sync.Mutex
	now, asked := time.Now(), time.Duration(0)
	cfg.Notify = func(context.Context, store.Progress) error {
		mu.Lock()
		defer mu.Unlock()
		return fmt.Errorf("tell: %w", busy(asked))
	}
	cfg.Now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	attempts := make(chan time.Duration)
	cfg.Log = slog.New(interrupted(func(ctx context.Context, wait time.Duration) {
		select {
		case attempts <- wait:
		case <-ctx.Done():
		}
	}))
	runner := jobs.New(cfg)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- runner.Run(ctx) }()
	first, longest := cfg.Timings.Pending, cfg.Timings.MaxRetry
	for _, c := range []struct{ want, next time.Duration }{
		{first, 0}, {2 * first, 0}, {4 * first, 2 * longest}, {2 * longest, 0}, {16 * first, 0}, {longest, first}, {longest, 0},
	} {
		got := <-attempts
		if got != c.want {
			t.Errorf("left alone for %v, want %v", got, c.want)
		}
		mu.Lock()
		now, asked = now.Add(got), c.next
		mu.Unlock()
		runner.Wake()
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// busy is a Slack that asks for a pause.
type busy time.Duration

func (b busy) Error() string        { return "Slack is away" }
func (b busy) Pause() time.Duration { return time.Duration(b) }

// interrupted is a log that is called when a job was interrupted, with how long
// it is left alone.
type interrupted func(ctx context.Context, wait time.Duration)

func (interrupted) Enabled(context.Context, slog.Level) bool { return true }
func (i interrupted) Handle(ctx context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "in_ms" {
			i(ctx, time.Duration(a.Value.Int64())*time.Millisecond)
		}
		return true
	})
	return nil
}
func (i interrupted) WithAttrs([]slog.Attr) slog.Handler { return i }
func (i interrupted) WithGroup(string) slog.Handler      { return i }

// TestDecisionsAreAudited: the process that took a claim, or what a
// person said, may be gone at once; who carries the job out puts it on record,
// once.
func TestDecisionsAreAudited(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	id, cfg := b.claimed(store.ActionGenerate), b.config()
	cfg.GiveUp, cfg.Generator = 0, never{cfg.Generator}
	job := b.ended(id, cfg)
	if _, err := b.ledger.Settle(t.Context(), id, store.Settlement{By: store.Actor{ID: "U3"}, FileID: job.FileID, At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	b.ended(id, b.config())
	history, err := b.ledger.History(t.Context(), session, 10)
	if err != nil {
		t.Fatal(err)
	}
	var list []string // the newest first
	for _, e := range history {
		list = append(list, string(e.Event)+" by "+e.Who.ID)
	}
	want := []string{"outcome by U2", "settled by U3", "outcome by U2", "claimed by U2"}
	if !slices.Equal(list, want) || !history[3].At.Equal(job.Claimed) {
		t.Errorf("on record: %q, want %q", list, want)
	}
}
