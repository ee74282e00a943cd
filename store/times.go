package store

import (
	"cmp"
	"time"
)

// StoredAt is when the prompt was stored: the older of the times that its
// values name, else what its TTL says.
func (s Session) StoredAt(now time.Time) time.Time {
	times := []time.Time{s.Prompt.Value.Timestamp, s.Prompt.Value.CreatedAt, s.SessionKey.Value.CreatedAt}
	if p := s.SessionKey.Value.Prompt; p != nil {
		times = append(times, s.SessionKey.Value.Timestamp)
	}
	var oldest time.Time
	for _, at := range times {
		if !at.IsZero() && (oldest.IsZero() || at.Before(oldest)) {
			oldest = at
		}
	}
	return cmp.Or(oldest, s.PromptKey().WrittenAt(now))
}
