package incident

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
)

// Active records activity on the incident at a time, unless later activity is recorded.
func (i *Incident) Active(at time.Time) {
	if at.After(i.ActiveAt) {
		i.ActiveAt = at
	}
}

// Pressed records a click in the message that shows an open incident. A click in any
// other message does not count.
func (s *Incidents) Pressed(ctx context.Context, m store.Message, now time.Time) error {
	client, err := s.redis.Client(ctx)
	if err != nil {
		return err
	}
	open, err := client.ZRange(ctx, openKey, 0, -1).Result()
	if err != nil {
		return fmt.Errorf("list incidents: %w", rdb.Classify(err))
	}
	for _, id := range open {
		_, done, err := s.changeWithoutCases(ctx, "", id, false, func(i *Incident) bool {
			if i.SlackMessage != m || !i.Closed.IsZero() || i.Kind == Backlog { // one that is retired stays so
				return false
			}
			i.Active(now)
			return true
		})
		if done || err != nil && !errors.Is(err, ErrUnknownIncident) {
			return err
		}
	}
	return nil
}
