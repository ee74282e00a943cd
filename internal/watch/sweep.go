package watch

import (
	"cmp"
	"context"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/stats"
	"github.com/superduperai/sessionbot/store/sweep"
	"github.com/superduperai/sessionbot/store/watchstate"
)

const (
	alertableAge  = 24 * time.Hour // how far back sessions are alerted when the watch begins
	pauseFactor   = 10             // the pause after a sweep, in multiples of its duration
	minRollupLife = sweep.FullEvery + 10*time.Minute
)

// sweepTask sweeps over all sessions, and puts those that seem to be in trouble on
// the due queue. It needs nothing but Redis.
type sweepTask struct {
	*term
	succeeded bool
	pause     time.Duration // until the next sweep
	previous  time.Time     // when a sweep last succeeded before this term
}

func (s *sweepTask) delay(time.Duration) time.Duration { return s.pause }

func (s *sweepTask) sweep(ctx context.Context) error {
	started := s.Now()
	full, err := s.sweepAll(ctx, started)
	if ctx.Err() != nil {
		return err
	}
	took := s.Now().Sub(started)
	s.Metrics.Swept(err == nil, full, took)
	if s.pause = s.Interval - took; err == nil { // a failed sweep did not load Redis
		s.pause = s.pauseAfter(took)
		if !s.succeeded {
			s.succeeded = true
			s.monitor.reportGap(ctx, s.previous)
		}
	}
	s.monitor.report(ctx, incident.PartSweep, err)
	return err
}

func (w *Watch) pauseAfter(took time.Duration) time.Duration {
	return max(w.Interval-took, pauseFactor*took)
}

// findings are what a sweep found besides its counts.
type findings struct {
	state           watchstate.State
	stripeDownSince time.Time
	due             []check // the newest files that are due
	backlogFileDue  bool    // one of them is of a session from before the watch
	unverifiable    map[store.Unverified]int
	// liveUnverifiable reports that live sessions are among them.
	liveUnverifiable bool
	paymentUnknown   bool      // of any session, as Stripe does not answer
	swept            time.Time // when the sweep began
	troubled         int       // sessions in trouble
}

func (s *sweepTask) sweepAll(ctx context.Context, started time.Time) (full bool, err error) {
	if err := s.refresh(ctx); err != nil {
		return false, err
	}
	known := s.snapshot()
	found := findings{state: known.state, stripeDownSince: known.stripeDownSince, swept: started, unverifiable: map[store.Unverified]int{}}
	swept, err := s.sweeper.Sweep(ctx, sweep.Options{
		Now: started, Limits: s.Limits, FullEvery: max(sweep.FullEvery, 3*s.pause),
		Evidence: func(ctx context.Context, sessions []store.Session) ([]diagnosis.Evidence, error) {
			return s.evidence(ctx, sessions, s.payments)
		},
		Visit: func(ctx context.Context, observed []sweep.Observation) error { return s.visit(ctx, observed, &found) },
	})
	if err != nil {
		return false, err
	}
	if !swept.Count.Complete { // one of Redis' answers did not come in time
		return swept.Full, rdb.ErrNoAnswer
	}
	return swept.Full, s.finishSweep(ctx, swept, &found, started)
}

// finishSweep records what a sweep found, and has the sessions of incidents
// inspected, also those of which Redis holds nothing any more.
func (s *sweepTask) finishSweep(ctx context.Context, swept sweep.Result, found *findings, started time.Time) error {
	s.files.replace(found.due, s.Now())
	s.updateFacts(func(f *facts) {
		f.sessions, f.filesChecked, f.allVerified = swept.Count.Sessions, !found.backlogFileDue, f.allVerified || !found.paymentUnknown
	})
	if err := s.monitor.reportEmpty(ctx, found.state, started); err != nil {
		return err
	}
	if swept.Full {
		if err := s.Files.Keep(ctx); err != nil {
			return err
		}
	}
	incidents, err := s.incidents.list(ctx)
	if err != nil {
		return err
	}
	now := s.Now()
	var dues []watchstate.DueSession
	for id := range openCases(incidents) {
		dues = append(dues, watchstate.DueSession{Session: id, At: now})
	}
	if err := s.Records.AddDue(ctx, dues...); err != nil {
		return err
	}
	signal(s.inspectNow)
	changes := []watchstate.Change{watchstate.Swept(now), watchstate.Pause(s.pauseAfter(now.Sub(started))), watchstate.SiteLayout(swept.SiteLayout)}
	if ms := s.listener.lastWrite.Load(); ms > 0 {
		changes = append(changes, watchstate.Notified(time.UnixMilli(ms)))
	}
	if err := s.record(ctx, changes...); err != nil {
		return err
	}
	if err := s.monitor.reportUnverified(ctx, found.unverifiable, found.liveUnverifiable); err != nil {
		return err
	}
	if err := s.Records.KeepTroubled(ctx, s.lead, started, found.troubled, s.rollupLife()); err != nil {
		return err
	}
	return s.saveRollup(ctx, swept.Count, started)
}

