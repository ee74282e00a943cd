package commands_test

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/superduperai/sessionbot/commands"
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

// world answers every question of the commands from memory.
type world struct {
	examined diagnosis.Examination
	found    []store.Payment
	more     bool
	entries  []audit.Entry
	matching []string // sessions that a shortened id may mean
	err      error

	observed []sweep.Observation
	known    map[string]incident.Known
	incident incident.Incident

	incidents []incident.Incident
	followed  []follow.Session
	state     watchstate.State
	series    stats.Series

	plans   []repair.PlanRecord
	unclear []repair.Job
}

func (w *world) Examine(_ context.Context, id string) diagnosis.Examination {
	x := w.examined
	x.Session.ID = id
	return x
}

func (w *world) ExaminePaid(ctx context.Context, p store.Payment) diagnosis.Examination {
	x := w.Examine(ctx, p.SessionID)
	x.Payment = p
	return x
}

func (w *world) Matching(_ context.Context, short store.ShortID) ([]string, error) {
	return slices.DeleteFunc(slices.Clone(w.matching), func(id string) bool { return !short.Matches(id) }), w.err
}

func (w *world) Find(context.Context, string, int) ([]store.Payment, bool, error) {
	return w.found, w.more, w.err
}

func (w *world) Sweep(context.Context, sweep.Options) (sweep.Result, error) {
	return sweep.Result{Count: stats.Count{Complete: true}}, w.err
}

func (w *world) Server(context.Context) (rdb.Server, error) { return rdb.Server{}, w.err }

func (w *world) Plan(context.Context, string) (repair.PlanRecord, error) {
	return repair.PlanRecord{}, repair.ErrUnknownPlan
}

func (w *world) Propose(context.Context, repair.Plan, string) error { return w.err }

func (w *world) JobOf(context.Context, string) (diagnosis.SessionJob, error) {
	return diagnosis.SessionJob{}, nil
}
func (w *world) Settle(context.Context, string, repair.Settlement) (repair.Job, error) {
	return repair.Job{}, repair.ErrNotUnclear
}

func (w *world) RecordRefusal(context.Context, audit.Entry)                         {}
func (w *world) AddNote(context.Context, string, string, store.Actor, string) error { return nil }

func (w *world) History(context.Context, string, int) ([]audit.Entry, error) {
	return w.entries, w.err
}

func (w *world) Since(context.Context, time.Time) ([]audit.Entry, error) { return w.entries, w.err }

func (w *world) EverySince(context.Context, time.Time) ([]incident.Incident, error) {
	return w.incidents, w.err
}

func (w *world) Ping(context.Context) (time.Duration, error) { return time.Millisecond, w.err }

func (w *world) Latest(context.Context, audit.Event, int) ([]audit.Entry, error) {
	return w.entries, w.err
}

func (w *world) OpenPlans(context.Context, time.Time) ([]repair.PlanRecord, error) {
	return w.plans, w.err
}

func (w *world) UnclearJobs(context.Context) ([]repair.Job, error) { return w.unclear, w.err }

func (w *world) Figures(context.Context, time.Time) (stats.Figures, error) {
	return stats.Figures{Series: w.series}, w.err
}

func (w *world) State(context.Context) (watchstate.State, error) {
	return w.state, w.err
}

func (w *world) Observe(context.Context, []string, sweep.Options) ([]sweep.Observation, error) {
	return w.observed, w.err
}

func (w *world) Troubled(context.Context) (watchstate.TroubledRecord, error) {
	return watchstate.TroubledRecord{Swept: noon.Add(-40 * time.Second), Whole: true}, w.err
}

func (w *world) OpenIncidents(context.Context, map[string]incident.Incident) ([]incident.Incident, error) {
	return w.incidents, w.err
}

func (w *world) Incident(_ context.Context, id string) (incident.Incident, error) {
	if w.incident.ID != id {
		return incident.Incident{}, incident.ErrUnknownIncident
	}
	return w.incident, w.err
}

func (w *world) Sessions(context.Context) ([]follow.Session, error) { return w.followed, w.err }

func (w *world) Known(context.Context, []string) (map[string]incident.Known, error) {
	return w.known, w.err
}

func (w *world) Payments(context.Context, time.Time, []string) (map[string]store.Payment, error) {
	return nil, w.err
}

func registry(w *world) *commands.Registry {
	w.examined.At, w.examined.Verdict = noon, diagnosis.VerdictOrphaned
	return commands.New(commands.Deps{
		Sessions: w, Matchers: []commands.Matcher{w, w}, Finder: w, Redis: w, NewSweeper: func() commands.Sweeper { return w }, Repairs: w, Jobs: w, Trail: w, Waiting: w, Statistics: w, Watch: w, Incidents: w, Archive: w, Followed: w, SiteLayout: func(context.Context) store.Layout { return store.LayoutThreeKey }, SiteURL: "https://site.example",
		Now: func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler),
	})
}
