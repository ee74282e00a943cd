package store

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

const (
	maxNamespaces = 200 // told from each other while keys are scanned: whoever comes later is one of the others
	topNamespaces = 10  // told
	namespaceName = 40  // characters of a name that are told
	sampledPages  = 4   // memory is asked of a few keys of every fourth page
	samplesPerOne = 16  // of which so many are asked
)

// Survey is what a walk saw of all keys, whoever they belong to. The memory is
// that of a sample of them, strings only, and no more than that.
type Survey struct {
	Keys       int64       // there are
	Scanned    int64       // were looked at
	Namespaces []Namespace // those with the most keys first
	Others     Namespace   // the rest of them together
	Untold     bool        // this Redis does not let us ask for keys' memory
}

// Namespace is the keys that have the same text before their first colon.
type Namespace struct {
	Name         string // "" = no colon
	Keys         int64
	Sampled      int64 // of which the memory was asked
	SampledBytes int64
}

// surveyor counts keys while masters are walked, one page of keys at a time.
type surveyor struct {
	memory   bool // ask for some keys' memory
	progress func(scanned, keys int64)

	mu     sync.Mutex
	sums   Survey
	byName map[string]*Namespace
}

func newSurveyor(memory bool, progress func(scanned, keys int64)) *surveyor {
	return &surveyor{memory: memory, progress: progress, byName: map[string]*Namespace{}}
}

// master counts the keys that one has.
func (s *surveyor) master(keys int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sums.Keys += keys
}

// key counts a key.
func (s *surveyor) key(raw []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of(raw).Keys++
}

// scanned notes how many keys were looked at by now.
func (s *surveyor) scanned(keys int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sums.Scanned = keys
	if s.progress != nil {
		s.progress(s.sums.Scanned, s.sums.Keys)
	}
}

// samples tells whether memory is asked of keys of a master's n-th page.
func (s *surveyor) samples(n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.memory && !s.sums.Untold && n%sampledPages == 0
}

// of is the namespace of a key. s.mu is held.
func (s *surveyor) of(key []byte) *Namespace {
	raw, _, found := bytes.Cut(key, []byte(":"))
	if !found {
		raw = nil
	}
	known, ok := s.byName[string(raw)]
	switch {
	case ok:
		return known
	case len(s.byName) == maxNamespaces:
		return &s.sums.Others
	}
	name := string(raw)
	known = &Namespace{Name: beginningOf(name, namespaceName)}
	s.byName[name] = known
	return known
}

// sample asks what some keys take of memory, but for our own, which expire. The
// order of SCAN is that of hashes, so the first keys are as good as drawn. Of anything but strings
// nothing is asked: how long that takes is up to what is in them.
func (s *surveyor) sample(ctx context.Context, master *redis.Client, keys []string) error {
	keys = slices.DeleteFunc(slices.Clone(keys), isOurs)
	lengths := make([]*redis.IntCmd, len(keys))
	pipe := master.Pipeline()
	for i, key := range keys {
		lengths[i] = pipe.StrLen(ctx, key)
	}
	_, _ = pipe.Exec(ctx) // each answer is looked at below
	sizes := map[string]*redis.IntCmd{}
	for i, length := range lengths {
		if n, err := length.Result(); err == nil && n > 0 {
			sizes[keys[i]] = pipe.MemoryUsage(ctx, keys[i], 1)
		}
	}
	_, _ = pipe.Exec(ctx) // likewise
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, size := range sizes {
		bytes, err := size.Result()
		var answered redis.Error
		switch {
		case err == nil:
			n := s.of([]byte(key))
			n.Sampled++
			n.SampledBytes += bytes
		case errors.Is(err, redis.Nil), redis.HasErrorPrefix(err, "MOVED"): // gone in the meantime
		case errors.As(err, &answered): // forbidden to us, or not known to this server
			s.sums.Untold = true
		default:
			return err
		}
	}
	return nil
}

// survey is what was seen.
func (s *surveyor) survey() Survey {
	s.mu.Lock()
	defer s.mu.Unlock()
	sums := s.sums
	for _, n := range s.byName {
		sums.Namespaces = append(sums.Namespaces, *n)
	}
	slices.SortFunc(sums.Namespaces, func(a, b Namespace) int {
		return cmp.Or(cmp.Compare(b.Keys, a.Keys), strings.Compare(a.Name, b.Name))
	})
	for _, n := range sums.Namespaces[min(len(sums.Namespaces), topNamespaces):] {
		sums.Others.Keys += n.Keys
		sums.Others.Sampled += n.Sampled
		sums.Others.SampledBytes += n.SampledBytes
	}
	sums.Namespaces = sums.Namespaces[:min(len(sums.Namespaces), topNamespaces)]
	return sums
}
