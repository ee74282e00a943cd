package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/repair"
)

const (
	bulkSaved    = time.Minute    // between two records that a process executes a bulk plan
	bulkPauseFor = 24 * time.Hour // after which a paused one ends by itself
)

// bulk executes a bulk plan: it claims a job for each session, which any replica executes,
// and shows the progress of all in one message.
type bulk struct {
	*execution
	shown   string    // what the message shows
	paused  bool      // by this execution, which has not posted that yet
	retryAt time.Time // when the notice of a pause is posted again, after it failed
}

// coordinate begins sessions and collects their results, until the plan is over.
func (e *execution) coordinate(ctx context.Context) error {
	b := bulk{execution: e}
	for {
		over, err := b.round(ctx)
		if err != nil || over {
			return err
		}
		b.show(ctx)
		if err := sleep(ctx, e.Timings.BaseDelay); err != nil {
			return err
		}
	}
}

// pauseIfIdle pauses a plan without progress for longer than startWithin, such as after
// this process was suspended, since people no longer expect it to go on by itself, and
// reports whether it did. Sessions that were recorded, but not claimed, have not begun
// either.
func (b *bulk) pauseIfIdle(ctx context.Context, missing []int) bool {
	state, now := b.job.Bulk, b.Now().UTC()
	if state.Saved.IsZero() && !late(*b.job, now) || !state.Saved.IsZero() && now.Sub(state.Saved) <= startWithin {
		return false
	}
	for _, i := range missing {
		state.Items[i] = repair.Item{}
	}
	if state.Counts().Left > 0 && !state.Stopped() && !state.Paused() { // although as many run as may
		b.pause(ctx, repair.BulkEvent{Cause: repair.CauseIdle})
	}
	return true
}

// round does one pass over the plan and reports whether it is over.
func (b *bulk) round(ctx context.Context) (over bool, err error) {
	state := b.job.Bulk
	missing, changed, err := b.review(ctx)
	if err != nil {
		return false, err
	}
	// One that is started but finds no free slot would be too late a few minutes on.
	next := state.Next(min(b.BulkParallel, state.Counts().Running+b.free()))
	for _, i := range next {
		state.Items[i].State = repair.ItemRunning
	}
	// What is begun is recorded first: a stop, or another process, finds it.
	if changed || len(next) > 0 || b.Now().Sub(state.Saved) > bulkSaved {
		err = b.saveState(ctx)
	} else {
		err = b.Ledger.Leases.Renew(ctx, b.lease) // it is lost at once when the plan is stopped or resumed
	}
	if err == nil {
		err = b.auditEvents(ctx)
	}
	if err == nil {
		err = b.postPause(ctx)
	}
	if err != nil {
		return false, err
	}
	if len(next) > 0 {
		b.OnStep("items recorded")
	}
	if err := b.begin(ctx, append(missing, next...)); err != nil {
		return false, err
	}
	if over = state.Over(); over {
		return true, b.conclude(state.Outcome(), "")
	}
	return false, nil
}

// review updates the state: the results of the sessions, and whether the plan is paused or
// ends. It returns those that have to be claimed once more.
func (b *bulk) review(ctx context.Context) (missing []int, changed bool, err error) {
	state := b.job.Bulk
	missing, changed, err = b.collect(ctx)
	if err != nil {
		return nil, false, err
	}
	switch {
	case state.Stopped() && len(missing) > 0:
		if err := b.cancelUnclaimed(ctx, missing); err != nil {
			return nil, false, err
		}
		missing, changed = nil, true
	case b.pauseIfIdle(ctx, missing):
		missing, changed = nil, true
	}
	if failed, common := state.CommonFailure(); common && len(state.Next(b.BulkParallel)) > 0 {
		b.pause(ctx, repair.BulkEvent{Cause: failed.Cause, Detail: failed.Detail})
		changed = true
	}
	judged, err := b.judgeCanary(ctx)
	if err != nil {
		return nil, false, err
	}
	changed = changed || judged
	if last := state.Last(); state.Paused() && b.Now().Sub(last.At) > bulkPauseFor {
		state.Decide(repair.BulkEvent{Event: audit.Stopped, By: last.By, Where: last.Where, At: b.Now().UTC(), Cause: repair.CauseLate})
		changed = true
	}
	return missing, changed, nil
}

// collect notes the results of the sessions that ran, and of the unclear ones that were
// settled. It returns items recorded as running whose job does not exist: the process
// died before it claimed it, or is about to.
func (b *bulk) collect(ctx context.Context) (missing []int, changed bool, err error) {
	for i, item := range b.job.Bulk.Items {
		if item.State != repair.ItemRunning && item.State != repair.ItemUnclear {
			continue
		}
		job, err := b.Ledger.LoadJob(ctx, b.job.Plan.ItemID(i))
		switch {
		case errors.Is(err, repair.ErrUnknownJob):
			missing = append(missing, i)
		case err != nil:
			return nil, false, err
		case job.Outcome != "" && (item.State == repair.ItemRunning || job.Outcome != store.OutcomeUnclear):
			b.job.Bulk.Items[i] = repair.ItemOf(job)
			changed = true
		}
	}
	return missing, changed, nil
}

