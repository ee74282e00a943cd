// Package lease gives one process at a time the right to change a record in Redis:
// a job, or the state of the watch.
package lease

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store/rdb"
)

var (
	// ErrLost means that another process holds the lease: nothing was stored.
	ErrLost = errors.New("somebody else holds the lease now")
	// ErrNoRecord means that the record to be leased does not exist.
	ErrNoRecord = errors.New("no such record")
)

// Timings are how long a lease lives without being renewed, and the pause between
// two renewals.
type Timings struct{ Life, Renew time.Duration }

// The timings of production.
var (
	Job        = Timings{Life: 15 * time.Second, Renew: 5 * time.Second}
	Leadership = Timings{Life: 8 * time.Second, Renew: 2 * time.Second}
)

// Lease is the right to change a record. Its fencing token is kept in the record, a
// hash, under the field "token": every script that changes the record compares it. It
// is random, since a counter would not do: a replica that takes over may lack the last
// values, and would issue them again.
type Lease struct {
	Record string // its key
	Token  string

	key, owner string
}

// Store keeps leases.
type Store struct {
	Redis   *rdb.Redis
	Timings Timings
}

// KEYS: record, lease. ARGV: owner, life in ms, token of a new lease.
var acquire = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[1] then return '' end
local token = holder and redis.call('HGET', KEYS[1], 'token')
if not token or token == '' then
	token = ARGV[3]
	redis.call('HSET', KEYS[1], 'token', token)
end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return token`)

// Acquire acquires the lease of a record, which is kept under a key in the same slot,
// and reports whether it succeeded. The owner, whose name has to be unique, gets the same
// lease again until it ends. It returns ErrNoRecord if the record does not exist.
func (s *Store) Acquire(ctx context.Context, record, key, owner string) (Lease, bool, error) {
	token, err := s.Redis.Run(ctx, acquire, []string{record, key}, owner, s.Timings.Life.Milliseconds(), rand.Text()).Text()
	switch {
	case errors.Is(err, redis.Nil):
		return Lease{}, false, ErrNoRecord
	case err != nil:
		return Lease{}, false, fmt.Errorf("acquire a lease: %w", rdb.Classify(err))
	}
	return Lease{Record: record, Token: token, key: key, owner: owner}, token != "", nil
}

// KEYS: record, lease. ARGV: token, owner, life in ms, 0 = release it.
var renew = redis.NewScript(`
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[2] then return 0 end
if ARGV[3] ~= '0' then
	redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
else
	redis.call('DEL', KEYS[2])
end
return 1`)

// Renew extends the lease. It returns ErrLost if another process holds it.
func (s *Store) Renew(ctx context.Context, l Lease) error { return s.renew(ctx, l, s.Timings.Life) }

// Release ends the lease. It returns ErrLost if another process holds it.
func (s *Store) Release(ctx context.Context, l Lease) error { return s.renew(ctx, l, 0) }

func (s *Store) renew(ctx context.Context, l Lease, life time.Duration) error {
	held, err := s.Redis.Run(ctx, renew, []string{l.Record, l.key}, l.Token, l.owner, life.Milliseconds()).Int()
	if err != nil {
		return fmt.Errorf("renew a lease: %w", rdb.Classify(err))
	}
	if held == 0 {
		return ErrLost
	}
	return nil
}
