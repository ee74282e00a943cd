package sweep

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
)

// sampleScans bounds a sample: so many SCANs of each master.
const sampleScans = 6

// Sample is a look at some of the sessions. What it does not show may be there
// all the same.
type Sample struct {
	Keys     int // looked at, but for those of our own
	Sessions int
	Layouts  map[store.Layout]int
	Live     int // by their ids
	Test     int
}

// Some looks at the first few thousand keys of each master, and reads up to a
// hundred sessions that it meets on each page of them.
func Some(ctx context.Context, r *store.Redis, now time.Time) (Sample, error) {
	var mu sync.Mutex
	s, known := Sample{Layouts: map[store.Layout]int{}}, map[string]bool{}
	err := r.Masters(ctx, func(ctx context.Context, master *redis.Client) error {
		var cursor uint64
		for range sampleScans {
			keys, next, err := master.Scan(ctx, cursor, "", scanCount).Result()
			if err != nil {
				return err
			}
			mu.Lock()
			ids := s.page(keys, known)
			mu.Unlock()
			sessions, err := Read(ctx, r, ids, now)
			if err != nil {
				return err
			}
			mu.Lock()
			for _, session := range sessions {
				s.Layouts[session.Layout()]++
			}
			mu.Unlock()
			if cursor = next; cursor == 0 {
				return nil
			}
		}
		return nil
	})
	return s, store.Classify(err)
}

// page counts a page of keys, and returns some of its sessions that are not known yet.
func (s *Sample) page(keys []string, known map[string]bool) (ids []string) {
	for _, name := range keys {
		if !strings.HasPrefix(name, ourPrefix) {
			s.Keys++
		}
		id, ok := store.SessionOf(name)
		if !ok || known[id] || len(ids) == readSize {
			continue
		}
		known[id] = true
		ids = append(ids, id)
		s.Sessions++
		if strings.HasPrefix(id, "cs_live_") {
			s.Live++
		} else {
			s.Test++
		}
	}
	return ids
}
