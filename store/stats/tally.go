// Package stats tallies sessions, and keeps the tallies over time.
package stats

import (
	"slices"
	"time"
	"unicode/utf16"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

const (
	// rateWindow is the window of the success rates.
	rateWindow = 24 * time.Hour
	// openFor is how long a checkout at Stripe stays open.
	openFor = 24 * time.Hour
	// slotLength divides the last 24 h, for when something began.
	slotLength = 5 * time.Minute
	// minChecked is the share of files that must have been checked for a success rate.
	minChecked = 0.9
)

// LengthClasses names the classes of prompt lengths, shortest first.
var LengthClasses = []string{"0-100", "101-500", "501-1000", "1001-2000", "2000+"}

// PromptLength is the length of a session's prompt in UTF-16 units.
type PromptLength struct {
	ID     string `json:"id"`
	Length int    `json:"length"`
}

// Tries counts successes and failures.
type Tries struct{ Good, Bad int }

func (t Tries) total() int { return t.Good + t.Bad }

// Rate returns the share of successes, nil without any.
func (t Tries) Rate() *float64 {
	if t.total() == 0 {
		return nil
	}
	share := float64(t.Good) / float64(t.total())
	return &share
}

// Add returns the sum.
func (t Tries) Add(other Tries) Tries { return Tries{t.Good + other.Good, t.Bad + other.Bad} }

// Outcomes counts the outcomes of sessions. Webhook: of those that are not
// waiting, unpaid, abandoned or unclear, the good are neither orphaned nor lost.
// Generation: completed against failed and stalled.
type Outcomes struct{ Webhook, Generation Tries }

func (o *Outcomes) add(v diagnosis.Verdict) {
	switch v {
	case diagnosis.VerdictWaiting, diagnosis.VerdictUnpaid, diagnosis.VerdictAbandoned, diagnosis.VerdictUnclear:
	case diagnosis.VerdictOrphaned, diagnosis.VerdictLost:
		o.Webhook.Bad++
	default:
		o.Webhook.Good++
	}
	switch v {
	case diagnosis.VerdictCompleted:
		o.Generation.Good++
	case diagnosis.VerdictFailed, diagnosis.VerdictStalled:
		o.Generation.Bad++
	}
}

// windowTally is Outcomes with the number of the sessions whose file was not checked yet.
type windowTally struct {
	Outcomes
	unchecked int
}

func (o *windowTally) add(v diagnosis.Verdict) {
	o.Outcomes.add(v)
	if v == diagnosis.VerdictUnchecked {
		o.unchecked++
	}
}

// checked reports whether enough files are checked for a rate of generations: as long as
// finished ones are missing it would look like a drop.
func (o windowTally) checked() bool {
	known := o.Generation.total()
	return float64(known) >= minChecked*float64(known+o.unchecked)
}

// Slot is five minutes: the webhooks of the sessions paid in it.
type Slot struct {
	At      time.Time // its beginning
	Webhook Tries
}

// Count is the statistics of all sessions. Lengths are in UTF-16 units. The rates are
// of the last 24 h, and nil without data.
type Count struct {
	Complete              bool // false: time ran out, only the keys scanned are counted
	Sessions              int
	Prompts               int // sessions with a readable prompt
	PromptCharacters      int64
	AverageLength         int64         // rounded
	Longest               *PromptLength // nil without prompts
	Shortest              *PromptLength
	Distribution          map[string]int // by LengthClasses
	Verdicts              map[diagnosis.Verdict]int
	WebhookSuccessRate    *float64
	GenerationSuccessRate *float64
	Slots                 []Slot             // of the last 24 h, oldest first, without the empty ones
	Hours                 map[int64]Outcomes `json:"-"` // by hours since 1970, as far back as a Series reaches
	Survey                Survey
}

// Tally counts sessions, as of one time.
type Tally struct {
	now    time.Time
	sums   Count       // but for what follows
	recent windowTally // of the last 24 h
	hours  map[int64]windowTally
	slots  map[time.Time]Tries
}

// NewTally returns an empty tally.
func NewTally(now time.Time) *Tally {
	t := &Tally{now: now, hours: map[int64]windowTally{}, slots: map[time.Time]Tries{}}
	t.sums.Distribution, t.sums.Verdicts = zeroCounts(LengthClasses), map[diagnosis.Verdict]int{}
	return t
}

func zeroCounts(classes []string) map[string]int {
	counts := map[string]int{}
	for _, class := range classes {
		counts[class] = 0
	}
	return counts
}

// Add counts a session. A checkout that is open for longer than Stripe allows was
// abandoned.
func (t *Tally) Add(s store.Session, d diagnosis.Diagnosis) {
	if d.Verdict == diagnosis.VerdictUnpaid && t.now.Sub(d.PaidAt) > openFor {
		d.Verdict = diagnosis.VerdictAbandoned
	}
	t.sums.Sessions++
	t.sums.Verdicts[d.Verdict]++
	t.addTime(d.Time(), d.Verdict)
	if prompt := s.PromptText(); prompt != "" {
		t.addPrompt(s.ID, Length(prompt))
	}
}

// AddFinished counts a completed session that was not read again: the length of
// its prompt, 0 = none, and when it was paid for.
func (t *Tally) AddFinished(id string, length int, at time.Time) {
	t.sums.Sessions++
	t.sums.Verdicts[diagnosis.VerdictCompleted]++
	t.addTime(at, diagnosis.VerdictCompleted)
	if length > 0 {
		t.addPrompt(id, length)
	}
}

func (t *Tally) addTime(at time.Time, v diagnosis.Verdict) {
	age := t.now.Sub(at)
	if at.IsZero() || age > seriesLife {
		return
	}
	hour := t.hours[HourOf(at)]
	hour.add(v)
	t.hours[HourOf(at)] = hour
	if age > rateWindow {
		return
	}
	t.recent.add(v)
	var one Outcomes
	if one.add(v); one.Webhook != (Tries{}) {
		slot := at.UTC().Truncate(slotLength)
		t.slots[slot] = t.slots[slot].Add(one.Webhook)
	}
}

func (t *Tally) addPrompt(id string, length int) {
	t.sums.Prompts++
	t.sums.PromptCharacters += int64(length)
	t.sums.Distribution[lengthClass(length)]++
	if t.sums.Longest == nil || length > t.sums.Longest.Length {
		t.sums.Longest = &PromptLength{ID: id, Length: length}
	}
	if t.sums.Shortest == nil || length < t.sums.Shortest.Length {
		t.sums.Shortest = &PromptLength{ID: id, Length: length}
	}
}

// Count returns the statistics of the sessions added.
func (t *Tally) Count() Count {
	c := t.sums
	if n := int64(c.Prompts); n > 0 {
		c.AverageLength = (c.PromptCharacters + n/2) / n
	}
	c.Hours = map[int64]Outcomes{}
	days, last := map[int64]windowTally{}, HourOf(t.now)
	for hour, o := range t.hours {
		day := days[(last-hour)/24]
		day.Generation, day.unchecked = day.Generation.Add(o.Generation), day.unchecked+o.unchecked
		days[(last-hour)/24] = day
	}
	for hour, o := range t.hours {
		if !days[(last-hour)/24].checked() {
			o.Generation = Tries{}
		}
		c.Hours[hour] = o.Outcomes
	}
	c.WebhookSuccessRate = t.recent.Webhook.Rate()
	if t.recent.checked() {
		c.GenerationSuccessRate = t.recent.Generation.Rate()
	}
	for at, tries := range t.slots {
		c.Slots = append(c.Slots, Slot{at, tries})
	}
	slices.SortFunc(c.Slots, func(a, b Slot) int { return a.At.Compare(b.At) })
	return c
}

func lengthClass(length int) string {
	switch {
	case length <= 100:
		return LengthClasses[0]
	case length <= 500:
		return LengthClasses[1]
	case length <= 1000:
		return LengthClasses[2]
	case length <= 2000:
		return LengthClasses[3]
	}
	return LengthClasses[4]
}

// Length returns the length of a text in UTF-16 units, as the site counts it.
func Length(text string) int {
	n := 0
	for _, r := range text {
		n += utf16.RuneLen(r)
	}
	return n
}
