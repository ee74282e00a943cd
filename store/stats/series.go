package stats

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
)

// seriesLife is how far back the series reaches: two weeks and a day, so that a week
// can be compared with the one before.
const seriesLife = seriesHours * time.Hour

const seriesHours = 15 * 24

// seriesKey is a hash used as a ring: an hour takes the slot of the one that the series
// has just left. A field is a slot, a colon and what it counts; its value begins with
// the hour since 1970.
const seriesKey = store.WatchPrefix + "series"

// What the fields count.
const (
	seriesOutcomes = "sessions" // their outcomes: four numbers
	seriesServer   = "server"   // the level of Redis: three numbers
	seriesLookups  = "lookups"  // answers of the site that agree with Redis, and other answers or none
)

// Hour is one hour of the series.
type Hour struct {
	Outcomes        // of the sessions that were paid in it
	Lookup   Tries  // requests to the site
	Server   *Level // nil = not known
}

// Level is the memory of Redis at the end of an hour.
type Level struct {
	UsedBytes, MaxBytes int64 // MaxBytes 0 = no limit
	Evicted             int64 // keys since the server's start
}

// Series is the known hours of the last two weeks, by hours since 1970.
type Series map[int64]Hour

// Sum returns the sum of so many hours up to the last. Its level is the highest of
// them, with the keys evicted in these hours.
func (s Series) Sum(last int64, hours int) Hour {
	var sum Hour
	var evicted int64
	first := last - int64(hours) + 1
	level := s.levelBefore(first)
	for hour := first; hour <= last; hour++ {
		h := s[hour]
		sum.Webhook, sum.Generation, sum.Lookup = sum.Webhook.Add(h.Webhook), sum.Generation.Add(h.Generation), sum.Lookup.Add(h.Lookup)
		if h.Server == nil {
			continue
		}
		switch {
		case level == nil: // how many were evicted before is not known
		case h.Server.Evicted < level.Evicted: // the server was restarted
			evicted += h.Server.Evicted
		default:
			evicted += h.Server.Evicted - level.Evicted
		}
		level = h.Server
		if sum.Server == nil || level.UsedBytes > sum.Server.UsedBytes {
			highest := *level
			sum.Server = &highest
		}
	}
	if sum.Server != nil {
		sum.Server.Evicted = evicted
	}
	return sum
}

// levelBefore returns the last level before an hour, nil if not known.
func (s Series) levelBefore(hour int64) *Level {
	for n := hour - 1; n > hour-24; n-- {
		if level := s[n].Server; level != nil {
			return level
		}
	}
	return nil
}

// With returns the series with a rollup: its last 24 h replace those of the series. In
// older hours webhooks stay as first counted, since repairs change them afterwards;
// videos are replaced if more of them are known now. They stay where none is known now.
func (s Series) With(r Rollup) Series {
	all := maps.Clone(s)
	if all == nil {
		all = Series{}
	}
	for hour, o := range r.Count.Hours {
		h := all[hour]
		recent := hour >= HourOf(r.AsOf.Add(-rateWindow))
		if recent || h.Outcomes == (Outcomes{}) {
			h.Webhook = o.Webhook
		}
		if recent && o.Generation != (Tries{}) || o.Generation.total() > h.Generation.total() {
			h.Generation = o.Generation
		}
		all[hour] = h
	}
	if r.Server != nil && r.Server.UsedMemoryBytes > 0 {
		h := all[HourOf(r.AsOf)]
		h.Server = &Level{UsedBytes: r.Server.UsedMemoryBytes, MaxBytes: r.Server.MaxMemoryBytes, Evicted: r.Server.EvictedKeys}
		all[HourOf(r.AsOf)] = h
	}
	return all
}

// HourOf returns the hour of a time, counted since 1970.
func HourOf(at time.Time) int64 { return at.Unix() / int64(time.Hour/time.Second) }

func seriesField(hour int64, what string) string {
	return strconv.FormatInt(hour%seriesHours, 10) + ":" + what
}

// KEYS: series. ARGV: field, hour, what to add to the two numbers, life in ms.
var countLookups = redis.NewScript(`
local hour, agreed, differed = string.match(redis.call('HGET', KEYS[1], ARGV[1]) or '', '^(%d+) (%d+) (%d+)$')
if hour ~= ARGV[2] then agreed, differed = 0, 0 end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%s %d %d', ARGV[2], agreed + ARGV[3], differed + ARGV[4]))
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1`)

// countLookups adds requests to the site to an hour.
func (s *Store) countLookups(ctx context.Context, hour int64, t Tries) error {
	err := s.state.Run(ctx, countLookups, []string{seriesKey}, seriesField(hour, seriesLookups), hour, t.Good, t.Bad, seriesLife.Milliseconds()).Err()
	if err != nil {
		return fmt.Errorf("count requests to the site: %w", rdb.Classify(err))
	}
	return nil
}

// parseSeries parses the fields. It skips what is malformed or too old.
func parseSeries(fields map[string]string, now time.Time) Series {
	series := Series{}
	for field, value := range fields {
		_, what, _ := strings.Cut(field, ":")
		n := numbers(value)
		if len(n) == 0 || n[0] <= HourOf(now)-seriesHours || n[0] > HourOf(now) {
			continue
		}
		hour, n := n[0], n[1:]
		h := series[hour]
		switch {
		case what == seriesOutcomes && len(n) == 4:
			h.Webhook, h.Generation = Tries{int(n[0]), int(n[1])}, Tries{int(n[2]), int(n[3])}
		case what == seriesServer && len(n) == 3:
			h.Server = &Level{UsedBytes: n[0], MaxBytes: n[1], Evicted: n[2]}
		case what == seriesLookups && len(n) == 2:
			h.Lookup = Tries{int(n[0]), int(n[1])}
		}
		series[hour] = h
	}
	return series
}

// numbers parses the numbers in a field, nil if it holds anything else.
func numbers(value string) []int64 {
	var n []int64
	for _, word := range strings.Fields(value) {
		number, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return nil
		}
		n = append(n, number)
	}
	return n
}
