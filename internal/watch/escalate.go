package watch

import (
	"context"
	"errors"

	"github.com/superduperai/sessionbot/store/incident"
)

// answered reports whether the escalation is not needed, because people replied in the
// incident's thread since the first unanswered reminder, and records that. It also reports
// true if that cannot be known yet. A thread that may not be read does not prevent the
// escalation.
func (n *dispatcher) answered(ctx context.Context, i incident.Incident, d Decision) (incident.Incident, bool, error) {
	at, found, err := n.Threads.LastReply(ctx, i, i.RemindedBefore)
	switch {
	case errors.Is(err, ErrHistoryForbidden):
		return i, false, nil
	case err != nil:
		recording, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
		defer cancel()
		i, err = n.recordFailure(recording, i, d, err)
		return i, true, err
	case !found:
		return i, false, nil
	}
	i, err = n.incidents.change(ctx, i, func(i *incident.Incident) bool {
		i.Active(at)
		return true
	})
	return i, true, err
}