// begin claims a job for each of the sessions, once, in the name of the plan's approver.
func (b *bulk) begin(ctx context.Context, items []int) error {
	if len(items) == 0 {
		return nil
	}
	defer b.Wake()
	refused := false
	for _, i := range items {
		plan := b.job.ItemPlan(i)
		if err := b.Ledger.SavePlan(ctx, plan); err != nil {
			return err
		}
		b.OnStep("item saved")
		answer, err := b.Ledger.Claim(ctx, plan.ID, "", b.job.Approver, b.Now())
		if err != nil {
			return err
		}
		b.OnStep("item claimed")
		if answer.Verdict == repair.Claimed || answer.Verdict == repair.AlreadyClaimed {
			continue
		}
		refused = true
		b.job.Bulk.Items[i] = repair.Item{State: repair.ItemSkipped, Detail: []string{answer.Explanation()}}
		entry := plan.Entry(audit.Refused, b.job.Approver, placeOf(*b.job, b.job.Approver), answer.Explanation(), b.Now())
		if err := b.ignoreAuditRefusal(ctx, b.Trail.Record(ctx, entry)); err != nil {
			return err
		}
	}
	if refused {
		return b.saveState(ctx)
	}
	return nil
}

// cancelUnclaimed cancels what has not been claimed when the plan is stopped, so that a
// suspended process cannot claim it later.
func (b *bulk) cancelUnclaimed(ctx context.Context, items []int) error {
	for _, i := range items {
		plan := b.job.ItemPlan(i)
		if err := b.Ledger.SavePlan(ctx, plan); err != nil {
			return err
		}
		answer, err := b.Ledger.Cancel(ctx, plan.ID, b.job.Bulk.Last().By, b.Now())
		if err != nil {
			return err
		}
		if answer.Verdict == repair.Cancelled || answer.Verdict == repair.AlreadyCancelled {
			b.job.Bulk.Items[i] = repair.Item{}
		}
	}
	return nil
}

func (b *bulk) pause(ctx context.Context, e repair.BulkEvent) {
	e.Event, e.By, e.Where, e.At = audit.Paused, b.job.Approver, placeOf(*b.job, b.job.Approver), b.Now().UTC()
	b.job.Bulk.Decide(e)
	b.paused = true
	b.Log.WarnContext(ctx, "bulk plan paused", "job", b.job.ID, "cause", string(e.Cause), "canary", e.Canary)
}

// postPause notifies the plan's approver of a pause, once: an edited message does not, and
// the plan waits until it is resumed.
func (b *bulk) postPause(ctx context.Context) error {
	state := b.job.Bulk
	if !state.Paused() || state.Posted >= len(state.Events) || b.Now().Before(b.retryAt) {
		return nil
	}
	reply := repair.ReplyMaybe
	if b.paused {
		b.paused, reply = false, repair.ReplyFirst
	}
	if err := b.Notify(ctx, repair.Progress{Job: *b.job, Reply: reply, SiteTexts: b.siteTexts(ctx, *b.job), At: b.Now()}); err != nil {
		delay := max(b.Timings.MaxRetryDelay, requestedDelay(err))
		b.retryAt = b.Now().Add(delay)
		b.Log.WarnContext(ctx, "pause of a bulk plan not posted, will retry", "job", b.job.ID, "error", err, "in_ms", delay.Milliseconds())
		return nil
	}
	state.Posted = len(state.Events)
	return b.saveState(ctx)
}

// mostSiteTexts is how many failed sessions are shown by name, with the site's words.
const mostSiteTexts = 10

// siteTexts returns what the site wrote about the first sessions of a bulk plan for which
// it wrote an error.
func (r *Runner) siteTexts(ctx context.Context, job repair.Job) map[string]string {
	if job.Bulk == nil {
		return nil
	}
	ctx, done := context.WithTimeout(ctx, endTimeout)
	defer done()
	texts := map[string]string{}
	for i, item := range job.Bulk.Items {
		if session := job.Plan.Items[i].Session; item.Cause == repair.CauseSiteFailed && len(texts) < mostSiteTexts {
			texts[session] = r.siteText(ctx, session)
		}
	}
	return texts
}

func (b *bulk) saveState(ctx context.Context) error {
	b.job.Bulk.Saved = b.Now().UTC()
	return b.save(ctx)
}

// auditEvents records the decisions about the bulk plan.
func (b *bulk) auditEvents(ctx context.Context) error {
	state := b.job.Bulk
	if state.Audited >= len(state.Events) {
		return nil
	}
	for _, e := range state.Events[state.Audited:] {
		detail := countsText(state.Counts())
		if e.Cause != "" {
			detail = string(e.Cause) + "; " + detail
		}
		// Once: a person who decides something now takes the job from this process.
		if err := b.ignoreAuditRefusal(ctx, b.Trail.RecordOnce(ctx, b.job.Plan.Entry(e.Event, e.By, e.Where, detail, e.At))); err != nil {
			return err
		}
		state.Audited++
	}
	b.OnStep("events audited")
	return b.saveState(ctx)
}

// show updates the message if the progress has changed.
func (b *bulk) show(ctx context.Context) {
	minutes := int(b.Now().Sub(b.job.Claimed).Minutes())
	state := b.job.Bulk
	if state.Paused() {
		minutes = 0
	}
	if now := fmt.Sprint(state.Counts(), state.Canary, len(state.Events), minutes); now != b.shown {
		b.shown = now
		b.notify(ctx)
	}
}

// countsText returns the sums of a bulk plan, for the audit trail.
func countsText(n repair.BulkCounts) string {
	return fmt.Sprintf("done %d, failed %d, unclear %d, skipped %d, running %d, left %d", n.Done, n.Failed, n.Unclear, n.Skipped, n.Running, n.Left)
}
