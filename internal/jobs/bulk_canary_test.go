package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/sessions"
	"github.com/superduperai/sessionbot/superduper"
)

// pages is a site whose pages show what Redis says, or something else instead.
type pages struct {
	product *rdb.Redis
	instead atomic.Pointer[func() (store.Site, error)]
}

func (p *pages) SessionStatus(ctx context.Context, id string) (store.Site, error) {
	if instead := p.instead.Load(); instead != nil {
		return (*instead)()
	}
	s, err := sessions.Reader{Redis: p.product}.Session(ctx, id)
	return store.Site{Found: true, Status: string(s.Status()), FileID: s.FileID()}, err
}

func (p *pages) show(site store.Site, err error) {
	show := func() (store.Site, error) { return site, err }
	p.instead.Store(&show)
}

// canaryBench is a bulkBench with more sessions than are begun without a canary, the
// site's pages, and a SuperDuperAI that finishes no file before it is released.
type canaryBench struct {
	*bulkBench
	pages    *pages
	released atomic.Bool
}

const flock = 12

func newCanaryBench(t *testing.T, cluster bool) *canaryBench {
	t.Helper()
	b := &canaryBench{bulkBench: newBulkBench(t, cluster, flock)}
	b.pages = &pages{product: b.product}
	return b
}

func (b *canaryBench) config() jobs.Config {
	cfg := b.bulkBench.config()
	cfg.Site, cfg.Generator = b.pages, unfinished{cfg.Generator, &b.released}
	cfg.Timings.Page = testenv.Patience
	return cfg
}

// alone waits until one session's file is being made, and checks that nothing else is.
func (b *canaryBench) alone(p repair.Plan, item int) {
	b.t.Helper()
	testenv.Until(b.t, "its file is being made", func() bool {
		job, err := b.ledger.LoadJob(b.t.Context(), p.ItemID(item))
		return err == nil && job.Step == repair.StepFiled
	})
	if n := b.job(p.ID).Bulk.Counts(); n.Running != 1 || n.Left != flock-1-item || b.once() > item+1 {
		b.t.Errorf("it is not alone: %+v, %d requested", n, b.once())
	}
}

func (b *canaryBench) resume(p repair.Plan) {
	b.t.Helper()
	if _, done, err := b.ledger.ResumeBulk(b.t.Context(), p.ID, repair.BulkEvent{By: store.Actor{ID: "U4"}, Where: "C1", At: time.Now()}); !done || err != nil {
		b.t.Fatalf("resumed: %v, %v", done, err)
	}
}

// TestBulkCanary: two processes execute a large plan, and both are ended and started
// again. The first session is repaired alone until its page shows it, and only then do
// the others follow, each requested once.
func TestBulkCanary(t *testing.T) {
	t.Parallel()
	for _, cluster := range []bool{false, true} {
		t.Run(fmt.Sprint("cluster ", cluster), func(t *testing.T) {
			t.Parallel()
			b := newCanaryBench(t, cluster)
			b.pages.show(store.Site{}, errors.New("no answer"))
			p := b.claimed(store.ActionGenerate)
			stop := b.running(b.config(), b.config())
			b.alone(p, 0)
			stop()
			b.released.Store(true)
			stop = b.running(b.config(), b.config())
			b.until(p.ID, "its video is finished", func(s *repair.Bulk) bool { return !s.Canary.Ended.IsZero() })
			stop()
			if s := b.job(p.ID).Bulk; s.Canary.Passed || s.Counts() != (repair.BulkCounts{Done: 1, Left: flock - 1}) || b.once() != 1 {
				t.Errorf("before the page shows it: %+v, %d requested", s.Counts(), b.once())
			}
			b.pages.instead.Store(nil)
			b.running(b.config(), b.config())
			testenv.Until(t, "all of it is over", func() bool { return b.job(p.ID).Notified })
			if job := b.job(p.ID); job.Bulk.Counts() != (repair.BulkCounts{Done: flock}) || b.once() != flock || len(job.Bulk.Events) != 0 {
				t.Errorf("%s with %+v, %d requested", job.Outcome, job.Bulk.Counts(), b.once())
			}
		})
	}
}

