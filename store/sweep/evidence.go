package sweep

import (
	"context"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// Jobs knows what jobs of ours do for sessions; see store.Ledger.
type Jobs interface {
	JobStates(ctx context.Context, sessions []string) (map[string]store.JobState, error)
}

// Sources is what is known of sessions besides their keys without asking anybody
// outside: the last known state of their files, and the jobs of ours.
type Sources struct {
	Files interface {
		States(ctx context.Context, sessions []store.Session) ([]store.File, error)
	}
	Jobs   Jobs
	Proven func(ctx context.Context, created time.Time) bool // see store.Proof
	Limits store.Thresholds
	Now    func() time.Time
}

// Payments is what is known of the payments of sessions; nil = nothing.
type Payments func(ctx context.Context, ids []string) (map[string]store.Payment, error)

// Evidence returns what is known of sessions, in their order. Payments are asked
// for where the file does not decide, and jobs where there would be trouble
// without one.
func (s Sources) Evidence(ctx context.Context, sessions []store.Session, payments Payments) ([]store.Evidence, error) {
	files, err := s.Files.States(ctx, sessions)
	if err != nil {
		return nil, err
	}
	var open []string
	for i, session := range sessions {
		if files[i].State != store.FileCompleted && session.Status() != store.StatusCompleted {
			open = append(open, session.ID)
		}
	}
	paid, err := payments(ctx, open)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	evidence := make([]store.Evidence, len(sessions))
	var doubtful []string
	for i, session := range sessions {
		e := store.Evidence{Session: session, Payment: paid[session.ID], File: files[i]}
		e.APIProven = e.File.State == store.FileMissing && s.Proven(ctx, session.FileRef(now).Created)
		switch store.Diagnose(e, now, s.Limits).Verdict {
		case store.VerdictOrphaned, store.VerdictStalled, store.VerdictFailed:
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
