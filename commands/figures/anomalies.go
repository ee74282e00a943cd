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

const noProblems = "No problems found"

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
			say("Webhook success has been %s since %s, down from %s: Stripe's dashboard (Developers, Webhooks) shows why deliveries fail.", inside, humanize.Clock(d.From, s.AsOf), usual)
		} else {
			say("Webhook success was %s from %s to %s; usually it is %s.", inside, humanize.Clock(d.From, s.AsOf), humanize.Clock(d.To, s.AsOf), usual)
		}
	}
	if stats.RateFell(day.Generation, week.Generation) {
		say("Video success was %s in the last 24 h, down from %s the week before.", humanize.Percent(*day.Generation.Rate()), humanize.Percent(*week.Generation.Rate()))
	}
	if stats.RateFell(day.Lookup, week.Lookup) {
		say("The site agreed with Redis in %s of lookups in the last 24 h, down from %s the week before.", humanize.Percent(*day.Lookup.Rate()), humanize.Percent(*week.Lookup.Rate()))
	}
	lines = append(lines, memoryAnomalies(s, day)...)
	if n := c.Survey.TTLs[stats.TTLClasses[len(stats.TTLClasses)-1]]; n > 0 {
		keys, verb := humanize.Count(n, "session key"), "expire"
		if n == 1 {
			verb = "expires"
		}
		if c.Survey.TTLsOfSome {
			keys = "About " + keys
		}
		say("%s never %s: something wrote them without an expiry. Not urgent: they only take up memory.", keys, verb)
	}
	if text := troubledText(c); text != "" {
		lines = append(lines, text)
	}
	if s.Watch != nil && s.Watch.Unreachable != "" {
		say("Alerts are not arriving in the alert channel (ALERT_CHANNEL); they will be posted once the bot can post there. %s", s.Watch.Unreachable)
	}
	switch {
	case lines != nil:
		return lines
	case !c.Complete:
		return []string{"Not all sessions were counted, so problems may be missing. Run sessionbot redis stats on the bot's host: it counts without a time limit, only reads, and is safe on the live Redis."}
	case paymentCaveat(s) != "":
		return []string{noProblems + ", as far as is known."}
	}
	if n := c.Verdicts[diagnosis.VerdictUnchecked]; n > 0 {
		why := " have not been checked yet."
		if s.Watch == nil {
			why = " are not checked: set ALERT_CHANNEL for that."
		}
		return []string{noProblems + " so far: the files of " + humanize.Count(n, "session") + why}
	}
	return []string{noProblems + ": no session is orphaned, stalled or lost, and no rate has dropped."}
}

// memoryAnomalies lists evicted keys, and memory that runs out.
func memoryAnomalies(s Statistics, day stats.Hour) []string {
	var lines []string
	evicts := day.Server != nil && day.Server.Evicted > 0
	if evicts {
		lines = append(lines, evictedText(day.Server.Evicted, " in the last 24 h"))
	}
	if s.Server == nil || s.Server.MaxMemoryBytes == 0 {
		return lines
	}
	used, most := float64(s.Server.UsedMemoryBytes), float64(s.Server.MaxMemoryBytes)
	switch {
	case used/most <= fullAt:
	case evicts: // with the same remedy
		return append(lines, fmt.Sprintf("Redis is still %.0f%% full.", 100*used/most))
	default:
		return append(lines, fullText(*s.Server))
	}
	before := s.Series.Sum(stats.HourOf(s.AsOf)-23, 2).Server
	if before == nil || used/most < minFull {
		return lines
	}
	growth := (used - float64(before.UsedBytes)) / 24
	if hours := (most - used) / growth; growth > 0 && hours < fullWithin {
		lines = append(lines, fmt.Sprintf("Redis grew by %s in a day, and is %.0f%% full: at this rate it will be full in %s.",
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
		{diagnosis.VerdictOrphaned, "orphaned (paid, but no video started)"}, {diagnosis.VerdictStalled, "stalled"}, {diagnosis.VerdictLost, "lost"},
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
	return strings.Join(parts, ", ") + ": /session list shows what to do; anything that costs us money shows a plan with the cost first."
}

// paymentCaveat says why the verdicts of sessions without a status may be wrong,
// "" = they rest on Stripe's latest list.
func paymentCaveat(s Statistics) string {
	const remedy = " sessions without a status may be unpaid. To check one, run /session debug <id>."
	switch {
	case s.Count.Sessions == 0:
		return ""
	case s.WatchErr || s.EvidenceErr:
		return "Known payments could not be read:" + remedy
	case s.Watch == nil || s.Watch.StripeReadAt.IsZero():
		return "Payments were not checked:" + remedy
	case s.AsOf.Sub(s.Watch.StripeReadAt) > staleAfter:
		return "Payments have not been checked for " + humanize.Duration(s.AsOf.Sub(s.Watch.StripeReadAt)) + " (the bot's log says why):" + remedy
	}
	return ""
}
