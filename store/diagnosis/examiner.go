package diagnosis

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/superduperai/sessionbot/internal/panics"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
)

// Deadlines bound how long an Examiner waits for each source, and for all together.
type Deadlines struct {
	All, Redis, Site time.Duration
	Stripe           time.Duration // for the payment and then its event
}

// DefaultDeadlines are those of production.
func DefaultDeadlines() Deadlines {
	return Deadlines{All: 2500 * time.Millisecond, Redis: time.Second, Site: 2 * time.Second, Stripe: 2 * time.Second}
}

// ErrNotAsked is the error of a source that is not configured.
var ErrNotAsked = errors.New("not configured, so not asked")

// SessionReader reads sessions from Redis.
type SessionReader interface {
	Session(ctx context.Context, id string) (store.Session, error)
}

// PaymentReader reads payments. A payment that it could not read says so in its state.
type PaymentReader interface {
	Payment(ctx context.Context, id string) store.Payment
	Event(ctx context.Context, p store.Payment) store.Event
}

// FileReader reads the state of a file.
type FileReader interface {
	File(ctx context.Context, fileID string) (store.File, error)
}

// FileRecords remembers files; see sweep.Files.
type FileRecords interface {
	Known(ctx context.Context, ref store.FileRef) (FileRecord, error)
}

// SiteReader reads what the site shows the customer.
type SiteReader interface {
	SessionStatus(ctx context.Context, id string) (store.Site, error)
}

// LookupCounter counts the requests to the site, and whether its answer agreed with
// Redis. It must not block.
type LookupCounter interface {
	Count(at time.Time, agreed bool)
}

// Examiner gathers the evidence about a session. Payments, Files, Site, Jobs, Records
// and Lookups may be nil.
type Examiner struct {
	Redis    SessionReader
	Payments PaymentReader
	Files    FileReader
	Records  FileRecords // queried before Files
	// Proven reports whether the API has to know the file of a session created then.
	Proven func(ctx context.Context, created time.Time) bool
	Site   SiteReader
	Jobs   JobReader
	// SiteLayout returns which keys the site reads; nil = not known.
	SiteLayout func(ctx context.Context) store.Layout
	Lookups    LookupCounter
	Limits     Thresholds
	Deadlines  Deadlines // zero = DefaultDeadlines
	Now        func() time.Time
}

func (x *Examiner) deadlines() Deadlines { return cmp.Or(x.Deadlines, DefaultDeadlines()) }

// Examination is the evidence about a session and its diagnosis. An error of a source
// says why that one could not be read.
type Examination struct {
	Evidence
	Diagnosis
	RedisErr error
	FileErr  error
	SiteErr  error
	Repair   SessionJob // the latest
	JobErr   error      // of the bot's own records of repairs and files
	At       time.Time
}

// Examine queries all sources about a session concurrently and diagnoses it. It returns
// within its deadlines: a source that has not answered by then has an error.
func (x *Examiner) Examine(ctx context.Context, id string) Examination {
	return x.examine(ctx, id, func(ctx context.Context) store.Payment { return x.payment(ctx, id) })
}

// ExaminePaid is Examine for a payment that is known already.
func (x *Examiner) ExaminePaid(ctx context.Context, p store.Payment) Examination {
	return x.examine(ctx, p.SessionID, func(context.Context) store.Payment { return p })
}

func (x *Examiner) examine(ctx context.Context, id string, payment func(context.Context) store.Payment) Examination {
	ctx, cancel := context.WithTimeout(ctx, x.deadlines().All)
	defer cancel()
	var seen Examination
	var stripe sync.WaitGroup
	if x.Payments == nil {
		seen.Payment = payment(ctx)
	} else {
		stripe.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, x.deadlines().Stripe)
			defer cancel()
			seen.Payment = payment(ctx)
			seen.Event = x.event(ctx, seen.Payment)
			if at := seen.Event.PaidAt; !at.IsZero() {
				seen.Payment.PaidAt = at
			}
		})
	}
	site := x.site(ctx, id)
	siteLayout := x.siteLayout(ctx)
	repair := x.repair(ctx, id)
	session, err := callWithin(ctx, x.deadlines().Redis, func(ctx context.Context) (store.Session, error) { return x.Redis.Session(ctx, id) })
	seen.Session, seen.RedisErr = session.AsOf(x.Now()), rdb.Classify(err)
	seen.Session.ID = id
	recordErr := x.files(ctx, &seen)
	if answer, err := site(); err == nil {
		seen.Site = &answer
	} else {
		seen.SiteErr = err
	}
	seen.Repair, seen.JobErr = repair()
	x.otherFiles(ctx, &seen)
	missing := func(n NamedFile) bool { return n.State == store.FileMissing }
	if x.Proven != nil && (seen.File.State == store.FileMissing || slices.ContainsFunc(seen.Others, missing)) {
		seen.APIProven = x.Proven(ctx, seen.Session.CreatedAt(x.Now()))
	}
	seen.SiteLayout = siteLayout()
	seen.Job, seen.JobErr = seen.Repair.State, rdb.Classify(cmp.Or(seen.JobErr, recordErr))
	stripe.Wait()
	seen.At = x.Now()
	seen.RedisSilent = seen.RedisErr != nil
	seen.Evidence = seen.Complete(seen.At)
	seen.Diagnosis = Diagnose(seen.Evidence, seen.At, x.Limits)
	x.countLookup(seen)
	return seen
}

