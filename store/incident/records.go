package incident

import (
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
)

// All records of the watch have one hash tag, and so one slot: one script can
// concern several of them.
const (
	leaderKey = store.WatchPrefix + "leader" // the lease of the state: its holder leads
	countKey  = store.WatchPrefix + "token"  // counted the leaders in older versions
	stateKey  = store.WatchPrefix + "state"  // hash
	dueKey    = store.WatchPrefix + "due"    // sorted set of session ids, by the time of their inspection
	openKey   = store.WatchPrefix + "open"   // sorted set of incident ids, by their version
	syncKey   = store.WatchPrefix + "sync"   // written to see that replicas follow

	troubledKey   = store.WatchPrefix + "troubled"    // sorted set of the ids of sessions in trouble, by the sweep that found them last
	troubledAtKey = store.WatchPrefix + "troubled:at" // when the last sweep that went through began, and whether it recorded all
)

func paidKey(session string) string      { return store.WatchPrefix + "paid:" + session }
func dismissedKey(session string) string { return store.WatchPrefix + "dismissed:" + session }
func handledKey(session string) string   { return store.WatchPrefix + "handled:" + session }
func incidentKey(id string) string       { return store.WatchPrefix + "incident:" + id }

const (
	stateLife = 400 * 24 * time.Hour // while nobody watches
	// caseLife outlives every session of an incident by a day.
	caseLife = store.KeyLife + 24*time.Hour
)

// Watch holds the records of the watch in Redis, each kind with its own methods.
type Watch struct {
	Progress
	Queue
	Sessions
	Incidents
	Trouble
}

// NewWatch returns the records in the given Redis.
func NewWatch(r *rdb.Redis) *Watch {
	progress := Progress{Leases: lease.Store{Redis: r, Timings: lease.Leadership}, redis: r}
	return &Watch{
		Progress: progress, Queue: Queue{r}, Sessions: Sessions{redis: r, progress: &progress}, Incidents: Incidents{r}, Trouble: Trouble{r},
	}
}