// saveRollup makes what was counted the answer to requests for statistics, until
// sweeps have failed for so long that it is better to count again.
func (s *sweepTask) saveRollup(ctx context.Context, c stats.Count, now time.Time) error {
	r := stats.Rollup{AsOf: now, Count: c}
	if server, err := s.Product.Server(ctx); err == nil {
		r.Server = &server
	} else {
		s.Log.DebugContext(ctx, "Redis server info unavailable", "error", err)
	}
	if kept, err := s.Statistics.Figures(ctx, now); err == nil {
		r.LookupSuccessRate = kept.Series.Sum(stats.HourOf(now), 24).Lookup.Rate()
	}
	s.Metrics.Counted(&r)
	return s.Statistics.SaveRollup(ctx, s.lead, r, s.rollupLife())
}

// rollupLife is how long what a sweep found answers requests.
func (s *sweepTask) rollupLife() time.Duration { return max(minRollupLife, 5*s.Interval, 3*s.pause) }

// payments returns the payments that are known without asking.
func (s *sweepTask) payments(ctx context.Context, ids []string) (map[string]store.Payment, error) {
	known, err := s.Records.Known(ctx, ids)
	if err != nil {
		return nil, err
	}
	return s.stripe.payments(ids, known, nil), nil
}

// visit puts the sessions that are in trouble in the due queue.
func (s *sweepTask) visit(ctx context.Context, observed []sweep.Observation, found *findings) error {
	now := s.Now()
	var dues []watchstate.DueSession
	var troubled []string
	for _, o := range observed {
		if o.Verdict.InTrouble() {
			troubled = append(troubled, o.Session.ID)
		}
		found.paymentUnknown = found.paymentUnknown || o.Payment.Why == store.StripeNoAnswer
		s.queueFile(o, found, now)
		c := candidate{Observation: o}
		reason := s.triage(c, found.state)
		switch reason {
		case incident.InTrouble:
			dues = append(dues, watchstate.DueSession{Session: o.Session.ID, At: now})
			continue
		case incident.NotInTrouble: // most are; nothing is logged of them
			continue
		case incident.InBacklog:
			s.backlog.add(s.inspector.caseOf(ctx, c, now))
		case incident.PaymentUnverified:
			if why := o.Payment.Why; why == store.StripeWrongMode ||
				!found.stripeDownSince.IsZero() && o.PaidAt.Add(s.Limits.OrphanGrace).After(found.stripeDownSince) {
				found.unverifiable[why]++
				found.liveUnverifiable = found.liveUnverifiable || store.IsLive(o.Session.ID)
			}
		}
		s.logSkipped(ctx, c, reason)
	}
	found.troubled += len(troubled)
	if err := s.Records.AddTroubled(ctx, s.lead, found.swept, troubled...); err != nil {
		return err
	}
	return s.Records.AddDue(ctx, dues...)
}

// queueFile collects the file of a session if it is due to be checked.
func (s *sweepTask) queueFile(o sweep.Observation, found *findings, now time.Time) {
	started := cmp.Or(o.Since, o.Time(), now.Add(-store.KeyLife)) // approximately
	c := check{o.Session.FileRef(now), started, o.File}
	if !s.files.due(c, now) {
		return
	}
	found.backlogFileDue = found.backlogFileDue || incident.TroubleSince(o.Diagnosis).Before(found.state.Epoch)
	if found.due = append(found.due, c); len(found.due) >= 2*maxChecks {
		found.due = newest(found.due)
	}
}
