package watch

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/follow"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/ledger"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/stats"
	"github.com/superduperai/sessionbot/store/watchstate"
)

// Stripe lists what was paid, in pages that come newest first. An error wraps a
// store.Unverified where Stripe gave no usable answer.
type Stripe interface {
	PaidEvents(ctx context.Context, from, to time.Time, page func([]store.Paid) error) error
	PaidSessions(ctx context.Context, since time.Time, page func([]store.Paid) error) error
	// Undelivered returns the ids of the sessions and payment intents that have an
	// event which did not reach every endpoint. The set is incomplete unless whole.
	Undelivered(ctx context.Context, from, to time.Time) (ids map[string]bool, whole bool, err error)
}

// Notifier shows incidents to people. An error is a *DeliveryError. The mark
// identifies a new message, so that a Finder can find it again.
type Notifier interface {
	Post(ctx context.Context, i incident.Incident, d Decision, mark string) (store.Message, error)
	Update(ctx context.Context, i incident.Incident) error
	Reply(ctx context.Context, i incident.Incident, d Decision, mark string) error
}

// DeliveryError says why a notification failed.
type DeliveryError struct {
	Unclear     bool          // it may have been delivered: no answer came
	MessageGone bool          // the message to be changed does not exist any more
	NotEditable bool          // it exists, but cannot be changed any more, or is in another channel
	NeedsPerson bool          // a person has to act first, as Advice says
	After       time.Duration // how long to wait before the next try, 0 = not said
	Advice      string
	Err         error
}

// Error returns the cause's message.
func (r *DeliveryError) Error() string { return r.Err.Error() }

// Unwrap returns the cause.
func (r *DeliveryError) Unwrap() error { return r.Err }

// Finder finds the message with the mark in Incident.Posting, in the incident's
// thread if it has one. It reports false if there is no such message.
type Finder interface {
	Find(ctx context.Context, i incident.Incident) (store.Message, bool, error)
}

// Threads returns when people last wrote in the thread of an incident's message. An error
// is a *DeliveryError, or ErrHistoryForbidden.
type Threads interface {
	LastReply(ctx context.Context, i incident.Incident, since time.Time) (at time.Time, found bool, err error)
}

// ErrHistoryForbidden means that a Finder may not read the channel.
var ErrHistoryForbidden = errors.New("the channel's history may not be read")

// FileAPI returns the state of a file. An error is a *store.FileError.
type FileAPI interface {
	File(ctx context.Context, fileID string) (store.File, error)
}

// FileRecords remembers what was seen of files; see sweep.Files.
type FileRecords interface {
	States(ctx context.Context, sessions []store.Session) ([]diagnosis.FileRecord, error)
	Known(ctx context.Context, ref store.FileRef) (diagnosis.FileRecord, error)
	Save(ctx context.Context, ref store.FileRef, state store.FileState) error
	Keep(ctx context.Context) error
}

// Metrics records what the watch did; see health.Metrics.
type Metrics interface {
	Swept(ok, full bool, took time.Duration)
	Watched(state watchstate.State)
	Counted(r *stats.Rollup) // nil = another replica counts
	Alerted(reason string)
	Skipped(reason string) // a session that was looked at is not alerted
	PendingAlerts(incidents int)
}

// Config configures a Watch. All fields are required unless they say otherwise.
type Config struct {
	Records    *incident.Records
	Product    *rdb.Redis
	Statistics *stats.Store
	Ledger     *ledger.Ledger
	Trail      *audit.Trail
	Stripe     Stripe                  // nil = no key is configured
	Payments   diagnosis.PaymentReader // likewise
	// OtherMode reports whether the Stripe key cannot see the session, because one
	// is live and the other a test. nil = it sees all.
	OtherMode  func(session string) bool
	SiteLayout func(ctx context.Context) store.Layout // which keys the site reads
	API        FileAPI
	APIURL     string // SUPERDUPERAI_URL
	Files      FileRecords
	Notifier   Notifier
	Finder     Finder
	Threads    Threads
	Escalates  bool                                              // an escalation contact is configured
	Permalink  func(ctx context.Context, m store.Message) string // the address of a message, "" = not known; nil = of none
	Digest     DigestTime                                        // zero = off
	Followed   *follow.Store                                     // sessions that people asked about; nil = none are followed
	Answerer   Answerer                                          // answers them
	Outages    OutageNotes
	AlertOn    []diagnosis.Verdict
	FixTexts   []string // the error texts that a repair of ours writes
	Limits     diagnosis.Thresholds
	Interval   time.Duration // between two sweeps
	Timings    Timings
	Metrics    Metrics
	Log        *slog.Logger
	Now        func() time.Time
}

// Timings are the intervals of a Watch.
type Timings struct {
	Election                time.Duration // between two attempts to become leader
	Round                   time.Duration // between two rounds of inspections, and of notifications
	Check                   time.Duration // between two requests for a file
	Listen                  time.Duration // between two attempts to subscribe to notifications
	FirstSweep              time.Duration // the longest that the first sweep waits for the subscription
	Requeue                 time.Duration // until a session that could not be read is inspected again
	Update                  time.Duration // minimum between two updates of one message
	FirstRetryDelay         time.Duration // after a message (alert, answer in a thread, note of an outage) was not delivered; doubles
	MaxRetryDelay           time.Duration // the longest of those delays, unless Slack asks for more
	MaxUnreadableRetryDelay time.Duration // likewise, if the channel's history may not be read, so that each attempt may post a duplicate
	Outage                  time.Duration // until Redis that cannot be used is reported
	OutageJitter            time.Duration // the most that a replica waits besides
	OutageStableAfter       time.Duration // for which Redis has to work before the report is resolved
}

// DefaultTimings are those of production.
func DefaultTimings() Timings {
	return Timings{
		Election: time.Second, Round: 300 * time.Millisecond, Check: 200 * time.Millisecond, Listen: time.Minute, FirstSweep: 2 * time.Second,
		Requeue: 5 * time.Second, Update: 3 * time.Second,
		FirstRetryDelay: time.Second, MaxRetryDelay: time.Minute, MaxUnreadableRetryDelay: 15 * time.Minute,
		Outage: 30 * time.Second, OutageJitter: 15 * time.Second, OutageStableAfter: 10 * time.Second,
	}
}
