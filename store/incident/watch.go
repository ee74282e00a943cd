package incident

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
)

// All that the watch keeps lies under one hash tag, and so in one slot: what
// concerns several records is done in one script.
const (
	leaderKey = store.WatchPrefix + "leader" // the lease of the state: who holds it leads
	stateKey  = store.WatchPrefix + "state"  // hash
	dueKey    = store.WatchPrefix + "due"    // sorted set of session ids, by when to look at them
	openKey   = store.WatchPrefix + "open"   // sorted set of incident ids, by their version

	watchSyncKey = store.WatchPrefix + "sync" // written to see that replicas follow
)

func paidKey(session string) string      { return store.WatchPrefix + "paid:" + session }
func dismissedKey(session string) string { return store.WatchPrefix + "dismissed:" + session }
func incidentKey(id string) string       { return store.WatchPrefix + "incident:" + id }

const (
	// watchLife is how long the watch is remembered while nobody watches.
	watchLife = 400 * 24 * time.Hour
	// caseLife outlives every session of an incident by a day.
	caseLife = store.KeyLife + 24*time.Hour
)

// Watch is what the watch remembers: who leads it, how far it came, what is to
// be looked at next, and its incidents.
type Watch struct {
	Leases lease.Store // of the state
	state  *rdb.Redis
}

// NewWatch keeps the records in the Redis given.
func NewWatch(state *rdb.Redis) *Watch {
	return &Watch{Leases: lease.Store{Redis: state, Timings: lease.Leadership}, state: state}
}

// Lead takes the lease of the state and reports whether nobody else has it; see
// lease.Store. lease.ErrNoRecord before Begin.
func (w *Watch) Lead(ctx context.Context, owner string) (lease.Lease, bool, error) {
	return w.Leases.Acquire(ctx, stateKey, leaderKey, owner)
}

// WatchState is how far the watch came. A zero time means never.
type WatchState struct {
	Epoch           time.Time     // what happened before is history, and called out by nobody
	Cursor          time.Time     // up to which Stripe's events were read
	Listed          time.Time     // when Stripe's sessions were last listed
	Passed          time.Time     // when Stripe last answered a whole pass
	Swept           time.Time     // when a sweep last went through
	Pause           time.Duration // from then to the next one
	Sold            time.Time     // of the newest sale that Stripe listed
	Proven          Proof
	Found           time.Time    // when a file was last found, to some minutes
	Notified        time.Time    // when Redis last told of a write
	Reads           store.Layout // of the keys that the site reads, by the last sweep; LayoutNone = no session told
	BacklogNotified bool
	Unreachable     string // why alerts do not reach their channel, "" = they do
}

// Proof is that the SuperDuperAI API at a URL knew a file which the site started:
// the file of a session created at a time. It knows the files of older ones, too.
type Proof struct {
	URL     string // the beginning of its SHA-256 in hex
	Created time.Time
}

// Covers reports whether an API at the URL has to know the files of a session
// created then.
func (p Proof) Covers(url string, created time.Time) bool {
	return p.URL == urlDigest(url) && !created.IsZero() && created.Before(p.Created)
}

func urlDigest(url string) string { return store.Digest([]byte(url))[:16] }

// WatchAges are how long ago the watch last saw anything, in seconds; nil =
// never. The names are public.
type WatchAges struct {
	Sweep        *int64 `json:"sweep_age_seconds"`
	Stripe       *int64 `json:"stripe_age_seconds"`
	Notification *int64 `json:"notification_age_seconds"`
}

// Ages are those at a time.
func (s WatchState) Ages(now time.Time) WatchAges {
	age := func(at time.Time) *int64 {
		if at.IsZero() {
			return nil
		}
		return new(int64(now.Sub(at) / time.Second))
	}
	return WatchAges{Sweep: age(s.Swept), Stripe: age(s.Passed), Notification: age(s.Notified)}
}

// The fields of the state.
const (
	fieldEpoch       = "epoch"
	fieldCursor      = "cursor"
	fieldListed      = "listed"
	fieldPassed      = "passed"
	fieldSwept       = "swept"
	fieldPause       = "pause"
	fieldSold        = "sold"
	fieldProven      = "proven"
	fieldFound       = "found"
	fieldNotified    = "notified"
	fieldReads       = "reads"
	fieldHistory     = "history"
	fieldUnreachable = "unreachable"
)

// State reads how far the watch came.
func (w *Watch) State(ctx context.Context) (WatchState, error) {
	client, err := w.state.Client(ctx)
	if err != nil {
		return WatchState{}, err
	}
	fields, err := client.HGetAll(ctx, stateKey).Result()
	if err != nil {
		return WatchState{}, fmt.Errorf("read the state of the watch: %w", rdb.Classify(err))
	}
	return parseState(fields), nil
}

