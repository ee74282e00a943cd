package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
)

// Yesterday records what happened on the day before now: an incident that is over, and
// the repairs that ended it. The digest reports it.
func Yesterday(ctx context.Context, state *rdb.Redis, now time.Time) error {
	noon := now.UTC().Truncate(24 * time.Hour).Add(-12 * time.Hour)
	endings := []incident.Ending{incident.EndLate, incident.EndLate, incident.EndLate, incident.EndGenerated, incident.EndReplayed, incident.EndHandled, incident.EndRefunded}
	i := incident.Incident{ID: "yesterday", Kind: incident.Kind(diagnosis.VerdictOrphaned), Opened: noon, Since: noon, LastJoinedAt: noon, Closed: noon.Add(time.Hour)}
	sessions := Ordinary(now, len(endings))
	for n, ending := range endings {
		i.Cases = append(i.Cases, incident.Case{ID: sessions[n].ID, Verdict: diagnosis.VerdictOrphaned, At: noon.Add(-10 * time.Minute), Found: noon, Payment: store.PaymentPaid,
			Amount: 100, Currency: "usd", Live: true, Gone: noon.Add(time.Duration(n+1) * 5 * time.Minute), Ending: ending})
	}
	records := incident.NewRecords(state)
	if _, err := records.OpenIncident(ctx, lease.Lease{}, i); err != nil {
		return fmt.Errorf("load yesterday: %w", err)
	}
	if err := records.Archive(ctx, i.ID, now); err != nil {
		return fmt.Errorf("load yesterday: %w", err)
	}
	if err := records.RetireIncident(ctx, lease.Lease{}, i.ID); err != nil {
		return fmt.Errorf("load yesterday: %w", err)
	}
	return recordRepairs(ctx, audit.NewTrail(state), i.Cases)
}

// recordRepairs records who put the sessions right that did not recover by themselves.
func recordRepairs(ctx context.Context, trail *audit.Trail, cases []incident.Case) error {
	for _, c := range cases {
		e := audit.Entry{Who: store.Actor{ID: "U0LEAD"}, Where: "C0ALERTS", Session: c.ID, Plan: "yesterday " + c.ID[len(c.ID)-4:], Detail: string(store.OutcomeDone), Cents: 2400}
		switch c.Ending {
		case incident.EndGenerated:
			e.Action = store.ActionGenerate
		case incident.EndReplayed:
			e.Action = store.ActionReplay
		case incident.EndHandled:
			e = audit.Entry{At: c.Gone, Who: store.Actor{ID: "U0ONCALL"}, Where: "C0ALERTS", Event: audit.Handled, Session: c.ID, Detail: "it was " + string(c.Verdict)}
		default:
			continue
		}
		entries := []audit.Entry{e}
		if e.Action != "" {
			claimed := e
			claimed.Event, claimed.At, claimed.Detail, claimed.Cents = audit.Claimed, c.Gone.Add(-4*time.Minute), "", 0
			e.Event, e.At = audit.Ended, c.Gone
			entries = []audit.Entry{claimed, e}
		}
		for _, entry := range entries {
			if err := trail.Record(ctx, entry); err != nil {
				return fmt.Errorf("load yesterday: %w", err)
			}
		}
	}
	return nil
}
