package watch

import (
	"slices"
	"testing"
	"time"
)

// simulation is a bench whose clock the test moves. It runs the leader's tasks by
// hand, as often as a term runs them.
type simulation struct {
	*bench
	term  *term
	at    time.Time
	ticks int

	checkAt time.Time     // when the next file may be asked for
	stride  time.Duration // between two rounds
}

// newSimulation starts at the current time.
func newSimulation(t *testing.T) *simulation { return simulationOn(newBench(t)) }

// simulationOn is newSimulation on an existing bench. The lease, which ends by
// Redis' own clock, outlasts the test.
func simulationOn(b *bench) *simulation {
	h := &simulation{bench: b, at: time.Now().Truncate(time.Millisecond), stride: 15 * time.Second}
	h.checkAt = h.at
	h.clock(func() time.Time { return h.at })
	h.cfg.Interval, h.cfg.Timings = time.Minute, DefaultTimings()
	h.records.Leases.Timings.Life = time.Hour
	return h
}

// lead makes a new replica the leader.
func (h *simulation) lead() {
	h.t.Helper()
	w := New(h.cfg)
	h.must(h.client.Del(h.t.Context(), "sessionbot:{watch}:leader").Err()) // as if the lease before ended
	h.must(h.records.Begin(h.t.Context(), h.at.Add(-alertableAge)))
	lead, ok, err := h.records.Lead(h.t.Context(), w.owner)
	if err != nil || !ok {
		h.t.Fatalf("no lead: %v", err)
	}
	state, err := h.records.State(h.t.Context())
	h.must(err)
	h.term = w.newTerm(lead, state)
}

// advance lets time pass: each stride runs inspections and notifications, each
// minute a poll of Stripe and a sweep.
func (h *simulation) advance(d time.Duration) {
	h.t.Helper()
	for end := h.at.Add(d); h.at.Before(end); h.at = h.at.Add(h.stride) {
		if h.cfg.Stripe != nil && h.isDue(h.term.stripeInterval()) {
			_ = h.term.stripe.poll(h.t.Context()) // its failures are part of the story
		}
		if h.isDue(h.cfg.Interval) {
			h.must(h.term.sweeps.sweep(h.t.Context()))
		}
		h.check()
		h.must(h.term.inspector.inspectDue(h.t.Context()))
		h.must(h.term.dispatcher.notifyAll(h.t.Context()))
		h.ticks++
	}
}

// isDue reports whether a task with this interval runs at this stride.
func (h *simulation) isDue(interval time.Duration) bool { return h.ticks%int(interval/h.stride) == 0 }

// check checks as many of the due files as one stride has time for.
func (h *simulation) check() {
	h.t.Helper()
	for h.checkAt.Before(h.at.Add(h.stride)) {
		wait := h.term.files.delay(0)
		h.checkAt = h.checkAt.Add(wait)
		c, ok := h.term.files.next()
		if !ok {
			h.checkAt = h.at.Add(h.stride)
			return
		}
		h.must(h.term.files.check(h.t.Context(), c))
	}
}

func (h *simulation) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// orphan stores a session whose orphanGrace time has just ended.
func (h *simulation) orphan(id string) {
	h.t.Helper()
	h.pay(id, h.at.Add(-orphanGrace-time.Second))
}

// notified returns all notifications since the last call.
func (h *simulation) notified() []string {
	var all []string
	for {
		select {
		case news := <-h.channel.news:
			all = append(all, news)
		default:
			return all
		}
	}
}

func (h *simulation) expectNotified(want ...string) {
	h.t.Helper()
	got := h.notified()
	if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		h.t.Errorf("%s in: notified %q, want %q", h.at.Format(time.TimeOnly), got, want)
	}
}
