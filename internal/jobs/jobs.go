// Package jobs executes claimed plans step by step. Each step is recorded before
// the next begins, so that any replica can resume a job: Runner finds jobs that
// have not ended, and an execution runs one of them under its lease. Config.Notify
// shows people the progress.
package jobs

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/ledger"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/sessions"
	"github.com/superduperai/sessionbot/superduper"
)

const (
	maxRunning     = 64               // jobs of one process at the same time; most only wait for their file
	startWithin    = 10 * time.Minute // of the claim; later a generation is no longer expected
	sendWithin     = 5 * time.Second  // of recording StepSending; a lease lives three times as long
	requestTimeout = 30 * time.Second // of the one request of a generation
	replayTimeout  = time.Minute      // of that of a replay: the site itself waits for SuperDuperAI
	saveTimeout    = time.Minute      // while Redis does not take the request's outcome
	shutdownGrace  = 5 * time.Second  // for request and record once the process stops
	endTimeout     = 3 * time.Second  // for reading what the last notification shows
)

// Timings are the intervals of a Runner.
type Timings struct {
	Poll            time.Duration // between two requests for a file
	MaxPollInterval time.Duration // the longest of them while SuperDuperAI does not answer
	Refresh         time.Duration // between two looks at the minutes that people see, while a file is made
	Reread          time.Duration // from a write to reading it again: an update by the site that began before may still overwrite it
	BaseDelay       time.Duration // between two looks at work that waits, and before the first retry of a job that failed
	MaxRetryDelay   time.Duration // the longest of those delays, unless Slack asks for more; a job that reached it is exhausted
	SaveRetry       time.Duration // between two attempts to record the request's outcome
	SiteWrite       time.Duration // from the site's answer to an event: how long it has to write, before the event counts as ignored
	Unanswered      time.Duration // likewise from an event without an answer; at most GiveUp
	Page            time.Duration // from the end of a canary until the customer's page must show it
	Replication     time.Duration // between two checks whether Redis has a replica
}

// DefaultTimings returns those of production.
func DefaultTimings() Timings {
	return Timings{
		Poll: 5 * time.Second, MaxPollInterval: time.Minute, Refresh: 30 * time.Second, Reread: 5 * time.Second, BaseDelay: 2 * time.Second,
		MaxRetryDelay: time.Minute, SaveRetry: 200 * time.Millisecond, SiteWrite: 30 * time.Second, Unanswered: 5 * time.Minute,
		Page: 2 * time.Minute, Replication: time.Minute,
	}
}

// Generator generates videos and images; see superduper.Client.
type Generator interface {
	Generate(ctx context.Context, r superduper.Request) (fileID string, err error)
	File(ctx context.Context, id string) (store.File, error)
}

// EventReader reads Stripe's checkout.session.completed event of a session as Stripe
// gives it; see payments.Reader.
type EventReader interface {
	RawEvent(ctx context.Context, id, session string) ([]byte, error)
}

// Webhook is the site's for Stripe's events; see superduper.Client.
type Webhook interface {
	Replay(ctx context.Context, event []byte, at time.Time) error
}

// FileRecords remembers files that were seen finished; see sweep.Files.
type FileRecords interface {
	Save(ctx context.Context, ref store.FileRef, state store.FileState) error
}

// Config configures a Runner. The callbacks at the end may be nil.
type Config struct {
	Ledger    *ledger.Ledger
	Trail     *audit.Trail
	Writer    sessions.Writer
	Product   diagnosis.SessionReader
	Files     FileRecords
	Site      diagnosis.SiteReader
	Generator Generator
	Events    EventReader // nil = there is no key of Stripe's
	Webhook   Webhook     // nil = there is no secret to sign with
	// Examine diagnoses a session as if the job itself did not exist.
	Examine func(ctx context.Context, session, job string) diagnosis.Examination
	// Handled returns who handled a session elsewhere, nil = no one. A nil callback
	// disables the check.
	Handled func(ctx context.Context, session string) (*incident.Handled, error)
	// Notify shows the progress of a job. The end of a job is shown until that
	// succeeds; an error may have a method RequestedDelay: how long not to try.
	Notify func(ctx context.Context, p repair.Progress) error
	Token  bool // a token of SuperDuperAI is configured
	GiveUp time.Duration
	// BulkParallel is how many sessions of a bulk plan are repaired at the same time.
	BulkParallel int
	Timings      Timings
	Tracer       trace.Tracer // nil = no traces
	Log          *slog.Logger
	Now          func() time.Time

	ReportCounts func(running, unclear int) // receives how many jobs are pending, and wait for a person, in all processes
	OnFinished   func(job repair.Job)       // is called for every job that ended in this process
	// OnChanged is called when a session's job begins, goes on after a person's
	// decision and ends, at least once, even where a process dies in between.
	OnChanged func(ctx context.Context, session string)
	OnStep    func(step string)    // is called after each recorded step; tests interrupt there
	Mine      func(id string) bool // reports whether Run may execute a job; nil = all of them
}
