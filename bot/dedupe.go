package bot

import (
	"crypto/sha256"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

const (
	rememberFor = 10 * time.Minute // in which Slack delivers again
	maxSeen     = 1 << 17          // ids: 200 a second and some
)

// dedupe remembers the ids of envelopes and events, so that what Slack delivers
// again is not done again. An id may be of any length: its hash is kept.
type dedupe struct {
	seenAt *lru.Cache[[sha256.Size]byte, time.Time]
}

func newDedupe() dedupe {
	seenAt, _ := lru.New[[sha256.Size]byte, time.Time](maxSeen) // fails for a size of 0 alone
	return dedupe{seenAt}
}

// seen reports whether one of the ids was seen lately, and remembers all of them.
// Empty ones are ignored.
func (d dedupe) seen(now time.Time, ids ...string) bool {
	seen := false
	for _, id := range ids {
		if id == "" {
			continue
		}
		key := sha256.Sum256([]byte(id))
		at, known, _ := d.seenAt.PeekOrAdd(key, now)
		if known {
			seen = seen || now.Sub(at) < rememberFor
			d.seenAt.Add(key, now)
		}
	}
	return seen
}
