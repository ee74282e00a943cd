package store

import (
	"hash/maphash"
	"slices"
	"time"
)

// remembered is what sweeps remember of each session: its fingerprint, how far
// it is known, and, where it rests, the figures that it adds. It takes 12 bytes
// for each of its slots, of which at least four fifths are used.
//
// Fingerprints are of 64 bits and come from a seed drawn anew each day: should
// two sessions ever share one, they do not for long. Of those 64, twelve say in
// which shard a session lies and the others stand there.
type remembered struct {
	seed   maphash.Seed
	shards [shards]shard
}

const (
	shards    = 1 << shardBits
	shardBits = 12
	spare     = 1<<shardBits - 1 // the bits of a slot's word beside the fingerprint
)

// shard is an open-addressing table. A slot without a mark is free.
type shard struct {
	words []uint64 // fingerprint, then expiry and mark
	facts []uint32 // length, time, keys and whether it was seen
	used  int
}

// mark is how far a session is known.
type mark uint8

const (
	unmet     mark = iota
	noted          // met, but not looked at yet: it may be another's mapping
	unsettled      // read on every sweep
	resting        // completed: only a write can change that
)

func newRemembered() *remembered { return &remembered{seed: maphash.MakeSeed()} }

func (m *remembered) fingerprint(id []byte) uint64 { return maphash.Bytes(m.seed, id) }

// slot is the place of one session, until the next one is added or any dropped.
type slot struct {
	*shard
	at int
}

// find returns the place of a session. It is free where the session is not known.
func (m *remembered) find(print uint64) slot {
	s := &m.shards[print>>(64-shardBits)]
	if s.used >= len(s.words)*9/10 {
		s.grow()
	}
	rest := print << shardBits
	// The upper bits of what is left, as a part of the table's length.
	at := int((rest >> 32) * uint64(len(s.words)) >> 32)
	for s.words[at]&spare != 0 && s.words[at]&^spare != rest {
		if at++; at == len(s.words) {
			at = 0
		}
	}
	if s.words[at]&spare == 0 {
		s.words[at] = rest
	}
	return slot{s, at}
}

// grow makes room for an eighth more, and drops nothing.
func (s *shard) grow() { s.rebuild(max(8, len(s.words)*9/8+1), func(int) bool { return true }) }

// rebuild makes a new table of that size, or as large as what is allocated for it.
func (s *shard) rebuild(size int, keep func(at int) bool) {
	old := *s
	words := slices.Grow([]uint64(nil), size)
	words = words[:cap(words)]
	clear(words)
	size = len(words)
	*s = shard{words: words, facts: make([]uint32, size)}
	for i, word := range old.words {
		if word&spare == 0 || !keep(i) {
			continue
		}
		at := int((word >> 32) * uint64(size) >> 32)
		for s.words[at]&spare != 0 {
			if at++; at == size {
				at = 0
			}
		}
		s.words[at], s.facts[at] = word, old.facts[i]
		s.used++
	}
}

// The word beside the fingerprint: ten bits of expiry, two of the mark.
func (s slot) mark() mark { return mark(s.words[s.at] & 3) }

// stand sets the mark of a session, which adds it where it was not known.
func (s slot) stand(to mark) {
	if s.mark() == unmet {
		s.used++
		s.facts[s.at] = 0
	}
	s.words[s.at] = s.words[s.at]&^spare | uint64(to)
}

const seenBit = 1 << 31

func (s slot) seen() bool { return s.facts[s.at]&seenBit != 0 }
func (s slot) see()       { s.facts[s.at] |= seenBit }
func (s slot) unsee()     { s.facts[s.at] &^= seenBit }

// unsee has all sessions count as not seen.
func (m *remembered) unsee() {
	for i := range m.shards {
		for j := range m.shards[i].facts {
			m.shards[i].facts[j] &^= seenBit
		}
	}
}

// dropUnseen forgets the sessions that were not seen.
func (m *remembered) dropUnseen() {
	for i := range m.shards {
		s := &m.shards[i]
		old, kept := *s, 0
		keep := func(at int) bool { return old.words[at]&spare != 0 && old.facts[at]&seenBit != 0 }
		for at := range old.words {
			if keep(at) {
				kept++
			}
		}
		if kept < s.used {
			s.rebuild(max(8, kept*6/5), keep)
		}
	}
}

// Resting is what is remembered of a session that is completed and has been
// read: enough to count it as if it were read again.
type Resting struct {
	Length  int       // of its prompt, in UTF-16 units; 0 = none readable
	At      time.Time // when it was paid, as far as Redis tells; to five minutes, zero = a month ago
	Expires time.Time // the first of its keys, to the hour
	Keys    int       // that it has
}

const (
	maxLength  = 1<<15 - 1
	timeStep   = 5 * time.Minute
	timeCodes  = 1<<13 - 1 // a code 0 says that it is too long ago to tell
	tellable   = 27 * 24 * time.Hour
	expirySize = 1 << 10 // hours: six weeks
)

// rest notes that a session rests, and tells whether all of it can be noted.
func (s slot) rest(r Resting, now time.Time) bool {
	left := r.Expires.Sub(now)
	if r.Length > maxLength || r.At.After(now) || left < 0 || left > KeyLife {
		return false
	}
	s.stand(resting)
	seen := s.facts[s.at] & seenBit
	s.words[s.at] |= (uint64(r.Expires.Unix()/3600) % expirySize) << 2
	s.facts[s.at] = seen | uint32(r.Length) | timeCode(r.At, now)<<15 | uint32(r.Keys)<<28
	return true
}

func timeCode(at, now time.Time) uint32 {
	if now.Sub(at) > tellable {
		return 0
	}
	return uint32(at.Unix()/int64(timeStep/time.Second)%timeCodes) + 1
}

// resting tells what was noted. A time that becomes too old to tell is noted as
// such: it is looked at far more often than that takes.
func (s slot) resting(now time.Time) Resting {
	facts, r := s.facts[s.at], Resting{}
	r.Length, r.Keys = int(facts&maxLength), int(facts>>28&7)
	if code := int64(facts >> 15 & (1<<13 - 1)); code > 0 {
		step := now.Unix() / int64(timeStep/time.Second)
		age := ((step-(code-1))%timeCodes + timeCodes) % timeCodes
		r.At = time.Unix((step-age)*int64(timeStep/time.Second), 0).UTC()
		if now.Sub(r.At) > tellable {
			r.At = time.Time{}
			s.facts[s.at] &^= (1<<13 - 1) << 15
		}
	}
	hour := now.Unix() / 3600
	left := (int64(s.words[s.at]>>2&(expirySize-1)) - hour%expirySize + expirySize) % expirySize
	r.Expires = time.Unix((hour+left)*3600, 0).UTC()
	return r
}

// slices of the sessions that rest: one of them is read again on each sweep.
func (s slot) slice(print uint64) int { return int(print>>(64-shardBits)) % verifyRounds }
