package demo

import (
	"slices"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// What customers write.
var prompts = []string{
	"A fox runs through fresh snow at dawn, cinematic, slow motion",
	"Корги в скафандре танцует на Марсе, закат, широкий план",
	"雨の夜、ネオンの東京を歩く猫、映画のような光",
	"🐕‍🦺🚀 a rescue dog pilots a paper rocket past the moon 🌕✨",
	"Un phare breton dans la tempête, vagues énormes, vue de drone",
	"一只熊猫在竹林里打太极，清晨薄雾，慢镜头",
	"Старый трамвай едет по зимнему городу, снег, тёплый свет окон",
	"An old <clockmaker> & his robot repair a star *together*, stop motion",
}

var customers = []string{
	"ann@example.com", "boris@example.com", "chen@example.com", "dana@example.com", "ann@example.com", "emre@example.com",
}

var tools = []tool{
	{"veo3-prompt-generator", "Free VEO3 Viral Prompt Generator"},
	{"text-to-video", "Text to Video"},
}

// How payments go.
var (
	paid         = payment{status: "complete", paymentStatus: "paid", amount: 100, event: store.EventDelivered}
	paidNoEvent  = payment{status: "complete", paymentStatus: "paid", amount: 100, event: store.EventFailed}
	paidNow      = payment{status: "complete", paymentStatus: "paid", amount: 100, event: store.EventPending}
	partlyBack   = payment{status: "complete", paymentStatus: "paid", amount: 300, refunded: 100, event: store.EventDelivered}
	refunded     = payment{status: "complete", paymentStatus: "paid", amount: 100, refunded: 100, event: store.EventFailed}
	nothingToPay = payment{status: "complete", paymentStatus: "no_payment_required", event: store.EventDelivered}
	paysLater    = payment{status: "complete", paymentStatus: "unpaid", amount: 100, event: store.EventDelivered}
	open         = payment{status: "open", paymentStatus: "unpaid", amount: 100}
	expired      = payment{status: "expired", paymentStatus: "unpaid", amount: 100}
	unknown      = payment{missing: true}
)

// stories lists what can happen to a session; each comes in both layouts.
// Times are since the payment and since the status was written.
var stories = []story{
	{title: "paid, the webhook failed", age: 14 * time.Minute, payment: paidNoEvent, file: store.FileNone, verdict: diagnosis.VerdictOrphaned},
	{title: "paid, Stripe delivered, nothing was started", age: 3 * time.Hour, payment: paid, file: store.FileNone, verdict: diagnosis.VerdictOrphaned},
	{title: "partly refunded, still owed", age: 25 * time.Hour, payment: partlyBack, file: store.FileNone, verdict: diagnosis.VerdictOrphaned},
	{title: "free of charge, nothing was started", age: 40 * time.Minute, payment: nothingToPay, file: store.FileNone, verdict: diagnosis.VerdictOrphaned},
	{title: "paid a moment ago", age: 2 * time.Minute, payment: paidNow, file: store.FileNone, verdict: diagnosis.VerdictWaiting},
	{title: "still on Stripe's page", age: 20 * time.Minute, payment: open, file: store.FileNone, verdict: diagnosis.VerdictUnpaid},
	{title: "pays by a slow method", age: 6 * time.Hour, payment: paysLater, file: store.FileNone, verdict: diagnosis.VerdictUnpaid},
	{title: "walked away", age: 30 * time.Hour, payment: expired, file: store.FileNone, verdict: diagnosis.VerdictAbandoned},
	{title: "the video is being made", age: 6 * time.Minute, payment: paid, status: store.StatusProcessing, since: 5 * time.Minute,
		file: store.FileInProgress, verdict: diagnosis.VerdictProcessing},
	{title: "the video is being put in place", age: 12 * time.Minute, payment: paid, status: store.StatusProcessing, since: 11 * time.Minute,
		file: store.FileFinalizing, verdict: diagnosis.VerdictProcessing},
	{title: "in the making for too long", age: 55 * time.Minute, payment: paid, status: store.StatusProcessing, since: 54 * time.Minute,
		file: store.FileInProgress, verdict: diagnosis.VerdictStalled},
	{title: "it says processing, but nothing was started", age: 2 * time.Hour, payment: paid, status: store.StatusProcessing, since: 2 * time.Hour,
		file: store.FileNone, verdict: diagnosis.VerdictStalled},
	{title: "delivered and marked as completed", age: 26 * time.Hour, payment: paid, status: store.StatusCompleted, since: 25 * time.Hour,
		file: store.FileCompleted, verdict: diagnosis.VerdictCompleted}, // by an older site, or by a repair
	{title: "delivered: it says processing for ever", age: 4 * time.Hour, payment: paid, status: store.StatusProcessing, since: 4*time.Hour - 40*time.Second,
		file: store.FileCompleted, verdict: diagnosis.VerdictCompleted},
	{title: "the video could not be made", age: 90 * time.Minute, payment: paid, status: store.StatusProcessing, since: 89 * time.Minute,
		file: store.FileFailed, verdict: diagnosis.VerdictFailed},
	{title: "marked as error", age: 9 * time.Hour, payment: paid, status: store.StatusError, since: 8 * time.Hour,
		error: "Failed to start generation: service unavailable", file: store.FileNone, verdict: diagnosis.VerdictFailed},
	{title: "refunded before anything was made", age: 7 * time.Hour, payment: refunded, file: store.FileNone, verdict: diagnosis.VerdictRefunded},
	{title: "Stripe does not know it", age: 8 * time.Hour, payment: unknown, file: store.FileNone, verdict: diagnosis.VerdictUnclear},
	{title: "two events for one payment: the second one failed over a video that is ready", age: 3 * time.Hour, payment: paid, status: store.StatusError,
		since: 3*time.Hour - time.Minute, error: "SuperDuperAI API failed: 429", file: store.FileCompleted, verdict: diagnosis.VerdictUndelivered},
}

// Examples are sessions with every verdict, in both layouts wherever a layout
// can have it, as they stand at that time. They are always the same.
func Examples(now time.Time) []Example {
	var examples []Example
	for i, s := range stories {
		s.now, s.mode, s.tool = now, "live", tools[i%len(tools)]
		s.number, s.prompt, s.email = 2*i+1, prompts[i%len(prompts)], customers[i%len(customers)]
		examples = append(examples, s.threeKey())
		s.number, s.prompt, s.email = 2*i+2, prompts[(i+3)%len(prompts)], customers[(i+1)%len(customers)]
		s.age += s.age / 4
		s.since += s.since / 4
		examples = append(examples, s.oneKey())
	}
	return append(examples, oddities(now)...)
}

// Incident is what the site lost within an hour: it took Stripe's events and started
// nothing. With the orphaned ones of the last day among the examples it makes twelve.
func Incident(now time.Time) []Example {
	examples := make([]Example, 0, 6)
	for i := range cap(examples) {
		s := story{
			now: now, number: 201 + i, mode: "live", title: "paid while the site lost its events", email: customers[i%len(customers)],
			prompt: prompts[i%len(prompts)], tool: tools[i%len(tools)], payment: paid, file: store.FileNone, verdict: diagnosis.VerdictOrphaned,
			age: 3*time.Hour + 40*time.Minute - time.Duration(i)*8*time.Minute,
		}
		if i == 3 {
			s.title, s.kind = "paid while the site lost its events, with a picture", "image-to-video"
		}
		examples = append(examples, s.oneKey())
	}
	return examples
}

// Seed is all examples and the incident, with two hundred ordinary sessions behind them.
func Seed(now time.Time) []Example {
	return slices.Concat(Examples(now), Incident(now), Ordinary(now, 200))
}
