package watch

import (
	"context"
	"errors"

	"github.com/superduperai/sessionbot/store/incident"
)

// answered reports whether nobody has to be called, because people replied in the
// incident's thread since the first of the reminders that nobody seems to have answered,
// and records that. It reports true as well where that cannot be known yet. A thread that
// may not be read does not keep anybody from being called.
func (n *notifier) answered(ctx context.Context, i incident.Incident, d Decision) (incident.Incident, bool, error) {
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
