package commands

import (
	"context"

	"github.com/superduperai/sessionbot/commands/alert"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/incident"
)

// Home loads what the App Home shows. Of the incidents, only those are read that changed
// since the last one was loaded.
func (r *Registry) Home(ctx context.Context, last Home) (Home, error) {
	d, now := r.deps, r.deps.Now()
	h := Home{Alerts: d.Alerts, Options: alert.Options{Runbook: d.Runbook, VideoCents: d.Plans.Cents(store.Session{})}, siteURL: d.SiteURL, known: map[string]incident.Incident{}}
	var err error
	if h.Alerts {
		open, err := d.Incidents.OpenIncidents(ctx, last.known)
		if err != nil {
			return Home{}, err
		}
		for _, i := range open {
			h.known[i.ID] = i
			if i.Closed.IsZero() && i.Kind != incident.Digest { // a digest that is still to be posted is no incident to people
				h.Incidents = append(h.Incidents, i)
			}
		}
	}
	if h.Plans, err = d.Waiting.OpenPlans(ctx, now); err != nil {
		return Home{}, err
	}
	if h.Unclear, err = d.Waiting.UnclearJobs(ctx); err != nil {
		return Home{}, err
	}
	if h.Repairs, err = d.Trail.Latest(ctx, audit.Ended, homeRepairs); err != nil {
		return Home{}, err
	}
	kept, rollup := d.keptStatistics(ctx, now)
	if h.statistics, h.swept = kept, rollup != nil; h.swept {
		h.statistics.Rollup, h.statistics.Series = *rollup, kept.Series.With(*rollup)
	}
	return h, nil
}
