package repair

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
)

// Replication asks the master of plans and jobs.
func (l *Ledger) Replication(ctx context.Context) (rdb.Replication, error) {
	return l.state.Replication(ctx, replicaKey)
}

// NoteReplicas remembers that a replica is connected, if one is.
func (l *Ledger) NoteReplicas(ctx context.Context) error {
	return l.state.NoteReplicas(ctx, replicaKey)
}

// AwaitReplicas returns nil once the record of a job, as it is given, is on every
// connected replica, and on at least one where one could take over.
//
// The record is saved once more on the connection that waits: the master that
// answers may be another than the one that took it before. lease.ErrLost where
// that one knows nothing of the lease.
func (l *Ledger) AwaitReplicas(ctx context.Context, held lease.Lease, job Job) error {
	r, err := l.Replication(ctx)
	if err != nil || !r.Needed {
		return err
	}
	keys, args, err := savedJob(held, job)
	if err != nil {
		return err
	}
	var saved *redis.Cmd
	err = l.state.Acknowledge(ctx, replicaKey, max(r.Connected, 1), func(pipe redis.Pipeliner) {
		if r.Connected > 0 {
			pipe.Set(ctx, replicaKey, "", rdb.ReplicaLife)
		}
		saved = saveJob.Eval(ctx, pipe, keys, args...)
	})
	if saved != nil && saved.Err() == nil && saved.Val() == int64(0) {
		return lease.ErrLost
	}
	return err
}
