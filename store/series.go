package store

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// seriesLife is how far back the series reaches: two weeks and a day, so
	// that a week can be held against the one before.
	seriesLife = 15 * 24 * time.Hour
	// seriesFields bounds it: four fields an hour, and some leeway.
	seriesFields = 4*int(seriesLife/time.Hour) + 100
)

// seriesKey is a hash. Its fields are an hour since 1970, a colon and what is
// told of the hour.
const seriesKey = watchPrefix + "series"

// What a field tells of its hour.
const (
	seriesOutcomes = "outcomes" // of its sessions: four numbers
	seriesServer   = "server"   // how Redis stood: three numbers
	seriesAgreed   = "agreed"   // answers of the site that agree with Redis
	seriesDiffered = "differed" // other answers, and none
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

// With adds what was counted now: the last 24 h as they stand, and what is older
// where nothing is told of it yet.
func (s Series) With(r Rollup) Series {
	all := maps.Clone(s)
	if all == nil {
		all = Series{}
	}
	for hour, o := range r.Count.Hours {
		h, told := all[hour]
		if !told || hour >= HourOf(r.AsOf.Add(-rateWindow)) || h.Outcomes == (Outcomes{}) {
			h.Outcomes = o
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

func seriesField(hour int64, what string) string { return strconv.FormatInt(hour, 10) + ":" + what }

// trim takes off the series what is older than it reaches, where it grew too
// large. KEYS[1] is the series, oldest and most are set.
const trim = `
if redis.call('HLEN', KEYS[1]) > most then
	for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
		if tonumber(string.match(field, '^%d+')) < oldest then redis.call('HDEL', KEYS[1], field) end
	end
end
`

// KEYS: series. ARGV: field, the oldest hour kept, most fields, life in ms.
var countLookup = redis.NewScript(`
local oldest, most = tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
redis.call('PEXPIRE', KEYS[1], ARGV[4])` + trim + `return 1`)

// CountLookup counts that the site was asked for a session's status, and whether
// it answered with one that agrees with Redis.
func (w *Watch) CountLookup(ctx context.Context, at time.Time, agreed bool) error {
	what := seriesDiffered
	if agreed {
		what = seriesAgreed
	}
	err := w.run(ctx, countLookup, []string{seriesKey}, seriesField(HourOf(at), what),
		HourOf(at.Add(-seriesLife)), seriesFields, seriesLife.Milliseconds()).Err()
	if err != nil {
		return fmt.Errorf("count a question to the site: %w", silence(err))
	}
	return nil
}

// parseSeries reads the fields. What cannot be read is left out.
func parseSeries(fields map[string]string, now time.Time) Series {
	series := Series{}
	for field, value := range fields {
		number, what, _ := strings.Cut(field, ":")
		hour, err := strconv.ParseInt(number, 10, 64)
		if err != nil || hour < HourOf(now.Add(-seriesLife)) || hour > HourOf(now) {
			continue
		}
		h := series[hour]
		n := numbers(value)
		switch {
		case what == seriesOutcomes && len(n) == 4:
			h.Webhook, h.Generation = Tries{int(n[0]), int(n[1])}, Tries{int(n[2]), int(n[3])}
		case what == seriesServer && len(n) == 3:
			h.Server = &Level{UsedBytes: n[0], MaxBytes: n[1], Evicted: n[2]}
		case what == seriesAgreed && len(n) == 1:
			h.Lookup.Good = int(n[0])
		case what == seriesDiffered && len(n) == 1:
			h.Lookup.Bad = int(n[0])
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
