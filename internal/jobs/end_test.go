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
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/repair"
)

// notifications records what was shown.
type notifications struct {
	mu   sync.Mutex
	list []repair.Progress
	fail int // how many final notifications fail
}

func (n *notifications) notify(_ context.Context, p repair.Progress) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if p.Job.Outcome != "" && n.fail > 0 {
		n.fail--
		return errors.New("Slack is away")
	}
	n.list = append(n.list, p)
	return nil
}

func (n *notifications) last() repair.Progress {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.list[len(n.list)-1]
}

// agreeing is a site that answers what Redis holds.
type agreeing struct{}

func (agreeing) SessionStatus(context.Context, string) (store.Site, error) {
	return store.Site{Found: true, Status: "completed"}, nil
}

// TestEndIsShownUntilItSucceeds: a job whose end could not be shown has not ended.
// It is audited and counted once, and shown in full later, when its end may be in the
// thread already.
func TestEndIsShownUntilItSucceeds(t *testing.T) {
	t.Parallel()
	b := newBench(t, true)
	id, cfg := b.claimed(store.ActionGenerate), b.config()
	shown, finished := &notifications{fail: 1}, 0
	var replies []repair.Reply
	cfg.Site, cfg.OnFinished = agreeing{}, func(repair.Job) { finished++ }
	cfg.Notify = func(ctx context.Context, p repair.Progress) error {
		if p.Job.Outcome != "" {
			replies = append(replies, p.Reply)
		} else if p.Reply != repair.ReplyNone {
			t.Errorf("a reply on a job that runs: %s", p.Reply)
		}
		return shown.notify(ctx, p)
	}
	if err := jobs.New(cfg).Execute(t.Context(), id); err == nil {
		t.Fatal("a failed final notification was ignored")
	}
	job := b.ended(id, cfg) // by a runner that did not poll the file
	p := shown.last()
	if p.File.State != store.FileCompleted || p.Site == nil || p.Site.Status != "completed" || !p.At.Equal(job.Finished) {
		t.Errorf("shown %+v, site %+v, at %v", p.File, p.Site, p.At)
	}
	b.recordedOnce(finished)
	if want := []repair.Reply{repair.ReplyFirst, repair.ReplyMaybe}; !slices.Equal(replies, want) {
		t.Errorf("replies %q, want %q", replies, want)
	}
	if b.files.Started() != 1 {
		t.Errorf("%d started", b.files.Started())
	}
}

func (b *bench) recordedOnce(finished int) {
	b.t.Helper()
	entries, err := audit.NewTrail(b.product).History(b.t.Context(), session, 10)
	ends := slices.DeleteFunc(slices.Clone(entries), func(e audit.Entry) bool { return e.Event != audit.Ended })
	if err != nil || len(entries) != 2 || len(ends) != 1 || finished != 1 { // the claim is the other one
		b.t.Errorf("counted %d times; audited %+v, %v", finished, entries, err)
	}
}

// TestCountsAreReported: jobs that run, and that wait for a person.
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

// TestRetryBackoff: a failing job is tried with exponential backoff, and never
// before the pause that Slack asks for.
func TestRetryBackoff(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	b.claimed(store.ActionFix)
	cfg := b.config()
	var mu sync.Mutex
	now, asked := time.Now(), time.Duration(0)
	cfg.Notify = func(context.Context, repair.Progress) error {
		mu.Lock()
		defer mu.Unlock()
		return fmt.Errorf("notify: %w", busy(asked))
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
	first, longest := cfg.Timings.BaseDelay, cfg.Timings.MaxRetryDelay
	for _, c := range []struct{ want, next time.Duration }{
		{first, 0}, {2 * first, 0}, {4 * first, 2 * longest}, {2 * longest, 0}, {16 * first, 0}, {longest, first}, {longest, 0},
	} {
		got := <-attempts
		if got != c.want {
			t.Errorf("postponed by %v, want %v", got, c.want)
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

// busy is the error of a rate limit.
type busy time.Duration

func (b busy) Error() string                 { return "Slack is away" }
func (b busy) RequestedDelay() time.Duration { return time.Duration(b) }

// interrupted is a slog.Handler that is called when a job is postponed.
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

// TestDecisionsAreAudited: the process that accepted a decision may be gone at
// once; the process that executes the job audits it, once.
func TestDecisionsAreAudited(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	id, cfg := b.claimed(store.ActionGenerate), b.config()
	cfg.GiveUp, cfg.Generator = 0, never{cfg.Generator}
	job := b.ended(id, cfg)
	if _, err := b.ledger.Settle(t.Context(), id, repair.Settlement{By: store.Actor{ID: "U3"}, FileID: job.FileID, At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	b.ended(id, b.config())
	history, err := audit.NewTrail(b.product).History(t.Context(), session, 10)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range history {
		list = append(list, string(e.Event)+" by "+e.Who.ID)
	}
	want := []string{"claimed by U2", "outcome by U2", "settled by U3", "outcome by U2"}
	if !slices.Equal(list, want) || !history[0].At.Equal(job.Claimed) {
		t.Errorf("audited: %q, want %q", list, want)
	}
}

// TestChangesAreReported when a job begins and when it has ended, and once more where
// the process died right then.
func TestChangesAreReported(t *testing.T) {
	t.Parallel()
	b := newBench(t, true)
	id, cfg := b.claimed(store.ActionGenerate), b.config()
	cfg.Site, cfg.Notify = agreeing{}, (&notifications{}).notify
	var seen []store.JobState
	die := func() {}
	cfg.OnChanged = func(ctx context.Context, session string) {
		job, err := cfg.Ledger.JobOf(ctx, session)
		if err != nil {
			t.Error(err)
		}
		seen = append(seen, job.State)
		die()
	}
	ctx, kill := context.WithCancel(t.Context())
	die = kill
	if err := jobs.New(cfg).Execute(ctx, id); err == nil {
		t.Fatal("killed, it went on")
	}
	die = func() {}
	if err := jobs.New(cfg).Execute(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if want := []store.JobState{store.JobRunning, store.JobRunning, store.JobNone}; !slices.Equal(seen, want) {
		t.Errorf("reported in the states %q, want %q", seen, want)
	}
}
