package commands

import (
	"fmt"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/store"
)

const (
	fullAt     = 0.9             // of the memory is told
	fullWithin = 7 * 24          // hours in which it will be is told
	moreThan   = 0.5             // but not while it is emptier
	listedLate = 5 * time.Minute // Stripe lists what was paid each minute
)

// odd is what a person should look at first, most urgent first. It goes by the
// figures alone.
func odd(s statistics) []string {
	c := s.Count
	if c.Sessions == 0 && c.Complete {
		return []string{"Redis holds no sessions."}
	}
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	last := store.HourOf(s.AsOf)
	day := s.series.Sum(last, 24)
	week := s.series.Sum(last-24, 7*24) // the days before
	if d, found := store.FindDrop(c.Slots, week.Webhook); found {
		now, usual := percent(d.Inside), percent(d.Usual)
		if d.To.IsZero() {
			say("Webhook success %s since %s, was %s.", now, clock(d.From, s.AsOf), usual)
		} else {
			say("Webhook success was %s from %s to %s; it is %s else.", now, clock(d.From, s.AsOf), clock(d.To, s.AsOf), usual)
		}
	}
	if store.Fell(day.Generation, week.Generation) {
		say("Video generation success %s in the last 24 h, was %s in the week before.", percent(*day.Generation.Rate()), percent(*week.Generation.Rate()))
	}
	if store.Fell(day.Lookup, week.Lookup) {
		say("The site agreed with Redis in %s of the last 24 h's lookups, was %s in the week before.", percent(*day.Lookup.Rate()), percent(*week.Lookup.Rate()))
	}
	lines = append(lines, oddMemory(s, day)...)
	if n := c.Survey.TTLs[store.TTLClasses[len(store.TTLClasses)-1]]; n > 0 {
		keys := count(n, "key")
		if c.Survey.TTLsOfSome {
			keys = "About " + keys
		}
		say("%s of sessions never %s: somebody wrote them without a time to live.", keys, verb(n, "expires", "expire"))
	}
	if trouble := troubled(c); trouble != "" {
		lines = append(lines, trouble)
	}
	if s.watch != nil && s.watch.Unreachable != "" {
		say("Alerts do not reach their channel. %s", s.watch.Unreachable)
	}
	switch {
	case lines != nil:
		return lines
	case !c.Complete:
		return []string{"Nothing odd among the sessions that were counted, but not all were."}
	case unsure(s) != "":
		return []string{"Nothing odd, as far as can be told."}
	}
	switch n := c.Verdicts[store.VerdictUnchecked]; {
	case n > 0 && s.watch == nil:
		return []string{"Nothing odd, as far as can be told: the files of " + count(n, "session") + " are not checked. That is done where ALERT_CHANNEL is set."}
	case n > 0:
		return []string{"Nothing odd, as far as can be told: the files of " + count(n, "session") + " were not checked yet."}
	}
	return []string{"Nothing odd: every session has a status or is still within its grace time."}
}

// oddMemory tells of keys thrown away, and of memory that runs out.
func oddMemory(s statistics, day store.Hour) []string {
	var lines []string
	if day.Server != nil && day.Server.Evicted > 0 {
		lines = append(lines, fmt.Sprintf("Redis has thrown %s away in the last 24 h for want of memory: customers' sessions may be among them. Give it more memory.",
			count(int(day.Server.Evicted), "key")))
	}
	if s.Server == nil || s.Server.MaxMemoryBytes == 0 {
		return lines
	}
	used, most := float64(s.Server.UsedMemoryBytes), float64(s.Server.MaxMemoryBytes)
	if used/most > fullAt {
		return append(lines, fmt.Sprintf("Redis is %.0f%% full. Give it more memory before it refuses writes.", 100*used/most))
	}
	before := s.series.Sum(store.HourOf(s.AsOf)-23, 2).Server
	if before == nil || used/most < moreThan {
		return lines
	}
	growth := (used - float64(before.UsedBytes)) / 24
	if hours := (most - used) / growth; growth > 0 && hours < fullWithin {
		lines = append(lines, fmt.Sprintf("Redis grew by %s in a day, and is %.0f%% full: at that rate it is full in %s.",
			bytes(int64(24*growth)), 100*used/most, span(time.Duration(hours)*time.Hour)))
	}
	return lines
}

// troubled counts the sessions that need a person.
func troubled(c store.Count) string {
	var parts []string
	for _, kind := range []struct {
		verdict store.Verdict
		text    string
	}{
		{store.VerdictOrphaned, "without a webhook status past the grace time"}, {store.VerdictStalled, "stalled"}, {store.VerdictLost, "lost"},
	} {
		n := c.Verdicts[kind.verdict]
		switch {
		case n == 0:
		case parts == nil:
			parts = append(parts, count(n, "session")+" "+kind.text)
		default:
			parts = append(parts, grouped(int64(n))+" "+kind.text)
		}
	}
	if parts == nil {
		return ""
	}
	return strings.Join(parts, ", ") + "."
}

// unsure says how far the verdicts can be trusted where no status is there, "" =
// as far as Stripe can.
func unsure(s statistics) string {
	const remedy = " sessions without a status may be unpaid. Debug one to be sure."
	switch {
	case s.Count.Sessions == 0:
		return ""
	case s.silent || s.unread:
		return "What is known of payments could not be read:" + remedy
	case s.watch == nil || s.watch.Passed.IsZero():
		return "Payments were not looked up:" + remedy
	case s.AsOf.Sub(s.watch.Passed) > listedLate:
		return "Stripe last listed payments " + ago(s.watch.Passed, s.AsOf) + ":" + remedy
	}
	return ""
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
