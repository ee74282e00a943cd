package watch

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/watchstate"
)

// TestStripeEventsForbidden: the key may list sessions only. That is reported once,
// orphans are found all the same, and no alert says that an event is missing. The
// recovery is reported, too.
func TestStripeEventsForbidden(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.stripe.eventsErr = fmt.Errorf("listing: %w", store.StripeForbidden)
	h.lead()
	h.orphan("cs_test_early") // paid soon after its checkout began
	h.put("prompt:cs_test_open", `{"prompt":"A fox","timestamp":"`+h.at.Add(-2*orphanGrace).UTC().Format(time.RFC3339)+`"}`)
	h.advance(5 * time.Minute)
	h.expectNotified("first 1", "blind 0")
	incidents, err := h.records.OpenIncidents(t.Context(), nil)
	h.must(err)
	for _, i := range incidents {
		if i.Kind == incident.Degraded && !slices.Equal(i.Parts, []string{incident.PartEvents}) {
			t.Errorf("what fails: %q", i.Parts)
		}
		for _, c := range i.Cases {
			if c.Event != store.EventUnknown {
				t.Errorf("said of its event: %q", c.Event)
			}
		}
	}
	h.orphan("cs_test_late")
	h.advance(2 * time.Minute)
	h.expectNotified("update 2")
	h.stripe.eventsErr = nil
	h.advance(2 * time.Minute)
	h.expectNotified("update 0", "update 2") // the watch sees all; why is known of both
}

// TestKeyOfOtherMode: sessions that the key cannot see are counted in one message, and
// not taken for unpaid.
func TestKeyOfOtherMode(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.cfg.OtherMode = func(id string) bool { return id != "cs_test_seen" }
	h.lead()
	h.put("prompt:cs_test_1", `{"prompt":"A fox","timestamp":"`+h.at.Add(-2*orphanGrace).UTC().Format(time.RFC3339)+`"}`)
	h.orphan("cs_test_seen")
	h.advance(10 * time.Minute)
	h.expectNotified("first 1", "unverifiable 0")
	h.put("webhook:cs_test_1", `{"status":"completed","fileId":"0f000000-0000-4000-8000-00000000000f"}`)
	h.advance(2 * time.Minute)
	h.expectNotified("update 0")
}

// TestInterruptedFirstPoll: the next one continues, and today's customers are alerted
// before the month is read.
func TestInterruptedFirstPoll(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.stripe.answers = 5 // then Stripe is unavailable
	h.lead()
	h.orphan("cs_test_today")
	h.advance(30 * time.Second)
	h.expectNotified("first 1")
	state, err := h.records.State(t.Context())
	if want := h.at.Add(-store.EventLife + 4*dayBack); err != nil || state.Cursor.Sub(want).Abs() > time.Minute {
		t.Errorf("read up to %v, want %v; %v", state.Cursor, want, err)
	}
	h.stripe.answers = 0
	h.lead()
	h.stripe.asked = nil
	h.advance(2 * time.Minute)
	if back := h.stripe.asked[1]; back != dayBack || len(h.stripe.asked) < 20 || len(h.stripe.asked) > 30 {
		t.Errorf("then it reads %v", h.stripe.asked)
	}
}

// TestStripeKeyRefused: the reason is reported, and no session is alerted.
func TestStripeKeyRefused(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.stripe.eventsErr = fmt.Errorf("listing: %w", store.StripeKeyRefused)
	h.lead()
	h.put("prompt:cs_test_1", `{"prompt":"A fox","timestamp":"`+h.at.Add(-2*orphanGrace).UTC().Format(time.RFC3339)+`"}`)
	h.advance(6 * time.Minute)
	h.expectNotified("unverifiable 0", "blind 0")
	incidents, err := h.records.OpenIncidents(t.Context(), nil)
	h.must(err)
	if !slices.ContainsFunc(incidents, func(i incident.Incident) bool { return i.Why == store.StripeKeyRefused && i.Sessions == 1 }) {
		t.Errorf("the reason is missing: %+v", incidents)
	}
	h.stripe.eventsErr = nil
	h.advance(2 * time.Minute)
	h.expectNotified("update 0", "update 0")
}

// TestSessionWithoutEvent: the list of sessions has it.
func TestSessionWithoutEvent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	at := pastGrace().Add(-overlap)
	b.put("prompt:cs_test_1", `{"prompt":"A fox"}`)
	b.stripe.sessions = []store.Paid{{Payment: payment("cs_test_1", at)}}
	b.run()
	b.expect("first 1")
	if got := b.only().Cases[0]; got.Event != store.EventNone || got.Amount != 100 {
		t.Errorf("%+v", got)
	}
	b.expectNothing()
}

