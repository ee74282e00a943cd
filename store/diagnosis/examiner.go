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

// Deadlines are the longest that an Examiner waits for each source, and for all
// of them together.
type Deadlines struct {
	All, Redis, Site time.Duration
	Stripe           time.Duration // for the payment and then its event
}

// DefaultDeadlines are those of production.
func DefaultDeadlines() Deadlines {
	return Deadlines{All: 2500 * time.Millisecond, Redis: time.Second, Site: 2 * time.Second, Stripe: 2 * time.Second}
}

// ErrNotAsked means that nobody is there to ask: the source is not configured.
var ErrNotAsked = errors.New("not configured, so not asked")

// SessionReader reads what Redis holds of a session.
type SessionReader interface {
	Session(ctx context.Context, id string) (store.Session, error)
}

// PaymentReader knows payments. What it could not see it says in the state.
type PaymentReader interface {
	Payment(ctx context.Context, id string) store.Payment
	Event(ctx context.Context, p store.Payment) store.Event
}

// FileReader knows the state of a file.
type FileReader interface {
	File(ctx context.Context, fileID string) (store.File, error)
}

// FileRecords knows what was seen of files before; see sweep.Files.
type FileRecords interface {
	Known(ctx context.Context, ref store.FileRef) (FileRecord, error)
}

// SiteReader knows what the site tells the customer of a session.
type SiteReader interface {
	SessionStatus(ctx context.Context, id string) (store.Site, error)
}

// LookupCounter counts the questions to the site, and those of its answers that
// agree with Redis. Nobody waits for it.
type LookupCounter interface {
	Count(at time.Time, agreed bool)
}

// Examiner gathers all that can be seen of a session. Payments, Files, Site
// and Jobs may be nil: then they are not asked. Lookups may be nil.
type Examiner struct {
	Redis    SessionReader
	Payments PaymentReader
	Files    FileReader
	Records  FileRecords // asked before Files; nil = nothing is known
	// Proven reports whether the API has to know the file of a session created then.
	Proven func(ctx context.Context, created time.Time) bool
	Site   SiteReader
	Jobs   JobReader
	// Reads tells which keys the site reads; nil = that is not known.
	Reads   func(ctx context.Context) store.Layout
	Lookups LookupCounter
	Limits  Thresholds
	// Deadlines are the default ones where they are zero.
	Deadlines Deadlines
	Now       func() time.Time
}

func (x *Examiner) deadlines() Deadlines { return cmp.Or(x.Deadlines, DefaultDeadlines()) }

// Examination is what was seen of a session and what it means. An error beside
// a source says why that one could not be seen.
type Examination struct {
	Evidence
	Diagnosis
	RedisErr error
	FileErr  error
	SiteErr  error
	Repair   SessionJob // the latest
	JobErr   error      // with it, what the bot's own records hold of its repairs and files is not known
	At       time.Time  // when it was judged
}

// SiteAgrees tells whether the site tells the customer what Redis holds. It
// says something only where both answered: RedisSilent false and SiteErr nil.
func (x Examination) SiteAgrees() bool { return agrees(*x.Site, x.Session) }

// Examine asks all sources about a session side by side and diagnoses it. It
// returns within its deadlines: who has not answered by then is said to be silent.
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
	reads := x.reads(ctx)
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
		seen.APIProven = x.Proven(ctx, seen.Session.StoredAt(x.Now()))
	}
	seen.Reads = reads()
	seen.Job, seen.JobErr = seen.Repair.State, rdb.Classify(cmp.Or(seen.JobErr, recordErr))
	stripe.Wait()
	seen.At = x.Now()
	seen.RedisSilent = seen.RedisErr != nil
	seen.Evidence = seen.Complete(seen.At)
	seen.Diagnosis = Diagnose(seen.Evidence, seen.At, x.Limits)
	x.countLookup(seen)
	return seen
}

// countLookup counts that the site was asked. Where Redis is silent it cannot be
// said whether the answer agrees with it.
func (x *Examiner) countLookup(seen Examination) {
	if x.Lookups == nil || seen.RedisSilent || errors.Is(seen.SiteErr, ErrNotAsked) || errors.Is(seen.SiteErr, context.Canceled) {
		return
	}
	x.Lookups.Count(seen.At, seen.SiteErr == nil && seen.SiteAgrees())
}

// repair begins to look up what the bot's own records hold of the session.
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

// event asks only where Stripe knows the payment.
func (x *Examiner) event(ctx context.Context, p store.Payment) store.Event {
	if p.State == store.PaymentMissing || p.State == store.PaymentUnverified {
		return store.Event{}
	}
	// Without an answer the event is unknown, which is all that is said of it.
	event, _ := callWithin(ctx, x.deadlines().Stripe, func(ctx context.Context) (store.Event, error) {
		return x.Payments.Event(ctx, p), nil
	})
	return event
}

// site begins to ask.
func (x *Examiner) site(ctx context.Context, id string) func() (store.Site, error) {
	if x.Site == nil {
		return func() (store.Site, error) { return store.Site{}, ErrNotAsked }
	}
	return startCall(ctx, x.deadlines().Site, func(ctx context.Context) (store.Site, error) { return x.Site.SessionStatus(ctx, id) })
}

// reads begins to look up which keys the site reads: one-key where no answer
// comes, with which a repair writes more.
func (x *Examiner) reads(ctx context.Context) func() store.Layout {
	if x.Reads == nil {
		return func() store.Layout { return store.LayoutNone }
	}
	answer := startCall(ctx, x.deadlines().Redis, func(ctx context.Context) (store.Layout, error) { return x.Reads(ctx), nil })
	return func() store.Layout {
		layout, err := answer()
		if err != nil {
			return store.LayoutOneKey
		}
		return layout
	}
}

// agrees compares the status and the file that the site tells with those in Redis.
// Pending tells the customer as little as no answer at all.
func agrees(site store.Site, s store.Session) bool {
	told := store.Status(site.Status)
	if !site.Found || told == store.StatusPending {
		told = store.StatusNone
	}
	held := s.Status()
	if held == store.StatusPending {
		held = store.StatusNone
	}
	differ := site.FileID != "" && s.NamedFile() != "" && site.FileID != s.NamedFile()
	return told == held && !differ
}

// SiteShowsOutcome reports whether the session shows that the site has the event: then it
// is another endpoint that Stripe still delivers to. Processing without a file shows
// nothing, since the site may have died before it answered, and neither does what a
// repair of ours may have written.
func (x Examination) SiteShowsOutcome() bool {
	moved := x.Session.FileID() != "" || x.Session.Status() == store.StatusError || x.Session.Status() == store.StatusCompleted
	return moved && x.Repair.ID == "" && x.JobErr == nil
}
