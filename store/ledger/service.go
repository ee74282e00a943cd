package ledger

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/repair"
)

// auditTimeout bounds how long an answer waits for the audit trail.
const auditTimeout = 2 * time.Second

// Service applies people's decisions about plans and jobs, from Slack and the terminal,
// and records them in the audit trail. That a job was claimed, cancelled or
// settled is recorded by the process that executes it.
type Service struct {
	Ledger *Ledger
	Trail  *audit.Trail
	Log    *slog.Logger
	Now    func() time.Time
}

// Propose stores a plan and records who requested it.
func (s Service) Propose(ctx context.Context, plan repair.Plan, where string) error {
	if err := s.Ledger.SavePlan(ctx, plan); err != nil {
		return err
	}
	return s.Trail.Record(ctx, plan.Entry(audit.Planned, plan.Requester, where, "", s.Now()))
}

// Plan returns a stored plan; see Plans.LoadPlan.
func (s Service) Plan(ctx context.Context, id string) (repair.PlanRecord, error) {
	return s.Ledger.LoadPlan(ctx, id, s.Now())
}

// Approve claims a plan; see Plans.Claim.
func (s Service) Approve(ctx context.Context, planID, press string, by store.Actor, where string) (repair.ClaimResult, error) {
	result, err := s.Ledger.Claim(ctx, planID, press, by, s.Now())
	return s.decided(ctx, "approve", result, by, where), err
}

// Cancel cancels a plan; see Plans.Cancel.
func (s Service) Cancel(ctx context.Context, planID string, by store.Actor, where string) (repair.ClaimResult, error) {
	result, err := s.Ledger.Cancel(ctx, planID, by, s.Now())
	return s.decided(ctx, "cancel", result, by, where), err
}

// decided records the result of a decision. There is none with an error.
func (s Service) decided(ctx context.Context, button string, r repair.ClaimResult, by store.Actor, where string) repair.ClaimResult {
	event, detail := audit.Refused, r.Explanation()
	switch r.Verdict {
	case "", repair.Unknown, repair.Claimed, repair.JobCancelled:
		return r
	case repair.Cancelled:
		event, detail = audit.Cancelled, ""
	case repair.NeedsSecondPress:
		event, detail = audit.Pressed, "the first of two presses"
		if r.Press == r.Plan.FirstPressID { // too soon after that one, or of an old copy of the button
			detail = "pressed again; one more press needed"
		}
	default:
		if !by.Terminal {
			detail = "a click on " + button + ": " + detail
		}
	}
	s.record(ctx, r.Plan.Entry(event, by, where, detail, s.Now()))
	return r
}

// Settle settles a job; see Jobs.Settle.
func (s Service) Settle(ctx context.Context, job string, said repair.Settlement) (repair.Job, error) {
	settled, err := s.Ledger.Settle(ctx, job, said)
	detail := "settle: nothing was unclear"
	switch {
	case errors.Is(err, repair.ErrOtherFile):
		detail = "settle: the file " + said.FileID + " is not the one that was given up"
	case !errors.Is(err, repair.ErrNotUnclear):
		return settled, err
	}
	s.record(ctx, settled.Plan.Entry(audit.Refused, said.By, said.Where, detail, s.Now()))
	return settled, err
}

// RecordRefusal records a request that was refused. The request stays refused if it cannot
// be recorded.
func (s Service) RecordRefusal(ctx context.Context, refused audit.Entry) { s.record(ctx, refused) }

// Record records an action that must not take effect without a record.
func (s Service) Record(ctx context.Context, e audit.Entry) error { return s.Trail.Record(ctx, e) }

func (s Service) record(ctx context.Context, e audit.Entry) {
	ctx, cancel := context.WithTimeout(ctx, auditTimeout)
	defer cancel()
	if err := s.Trail.Record(ctx, e); err != nil {
		s.Log.ErrorContext(ctx, "audit entry not written", "event", string(e.Event), "error", err)
	}
}

// StopBulk stops a bulk plan; see Jobs.StopBulk. The process that executes it records that,
// as with ResumeBulk.
func (s Service) StopBulk(ctx context.Context, job string, by store.Actor, where string) (repair.Job, bool, error) {
	return s.Ledger.StopBulk(ctx, job, repair.BulkEvent{By: by, Where: where, At: s.Now()})
}

// ResumeBulk resumes a bulk plan; see Jobs.ResumeBulk.
func (s Service) ResumeBulk(ctx context.Context, job string, by store.Actor, where string) (repair.Job, bool, error) {
	return s.Ledger.ResumeBulk(ctx, job, repair.BulkEvent{By: by, Where: where, At: s.Now()})
}
