package figures

import (
	"fmt"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/stats"
)

const (
	fullAt     = 0.9             // share of the memory that is worth a warning
	fullWithin = 7 * 24          // hours until it is full that are worth one
	minFull    = 0.5             // share below which it is not extrapolated
	staleAfter = 5 * time.Minute // Stripe's list of payments, which is read each minute
)

// anomalies lists the anomalies in the figures, the most urgent first.
func anomalies(s Statistics) []string {
	c := s.Count
	if c.Sessions == 0 && c.Complete {
		return []string{"Redis holds no sessions."}
	}
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	last := stats.HourOf(s.AsOf)
	day := s.Series.Sum(last, 24)
	week := s.Series.Sum(last-24, 7*24) // the days before
	if d, found := stats.DetectWebhookDrop(c.Slots, week.Webhook); found {
		inside, usual := humanize.Percent(d.Inside), humanize.Percent(d.Usual)
		if d.To.IsZero() {
			say("Webhook success %s since %s, was %s.", inside, humanize.Clock(d.From, s.AsOf), usual)
		} else {
			say("Webhook success was %s from %s to %s; it is %s else.", inside, humanize.Clock(d.From, s.AsOf), humanize.Clock(d.To, s.AsOf), usual)
		}
	}
	if stats.RateFell(day.Generation, week.Generation) {
		say("Video generation success %s in the last 24 h, was %s in the week before.", humanize.Percent(*day.Generation.Rate()), humanize.Percent(*week.Generation.Rate()))
	}
	if stats.RateFell(day.Lookup, week.Lookup) {
		say("The site agreed with Redis in %s of the last 24 h's lookups, was %s in the week before.", humanize.Percent(*day.Lookup.Rate()), humanize.Percent(*week.Lookup.Rate()))
	}
	lines = append(lines, memoryAnomalies(s, day)...)
	if n := c.Survey.TTLs[stats.TTLClasses[len(stats.TTLClasses)-1]]; n > 0 {
		keys, verb := humanize.Count(n, "key"), "expire"
		if n == 1 {
			verb = "expires"
		}
		if c.Survey.TTLsOfSome {
			keys = "About " + keys
		}
		say("%s of sessions never %s: somebody wrote them without a time to live.", keys, verb)
	}
	if text := troubledText(c); text != "" {
		lines = append(lines, text)
	}
	if s.Watch != nil && s.Watch.Unreachable != "" {
		say("Alerts do not reach their channel. %s", s.Watch.Unreachable)
	}
	switch {
	case lines != nil:
		return lines
	case !c.Complete:
		return []string{"Nothing odd among the sessions that were counted, but not all were."}
	case paymentCaveat(s) != "":
		return []string{"Nothing odd, as far as can be told."}
	}
	if n := c.Verdicts[diagnosis.VerdictUnchecked]; n > 0 {
		why := " were not checked yet."
		if s.Watch == nil {
			why = " are not checked. That is done where ALERT_CHANNEL is set."
		}
		return []string{"Nothing odd, as far as can be told: the files of " + humanize.Count(n, "session") + why}
	}
	return []string{"Nothing odd: every session has a status or is still within its grace time."}
}

// memoryAnomalies is about evicted keys, and memory that runs out.
func memoryAnomalies(s Statistics, day stats.Hour) []string {
	var lines []string
	if day.Server != nil && day.Server.Evicted > 0 {
		lines = append(lines, evictedText(day.Server.Evicted, " in the last 24 h"))
	}
	if s.Server == nil || s.Server.MaxMemoryBytes == 0 {
		return lines
	}
	used, most := float64(s.Server.UsedMemoryBytes), float64(s.Server.MaxMemoryBytes)
	if used/most > fullAt {
		return append(lines, fullText(used/most))
	}
	before := s.Series.Sum(stats.HourOf(s.AsOf)-23, 2).Server
	if before == nil || used/most < minFull {
		return lines
	}
	growth := (used - float64(before.UsedBytes)) / 24
	if hours := (most - used) / growth; growth > 0 && hours < fullWithin {
		lines = append(lines, fmt.Sprintf("Redis grew by %s in a day, and is %.0f%% full: at that rate it is full in %s.",
			humanize.Bytes(int64(24*growth)), 100*used/most, humanize.Duration(time.Duration(hours)*time.Hour)))
	}
	return lines
}

// troubledText counts the sessions that need a person, "" = none.
func troubledText(c stats.Count) string {
	var parts []string
	for _, class := range []struct {
		verdict diagnosis.Verdict
		text    string
	}{
		{diagnosis.VerdictOrphaned, "without a webhook status past the grace time"}, {diagnosis.VerdictStalled, "stalled"}, {diagnosis.VerdictLost, "lost"},
	} {
		switch n := c.Verdicts[class.verdict]; {
		case n == 0:
		case parts == nil:
			parts = append(parts, humanize.Count(n, "session")+" "+class.text)
		default:
			parts = append(parts, humanize.Thousands(int64(n))+" "+class.text)
		}
	}
	if parts == nil {
		return ""
	}
	return strings.Join(parts, ", ") + "."
}

// paymentCaveat says why the verdicts of sessions without a status may be wrong,
// "" = they rest on Stripe's latest list.
func paymentCaveat(s Statistics) string {
	const remedy = " sessions without a status may be unpaid. Debug one to be sure."
	switch {
	case s.Count.Sessions == 0:
		return ""
	case s.WatchErr || s.EvidenceErr:
		return "What is known of payments could not be read:" + remedy
	case s.Watch == nil || s.Watch.Passed.IsZero():
		return "Payments were not looked up:" + remedy
	case s.AsOf.Sub(s.Watch.Passed) > staleAfter:
		return "Stripe last listed payments " + humanize.Ago(s.Watch.Passed, s.AsOf) + ":" + remedy
	}
	return ""
}