// countLookup counts the request to the site. Without an answer of Redis it is not
// known whether the site agrees with it.
func (x *Examiner) countLookup(seen Examination) {
	if x.Lookups == nil || seen.RedisSilent || errors.Is(seen.SiteErr, ErrNotAsked) || errors.Is(seen.SiteErr, context.Canceled) {
		return
	}
	x.Lookups.Count(seen.At, seen.SiteErr == nil && seen.SiteAgrees())
}

// repair starts to read the session's jobs.
func (x *Examiner) repair(ctx context.Context, id string) func() (SessionJob, error) {
	if x.Jobs == nil {
		return func() (SessionJob, error) { return SessionJob{}, nil }
	}
	return startCall(ctx, x.deadlines().Redis, func(ctx context.Context) (SessionJob, error) { return x.Jobs.JobOf(ctx, id) })
}

func (x *Examiner) payment(ctx context.Context, id string) store.Payment {
	if x.Payments == nil {
		return store.Payment{SessionID: id, State: store.PaymentUnverified, Why: store.NoStripeKey}
	}
	p, err := callWithin(ctx, x.deadlines().Stripe, func(ctx context.Context) (store.Payment, error) {
		return x.Payments.Payment(ctx, id), nil
	})
	if err == nil {
		return p
	}
	p = store.Payment{SessionID: id, State: store.PaymentUnverified, Why: store.StripeNoAnswer}
	if _, panicked := errors.AsType[*panics.Error](err); panicked {
		p.Why = store.StripeFault
	}
	return p
}

// event queries Stripe only if it knows the payment.
func (x *Examiner) event(ctx context.Context, p store.Payment) store.Event {
	if p.State == store.PaymentMissing || p.State == store.PaymentUnverified {
		return store.Event{}
	}
	// Without an answer the event is unknown.
	event, _ := callWithin(ctx, x.deadlines().Stripe, func(ctx context.Context) (store.Event, error) {
		return x.Payments.Event(ctx, p), nil
	})
	return event
}

// site starts the request to the site.
func (x *Examiner) site(ctx context.Context, id string) func() (store.Site, error) {
	if x.Site == nil {
		return func() (store.Site, error) { return store.Site{}, ErrNotAsked }
	}
	return startCall(ctx, x.deadlines().Site, func(ctx context.Context) (store.Site, error) { return x.Site.SessionStatus(ctx, id) })
}

// siteLayout starts to determine which keys the site reads. Without an answer it is one-key,
// with which a repair writes more.
func (x *Examiner) siteLayout(ctx context.Context) func() store.Layout {
	if x.SiteLayout == nil {
		return func() store.Layout { return store.LayoutNone }
	}
	answer := startCall(ctx, x.deadlines().Redis, func(ctx context.Context) (store.Layout, error) { return x.SiteLayout(ctx), nil })
	return func() store.Layout {
		layout, err := answer()
		if err != nil {
			return store.LayoutOneKey
		}
		return layout
	}
}

// SiteAgrees reports whether the site shows the status and the file that Redis holds.
// Both must have answered: RedisSilent false and SiteErr nil. Pending shows the
// customer as little as no answer at all.
func (x Examination) SiteAgrees() bool {
	shown := store.Status(x.Site.Status)
	if !x.Site.Found || shown == store.StatusPending {
		shown = store.StatusNone
	}
	held := x.Session.Status()
	if held == store.StatusPending {
		held = store.StatusNone
	}
	file := x.Session.NamedFile()
	return shown == held && (x.Site.FileID == "" || file == "" || x.Site.FileID == file)
}

// SiteShowsOutcome reports whether the session shows that the site has the event: then
// Stripe still delivers to another endpoint. Processing without a file does not show
// it, since the site may have died before it answered, and neither does what a repair
// of ours may have written.
func (x Examination) SiteShowsOutcome() bool {
	moved := x.Session.FileID() != "" || x.Session.Status() == store.StatusError || x.Session.Status() == store.StatusCompleted
	return moved && x.Repair.ID == "" && x.JobErr == nil
}
