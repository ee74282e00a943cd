package diagnosis

import (
	"context"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// Sources are the bot's own records of sessions: the last known state of their files,
// and their jobs.
type Sources struct {
	Files interface { // see sweep.Files
		States(ctx context.Context, sessions []store.Session) ([]FileRecord, error)
	}
	Jobs interface { // see ledger.Jobs
		JobStates(ctx context.Context, sessions []string) (map[string]store.JobState, error)
	}
	Proven func(ctx context.Context, created time.Time) bool // see watchstate.Proof
	Limits Thresholds
	Now    func() time.Time
}

// KnownPayments returns the payments that are known, by session.
type KnownPayments func(ctx context.Context, ids []string) (map[string]store.Payment, error)

// Evidence returns the evidence about sessions, in their order. Payments are read if the
// file does not decide, and jobs if there would be a fault without one.
func (s Sources) Evidence(ctx context.Context, sessions []store.Session, payments KnownPayments) ([]Evidence, error) {
	now := s.Now()
	for i := range sessions {
		sessions[i] = sessions[i].AsOf(now)
	}
	files, err := s.Files.States(ctx, sessions)
	if err != nil {
		return nil, err
	}
	var open []string
	for i, session := range sessions {
		quick := Evidence{Session: session, File: files[i].File, Finished: files[i].Finished}
		if Diagnose(quick, now, s.Limits).Verdict != VerdictCompleted {
			open = append(open, session.ID)
		}
	}
	paid, err := payments(ctx, open)
	if err != nil {
		return nil, err
	}
	evidence := make([]Evidence, len(sessions))
	var doubtful []string
	for i, session := range sessions {
		e := Evidence{Session: session, Payment: paid[session.ID], File: files[i].File, Finished: files[i].Finished}
		e.APIProven = e.File.State == store.FileMissing && s.Proven(ctx, session.FileRef(now).Created)
		switch Diagnose(e, now, s.Limits).Verdict {
		case VerdictCompleted, VerdictUnchecked, VerdictUnpaid, VerdictAbandoned, VerdictWaiting, VerdictCorrupt:
		default:
			doubtful = append(doubtful, session.ID)
		}
		evidence[i] = e
	}
	jobs, err := s.Jobs.JobStates(ctx, doubtful)
	for i := range evidence {
		evidence[i].Job = jobs[sessions[i].ID]
	}
	return evidence, err
}