// TestBulkCanaryDiffers: anything else than was predicted pauses the plan before another
// session is begun, and says why. Resumed, the next session goes first, alone.
func TestBulkCanaryDiffers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		action store.Action
		breaks func(b *canaryBench)
		cause  repair.Cause
		first  repair.ItemState
	}{
		{"refused", store.ActionGenerate, func(b *canaryBench) { b.refuse = superduper.Rejected }, repair.CauseRejected, repair.ItemFailed},
		{"no answer", store.ActionGenerate, func(b *canaryBench) { b.refuse = superduper.Unclear }, repair.CauseNoAnswer, repair.ItemUnclear},
		{"changed meanwhile", store.ActionGenerate, func(b *canaryBench) { b.set("webhook:"+b.ids[0], `{"status":"error","error":"no"}`) }, repair.CauseChanged, repair.ItemSkipped},
		{"the page shows something else", store.ActionGenerate, func(b *canaryBench) { b.pages.show(store.Site{Found: true, Status: "error"}, nil) }, repair.CausePage, repair.ItemDone},
		{"the site is silent", store.ActionGenerate, func(b *canaryBench) { b.pages.show(store.Site{}, errors.New("no answer")) }, repair.CausePageUnseen, repair.ItemDone},
		{"the page does not show the error", store.ActionFix, func(b *canaryBench) { b.pages.show(store.Site{Status: "pending"}, nil) }, repair.CausePage, repair.ItemDone},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newCanaryBench(t, false)
			p := b.claimed(c.action)
			c.breaks(b)
			b.released.Store(true)
			cfg := b.config()
			cfg.Timings.Page = 0
			stop := b.running(cfg, cfg)
			b.until(p.ID, "it is paused, which is posted", func(s *repair.Bulk) bool { return s.Paused() && s.Posted > 0 })
			stop()
			s := b.job(p.ID).Bulk
			if e := s.Last(); e.Cause != c.cause || !e.Canary || s.Items[0].State != c.first || s.Counts().Left != flock-1 || b.once() > 1 {
				t.Errorf("%+v because of %s, the first is %s; %d requested", s.Counts(), e.Cause, s.Items[0].State, b.once())
			}
			b.audited("", "claimed", "paused "+string(c.cause))
			b.mu.Lock()
			b.refuse = ""
			b.mu.Unlock()
			b.pages.instead.Store(nil)
			b.released.Store(c.action == store.ActionFix)
			b.resume(p)
			b.running(b.config(), b.config())
			if c.action == store.ActionGenerate {
				b.alone(p, 1)
				b.released.Store(true)
			}
			testenv.Until(t, "all of it is over", func() bool { return b.job(p.ID).Notified })
			rest := b.job(p.ID).Bulk.Items[1:]
			if slices.ContainsFunc(rest, func(i repair.Item) bool { return i.State != repair.ItemDone }) {
				t.Errorf("the others: %+v", rest)
			}
			b.once()
		})
	}
}

// TestBulkCanaryStopped: stopped while the canary is made, nothing else begins, and what
// becomes of it is no reason for a pause.
func TestBulkCanaryStopped(t *testing.T) {
	t.Parallel()
	b := newCanaryBench(t, false)
	p := b.claimed(store.ActionGenerate)
	b.running(b.config())
	b.alone(p, 0)
	if _, done, err := b.ledger.StopBulk(t.Context(), p.ID, repair.BulkEvent{By: store.Actor{ID: "U4"}, Where: "C1", At: time.Now()}); !done || err != nil {
		t.Fatalf("stopped: %v, %v", done, err)
	}
	b.files.Put(b.job(p.ItemID(0)).FileID, store.FileFailed)
	b.released.Store(true)
	testenv.Until(t, "it is over", func() bool { return b.job(p.ID).Notified })
	if job := b.job(p.ID); job.Outcome != store.OutcomeCancelled || job.Bulk.Counts() != (repair.BulkCounts{Failed: 1, Left: flock - 1}) || b.once() != 1 {
		t.Errorf("%s with %+v, %d requested", job.Outcome, job.Bulk.Counts(), b.once())
	}
	b.audited("", "claimed", "stopped", "outcome")
}

// TestBulkCanaryKilled: killed at any step of the canary, the plan goes on elsewhere with
// the same one, in two processes at once, and nothing is requested twice. If it is unknown
// whether it was requested, a person has to settle it.
func TestBulkCanaryKilled(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"items recorded", "item claimed", "written", "sending", "answered", "filed", "finisheddone"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			b := newCanaryBench(t, at == "filed")
			p := b.claimed(store.ActionGenerate)
			b.killedAt(at, 1)
			b.leaseEnds(p.ID)
			b.leaseEnds(p.ItemID(0))
			b.running(b.config(), b.config())
			unclear := at == "sending" || at == "answered"
			if unclear {
				b.until(p.ID, "it is paused", (*repair.Bulk).Paused)
				if s := b.job(p.ID).Bulk; s.Items[0].State != repair.ItemUnclear || s.Last().Cause != repair.CauseNoAnswer || s.Counts().Left != flock-1 {
					t.Errorf("%+v because of %s", s.Counts(), s.Last().Cause)
				}
				b.resume(p)
			}
			b.released.Store(true)
			testenv.Until(t, "all of it is over", func() bool { return b.job(p.ID).Notified })
			want := repair.BulkCounts{Done: flock}
			if unclear {
				want = repair.BulkCounts{Done: flock - 1, Unclear: 1}
			}
			if got := b.job(p.ID).Bulk.Counts(); got != want || b.files.Started() > flock || b.files.Started() < got.Done {
				t.Errorf("%+v, %d requested", got, b.files.Started())
			}
			b.once()
		})
	}
}
