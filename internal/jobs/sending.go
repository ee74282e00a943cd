package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/repair"
)

// noReplicaInTime is why a request that waited was never sent.
const noReplicaInTime = "No replica of Redis confirmed the record in that time."

// waitingForReplicas is logged while a request must not be sent yet.
const waitingForReplicas = "job waits for the replicas of Redis"

// awaitReplicas waits until the replicas acknowledged the job's record, or it is
// too late. Until then nothing is sent, so that the job can be cancelled.
func (e *execution) awaitReplicas(ctx context.Context) error {
	minutes := func() int { return int(e.Now().Sub(e.job.Claimed).Minutes()) }
	shown := minutes()
	for !late(*e.job, e.Now()) {
		err := e.Ledger.AwaitReplicas(ctx, e.lease, *e.job)
		switch {
		case err == nil:
			e.job.Waiting = false
			return nil
		case errors.Is(err, lease.ErrLost), rdb.Permanent(err), ctx.Err() != nil:
			return err
		}
		if now := minutes(); now != shown {
			shown = now
			e.Log.WarnContext(ctx, waitingForReplicas, "job", e.job.ID, "error", err)
			e.notify(ctx)
		}
		if err := sleep(ctx, e.Timings.BaseDelay); err != nil {
			return err
		}
	}
	return nil
}

// maySend reports whether the one request may be sent now, with StepSending recorded.
// Otherwise it resets the job to the step before, or returns an error.
//
// If the process was suspended, another one may have the job: only the holder of the
// lease can record this. A Redis replica without the record of the request could take
// over, and the request be sent once more.
func (e *execution) maySend(ctx context.Context, before repair.Step) (bool, error) {
	err := e.Ledger.AwaitReplicas(ctx, e.lease, *e.job)
	if errors.Is(err, lease.ErrLost) {
		return false, err
	}
	if rdb.Permanent(err) { // and nothing was sent
		e.job.Step, e.job.Sending = before, time.Time{}
		return false, err
	}
	if err != nil {
		e.Log.WarnContext(ctx, waitingForReplicas, "job", e.job.ID, "error", err)
	}
	if err != nil || e.Now().Sub(e.job.Sending) > sendWithin {
		e.job.Step, e.job.Sending, e.job.Waiting = before, time.Time{}, err != nil
		return false, nil
	}
	return true, nil
}
