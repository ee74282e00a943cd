package watch

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/incident"
)

// TestPartsFailTogether: one incident, however many parts fail at the same moment.
func TestPartsFailTogether(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.lead()
	var failing sync.WaitGroup
	for _, part := range []string{incident.PartSweep, incident.PartStripe, incident.PartEvents, incident.PartNotifications, incident.PartFiles, incident.PartInspection} {
		failing.Go(func() {
			for range failureThreshold {
				h.term.monitor.report(t.Context(), part, errors.New("no answer"))
			}
		})
	}
	failing.Wait()
	open, err := h.records.OpenIncidents(t.Context(), nil)
	h.must(err)
	if len(open) != 1 || len(open[0].Parts) != 6 {
		t.Errorf("incidents: %+v", open)
	}
}

// TestInspectionsFail: an audit trail that cannot be read keeps all sessions from being
// examined; that is alerted with a mention after three minutes, and the orphan once it ends.
func TestInspectionsFail(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.lead()
	h.must(h.term.inspector.run(t.Context()))
	h.orphan("cs_test_unexamined")
	h.must(h.client.Set(t.Context(), "sessionbot:audit", "no stream", time.Hour).Err())
	h.must(h.term.stripe.poll(t.Context()))
	h.must(h.term.sweeps.sweep(t.Context()))
	fail := func(d time.Duration) {
		for end := h.at.Add(d); h.at.Before(end); h.at = h.at.Add(h.stride) {
			if err := h.term.inspector.run(t.Context()); err == nil {
				t.Fatal("the trail is read")
			}
			h.must(h.term.dispatcher.notifyAll(t.Context()))
		}
	}
	fail(2 * time.Minute)
	h.expectNotified()
	fail(time.Minute)
	h.expectNotified("blind 0")
	h.must(h.client.Del(t.Context(), "sessionbot:audit").Err())
	h.must(h.term.inspector.run(t.Context()))
	h.must(h.term.dispatcher.notifyAll(t.Context()))
	h.expectNotified("first 1", "update 0")
}

// withoutEvents returns a simulation whose Stripe key may not list events, which has been
// reported.
func withoutEvents(t *testing.T) *simulation {
	t.Helper()
	h := newSimulation(t)
	h.stripe.eventsErr = fmt.Errorf("listing: %w", store.StripeForbidden)
	h.lead()
	h.advance(5 * time.Minute)
	h.expectNotified("blind 0")
	return h
}

// TestInspectionsFailToo: if another part fails already, a new message mentions the person on
// call, which an update would not.
func TestInspectionsFailToo(t *testing.T) {
	t.Parallel()
	h := withoutEvents(t)
	for range failureThreshold {
		h.term.monitor.report(t.Context(), incident.PartInspection, errors.New("no answer"))
	}
	h.must(h.term.dispatcher.notifyAll(t.Context()))
	h.expectNotified("blind 0")
	h.term.monitor.report(t.Context(), incident.PartInspection, errors.New("no answer"))
	h.must(h.term.dispatcher.notifyAll(t.Context()))
	h.expectNotified()
}

// TestGapInTheWatch, such as while no process ran: sessions paid meanwhile are alerted,
// and the gap is reported without a mention.
func TestGapInTheWatch(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.lead()
	h.advance(2 * time.Minute)
	h.orphan("cs_test_meanwhile")
	h.at = h.at.Add(3 * 24 * time.Hour)
	h.lead()
	h.advance(2 * time.Minute)
	h.expectNotified("first 1", "resolved 0")
}

// TestNewLeaderKeepsFailingParts: a lasting failure is neither reported again nor
// closed when another replica becomes leader.
func TestNewLeaderKeepsFailingParts(t *testing.T) {
	t.Parallel()
	h := withoutEvents(t)
	h.lead()
	h.advance(10 * time.Minute)
	h.expectNotified()
	h.stripe.eventsErr = nil
	h.advance(2 * time.Minute)
	h.expectNotified("update 0")
}

// TestRemovedPart: without a Stripe key no part of Stripe can fail.
func TestRemovedPart(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.stripe.eventsErr = errUnavailable
	h.lead()
	h.advance(5 * time.Minute)
	h.expectNotified("blind 0")
	h.cfg.Stripe, h.cfg.Payments = nil, nil
	h.lead()
	h.advance(2 * time.Minute)
	h.expectNotified("update 0")
}
