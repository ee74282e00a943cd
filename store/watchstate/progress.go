package watchstate

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

// Progress records the leader of the watch and its state.
type Progress struct {
	Leases lease.Store // of the state
	redis  *rdb.Redis
}

// Lead acquires the lease of the state, and reports whether it succeeded. It returns
// lease.ErrNoRecord before Begin.
func (p *Progress) Lead(ctx context.Context, owner string) (lease.Lease, bool, error) {
	held, ok, err := p.Leases.Acquire(ctx, StateKey, leaderKey, owner)
	if err != nil || !ok {
		return held, ok, err
	}
	client, err := p.redis.Client(ctx)
	if err != nil {
		return held, false, err
	}
	// A leader of an older version, whose token is a count, stores nothing from now on.
	pipe := client.Pipeline()
	pipe.Incr(ctx, countKey)
	pipe.PExpire(ctx, countKey, stateLife)
	if _, err := pipe.Exec(ctx); err != nil {
		return held, false, fmt.Errorf("fence older versions: %w", rdb.Classify(err))
	}
	return held, true, nil
}

// State is the progress of the watch. A zero time means never.
type State struct {
	Epoch           time.Time     // trouble that began before is backlog
	Cursor          time.Time     // up to which Stripe's events were read
	Listed          time.Time     // when Stripe's sessions were last listed
	StripeReadAt    time.Time     // when Stripe's lists were last read whole
	Swept           time.Time     // when a sweep last succeeded
	Pause           time.Duration // from then to the next sweep
	Sold            time.Time     // of the newest sale that Stripe listed
	Proven          Proof
	Found           time.Time    // when the API last knew a file, to some minutes
	Notified        time.Time    // when Redis last sent a notification
	SiteLayout      store.Layout // of the keys that the site reads, by the last sweep; LayoutNone = unknown
	BacklogNotified bool         // the summary of the backlog is posted
	Unreachable     string       // why alerts do not reach their channel, "" = they do
}

// Proof says that the SuperDuperAI API at a URL knew the file of a session created
// at a time, which the site had started. So it knows the files of older ones, too.
type Proof struct {
	URL     string // the beginning of its SHA-256 in hex
	Created time.Time
}

// Covers reports whether the API at the URL has to know the file of a session
// created then.
func (p Proof) Covers(url string, created time.Time) bool {
	return p.URL == urlDigest(url) && !created.IsZero() && created.Before(p.Created)
}

func urlDigest(url string) string { return store.Digest([]byte(url))[:16] }

// Ages are the ages of what the watch last saw, in seconds; nil = never. The
// JSON names are public.
type Ages struct {
	Sweep        *int64 `json:"sweep_age_seconds"`
	Stripe       *int64 `json:"stripe_age_seconds"`
	Notification *int64 `json:"notification_age_seconds"`
}

// Ages returns the ages at now.
func (s State) Ages(now time.Time) Ages {
	age := func(at time.Time) *int64 {
		if at.IsZero() {
			return nil
		}
		return new(int64(now.Sub(at) / time.Second))
	}
	return Ages{Sweep: age(s.Swept), Stripe: age(s.StripeReadAt), Notification: age(s.Notified)}
}

// Change changes one field of the State.
type Change struct{ field, value string }

func setter[T any](field string, format func(T) string) func(T) Change {
	return func(value T) Change { return Change{field, format(value)} }
}

// Each of these changes the field of the State that has its name.
var (
	Cursor       = setter("cursor", formatMillis)
	Listed       = setter("listed", formatMillis)
	StripeReadAt = setter("passed", formatMillis)
	Swept        = setter("swept", formatMillis)
	Pause        = setter("pause", func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) })
	Sold         = setter("sold", formatMillis)
	Found        = setter("found", formatMillis)
	Notified     = setter("notified", formatMillis)
	SiteLayout   = setter("reads", func(l store.Layout) string { return string(l) })
	Unreachable  = setter("unreachable", func(why string) string { return why })
)

// Proven changes State.Proven.
func Proven(url string, created time.Time) Change {
	return Change{"proven", urlDigest(url) + " " + formatMillis(created)}
}

// BacklogNotified sets State.BacklogNotified, by the stored name of that.
func BacklogNotified() Change { return Change{"history", "told"} }

// State reads the state of the watch.
func (p *Progress) State(ctx context.Context) (State, error) {
	client, err := p.redis.Client(ctx)
	if err != nil {
		return State{}, err
	}
	fields, err := client.HGetAll(ctx, StateKey).Result()
	if err != nil {
		return State{}, fmt.Errorf("read the state of the watch: %w", rdb.Classify(err))
	}
	at := func(field string) time.Time { return parseMillis(fields[field]) }
	pause, _ := strconv.ParseInt(fields["pause"], 10, 64) // absent = 0
	url, created, _ := strings.Cut(fields["proven"], " ")
	return State{
		Epoch: at("epoch"), Cursor: at("cursor"), Listed: at("listed"), StripeReadAt: at("passed"),
		Swept: at("swept"), Pause: time.Duration(pause) * time.Millisecond, Sold: at("sold"),
		Proven: Proof{URL: url, Created: parseMillis(created)}, Found: at("found"), Notified: at("notified"),
		SiteLayout: store.Layout(fields["reads"]), BacklogNotified: fields["history"] != "", Unreachable: fields["unreachable"],
	}, nil
}

// Begin sets State.Epoch, unless it is set.
func (p *Progress) Begin(ctx context.Context, epoch time.Time) error {
	client, err := p.redis.Client(ctx)
	if err != nil {
		return err
	}
	if err := client.HSetNX(ctx, StateKey, "epoch", epoch.UnixMilli()).Err(); err != nil {
		return fmt.Errorf("begin to watch: %w", rdb.Classify(err))
	}
	return nil
}

// KEYS: state. ARGV: token, life in ms, then fields and values.
var note = redis.NewScript(`
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
for i = 3, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`)

// Note records changes of the state. It returns lease.ErrLost if another process leads.
func (p *Progress) Note(ctx context.Context, l lease.Lease, changes ...Change) error {
	args := []any{l.Token, stateLife.Milliseconds()}
	for _, c := range changes {
		args = append(args, c.field, c.value)
	}
	noted, err := p.redis.Run(ctx, note, []string{StateKey}, args...).Int()
	if err != nil {
		return fmt.Errorf("note the state of the watch: %w", rdb.Classify(err))
	}
	if noted == 0 {
		return lease.ErrLost
	}
	return nil
}

func formatMillis(at time.Time) string { return strconv.FormatInt(at.UnixMilli(), 10) }

// parseMillis returns the zero time unless formatMillis wrote the text.
func parseMillis(text string) time.Time {
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// AwaitReplicas returns nil once every connected replica has all writes of the watch.
func (p *Progress) AwaitReplicas(ctx context.Context) error {
	r, err := p.redis.Replication(ctx, syncKey)
	if err != nil || r.Connected == 0 {
		return err
	}
	return p.redis.Acknowledge(ctx, syncKey, r.Connected, func(pipe redis.Pipeliner) { pipe.Set(ctx, syncKey, "", store.KeyLife) })
}
