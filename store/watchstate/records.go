// Package watchstate keeps the state of the watch in Redis: its leader, what it read last,
// the sessions that are due for an inspection and those found in trouble.
package watchstate

import (
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
)

// All records of the watch have one hash tag, and so one slot: one script can
// concern several of them.
const (
	// StateKey is a hash. It holds the leader's token, which fences other records, too.
	StateKey = store.WatchPrefix + "state"

	leaderKey = store.WatchPrefix + "leader" // the lease of the state: its holder leads
	countKey  = store.WatchPrefix + "token"  // counted the leaders in older versions
	dueKey    = store.WatchPrefix + "due"    // sorted set of session ids, by the time of their inspection
	syncKey   = store.WatchPrefix + "sync"   // written to see that replicas follow

	troubledKey   = store.WatchPrefix + "troubled"    // sorted set of the ids of sessions in trouble, by the sweep that found them last
	troubledAtKey = store.WatchPrefix + "troubled:at" // when the last sweep that went through began, and whether it recorded all
)

const (
	stateLife = 400 * 24 * time.Hour // without a leader

	// RecordLife is how long records about sessions are kept: a day longer than those.
	RecordLife = store.KeyLife + 24*time.Hour
)

// Records are those in one Redis, each kind with its own methods.
type Records struct {
	Progress
	Queue
	Trouble
}

// New returns the records in the given Redis.
func New(r *rdb.Redis) *Records {
	return &Records{Progress{Leases: lease.Store{Redis: r, Timings: lease.Leadership}, redis: r}, Queue{r}, Trouble{r}}
}
