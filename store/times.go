package store

import "time"

// paidAt is when the customer paid, as near as can be told.
func paidAt(e Evidence, now time.Time) time.Time {
	return first(e.Payment.PaidAt, e.Payment.ChargedAt, e.Payment.Created, e.Session.StoredAt(now))
}

// StoredAt is when the prompt was stored: the older of the times that its
// values name, else what its TTL says.
func (s Session) StoredAt(now time.Time) time.Time {
	times := []time.Time{s.Prompt.Value.Timestamp, s.Prompt.Value.CreatedAt, s.Lookup.Value.CreatedAt}
	if p := s.Lookup.Value.Prompt; p != nil {
		times = append(times, s.Lookup.Value.Timestamp)
	}
	var oldest time.Time
	for _, at := range times {
		if !at.IsZero() && (oldest.IsZero() || at.Before(oldest)) {
			oldest = at
		}
	}
	return first(oldest, writtenAt(s.promptKey(), now))
}

// statusSince is when the status was set: its own time, else the creation,
// else when the keys that could carry it were written.
func statusSince(e Evidence, now time.Time) time.Time {
	return first(e.Session.Current().Timestamp, e.Session.StoredAt(now), e.Payment.Created,
		writtenAt(e.Session.current(), now), writtenAt(e.Session.Lookup, now))
}

// writtenAt is when a key was last written, by its TTL.
func writtenAt(key Key, now time.Time) time.Time {
	if key.TTL <= 0 || key.TTL > KeyLife {
		return time.Time{}
	}
	return now.Add(key.TTL - KeyLife)
}

// first is the first time that is known.
func first(times ...time.Time) time.Time {
	for _, at := range times {
		if !at.IsZero() {
			return at
		}
	}
	return time.Time{}
}
