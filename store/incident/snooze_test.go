package incident

import (
	"testing"
	"time"
)

// TestSnoozeUntil: 08:00 is the next one in the person's time zone, also on the days on
// which clocks change.
func TestSnoozeUntil(t *testing.T) {
	t.Parallel()
	zone := func(name string) *time.Location {
		z, err := time.LoadLocation(name)
		if err != nil {
			t.Skipf("no time zones on this machine: %v", err)
		}
		return z
	}
	berlin, newYork, kathmandu := zone("Europe/Berlin"), zone("America/New_York"), zone("Asia/Kathmandu")
	for _, c := range []struct {
		choice SnoozeChoice
		zone   *time.Location
		now    string
		want   string // "" = no such choice
	}{
		{SnoozeQuarter, berlin, "2026-03-04T12:00:00Z", "2026-03-04T12:15:00Z"},
		{SnoozeHour, berlin, "2026-03-04T12:00:00Z", "2026-03-04T13:00:00Z"},
		{SnoozeFour, berlin, "2026-03-04T22:00:00Z", "2026-03-05T02:00:00Z"},
		{SnoozeMorning, time.UTC, "2026-03-04T03:00:00Z", "2026-03-04T08:00:00Z"},
		{SnoozeMorning, time.UTC, "2026-03-04T08:00:00Z", "2026-03-05T08:00:00Z"},
		{SnoozeMorning, berlin, "2026-03-04T03:00:00Z", "2026-03-04T07:00:00Z"},
		{SnoozeMorning, berlin, "2026-03-04T07:30:00Z", "2026-03-05T07:00:00Z"},
		{SnoozeMorning, newYork, "2026-03-05T03:00:00Z", "2026-03-05T13:00:00Z"}, // it is still the fourth there
		{SnoozeMorning, newYork, "2026-03-05T12:59:59Z", "2026-03-05T13:00:00Z"},
		{SnoozeMorning, kathmandu, "2026-12-31T20:00:00Z", "2027-01-01T02:15:00Z"},
		{SnoozeMorning, berlin, "2026-03-28T23:00:00Z", "2026-03-29T06:00:00Z"}, // an hour is skipped
		{SnoozeMorning, berlin, "2026-10-24T23:00:00Z", "2026-10-25T07:00:00Z"}, // an hour comes twice
		{"2h", berlin, "2026-03-04T12:00:00Z", ""},
		{"", berlin, "2026-03-04T12:00:00Z", ""},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		until, ok := c.choice.Until(now, c.zone)
		if got := until.UTC().Format(time.RFC3339); ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%q at %s in %s: until %s, %t; want %q", c.choice, c.now, c.zone, got, ok, c.want)
		}
	}
}
