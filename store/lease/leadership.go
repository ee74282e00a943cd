// Package lease decides who may do what only one may do at a time.
package lease

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store/rdb"
)

// WatchPrefix is that of all that the watch keeps: one hash tag, and so one slot,
// so that what concerns several records is done in one script, fenced by the lead.
const WatchPrefix = "sessionbot:{watch}:"

const (
	leaderKey = WatchPrefix + "leader" // who leads, while the lease holds
	// TokenKey counts the leaders.
	TokenKey = WatchPrefix + "token"
	// leadLife is how long the count is remembered while nobody watches.
	leadLife = 400 * 24 * time.Hour
)

// ErrLeadLost means that somebody else leads the watch now: nothing was stored.
var ErrLeadLost = errors.New("somebody else leads the watch now")

// Leadership is who may watch.
type Leadership struct {
	LeaseTimings LeaseTimings // to be set before it is used
	state        *rdb.Redis
}

// NewLeadership keeps it in the Redis given.
func NewLeadership(state *rdb.Redis) *Leadership {
	return &Leadership{LeaseTimings: LeadershipLease, state: state}
}

// Lead is the right to watch. Its token fences: once somebody else has got the
// lead, nothing can be stored by the old one.
type Lead struct{ Token int64 }

func (l Lead) Text() string { return strconv.FormatInt(l.Token, 10) }

// KEYS: leader, token. ARGV: owner, life of the lease and of the token in ms.
var lead = redis.NewScript(`
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local token = holder and redis.call('GET', KEYS[2])
if not token then token = redis.call('INCR', KEYS[2]) end
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return tonumber(token)`)

// Acquire takes the lead for the life of its lease, or makes it hold that long again; false
// where somebody else has it. The lead is the same for as long as the owner
// never let it end, and owners' names have to be unique.
func (l *Leadership) Acquire(ctx context.Context, owner string) (Lead, bool, error) {
	token, err := l.state.Run(ctx, lead, []string{leaderKey, TokenKey}, owner, l.LeaseTimings.Life.Milliseconds(), leadLife.Milliseconds()).Int64()
	if err != nil {
		return Lead{}, false, fmt.Errorf("take the lead: %w", rdb.Classify(err))
	}
	return Lead{Token: token}, token > 0, nil
}

// KEYS: leader. ARGV: owner.
var resign = redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`)

// Resign gives the lead free, if the owner has it.
func (l *Leadership) Resign(ctx context.Context, owner string) error {
	if err := l.state.Run(ctx, resign, []string{leaderKey}, owner).Err(); err != nil {
		return fmt.Errorf("resign: %w", rdb.Classify(err))
	}
	return nil
}
