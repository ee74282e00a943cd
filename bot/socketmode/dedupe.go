package socketmode

import (
	"crypto/sha256"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// RedeliveryTime is how long after an envelope Slack may send it again.
const RedeliveryTime = 10 * time.Minute

const maxSeen = 1 << 17 // ids: 200 a second and some

// Dedupe remembers the ids of envelopes and events, to deduplicate what Slack
// redelivers. An id may be of any length: its hash is kept.
type Dedupe struct {
	seenAt *lru.Cache[[sha256.Size]byte, time.Time]
}

// NewDedupe returns one that remembers nothing yet.
func NewDedupe() Dedupe {
	seenAt, _ := lru.New[[sha256.Size]byte, time.Time](maxSeen) // fails for a size of 0 alone
	return Dedupe{seenAt}
}

// Seen reports whether one of the ids was seen within RedeliveryTime, and remembers all
// of them. Empty ones are ignored.
func (d Dedupe) Seen(now time.Time, ids ...string) bool {
	seen := false
	for _, id := range ids {
		if id == "" {
			continue
		}
		key := sha256.Sum256([]byte(id))
		at, known, _ := d.seenAt.PeekOrAdd(key, now)
		if known {
			seen = seen || now.Sub(at) < RedeliveryTime
			d.seenAt.Add(key, now)
		}
	}
	return seen
}
