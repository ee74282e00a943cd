package blockhtml

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// date renders a point in time in Slack's format, {date_short} and the like, as a
// link where there is an address.
// Where the format names nothing that is known, the fallback is shown.
func (r *renderer) date(seconds int64, format, fallback, address string) {
	if r.link(address) {
		defer r.close("a")
	}
	// Beyond the year 9999 neither people nor the datetime attribute follow.
	if seconds < 0 || seconds > 253_402_300_799 {
		r.text(fallback)
		return
	}
	at := time.Unix(seconds, 0).In(r.reader.Now.Location())
	text, known := formatDate(format, at, r.reader.Now)
	if !known {
		text = cmp.Or(fallback, at.Format(time.RFC1123))
	}
	r.element("time", text, "datetime", at.UTC().Format(time.RFC3339), "title", at.Format("Monday, 2 January 2006 at 15:04:05 MST"))
}

// formatDate fills Slack's date tokens, and reports whether there was any.
func formatDate(format string, at, now time.Time) (string, bool) {
	known := false
	for token, fill := range dateTokens {
		if strings.Contains(format, token) {
			known = true
			format = strings.ReplaceAll(format, token, fill(at, now))
		}
	}
	return format, known
}

var dateTokens = map[string]func(at, now time.Time) string{
	"{date_num}":           layout("2006-01-02"),
	"{date}":               layout("2 January 2006"),
	"{date_short}":         layout("2 Jan 2006"),
	"{date_long}":          layout("Monday, 2 January 2006"),
	"{date_pretty}":        pretty("2 January 2006"),
	"{date_short_pretty}":  pretty("2 Jan 2006"),
	"{date_long_pretty}":   pretty("Monday, 2 January 2006"),
	"{day_divider_pretty}": pretty("Monday, 2 January"),
	"{time}":               layout("15:04"),
	"{time_secs}":          layout("15:04:05"),
	"{ago}":                ago,
}

func layout(layout string) func(at, now time.Time) string {
	return func(at, _ time.Time) string { return at.Format(layout) }
}

// pretty is layout, but today, yesterday and tomorrow where they apply.
func pretty(layout string) func(at, now time.Time) string {
	return func(at, now time.Time) string {
		switch at.Format(time.DateOnly) {
		case now.Format(time.DateOnly):
			return "today"
		case now.AddDate(0, 0, -1).Format(time.DateOnly):
			return "yesterday"
		case now.AddDate(0, 0, 1).Format(time.DateOnly):
			return "tomorrow"
		}
		return at.Format(layout)
	}
}

func ago(at, now time.Time) string {
	gap := now.Sub(at)
	if gap < 0 {
		return "in " + span(-gap)
	}
	if gap < time.Minute {
		return "just now"
	}
	return span(gap) + " ago"
}

// span formats a duration in the largest unit that fits.
func span(d time.Duration) string {
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if n := int(d / unit.size); n == 1 {
			return "1 " + unit.name
		} else if n > 1 {
			return fmt.Sprintf("%d %ss", n, unit.name)
		}
	}
	return "0 seconds"
}
