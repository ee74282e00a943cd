package commands

import (
	"context"
	"log/slog"
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

// Sessions gathers the evidence about a session.
type Sessions interface {
	Examine(ctx context.Context, id string) diagnosis.Examination
	ExaminePaid(ctx context.Context, p store.Payment) diagnosis.Examination
}

// Finder finds the checkout sessions of a customer by e-mail or payment intent,
// newest first, and reports whether there are more.
type Finder interface {
	Find(ctx context.Context, query string, limit int) (found []store.Payment, more bool, err error)
}

// Sweeper visits all sessions, or those named; see sweep.Sweeper.
type Sweeper interface {
	Sweep(ctx context.Context, o sweep.Options) (sweep.Result, error)
	Observe(ctx context.Context, ids []string, o sweep.Options) ([]sweep.Observation, error)
}

// Redis describes the server itself.
type Redis interface {
	Server(ctx context.Context) (rdb.Server, error)
	Ping(ctx context.Context) (time.Duration, error)
}

// Repairs stores plans and settles jobs, and records both; see ledger.Service.
type Repairs interface {
	Propose(ctx context.Context, plan repair.Plan, where string) error
	Settle(ctx context.Context, job string, said repair.Settlement) (repair.Job, error)
	RecordRefusal(ctx context.Context, refused audit.Entry)
	Plan(ctx context.Context, id string) (repair.PlanRecord, error)
	AddNote(ctx context.Context, planID, text string, by store.Actor, where string) error
}

// Trail is the audit trail.
type Trail interface {
	History(ctx context.Context, session string, limit int) ([]audit.Entry, error)
	Since(ctx context.Context, since time.Time) ([]audit.Entry, error)
	Latest(ctx context.Context, event audit.Event, limit int) ([]audit.Entry, error)
}

// Waiting lists the plans and jobs that wait for people; see ledger.Ledger.
type Waiting interface {
	OpenPlans(ctx context.Context, now time.Time) ([]repair.PlanRecord, error)
	UnclearJobs(ctx context.Context) ([]repair.Job, error)
}

// Statistics returns what the sweeps counted.
type Statistics interface {
	Figures(ctx context.Context, now time.Time) (stats.Figures, error)
}

// Watch returns the state of the watch, payments, dismissals, and what was handled elsewhere;
// see incident.Records.
type Watch interface {
	State(ctx context.Context) (watchstate.State, error)
	Known(ctx context.Context, ids []string) (map[string]incident.Known, error)
	Payments(ctx context.Context, now time.Time, ids []string) (map[string]store.Payment, error)
}

// Incidents returns the sessions that the watch found in trouble; see incident.Records.
type Incidents interface {
	Troubled(ctx context.Context) (watchstate.TroubledRecord, error)
	OpenIncidents(ctx context.Context, known map[string]incident.Incident) ([]incident.Incident, error)
	Incident(ctx context.Context, id string) (incident.Incident, error)
}

// Archive returns the incidents of the last days; see incident.Records.
type Archive interface {
	EverySince(ctx context.Context, since time.Time) ([]incident.Incident, error)
}

// Followed returns the sessions that people asked about; see follow.Store.
type Followed interface {
	Sessions(ctx context.Context) ([]follow.Session, error)
}

// Deps are the dependencies of the commands.
type Deps struct {
	Sessions   Sessions
	Matchers   []Matcher // of shortened ids
	Finder     Finder
	Redis      Redis
	NewSweeper func() Sweeper // returns one that has not swept yet
	Sources    diagnosis.Sources
	Repairs    Repairs
	Jobs       diagnosis.JobReader
	Trail      Trail
	Waiting    Waiting
	Statistics Statistics
	Watch      Watch
	Alerts     bool // the watch runs
	AlertOn    []diagnosis.Verdict
	Archive    Archive
	Followed   Followed
	Plans      repair.PlanOptions
	Token      bool // a token of SuperDuperAI is configured
	StripeKey  bool // a key of Stripe's is configured
	// WebhookSecret reports that the secret is configured with which Stripe signs its
	// events for the site.
	WebhookSecret  bool
	Files          diagnosis.FileReader
	Limits         diagnosis.Thresholds
	RecordsTimeout time.Duration // of the bot's own records about a session; 0 = as in production
	SiteURL        string        // for links
	Runbook        string        // address of the runbook, "" = no link
	Now            func() time.Time
	Log            *slog.Logger // nil = slog.Default

	Bulk       BulkLimits
	Incidents  Incidents
	SiteLayout func(ctx context.Context) store.Layout // which keys the site reads
	// OtherMode reports whether the Stripe key cannot see the session, because one is
	// live and the other a test. nil = it sees all.
	OtherMode func(session string) bool
}
