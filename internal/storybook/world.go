package storybook

import (
	"context"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/sweep"
)

// world is a fake of everything that the commands depend on.
type world struct {
	seen    store.Evidence
	event   store.Event
	site    store.Site
	siteErr error
	fileErr error
	repair  store.SessionJob
	found   []store.Payment
	more    bool
	entries []store.Entry
	figures kept
	swept   sweep.Result
	server  store.Server
	err     error
	noToken bool
}

func (w *world) Examine(_ context.Context, id string) store.Examination {
	e := w.seen
	e.Session.ID = id
	e.Event = w.event
	if w.siteErr == nil {
		e.Site = &w.site
	}
	return store.Examination{Evidence: e, Diagnosis: store.Diagnose(e, noon, limits), SiteErr: w.siteErr,
		FileErr: w.fileErr, Repair: w.repair, At: noon}
}

func (w *world) ExaminePaid(ctx context.Context, p store.Payment) store.Examination {
	x := w.Examine(ctx, p.SessionID)
	x.Payment = p
	x.Diagnosis = store.Diagnose(x.Evidence, noon, limits)
	return x
}

func (w *world) Find(context.Context, string, int) ([]store.Payment, bool, error) {
	return w.found, w.more, w.err
}

func (w *world) Sweep(context.Context, sweep.Options) (sweep.Result, error) { return w.swept, w.err }

func (w *world) Server(context.Context) (store.Server, error) { return w.server, w.err }

func (w *world) Ping(context.Context) (time.Duration, error) { return 1200 * time.Microsecond, w.err }

func (w *world) SavePlan(context.Context, store.Plan) error { return w.err }

func (w *world) JobOf(context.Context, string) (store.SessionJob, error) { return w.repair, w.err }

func (w *world) Settle(_ context.Context, _ string, said store.Settlement) (store.Job, error) {
	if w.repair.ID == "" {
		return store.Job{}, store.ErrNotUnclear
	}
	return store.Job{FileID: said.FileID, Plan: store.Plan{Session: sessionID}}, w.err
}

func (w *world) File(context.Context, string) (store.File, error) { return w.seen.File, w.fileErr }

func (w *world) Record(context.Context, store.Entry) error { return w.err }

func (w *world) History(context.Context, string, int) ([]store.Entry, error) {
	return w.entries, w.err
}

func (w *world) Figures(context.Context, time.Time) (store.Figures, error) {
	return w.figures.Figures, w.err
}

func (w *world) State(context.Context) (store.WatchState, error) { return w.figures.State, w.err }

func (w *world) Payments(context.Context, time.Time, []string) (map[string]store.Payment, error) {
	return nil, w.err
}
