// Package humanize puts values into the words of messages: times, amounts, ids, numbers
// and states.
package humanize

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/redact"
	"github.com/superduperai/sessionbot/store"
)

// Ago is how long ago something was, followed by the exact time.
func Ago(at, now time.Time) string {
	return Duration(now.Sub(at)) + " ago (" + Clock(at, now) + ")"
}

// AgoTime is Ago in the reader's own zone.
func AgoTime(at, now time.Time) blockkit.Span {
	return blockkit.Time(at, blockkit.TimeAgo, Ago(at, now))
}

// ClockTime is Clock in the reader's own zone.
func ClockTime(at, now time.Time) blockkit.Span {
	return blockkit.Time(at, blockkit.TimeOfDay, Clock(at, now))
}

// SecondsTime is ClockTime to the second.
func SecondsTime(at, now time.Time) blockkit.Span {
	return blockkit.Time(at, blockkit.TimeSeconds, dated(at, now, "15:04:05 UTC"))
}

// Clock is a time of day, with its date where that is not today's.
func Clock(at, now time.Time) string { return dated(at, now, "15:04 UTC") }

func dated(at, now time.Time, layout string) string {
	at, now = at.UTC(), now.UTC()
	switch {
	case at.Format(time.DateOnly) == now.Format(time.DateOnly):
	case at.Year() == now.Year():
		layout = "2 Jan " + layout
	default:
		layout = "2 Jan 2006 " + layout
	}
	return at.Format(layout)
}

// Duration is a duration in at most two units.
func Duration(d time.Duration) string {
	seconds := int(d.Round(time.Second) / time.Second)
	days, hours, minutes := seconds/86400, seconds/3600%24, seconds/60%60
	switch {
	case seconds < 60:
		return fmt.Sprintf("%d s", max(seconds, 0))
	case seconds < 3600:
		return fmt.Sprintf("%d min", minutes)
	case seconds < 86400:
		return strings.TrimSuffix(fmt.Sprintf("%d h %d min", hours, minutes), " 0 min")
	}
	return strings.TrimSuffix(fmt.Sprintf("%d d %d h", days, hours), " 0 h")
}

// Money is an amount with its currency. Amounts are in the currency's smallest
// unit; Stripe documents which currencies have none smaller.
func Money(amount int64, currency string) string {
	number := strconv.FormatInt(amount, 10)
	switch listed := func(list string) bool { return strings.Contains(list, " "+currency+" ") }; {
	case listed(" bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf "):
	case listed(" bhd jod kwd omr tnd "):
		number = fmt.Sprintf("%d.%03d", amount/1000, amount%1000)
	default:
		number = fmt.Sprintf("%d.%02d", amount/100, amount%100)
	}
	switch currency {
	case "usd":
		return "$" + number
	case "eur":
		return "€" + number
	case "gbp":
		return "£" + number
	}
	return number + " " + strings.ToUpper(currency)
}

// ShortID keeps the ends of an id.
func ShortID(id string) string {
	if len(id) <= 20 {
		return id
	}
	return id[:12] + "…" + id[len(id)-4:]
}

// Thousands writes a number with thin gaps between its thousands.
func Thousands(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "\u00a0" + digits[i:]
	}
	return digits
}

// Count is a number with its noun: 1 session, 2 sessions.
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Thousands(int64(n)) + " " + noun + "s"
}

// Percent never rounds up to 100%, which means all.
func Percent(share float64) string { return fmt.Sprintf("%.1f%%", Points(share)) }

// Points is a share in percent as Percent shows it, to the tenth.
func Points(share float64) float64 {
	points := math.Round(share*1000) / 10
	if points >= 100 && share < 1 {
		return 99.9
	}
	return points
}

// Bytes is an amount of memory in decimal units.
func Bytes(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n), ""
	for _, unit = range []string{"kB", "MB", "GB", "TB"} {
		if value /= 1000; value < 1000 {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", value, unit)
}

// WithNoun puts the right noun into a text of ours about a video or an image.
func WithNoun(kind store.Kind, text string) string {
	if kind == store.KindImage {
		return imageNouns.Replace(text)
	}
	return videoNouns.Replace(text)
}

var (
	videoNouns = strings.NewReplacer("{video}", "video", "{a video}", "a video", "{A video}", "A video", "{SUPERDUPERAI_MODEL}", "SUPERDUPERAI_MODEL")
	imageNouns = strings.NewReplacer("{video}", "image", "{a video}", "an image", "{A video}", "An image", "{SUPERDUPERAI_MODEL}", "SUPERDUPERAI_IMAGE_MODEL")
)

// Words turns the name of a constant into words.
func Words(name string) string {
	if name == "" {
		return "none"
	}
	return strings.ReplaceAll(name, "_", " ")
}

// Title turns the name of a constant into words that begin a sentence.
func Title[T ~string](name T) string { return UpperFirst(Words(string(name))) }

// LowerFirst continues a sentence with another one of ours.
func LowerFirst(text string) string {
	if text == "" || strings.HasPrefix(text, "Redis") || strings.HasPrefix(text, "SuperDuperAI") || strings.HasPrefix(text, "Stripe") {
		return text
	}
	return strings.ToLower(text[:1]) + text[1:]
}

// UpperFirst begins a sentence of ours.
func UpperFirst(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// Quoted is what another service said about a failure, on one line of at most 300
// characters. E-mail addresses are left out: its readers may not all see the customer's.
func Quoted(text string) string {
	return blockkit.Cut(redact.Emails(blockkit.OneLine(text)), 300)
}

// Person names an actor.
func Person(a store.Actor) blockkit.Span {
	if a.Terminal {
		return blockkit.Plain(blockkit.OneLine(a.ID) + " (terminal)")
	}
	return blockkit.User(a.ID)
}

// AsOfTime is the time of figures, and how long ago that was.
func AsOfTime(at, now time.Time) blockkit.Span {
	if now.Sub(at) >= time.Second {
		return AgoTime(at, now)
	}
	return SecondsTime(at, now)
}

// AgoOnly is AgoTime for a row, which is to be one line.
func AgoOnly(at, now time.Time) blockkit.Span {
	return blockkit.Time(at, blockkit.TimeAgoOnly, Ago(at, now))
}

// Sums is money, currency by currency; "" = none.
func Sums(amounts map[string]int64) string {
	var parts []string
	for _, currency := range slices.Sorted(maps.Keys(amounts)) {
		parts = append(parts, Money(amounts[currency], currency))
	}
	return strings.Join(parts, " + ")
}
