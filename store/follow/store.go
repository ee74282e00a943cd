package follow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
)

// All records have one hash tag, and so one slot.
const (
	prefix      = "sessionbot:{threads}:"
	sessionsKey = prefix + "sessions" // sorted set of session ids, by when their record was last changed (ms)
)

func recordKey(session string) string { return prefix + "session:" + session }

const (
	// life is that of a record since its last change: it outlives the session by a day.
	life = store.KeyLife + 24*time.Hour
	// maxSessions bounds how many sessions are followed; those changed last are.
	maxSessions = 1000
	chunkSize   = 100 // records that one command reads
	maxAttempts = 10  // at a change, while others change the record
)

var errConflict = errors.New("the record was changed in between")

// Store keeps the sessions that people asked about.
type Store struct{ redis *rdb.Redis }

// NewStore returns those in the bot's own Redis.
func NewStore(r *rdb.Redis) *Store { return &Store{redis: r} }

// Sessions returns all of them.
func (s *Store) Sessions(ctx context.Context) ([]Session, error) {
	client, err := s.redis.Client(ctx)
	if err != nil {
		return nil, err
	}
	ids, err := client.ZRange(ctx, sessionsKey, 0, -1).Result()
	if err != nil {
		return nil, fmt.Errorf("list followed sessions: %w", rdb.Classify(err))
	}
	var all []Session
	for chunk := range slices.Chunk(ids, chunkSize) {
		keys := make([]string, len(chunk))
		for n, id := range chunk {
			keys[n] = recordKey(id)
		}
		values, err := client.MGet(ctx, keys...).Result()
		if err != nil {
			return nil, fmt.Errorf("read followed sessions: %w", rdb.Classify(err))
		}
		for n, value := range values {
			raw, ok := value.(string)
			if !ok { // it expired
				continue
			}
			f, err := parse(chunk[n], raw)
			if err != nil {
				return nil, err
			}
			all = append(all, f)
		}
	}
	return all, nil
}

func parse(id, raw string) (Session, error) {
	s := Session{ID: id}
	if raw == "" {
		return s, nil
	}
	if err := json.Unmarshal([]byte(raw), &s); err != nil {
		return s, fmt.Errorf("read a followed session: %w", err)
	}
	return s, nil
}

// KEYS: record, sessions. ARGV: the record as it was read ("" = none), the new one, life
// in ms, session, time in ms, the most sessions.
var save = redis.NewScript(`
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[5], ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[5] - ARGV[3])
local over = redis.call('ZCARD', KEYS[2]) - ARGV[6]
if over > 0 then redis.call('ZREM', KEYS[2], unpack(redis.call('ZRANGE', KEYS[2], 0, over - 1))) end
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1`)

// Change changes a session unless change returns false, and reports whether it did. It
// returns the session as it is stored then. One that is not followed has no threads.
func (s *Store) Change(ctx context.Context, id string, now time.Time, change func(*Session) bool) (Session, bool, error) {
	client, err := s.redis.Client(ctx)
	if err != nil {
		return Session{}, false, err
	}
	for range maxAttempts {
		before, err := client.Get(ctx, recordKey(id)).Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return Session{}, false, fmt.Errorf("read a followed session: %w", rdb.Classify(err))
		}
		f, err := parse(id, before)
		if err != nil || !change(&f) {
			return f, false, err
		}
		after, err := json.Marshal(f)
		if err != nil {
			return f, false, fmt.Errorf("save a followed session: %w", err)
		}
		saved, err := s.redis.Run(ctx, save, []string{recordKey(id), sessionsKey},
			before, after, life.Milliseconds(), id, now.UnixMilli(), maxSessions).Bool()
		if err != nil {
			return f, false, fmt.Errorf("save a followed session: %w", rdb.Classify(err))
		}
		if saved {
			return f, true, nil
		}
	}
	return Session{}, false, fmt.Errorf("save a followed session: %w", errConflict)
}

// Follow records a thread in which a session was asked about.
func (s *Store) Follow(ctx context.Context, session string, t Thread) error {
	var full error
	_, _, err := s.Change(ctx, session, t.At, func(f *Session) bool {
		var added bool
		added, full = f.Ask(t)
		return added
	})
	return errors.Join(err, full)
}

// ChangeThread changes the thread of a message unless change returns false, and reports
// whether it did.
func (s *Store) ChangeThread(ctx context.Context, session string, of store.Message, now time.Time, change func(*Thread) bool) (bool, error) {
	_, changed, err := s.Change(ctx, session, now, func(f *Session) bool {
		n := slices.IndexFunc(f.Threads, func(t Thread) bool { return t.Message == of })
		return n >= 0 && change(&f.Threads[n])
	})
	return changed, err
}
