package commands

import (
	"cmp"
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
)

// recordsTimeout bounds reads of what an answer can do without: so short that exceeding
// it several times does not count as an outage of Redis.
const recordsTimeout = 500 * time.Millisecond

// recorded returns what the bot's own records hold of a session and of the watch.
func (d Deps) recorded(ctx context.Context, id string) incident.Recorded {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(d.RecordsTimeout, recordsTimeout))
	defer cancel()
	r := incident.Recorded{AlertsOn: d.Alerts}
	var known map[string]incident.Known
	var group errgroup.Group
	group.Go(func() (err error) { known, err = d.Watch.Known(ctx, []string{id}); return err })
	group.Go(func() (err error) { r.State, err = d.Watch.State(ctx); return err })
	group.Go(func() (err error) { r.Incidents, err = d.Incidents.OpenIncidents(ctx, nil); return err })
	if r.Err = group.Wait(); r.Err != nil {
		d.Log.WarnContext(ctx, "source unavailable", "source", "alerts", "error", r.Err)
	}
	r.Known = known[id]
	return r
}

// alertStatus says whether people were alerted of a session, and if not why.
func (d Deps) alertStatus(x diagnosis.Examination, r incident.Recorded) incident.AlertStatus {
	rules := incident.Rules{AlertOn: d.AlertOn, FixTexts: FixTexts(), Stripe: d.StripeKey}
	return rules.Explain(x.Evidence, x.Diagnosis, d.Limits, r, x.At)
}

// alertReport is the member alert in the --json of session debug.
type alertReport struct {
	State     incident.AlertState  `json:"state"`
	Reason    incident.Disposition `json:"reason,omitempty"`
	At        *time.Time           `json:"at"`
	Permalink *string              `json:"permalink"`
}

func alertJSON(a incident.AlertStatus) *alertReport {
	r := &alertReport{State: a.State, Reason: a.Reason}
	if !a.At.IsZero() {
		r.At = new(a.At.UTC())
	}
	if a.Permalink != "" {
		r.Permalink = &a.Permalink
	}
	return r
}