func parseState(fields map[string]string) WatchState {
	pause, _ := strconv.ParseInt(fields[fieldPause], 10, 64) // absent = 0
	url, created, _ := strings.Cut(fields[fieldProven], " ")
	return WatchState{
		Pause: time.Duration(pause) * time.Millisecond, Sold: parseMillis(fields[fieldSold]), Proven: Proof{URL: url, Created: parseMillis(created)},
		Found: parseMillis(fields[fieldFound]),
		Epoch: parseMillis(fields[fieldEpoch]), Cursor: parseMillis(fields[fieldCursor]), Listed: parseMillis(fields[fieldListed]),
		Passed: parseMillis(fields[fieldPassed]), Swept: parseMillis(fields[fieldSwept]), Notified: parseMillis(fields[fieldNotified]),
		Reads:           store.Layout(fields[fieldReads]),
		BacklogNotified: fields[fieldHistory] != "", Unreachable: fields[fieldUnreachable],
	}
}

// Begin notes since when sessions are watched, unless that was noted before.
func (w *Watch) Begin(ctx context.Context, epoch time.Time) error {
	client, err := w.state.Client(ctx)
	if err != nil {
		return err
	}
	if err := client.HSetNX(ctx, stateKey, fieldEpoch, epoch.UnixMilli()).Err(); err != nil {
		return fmt.Errorf("begin to watch: %w", rdb.Classify(err))
	}
	return nil
}

// StateChange is one thing to note.
type StateChange struct{ field, value string }

// Cursor notes up to which Stripe's events were read.
func Cursor(at time.Time) StateChange { return StateChange{fieldCursor, millis(at)} }

// Listed notes when Stripe's sessions were listed.
func Listed(at time.Time) StateChange { return StateChange{fieldListed, millis(at)} }

// Passed notes when Stripe answered a whole pass.
func Passed(at time.Time) StateChange { return StateChange{fieldPassed, millis(at)} }

// Swept notes when a sweep went through.
func Swept(at time.Time) StateChange { return StateChange{fieldSwept, millis(at)} }

// Pause notes how long after that the next one starts.
func Pause(d time.Duration) StateChange {
	return StateChange{fieldPause, strconv.FormatInt(d.Milliseconds(), 10)}
}

// Sold notes the newest sale that Stripe listed.
func Sold(at time.Time) StateChange { return StateChange{fieldSold, millis(at)} }

// Found notes when SuperDuperAI last knew a file.
func Found(at time.Time) StateChange { return StateChange{fieldFound, millis(at)} }

// Proven notes that the API at the URL knew the file of a session created then.
func Proven(url string, created time.Time) StateChange {
	return StateChange{fieldProven, urlDigest(url) + " " + millis(created)}
}

// Notified notes when Redis told of a write.
func Notified(at time.Time) StateChange { return StateChange{fieldNotified, millis(at)} }

// Reads notes the layout that the site reads.
func Reads(l store.Layout) StateChange { return StateChange{fieldReads, string(l)} }

// BacklogNotified notes that the summary of what was before is posted.
func BacklogNotified() StateChange { return StateChange{fieldHistory, "told"} }

// Unreachable notes why alerts do not reach their channel, "" = they do.
func Unreachable(why string) StateChange { return StateChange{fieldUnreachable, why} }

// KEYS: state. ARGV: token, life in ms, then fields and values.
var note = redis.NewScript(`
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
for i = 3, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`)

// Note records how far the watch came. ErrLeadLost where somebody else leads.
func (w *Watch) Note(ctx context.Context, l lease.Lease, changes ...StateChange) error {
	args := []any{l.Token, watchLife.Milliseconds()}
	for _, c := range changes {
		args = append(args, c.field, c.value)
	}
	noted, err := w.state.Run(ctx, note, []string{stateKey}, args...).Int()
	if err != nil {
		return fmt.Errorf("note the state of the watch: %w", rdb.Classify(err))
	}
	if noted == 0 {
		return lease.ErrLost
	}
	return nil
}

func millis(at time.Time) string { return strconv.FormatInt(at.UnixMilli(), 10) }

// parseMillis reads what text wrote; anything else is never.
func parseMillis(text string) time.Time {
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// AwaitReplicas returns nil once every connected replica has all that the watch
// has written so far.
func (w *Watch) AwaitReplicas(ctx context.Context) error {
	r, err := w.state.Replication(ctx, watchSyncKey)
	if err != nil || r.Connected == 0 {
		return err
	}
	return w.state.Acknowledge(ctx, watchSyncKey, r.Connected, func(pipe redis.Pipeliner) { pipe.Set(ctx, watchSyncKey, "", store.KeyLife) })
}
