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
	for _, part := range []string{incident.PartSweep, incident.PartStripe, incident.PartEvents, incident.PartNotifications, incident.PartFiles} {
		failing.Go(func() {
			for range failureThreshold {
				h.term.monitor.report(t.Context(), part, errors.New("no answer"))
			}
		})
	}
	failing.Wait()
	open, err := h.records.OpenIncidents(t.Context(), nil)
	h.must(err)
	if len(open) != 1 || len(open[0].Parts) != 5 {
		t.Errorf("incidents: %+v", open)
	}
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
	h := newSimulation(t)
	h.stripe.eventsErr = fmt.Errorf("listing: %w", store.StripeForbidden)
	h.lead()
	h.advance(5 * time.Minute)
	h.expectNotified("blind 0")
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
