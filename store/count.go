package store

import (
	"context"
	"time"
	"unicode/utf16"
)

// rateWindow is how far back the success rates look.
const rateWindow = 24 * time.Hour

// LengthClasses names the classes of prompt lengths, shortest first.
var LengthClasses = []string{"0-100", "101-500", "501-1000", "1001-2000", "2000+"}

// PromptLength is the length of a session's prompt in UTF-16 units.
type PromptLength struct {
	ID     string `json:"id"`
	Length int    `json:"length"`
}

// Count is figures over all sessions. Lengths are in UTF-16 units. Verdicts
// come from Redis alone: payments and files were not asked for. The rates look
// at the last 24 h, and are nil without data.
type Count struct {
	Complete         bool  // false: time ran out, the figures are of the keys seen
	KeysSeen, Keys   int64 // keys of any kind
	Sessions         int
	Prompts          int // sessions with a readable prompt
	PromptCharacters int64
	AverageLength    int64         // rounded
	Longest          *PromptLength // nil without prompts
	Shortest         *PromptLength
	Distribution     map[string]int // by LengthClasses
	Verdicts         map[Verdict]int
	// WebhookSuccessRate is, of the sessions that are not waiting, unpaid,
	// abandoned or unclear, the share that is neither orphaned nor lost.
	WebhookSuccessRate *float64
	// GenerationSuccessRate is completed among completed, failed and stalled.
	GenerationSuccessRate *float64
}

// Count counts all sessions as of now. Where ctx ends before it is through it
// returns what it has, with Complete false.
func (r *Redis) Count(ctx context.Context, now time.Time, limits Thresholds) (Count, error) {
	t := newTally(now, limits)
	p, err := r.walk(ctx, t.add)
	if err != nil {
		return Count{}, err
	}
	c := t.count()
	c.Complete, c.KeysSeen, c.Keys = p.Complete, p.Seen, p.Keys
	return c, nil
}

// tally counts sessions one after the other.
type tally struct {
	now    time.Time
	limits Thresholds
	sums   Count
	recent map[Verdict]int // of the last 24 h
}

func newTally(now time.Time, limits Thresholds) *tally {
	t := &tally{now: now, limits: limits, recent: map[Verdict]int{}}
	t.sums.Distribution, t.sums.Verdicts = map[string]int{}, map[Verdict]int{}
	for _, class := range LengthClasses {
		t.sums.Distribution[class] = 0
	}
	return t
}

func (t *tally) add(s Session) {
	t.sums.Sessions++
	unasked := Evidence{Session: s, Payment: Payment{State: PaymentUnverified, Why: NoStripeKey}}
	d := Diagnose(unasked, t.now, t.limits)
	t.sums.Verdicts[d.Verdict]++
	if at := first(d.PaidAt, d.Since); !at.IsZero() && t.now.Sub(at) <= rateWindow {
		t.recent[d.Verdict]++
	}
	if prompt := s.PromptText(); prompt != "" {
		t.addPrompt(PromptLength{ID: s.ID, Length: Length(prompt)})
	}
}

func (t *tally) addPrompt(p PromptLength) {
	t.sums.Prompts++
	t.sums.PromptCharacters += int64(p.Length)
	t.sums.Distribution[lengthClass(p.Length)]++
	if t.sums.Longest == nil || p.Length > t.sums.Longest.Length {
		t.sums.Longest = &p
	}
	if t.sums.Shortest == nil || p.Length < t.sums.Shortest.Length {
		t.sums.Shortest = &p
	}
}

// count is the figures over all that was added.
func (t *tally) count() Count {
	c := t.sums
	if n := int64(c.Prompts); n > 0 {
		c.AverageLength = (c.PromptCharacters + n/2) / n
	}
	var told, missed int
	for verdict, n := range t.recent {
		switch verdict {
		case VerdictWaiting, VerdictUnpaid, VerdictAbandoned, VerdictUnclear:
		case VerdictOrphaned, VerdictLost:
			missed += n
		default:
			told += n
		}
	}
	c.WebhookSuccessRate = rate(told, missed)
	c.GenerationSuccessRate = rate(t.recent[VerdictCompleted], t.recent[VerdictFailed]+t.recent[VerdictStalled])
	return c
}

// rate is the share of the good, nil where there is neither good nor bad.
func rate(good, bad int) *float64 {
	if good+bad == 0 {
		return nil
	}
	share := float64(good) / float64(good+bad)
	return &share
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

// Length is the length of a text in UTF-16 units, as the site counts it.
func Length(text string) int {
	n := 0
	for _, r := range text {
		n += utf16.RuneLen(r)
	}
	return n
}
