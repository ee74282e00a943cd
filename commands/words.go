package commands

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// ago is how long ago something was, followed by the exact time.
func ago(at, now time.Time) string {
	return span(now.Sub(at)) + " ago (" + clock(at, now) + ")"
}

// agoTime is ago in the reader's own zone.
func agoTime(at, now time.Time) blockkit.Span {
	return blockkit.Time(at, blockkit.TimeAgo, ago(at, now))
}

// clockTime is clock in the reader's own zone.
func clockTime(at, now time.Time) blockkit.Span {
	return blockkit.Time(at, blockkit.TimeOfDay, clock(at, now))
}

// secondsTime is clockTime to the second.
func secondsTime(at, now time.Time) blockkit.Span {
	return blockkit.Time(at, blockkit.TimeSeconds, dated(at, now, "15:04:05 UTC"))
}

// clock is a time of day, with its date where that is not today's.
func clock(at, now time.Time) string { return dated(at, now, "15:04 UTC") }

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

// span is a duration in at most two units.
func span(d time.Duration) string {
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

// money is an amount with its currency. Amounts are in the currency's smallest
// unit; Stripe documents which currencies have none smaller.
func money(amount int64, currency string) string {
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

// shortID keeps the ends of an id.
func shortID(id string) string {
	if len(id) <= 20 {
		return id
	}
	return id[:12] + "…" + id[len(id)-4:]
}

// thousands writes a number with thin gaps between its thousands.
func thousands(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "\u00a0" + digits[i:]
	}
	return digits
}

// count is a number with its noun: 1 session, 2 sessions.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return thousands(int64(n)) + " " + noun + "s"
}

// percent never rounds up: 100% means all.
func percent(share float64) string {
	return fmt.Sprintf("%.1f%%", math.Floor(share*1000)/10)
}

// bytes is an amount of memory in decimal units.
func bytes(n int64) string {
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

// withNoun puts the right noun into a text of ours about a video or an image.
func withNoun(kind store.Kind, text string) string {
	if kind == store.KindImage {
		return imageNouns.Replace(text)
	}
	return videoNouns.Replace(text)
}

var (
	videoNouns = strings.NewReplacer("{video}", "video", "{a video}", "a video", "{A video}", "A video", "{SUPERDUPERAI_MODEL}", "SUPERDUPERAI_MODEL")
	imageNouns = strings.NewReplacer("{video}", "image", "{a video}", "an image", "{A video}", "An image", "{SUPERDUPERAI_MODEL}", "SUPERDUPERAI_IMAGE_MODEL")
)

// humanize turns the name of a constant into words.
func humanize(name string) string {
	if name == "" {
		return "none"
	}
	return strings.ReplaceAll(name, "_", " ")
}

func title(v diagnosis.Verdict) string {
	text := humanize(string(v))
	return upperFirst(text)
}

func lowerFirst(text string) string {
	if text == "" || strings.HasPrefix(text, "Redis") || strings.HasPrefix(text, "SuperDuperAI") || strings.HasPrefix(text, "Stripe") {
		return text
	}
	return strings.ToLower(text[:1]) + text[1:]
}

// upperFirst begins a sentence of ours.
func upperFirst(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// quoted is what another service said about a failure, on one line of at most 300
// characters. E-mail addresses are left out: others may read it than those who may see
// the customer's.
func quoted(text string) string {
	return blockkit.Cut(emailPattern.ReplaceAllString(blockkit.OneLine(text), "(address)"), 300)
}
