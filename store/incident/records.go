package incident

import (
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/watchstate"
)

// These are in the slot of the watch's state, which fences them.
const openKey = store.WatchPrefix + "open" // sorted set of incident ids, by their version

func paidKey(session string) string      { return store.WatchPrefix + "paid:" + session }
func dismissedKey(session string) string { return store.WatchPrefix + "dismissed:" + session }
func handledKey(session string) string   { return store.WatchPrefix + "handled:" + session }
func incidentKey(id string) string       { return store.WatchPrefix + "incident:" + id }

// chunkSize is how many sessions one command or pipeline concerns, so as not to block
// Redis for long.
const chunkSize = 200

// Records holds the records of the watch in Redis, each kind with its own methods.
type Records struct {
	*watchstate.Records
	Sessions
	Incidents
}

// NewRecords returns the records in the given Redis.
func NewRecords(r *rdb.Redis) *Records {
	state := watchstate.New(r)
	return &Records{Records: state, Sessions: Sessions{redis: r, progress: &state.Progress}, Incidents: Incidents{r}}
}
