package bot

import (
	"crypto/sha256"
	"sync"
	"time"
)

const (
	rememberFor = 10 * time.Minute // in which Slack delivers again
	maxSeen     = 1 << 17          // ids of one generation: 200 a second and some
)

// seen remembers the ids of envelopes and events, so that what Slack delivers
// again is not done again. Older ids are forgotten a generation at a time.
type seen struct {
	mu         sync.Mutex
	began      time.Time // of the young generation
	young, old map[[16]byte]struct{}
}

// before reports whether one of the ids was seen before, and remembers all of
// them. Empty ones are none.
func (s *seen) before(now time.Time, ids ...string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.began) >= 2*rememberFor {
		s.young = nil
	}
	if s.young == nil || now.Sub(s.began) >= rememberFor || len(s.young) >= maxSeen {
		s.old, s.young, s.began = s.young, map[[16]byte]struct{}{}, now
	}
	again := false
	for _, id := range ids {
		if id == "" {
			continue
		}
		sum := sha256.Sum256([]byte(id)) // an id may be of any length
		key := [16]byte(sum[:])
		_, young := s.young[key]
		_, old := s.old[key]
		again = again || young || old
		s.young[key] = struct{}{}
	}
	return again
}
