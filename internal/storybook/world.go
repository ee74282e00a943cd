package storybook

import (
	"context"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/follow"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/stats"
	"github.com/superduperai/sessionbot/store/sweep"
	"github.com/superduperai/sessionbot/store/watchstate"
)

// world is a fake of all dependencies of the commands.
type world struct {
	seen    diagnosis.Evidence
	event   store.Event
	site    store.Site
	siteErr error
	fileErr error
	repair  diagnosis.SessionJob
	found   []store.Payment
	more    bool
	entries []audit.Entry
	figures kept
	swept   sweep.Result
	server  rdb.Server
	known   []string // sessions that any shortened id may mean
	err     error
	noToken bool
	handled *incident.Handled

	troubled  []sweep.Observation
	incidents []incident.Incident
	followed  []follow.Session
	plan      *repair.Plan // that is looked up, nil = it is gone

	plans   []repair.PlanRecord
	unclear []repair.Job
}

func (w *world) Matching(context.Context, store.ShortID) ([]string, error) { return w.known, w.err }

func (w *world) Examine(_ context.Context, id string) diagnosis.Examination {
	e := w.seen
	e.Session.ID = id
	e.Event = w.event
	if w.siteErr == nil {
		e.Site = &w.site
	}
	return diagnosis.Examination{Evidence: e, Diagnosis: diagnosis.Diagnose(e, noon, limits), SiteErr: w.siteErr,
		FileErr: w.fileErr, Repair: w.repair, At: noon}
}

func (w *world) ExaminePaid(ctx context.Context, p store.Payment) diagnosis.Examination {
	x := w.Examine(ctx, p.SessionID)
	x.Payment = p
	x.Diagnosis = diagnosis.Diagnose(x.Evidence, noon, limits)
	return x
}

func (w *world) Find(context.Context, string, int) ([]store.Payment, bool, error) {
	return w.found, w.more, w.err
}

func (w *world) Sweep(context.Context, sweep.Options) (sweep.Result, error) { return w.swept, w.err }

func (w *world) Server(context.Context) (rdb.Server, error) { return w.server, w.err }

func (w *world) Ping(context.Context) (time.Duration, error) { return 1200 * time.Microsecond, w.err }

func (w *world) Propose(context.Context, repair.Plan, string) error { return w.err }

func (w *world) Plan(context.Context, string) (repair.PlanRecord, error) {
	if w.plan != nil {
		return repair.PlanRecord{Plan: *w.plan}, nil
	}
	return repair.PlanRecord{}, repair.ErrUnknownPlan
}

func (w *world) JobOf(context.Context, string) (diagnosis.SessionJob, error) { return w.repair, w.err }

func (w *world) Settle(_ context.Context, _ string, said repair.Settlement) (repair.Job, error) {
	if w.repair.ID == "" {
		return repair.Job{}, repair.ErrNotUnclear
	}
	return repair.Job{FileID: said.FileID, Plan: repair.Plan{Session: sessionID}}, w.err
}

func (w *world) File(context.Context, string) (store.File, error) { return w.seen.File, w.fileErr }

func (w *world) RecordRefusal(context.Context, audit.Entry)                         {}
func (w *world) AddNote(context.Context, string, string, store.Actor, string) error { return nil }

func (w *world) History(context.Context, string, int) ([]audit.Entry, error) {
	return w.entries, w.err
}

func (w *world) Since(context.Context, time.Time) ([]audit.Entry, error) { return w.entries, w.err }

func (w *world) EverySince(context.Context, time.Time) ([]incident.Incident, error) {
	return w.incidents, w.err
}

func (w *world) Latest(context.Context, audit.Event, int) ([]audit.Entry, error) {
	return w.entries, w.err
}

func (w *world) OpenPlans(context.Context, time.Time) ([]repair.PlanRecord, error) {
	return w.plans, w.err
}

func (w *world) UnclearJobs(context.Context) ([]repair.Job, error) { return w.unclear, w.err }

func (w *world) Figures(context.Context, time.Time) (stats.Figures, error) {
	return w.figures.Figures, w.err
}

// State is of a watch that works, unless there are figures that say otherwise.
func (w *world) State(context.Context) (watchstate.State, error) {
	if w.figures.Rollup == nil && w.figures.State.Swept.IsZero() {
		return watchstate.State{Epoch: noon.Add(-90 * 24 * time.Hour), Swept: noon.Add(-40 * time.Second)}, w.err
	}
	return w.figures.State, w.err
}

func (w *world) Observe(context.Context, []string, sweep.Options) ([]sweep.Observation, error) {
	return w.troubled, w.err
}

func (w *world) Troubled(context.Context) (watchstate.TroubledRecord, error) {
	return watchstate.TroubledRecord{Swept: noon.Add(-40 * time.Second), Whole: !w.more}, w.err
}

func (w *world) OpenIncidents(context.Context, map[string]incident.Incident) ([]incident.Incident, error) {
	return w.incidents, w.err
}

// Sessions are those that people asked about.
func (w *world) Sessions(context.Context) ([]follow.Session, error) { return w.followed, w.err }

func (w *world) Incident(_ context.Context, id string) (incident.Incident, error) {
	return incident.Incident{ID: id, Kind: incident.Kind(diagnosis.VerdictOrphaned)}, w.err
}

func (w *world) Known(context.Context, []string) (map[string]incident.Known, error) {
	return map[string]incident.Known{sessionID: {Handled: w.handled}}, w.err
}

func (w *world) Payments(context.Context, time.Time, []string) (map[string]store.Payment, error) {
	return nil, w.err
}
