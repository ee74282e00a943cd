package jobs_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/repair"
)

// TestRedisReadOnly: an outcome that cannot be written for as long as a file is
// polled is shown as such, and can be settled later.
func TestRedisReadOnly(t *testing.T) {
	t.Parallel()
	b := newOwnBench(t)
	var state *rdb.Redis
	state, b.ledger = opened(t, redistest.Patient(t, redistest.NewDatabase(t).URL()))
	id, cfg := b.claimed(store.ActionGenerate), b.config()
	cfg.Trail = audit.NewTrail(state)
	var refusing atomic.Bool
	var minutes, refused atomic.Int32
	cfg.Now = func() time.Time { // time passes quickly while writes are refused
		if refusing.Load() {
			minutes.Add(1)
		}
		return time.Now().Add(time.Duration(minutes.Load()) * time.Minute)
	}
	cfg.OnStep = func(step string) {
		if step == "sent" {
			b.refuseWrites(true)
			refusing.Store(true)
		}
	}
	cfg.Product = eachTime{cfg.Product, func(context.Context) { // a write is tried again
		if refusing.Load() {
			refused.Add(1)
		}
	}}
	job := b.ended(id, cfg)
	if refused.Load() < 6 {
		t.Errorf("given up after %d attempts", refused.Load())
	}
	if job.Outcome != store.OutcomeGaveUp || job.Cause != repair.CauseUnwritten || job.FileID == "" {
		t.Fatalf("%s (%s), file %q", job.Outcome, job.Cause, job.FileID)
	}
	b.refuseWrites(false)
	said := repair.Settlement{By: store.Actor{ID: "U0LEAD"}, At: time.Now(), FileID: job.FileID}
	if _, err := b.ledger.Settle(t.Context(), id, said); err != nil {
		t.Fatal(err)
	}
	b.endedWell(id, b.config())
}

// TestWritesAreRefusedForAWhile: the file's id is written once Redis accepts writes,
// and the delay is not reported as a conflict.
func TestWritesAreRefusedForAWhile(t *testing.T) {
	t.Parallel()
	b := newOwnBench(t)
	var state *rdb.Redis
	state, b.ledger = opened(t, redistest.Patient(t, redistest.NewDatabase(t).URL()))
	id, cfg := b.claimed(store.ActionGenerate), b.config()
	cfg.Trail = audit.NewTrail(state)
	attempts, written := 0, any(nil)
	cfg.OnStep = func(step string) {
		switch repair.Step(step) {
		case repair.StepSent:
			b.refuseWrites(true)
		case repair.StepFiled:
			written = b.value("webhook:" + session)["fileId"]
		}
	}
	cfg.Product = eachTime{cfg.Product, func(context.Context) {
		if attempts++; attempts == 5 {
			b.refuseWrites(false)
		}
	}}
	job := b.ended(id, cfg)
	if job.Outcome != store.OutcomeDone || job.Overwritten || written != job.FileID {
		t.Errorf("%s, overwritten: %v; file %q, the session names %v", job.Outcome, job.Overwritten, job.FileID, written)
	}
}

// eachTime calls a function each time a session is read.
type eachTime struct {
	diagnosis.SessionReader
	happens func(ctx context.Context)
}

func (e eachTime) Session(ctx context.Context, id string) (store.Session, error) {
	e.happens(ctx)
	return e.SessionReader.Session(ctx, id)
}

// refuseWrites makes Redis refuse writes for want of a replica.
func (b *bench) refuseWrites(refuse bool) {
	replicas := "0"
	if refuse {
		replicas = "1"
	}
	if err := b.client.ConfigSet(b.t.Context(), "min-replicas-to-write", replicas).Err(); err != nil {
		b.t.Error(err)
	}
}
