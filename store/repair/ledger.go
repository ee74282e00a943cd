// Package repair keeps plans, claims them once, and keeps the jobs that carry them out.
package repair

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
)

// What the ledger answers of records that are not there, or not so any more.
var (
	ErrUnknownPlan = errors.New("no such plan")
	ErrUnknownJob  = errors.New("no such job")
	ErrNotUnclear  = errors.New("the session has no unclear job")
	ErrOtherFile   = errors.New("the job's file is another one")
)

// errConflict means that the record was changed by others at each of maxAttempts.
var errConflict = errors.New("the record was changed in between")

// maxAttempts is how often a change is tried again when others change the record
// at the same time.
const maxAttempts = 10

// Plans and jobs lie under one hash tag, and so in one slot: what concerns both
// is done in one script.
const (
	ledgerPrefix = "sessionbot:{jobs}:"
	pendingKey   = ledgerPrefix + "pending" // sorted set of job ids, by the time of the claim
	unclearKey   = ledgerPrefix + "unclear" // likewise: those that wait for a person
	replicaKey   = ledgerPrefix + "replica" // there for replicaLife after a replica was seen connected
)

func planKey(id string) string       { return ledgerPrefix + "plan:" + id }
func jobKey(id string) string        { return ledgerPrefix + "job:" + id }
func leaseKey(id string) string      { return ledgerPrefix + "lease:" + id }
func jobOfKey(session string) string { return ledgerPrefix + "of:" + session }

// Fields of a session's hash, beside those of its latest job.
const (
	madePrefix     = "made:"     // a file that a job had made
	replacedPrefix = "replaced:" // a file that a generation replaced, with its state then
	doubtField     = "doubt"     // why the site may have had a video made
)

const (
	// answerLife is how long an expired plan still has an answer for a click.
	answerLife = 24 * time.Hour
	// jobLife is how long a job is remembered, and the plan that it came from: as
	// long as what it wrote.
	jobLife = store.KeyLife
)

// Ledger is the bot's own record of plans and jobs.
type Ledger struct {
	*audit.Trail
	Leases lease.Store // of jobs
	state  *rdb.Redis
}

// NewLedger keeps the ledger in the Redis given.
func NewLedger(state *rdb.Redis) *Ledger {
	return &Ledger{Trail: audit.NewTrail(state), Leases: lease.Store{Redis: state, Timings: lease.Job}, state: state}
}

// PlanState is what became of a plan.
type PlanState string

// The states of a plan.
const (
	PlanOpen      PlanState = "open"
	PlanExpired   PlanState = "expired"
	PlanClaimed   PlanState = "claimed"
	PlanCancelled PlanState = "cancelled"
)

// PlanRecord is a stored plan and what became of it.
type PlanRecord struct {
	Plan
	State PlanState
	By    store.Actor // who claimed or cancelled it
	At    time.Time   // when
}

// SavePlan stores a plan. It is kept for a day after it expires, so that a
// late click gets an answer; one that is claimed as long as its job.
func (l *Ledger) SavePlan(ctx context.Context, p Plan) error {
	client, err := l.state.Client(ctx)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("save a plan: %w", err)
	}
	pipe := client.TxPipeline()
	pipe.HSet(ctx, planKey(p.ID), "plan", raw, "state", string(PlanOpen),
		"expires", p.Expires.UnixMilli(), "retrying", p.Risk != "", "channel", p.Message.Channel, "ts", p.Message.TS)
	pipe.PExpire(ctx, planKey(p.ID), p.Expires.Sub(p.Created)+answerLife)
	if cmds, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("save a plan: %w", rdb.Classify(rdb.ExecError(cmds, err)))
	}
	return nil
}

var setMessage = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
for _, key in ipairs(KEYS) do
	if redis.call('EXISTS', key) == 1 then redis.call('HSET', key, 'channel', ARGV[1], 'ts', ARGV[2]) end
end
return 1`)

// SetMessage notes where the plan is shown, for its job as well where it was
// claimed in the meantime. ErrUnknownPlan where the plan is gone.
func (l *Ledger) SetMessage(ctx context.Context, planID string, m store.Message) error {
	found, err := l.state.Run(ctx, setMessage, []string{planKey(planID), jobKey(planID)}, m.Channel, m.TS).Int()
	if err != nil {
		return fmt.Errorf("note a plan's message: %w", rdb.Classify(err))
	}
	if found == 0 {
		return ErrUnknownPlan
	}
	return nil
}

// LoadPlan reads a plan and what became of it until now. ErrUnknownPlan where
// it is gone.
func (l *Ledger) LoadPlan(ctx context.Context, id string, now time.Time) (PlanRecord, error) {
	fields, err := l.fields(ctx, planKey(id))
	if err != nil {
		return PlanRecord{}, fmt.Errorf("load a plan: %w", err)
	}
	if fields["plan"] == "" {
		return PlanRecord{}, ErrUnknownPlan
	}
	record := PlanRecord{State: PlanState(fields["state"])}
	if err := json.Unmarshal([]byte(fields["plan"]), &record.Plan); err != nil {
		return PlanRecord{}, fmt.Errorf("load a plan: %w", err)
	}
	record.Message = store.Message{Channel: fields["channel"], TS: fields["ts"]}
	if record.State == PlanOpen && now.After(record.Expires) {
		record.State = PlanExpired
	}
	record.By, record.At, err = decisionOf(fields["decision"])
	return record, err
}

// LoadJob reads a job. ErrUnknownJob where there is none.
func (l *Ledger) LoadJob(ctx context.Context, id string) (Job, error) {
	job, _, err := l.job(ctx, id)
	return job, err
}

// job reads a job and the bytes that are stored of it.
func (l *Ledger) job(ctx context.Context, id string) (Job, string, error) {
	fields, err := l.fields(ctx, jobKey(id))
	if err != nil {
		return Job{}, "", fmt.Errorf("load a job: %w", err)
	}
	if fields["job"] == "" {
		return Job{}, "", ErrUnknownJob
	}
	var job Job
	if err := json.Unmarshal([]byte(fields["job"]), &job); err != nil {
		return Job{}, "", fmt.Errorf("load a job: %w", err)
	}
	job.Plan.Message = store.Message{Channel: fields["channel"], TS: fields["ts"]}
	return job, fields["job"], nil
}

func (l *Ledger) fields(ctx context.Context, key string) (map[string]string, error) {
	client, err := l.state.Client(ctx)
	if err != nil {
		return nil, err
	}
	fields, err := client.HGetAll(ctx, key).Result()
	return fields, rdb.Classify(err)
}
