package incident

import "time"

// SnoozeChoice is for how long an incident is snoozed. The values are public.
type SnoozeChoice string

// The choices.
const (
	SnoozeQuarter SnoozeChoice = "15m"
	SnoozeHour    SnoozeChoice = "1h"
	SnoozeFour    SnoozeChoice = "4h"
	SnoozeMorning SnoozeChoice = "08:00" // until then, where the person is
)

// SnoozeChoices lists them in the order in which people read them.
var SnoozeChoices = []SnoozeChoice{SnoozeQuarter, SnoozeHour, SnoozeFour, SnoozeMorning}

// morning is the hour at which SnoozeMorning ends.
const morning = 8

// Until returns when a snooze ends that begins now, in the person's zone: SnoozeMorning
// at the next 08:00 there. It reports whether there is such a choice.
func (c SnoozeChoice) Until(now time.Time, zone *time.Location) (time.Time, bool) {
	lasts := map[SnoozeChoice]time.Duration{SnoozeQuarter: 15 * time.Minute, SnoozeHour: time.Hour, SnoozeFour: 4 * time.Hour}[c]
	switch {
	case lasts > 0:
		return now.Add(lasts), true
	case c != SnoozeMorning:
		return time.Time{}, false
	}
	local := now.In(zone)
	until := time.Date(local.Year(), local.Month(), local.Day(), morning, 0, 0, 0, zone)
	if !until.After(now) {
		until = time.Date(local.Year(), local.Month(), local.Day()+1, morning, 0, 0, 0, zone)
	}
	return until, true
}
