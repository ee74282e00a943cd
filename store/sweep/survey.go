package sweep

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/stats"
)

const (
	maxNamespaces = 200 // counted by name: later ones count as others
	topNamespaces = 10  // reported
	namespaceName = 40  // characters of a name that are reported
	sampledPages  = 4   // every fourth page is sampled
	memorySample  = 16  // keys of such a page whose memory is read
	ttlSample     = 128 // keys of sessions of such a page whose TTL is read
)

// surveyor counts keys while masters are scanned.
type surveyor struct {
	progress func(scanned, keys int64)
	mu       sync.Mutex // guards what follows
	sums     stats.Survey
	byName   map[string]*stats.Namespace
	ttls     int64 // keys whose TTL is known
}

func newSurveyor(progress func(scanned, keys int64)) *surveyor {
	return &surveyor{progress: progress, byName: map[string]*stats.Namespace{}, sums: stats.Survey{TTLs: map[string]int{}}}
}

// scanned adds to the keys scanned, and to all keys.
func (s *surveyor) scanned(keys, more int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sums.Keys += more
	s.sums.Scanned = min(s.sums.Scanned+keys, s.sums.Keys)
	if s.progress != nil {
		s.progress(s.sums.Scanned, s.sums.Keys)
	}
}

// page counts a page of a master's keys, and samples every fourth one. SCAN
// returns keys in the order of their hashes, so the first are as good as drawn.
func (s *surveyor) page(ctx context.Context, master *redis.Client, number int, keys []string) error {
	defer s.scanned(int64(len(keys)), 0)
	pipe := master.Pipeline()
	var ttls []*redis.DurationCmd
	sizes := map[string]*redis.IntCmd{}
	s.mu.Lock()
	for _, name := range keys {
		s.namespace(name).Keys++
		_, session := store.SessionOf(name)
		if session {
			s.sums.SessionKeys++
		}
		if number%sampledPages != 0 {
			continue
		}
		if session && len(ttls) < ttlSample {
			ttls = append(ttls, pipe.PTTL(ctx, name))
		}
		if len(sizes) < memorySample && !s.sums.MemoryDenied && !strings.HasPrefix(name, "sessionbot:") { // ours expire
			sizes[name] = pipe.MemoryUsage(ctx, name, 1) // one sample of its elements
		}
	}
	s.mu.Unlock()
	_, _ = pipe.Exec(ctx) // each error is checked below
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ttl := range ttls {
		left, err := ttl.Result()
		if err != nil && !redis.HasErrorPrefix(err, "MOVED") && !redis.HasErrorPrefix(err, "ASK") {
			return err
		}
		if err == nil && left != -2 { // else moved or gone in the meantime
			s.ttls++
			s.sums.TTLs[ttlClass(left)]++
		}
	}
	for name, size := range sizes {
		bytes, err := size.Result()
		var answered redis.Error
		_, session := store.SessionOf(name)
		switch {
		case err == nil:
			n := s.namespace(name)
			n.Sampled++
			n.SampledBytes += bytes
		case errors.Is(err, redis.Nil), redis.HasErrorPrefix(err, "MOVED"): // gone in the meantime
		case redis.HasErrorPrefix(err, "NOPERM") && !session: // other people's keys need not be ours to see
		case errors.As(err, &answered): // forbidden to us, or not known to this server
			s.sums.MemoryDenied = true
		default:
			return err
		}
	}
	return nil
}

// namespace returns the namespace of a key. s.mu is held.
func (s *surveyor) namespace(key string) *stats.Namespace {
	name, _, found := strings.Cut(key, ":")
	if !found {
		name = ""
	}
	known, ok := s.byName[name]
	switch {
	case ok:
		return known
	case len(s.byName) == maxNamespaces:
		return &s.sums.Others
	}
	known = &stats.Namespace{Name: beginning(name, namespaceName)}
	s.byName[strings.Clone(name)] = known
	return known
}

// survey returns the statistics. TTLs are extrapolated from the sample.
func (s *surveyor) survey() stats.Survey {
	s.mu.Lock()
	defer s.mu.Unlock()
	sums := s.sums
	for _, n := range s.byName {
		sums.Namespaces = append(sums.Namespaces, *n)
	}
	slices.SortFunc(sums.Namespaces, func(a, b stats.Namespace) int {
		return cmp.Or(cmp.Compare(b.Keys, a.Keys), strings.Compare(a.Name, b.Name))
	})
	top := min(len(sums.Namespaces), topNamespaces)
	for _, n := range sums.Namespaces[top:] {
		sums.Others.Keys += n.Keys
		sums.Others.Sampled += n.Sampled
		sums.Others.SampledBytes += n.SampledBytes
	}
	sums.Namespaces = sums.Namespaces[:top]
	sums.TTLs = map[string]int{}
	for _, class := range stats.TTLClasses {
		sums.TTLs[class] = int(int64(s.sums.TTLs[class]) * sums.SessionKeys / max(s.ttls, 1))
	}
	sums.TTLsOfSome = s.ttls < sums.SessionKeys
	return sums
}

func ttlClass(ttl time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case ttl <= 0:
		return stats.TTLClasses[4]
	case ttl < day:
		return stats.TTLClasses[0]
	case ttl < 7*day:
		return stats.TTLClasses[1]
	case ttl <= 30*day:
		return stats.TTLClasses[2]
	}
	return stats.TTLClasses[3]
}

// beginning returns a copy of the first runes: a substring would keep the whole text in
// memory.
func beginning(text string, runes int) string {
	first := []rune(text)
	return string(first[:min(len(first), runes)])
}
