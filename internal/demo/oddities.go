package demo

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// oddities are the examples that no story covers: what is lost, unreadable or
// unknown.
func oddities(now time.Time) []Example {
	number := 100
	begin := func(title, mode string, age time.Duration, verdict diagnosis.Verdict) story {
		number++
		return story{
			now: now, number: number, mode: mode, title: title, email: customers[number%len(customers)], tool: tools[0],
			prompt: prompts[number%len(prompts)], age: age, payment: paidNoEvent, file: store.FileNone, verdict: verdict,
		}
	}
	var examples []Example
	odd := func(e Example, redis map[string]Value) {
		for kind, v := range redis {
			e.Redis[kind+":"+e.ID] = v
		}
		examples = append(examples, e)
	}

	odd(begin("test mode: paid, the webhook failed", "test", 27*time.Hour, diagnosis.VerdictOrphaned).threeKey(), nil)

	odd(begin("paid, and Redis holds nothing", "live", 11*time.Hour, diagnosis.VerdictLost).example(), nil)
	s := begin("paid, and only the mapping is left", "live", 10*time.Hour, diagnosis.VerdictLost)
	s.payment.event = store.EventNone
	odd(s.example(), map[string]Value{"session": value(mappingValue{Timestamp: s.ago(s.age)}, s.age)})
	s = begin("paid, and the prompt is null", "live", 12*time.Hour, diagnosis.VerdictLost)
	odd(s.example(), map[string]Value{"session": value(fullValue{
		VideoCount: 1, Duration: 8, Resolution: "1280x720", ToolSlug: s.tool.slug, ToolTitle: s.tool.title,
		CreatedAt: s.ago(s.age), Status: store.StatusPending, Timestamp: s.ago(s.age),
	}, s.age)})

	s = begin("the webhook's value is cut off", "live", 5*time.Hour, diagnosis.VerdictCorrupt)
	odd(s.threeKey(), map[string]Value{"webhook": {Text: `{"status":"processing","timest`, Age: s.age}})
	s = begin("the webhook is a hash", "live", 6*time.Hour, diagnosis.VerdictCorrupt)
	odd(s.threeKey(), map[string]Value{"webhook": {Hash: map[string]string{"status": "error"}, Age: s.age}})
	s = begin("a status that nobody knows", "live", 7*time.Hour, diagnosis.VerdictCorrupt)
	s.status, s.since = "done", s.age
	odd(s.oneKey(), nil)

	s = begin("nobody knows it", "live", time.Hour, diagnosis.VerdictNotFound)
	s.payment = unknown
	odd(s.example(), nil)

	s = begin("paid, and its grace time ends in a moment", "live", 9*time.Minute+20*time.Second, diagnosis.VerdictWaiting)
	s.payment = paidNow
	odd(s.threeKey(), nil)
	return examples
}

// Ordinary makes n sessions of the last thirty days as they come and go: nearly
// all were delivered, which the site shows by a file alone. They are always the
// same.
func Ordinary(now time.Time, n int) []Example {
	random := rand.New(rand.NewPCG(7, 2026))
	examples := make([]Example, 0, n)
	for i := range n {
		s := story{
			now: now, number: 1000 + i, mode: "live", tool: tools[random.IntN(len(tools))],
			email:  fmt.Sprintf("customer%d@example.com", random.IntN(n*3/4)),
			prompt: longPrompt(random),
			age:    2*time.Hour + time.Duration(random.Int64N(int64(29*24*time.Hour))),
		}
		s.since = s.age - time.Duration(2+random.IntN(58))*time.Second // the webhook is quick
		layout := s.end(i)
		examples = append(examples, layout(s))
	}
	return examples
}

// end decides how the ith ordinary session came out, and in which layout it is
// stored. Three in a hundred are not as the site leaves a delivered one.
func (s *story) end(i int) (layout func(story) Example) {
	s.payment, s.status, s.file, s.verdict = paid, store.StatusProcessing, store.FileCompleted, diagnosis.VerdictCompleted
	switch i % 200 {
	case 31, 131:
		s.age = max(s.age, 25*time.Hour) // Stripe's page is open for a day
		s.payment, s.status, s.file, s.verdict = expired, "", store.FileNone, diagnosis.VerdictAbandoned
	case 64:
		s.status, s.file, s.verdict = store.StatusError, store.FileFailed, diagnosis.VerdictFailed
		s.error = "Video generation failed"
	case 164:
		s.payment, s.status, s.file, s.verdict = refunded, store.StatusError, store.FileNone, diagnosis.VerdictRefunded
		s.payment.event, s.error = store.EventDelivered, "Refunded at the customer's wish"
	case 97, 197: // by an older site, which marked what was ready
		s.status = store.StatusCompleted
		s.since -= 5 * time.Minute
		return story.threeKey
	}
	return story.oneKey
}

// longPrompt joins some prompts, so that their lengths spread as in life: most
// are short, a few are novels.
func longPrompt(random *rand.Rand) string {
	parts := 1 + random.IntN(3)
	switch random.IntN(10) {
	case 0:
		parts = 12 + random.IntN(12)
	case 1:
		parts = 24 + random.IntN(30)
	}
	texts := make([]string, parts)
	for i := range texts {
		texts[i] = prompts[random.IntN(len(prompts))]
	}
	return strings.Join(texts, ". ")
}