// TestOldSessionWithoutEvent: Stripe made no event of it, and no process ran when it was
// paid. It does not count as unpaid, neither from the first start on nor after a pause.
func TestOldSessionWithoutEvent(t *testing.T) {
	t.Parallel()
	for name, ago := range map[string]time.Duration{"at the first start": 0, "after three days": 72 * time.Hour, "after a year": 365 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newSimulation(t)
			at := h.at.Add(-60 * time.Hour)
			h.put("prompt:cs_live_old", `{"prompt":"A fox","timestamp":"`+at.UTC().Format(time.RFC3339)+`"}`)
			h.put("prompt:cs_live_open", `{"prompt":"A hen","timestamp":"`+at.UTC().Format(time.RFC3339)+`"}`)
			h.stripe.sessions = []store.Paid{{Payment: payment("cs_live_old", at)}}
			h.lead()
			if ago > 0 {
				h.must(h.term.record(t.Context(), watchstate.Cursor(h.at.Add(-ago)), watchstate.Listed(h.at.Add(-ago))))
			}
			h.advance(time.Minute)
			if orphaned, unpaid := h.metrics.of(diagnosis.VerdictOrphaned), h.metrics.of(diagnosis.VerdictAbandoned); orphaned != 1 || unpaid != 1 {
				t.Errorf("%d are counted as orphaned, %d as unpaid", orphaned, unpaid)
			}
			want := map[diagnosis.Verdict][]string{diagnosis.VerdictOrphaned: {"cs_live_old"}}
			if diff := cmp.Diff(want, h.listed(false)); diff != "" {
				t.Errorf("listed (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPollsOverlap: the first reads a month, a day at a time; each later one begins
// fifteen minutes before the end of the one before, also after a change of leader, and
// finds what Stripe lists late.
func TestPollsOverlap(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.lead()
	h.must(h.term.stripe.poll(t.Context()))
	if h.stripe.asked[0] != dayBack {
		t.Errorf("%s comes first", h.stripe.asked[0])
	}
	var month time.Duration
	for _, back := range h.stripe.asked[1:] {
		if month += back; back > dayBack {
			t.Errorf("%s are read at a time", back)
		}
	}
	if month != store.EventLife {
		t.Errorf("%s of %s are read", month, store.EventLife)
	}
	h.stripe.asked = nil
	h.advance(2 * time.Minute)
	h.lead()
	h.advance(time.Minute)
	if want := []time.Duration{overlap, overlap + time.Minute, overlap + time.Minute}; !slices.Equal(h.stripe.asked, want) {
		t.Errorf("then it reads %v, want %v", h.stripe.asked, want)
	}
	h.orphan("cs_test_1") // created before the last poll
	h.advance(time.Minute)
	h.expectNotified("first 1")
}

// TestUndeliveredIsListedOncePerPoll, also while that fails, however many sessions are in
// trouble.
func TestUndeliveredIsListedOncePerPoll(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.lead()
	for n := range 50 {
		h.orphan(fmt.Sprint("cs_test_", n))
	}
	h.advance(2 * time.Minute)
	h.expectNotified("first 50")
	h.stripe.undeliveredErr, h.stripe.undeliveredCalls = errUnavailable, 0
	h.advance(10 * time.Minute)
	if n := h.stripe.undeliveredCalls; n == 0 || n > 12 {
		t.Errorf("asked for the list %d times in ten minutes", n)
	}
}

// TestEachOpenSessionIsLookedUp in turn: the last one was refunded.
func TestEachOpenSessionIsLookedUp(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.lead()
	for n := range 30 {
		h.orphan(fmt.Sprintf("cs_test_%02d", n))
	}
	h.orphan("cs_test_last")
	h.advance(2 * time.Minute)
	h.expectNotified("first 31")
	h.stripe.refunded["cs_test_last"] = true
	h.advance(40 * time.Minute)
	for _, c := range h.only().Cases {
		if c.ID == "cs_test_last" && c.Ending != incident.EndRefunded {
			t.Errorf("its refund was not noticed: %+v", c)
		}
	}
}

// TestPaymentOfStalledSession: it is still known when the session stalls.
func TestPaymentOfStalledSession(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.cfg.Payments = nil // as if all questions about single sessions were used up
	h.lead()
	h.orphan("cs_test_1")
	h.put("webhook:cs_test_1", `{"status":"processing","timestamp":"`+h.at.UTC().Format(time.RFC3339)+`"}`)
	h.advance(15 * time.Minute)
	h.expectNotified("first 1")
	if c := h.only().Cases[0]; c.Verdict != diagnosis.VerdictStalled || c.Amount != 100 || c.Payment != store.PaymentPaid || len(c.Allowed) != 2 {
		t.Errorf("%+v", c)
	}
}
