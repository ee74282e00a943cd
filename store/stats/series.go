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

// seriesLife is how far back the series reaches: two weeks and a day, so that a
// week can be held against the one before.
const seriesLife = seriesHours * time.Hour

const seriesHours = 15 * 24

// seriesKey is a hash that goes round: an hour has the place of the one that the
// series has just left, so that it never grows. A field is a place, a colon and
// what is told; its value begins with the hour since 1970 that it is of.
const seriesKey = store.WatchPrefix + "series"

// What a field tells of its hour.
const (
	seriesOutcomes = "sessions" // what became of them: four numbers
	seriesServer   = "server"   // how Redis stood: three numbers
	seriesLookups  = "lookups"  // answers of the site that agree with Redis, and other answers or none
)

// Hour is what the series tells of one hour.
type Hour struct {
	Outcomes        // of the sessions that were paid in it
	Lookup   Tries  // questions to the site that were asked in it
	Server   *Level // nil = not told
}

// Level is how Redis stood at the end of an hour.
type Level struct {
	UsedBytes, MaxBytes int64 // MaxBytes 0 = no limit
	Evicted             int64 // keys since the server's start
}

// Series is the hours of the last two weeks of which something is told, by
// hours since 1970.
type Series map[int64]Hour

// Sum adds up what is told of the hours before the given one, and of it. Its
// level is the highest of them, with the keys evicted in them alone.
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
		case level == nil: // how many there were before is not known
		case h.Server.Evicted < level.Evicted: // the server was started anew
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

// levelBefore is how Redis stood last before an hour, nil = not told.
func (s Series) levelBefore(hour int64) *Level {
	for n := hour - 1; n > hour-24; n-- {
		if level := s[n].Server; level != nil {
			return level
		}
	}
	return nil
}

// With adds what was counted now: the last 24 h as they stand. Of what is older
// webhooks stay as they were first counted, since repairs change them afterwards;
// videos are counted again where more of them are known by now.
func (s Series) With(r Rollup) Series {
	all := maps.Clone(s)
	if all == nil {
		all = Series{}
	}
	for hour, o := range r.Count.Hours {
		h := all[hour]
		if hour >= HourOf(r.AsOf.Add(-rateWindow)) || h.Outcomes == (Outcomes{}) {
			h.Outcomes = o
		}
		if o.Generation.total() > h.Generation.total() {
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

// HourOf is the hour of a time, counted since 1970.
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

// countLookups counts that the site was asked in an hour, and how often it
// answered with a status that agrees with Redis.
func (s *Store) countLookups(ctx context.Context, hour int64, t Tries) error {
	err := s.state.Run(ctx, countLookups, []string{seriesKey}, seriesField(hour, seriesLookups), hour, t.Good, t.Bad, seriesLife.Milliseconds()).Err()
	if err != nil {
		return fmt.Errorf("count questions to the site: %w", rdb.Classify(err))
	}
	return nil
}

// parseSeries reads the fields. What cannot be read, or is of an hour that the
// series has left, is left out.
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

// numbers are those in a field, nil where it holds anything else.
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
