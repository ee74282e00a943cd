package watch

import (
	"errors"
	"sync"
	"testing"

	"github.com/superduperai/sessionbot/store"
)

// TestPartsFailTogether: one incident, however many parts notice the same fault
// at the same moment.
func TestPartsFailTogether(t *testing.T) {
	t.Parallel()
	h := newHours(t)
	h.lead()
	var failing sync.WaitGroup
	for _, part := range []string{store.PartSweep, store.PartStripe, store.PartEvents, store.PartNotifications, store.PartFiles} {
		failing.Go(func() {
			for range failureThreshold {
				h.term.monitor.report(t.Context(), part, errors.New("no answer"))
			}
		})
	}
	failing.Wait()
	open, err := h.records.OpenIncidents(t.Context(), nil)
	h.done(err)
	if len(open) != 1 || len(open[0].Parts) != 5 {
		t.Errorf("incidents: %+v", open)
	}
}
