// Package ledger keeps plans and jobs in Redis: it claims each plan once, lets one process
// at a time execute a job, and records people's decisions.
package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/repair"
)

// errConflict means that the record was changed concurrently at each of maxAttempts.
var errConflict = errors.New("the record was changed in between")

const maxAttempts = 10

// Plans and jobs lie under one hash tag, and so in one slot: what concerns both
// is done in one script.
const (
	ledgerPrefix = "sessionbot:{jobs}:"
	plansKey     = ledgerPrefix + "plans"   // sorted set of plan ids, by when they expire
	pendingKey   = ledgerPrefix + "pending" // sorted set of job ids, by the time of the claim
	unclearKey   = ledgerPrefix + "unclear" // likewise: those that wait for a person
	replicaKey   = ledgerPrefix + "replica" // exists for rdb.ReplicaLife after a replica was seen connected
)

func planKey(id string) string       { return ledgerPrefix + "plan:" + id }
func jobKey(id string) string        { return ledgerPrefix + "job:" + id }
func leaseKey(id string) string      { return ledgerPrefix + "lease:" + id }
func jobOfKey(session string) string { return ledgerPrefix + "of:" + session }

// Fields of a session's hash, besides those of its latest job.
const (
	madePrefix     = "made:"     // a file that a job had made
	replacedPrefix = "replaced:" // a file that a generation replaced, with its state then
	doubtField     = "doubt"     // why the site may have started a video
)

const (
	// answerLife is how long a click on an expired plan still gets an answer.
	answerLife = 24 * time.Hour
	// jobLife is how long a job and its plan are kept: as long as what it wrote.
	jobLife = store.KeyLife
)

// Ledger is the bot's own record of plans and jobs.
type Ledger struct {
	*Plans
	*Jobs
}

// New returns the ledger in the bot's own Redis.
func New(state *rdb.Redis) *Ledger {
	jobs := &Jobs{Leases: lease.Store{Redis: state, Timings: lease.Job}, state: state}
	return &Ledger{Plans: &Plans{state: state, jobs: jobs}, Jobs: jobs}
}

func readHash(ctx context.Context, state *rdb.Redis, key string) (map[string]string, error) {
	client, err := state.Client(ctx)
	if err != nil {
		return nil, err
	}
	fields, err := client.HGetAll(ctx, key).Result()
	return fields, rdb.Classify(err)
}

// subject names the record of the latest job: that of a session, or of a bulk plan.
func subject(p repair.Plan) string {
	if p.Session == "" {
		return "bulk:" + p.ID
	}
	return p.Session
}
