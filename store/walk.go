package store

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

const (
	scanCount  = 1000    // keys that one SCAN looks at: Redis is held for a millisecond or two
	batchIDs   = 100     // sessions read in one pipeline
	batchBytes = 4 << 20 // values read in one pipeline, unless one alone is larger
)

// walk calls visit for every session, one at a time. Memory stays constant: a
// session is told from the others by the key at which it is met, so nothing is
// remembered. SCAN may show a key twice while Redis resizes its table; such a
// session is visited twice.
//
// Where Redis falls silent or ctx ends before the walk is through, what was
// visited stands and complete is false. It is an error only if nothing was seen.
func (r *Redis) walk(ctx context.Context, seen *surveyor, visit func(Session)) (complete bool, err error) {
	var mu sync.Mutex
	err = r.masters(ctx, func(ctx context.Context, master *redis.Client) error {
		keys, err := master.DBSize(ctx).Result()
		if err != nil {
			return err
		}
		seen.master(keys)
		return r.walkMaster(ctx, master, seen, func(sessions []Session) {
			mu.Lock()
			defer mu.Unlock()
			for _, s := range sessions {
				visit(s)
			}
		})
	})
	if err == nil {
		return true, nil
	}
	if err = silence(err); seen.survey().Scanned > 0 && timedOut(ctx, err) {
		return false, nil
	}
	return false, err
}

// timedOut tells whether time ran out, of the whole or of one answer.
func timedOut(ctx context.Context, err error) bool {
	var late net.Error
	return ctx.Err() != nil || errors.As(err, &late) && late.Timeout()
}

// walkMaster reads the sessions that are met at one master's keys. report is
// called with sessions as they are read, seen with the keys of each page.
func (r *Redis) walkMaster(ctx context.Context, master *redis.Client, seen *surveyor, report func([]Session)) error {
	var cursor uint64
	for page := 0; ; page++ {
		keys, next, err := master.Scan(ctx, cursor, "", scanCount).Result()
		if err != nil {
			return err
		}
		met, err := r.firstMet(ctx, keys)
		if err != nil {
			return err
		}
		for len(met) > 0 {
			n := batch(met)
			ids := make([]string, n)
			for i, m := range met[:n] {
				ids[i] = m.id
			}
			sessions, err := r.sessions(ctx, ids)
			if err != nil {
				return err
			}
			report(sessions)
			met = met[n:]
		}
		if err := seen.page(ctx, master, page, keys); err != nil {
			return err
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// batch is how many of the sessions are read at a time.
func batch(met []meeting) int {
	var size int64
	for n, m := range met[:min(len(met), batchIDs)] {
		if size += m.size; size > batchBytes {
			return max(n, 1)
		}
	}
	return min(len(met), batchIDs)
}

// meeting is a session that was met at one of its keys.
type meeting struct {
	id   string
	size int64 // bytes of its values together
}

// prefixes are those of a session's keys, in the order in which the keys stand
// for the session: it is met at the first of them that exists.
var prefixes = []string{prefixPrompt, prefixLookup, prefixWebhook}

// firstMet is the sessions that are met at one of the keys.
func (r *Redis) firstMet(ctx context.Context, keys []string) ([]meeting, error) {
	client, err := r.client(ctx)
	if err != nil {
		return nil, err
	}
	type inquiry struct {
		id      string
		earlier []*redis.IntCmd // whether it is met at another key
		sizes   []*redis.IntCmd
	}
	var inquiries []inquiry
	pipe := client.Pipeline()
	for _, key := range keys {
		rank, id := sessionKey(key)
		if id == "" {
			continue
		}
		q := inquiry{id: id}
		for i, prefix := range prefixes {
			if i < rank {
				q.earlier = append(q.earlier, pipe.Exists(ctx, prefix+id))
			}
			q.sizes = append(q.sizes, pipe.StrLen(ctx, prefix+id))
		}
		inquiries = append(inquiries, q)
	}
	if len(inquiries) == 0 {
		return nil, nil
	}
	// Exec returns the first error of any command; each is looked at below.
	_, _ = pipe.Exec(ctx)
	var met []meeting
	for _, q := range inquiries {
		elsewhere, err := sum(q.earlier)
		if err != nil {
			return nil, err
		}
		size, err := sum(q.sizes)
		if err != nil {
			return nil, err
		}
		if elsewhere == 0 {
			met = append(met, meeting{id: q.id, size: size})
		}
	}
	return met, nil
}

// sessionKey tells of which session a key is, and which of its keys it is. The
// id is empty for keys of anything else.
func sessionKey(key string) (rank int, id string) {
	for rank, prefix := range prefixes {
		if id, ok := strings.CutPrefix(key, prefix); ok {
			return rank, id
		}
	}
	return 0, ""
}

// sum adds up what was answered. A key of another Redis type has no length.
func sum(answers []*redis.IntCmd) (int64, error) {
	var total int64
	for _, a := range answers {
		n, err := a.Result()
		if err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") {
			return 0, err
		}
		total += n
	}
	return total, nil
}
