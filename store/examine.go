package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// The longest that each source is waited for. Together they are told within
// examineWithin, whatever hangs.
const (
	examineWithin = 2500 * time.Millisecond
	redisWithin   = 1 * time.Second
	stripeWithin  = 2 * time.Second // for the payment and then its event
	siteWithin    = 2 * time.Second
	lookupWithin  = 100 * time.Millisecond // to count that the site was asked
)

// ErrNotAsked means that nobody is there to ask: the source is not configured.
var ErrNotAsked = errors.New("not configured, so not asked")

// errPanicked means that a source broke down instead of answering.
var errPanicked = errors.New("panicked")

// SessionReader reads what Redis holds of a session.
type SessionReader interface {
	Session(ctx context.Context, id string) (Session, error)
}

// PaymentReader knows payments. What it could not see it says in the state.
type PaymentReader interface {
	Payment(ctx context.Context, id string) Payment
	Event(ctx context.Context, p Payment) Event
}

// FileReader knows the state of a file.
type FileReader interface {
	File(ctx context.Context, fileID string) (File, error)
}

// SiteReader knows what the site tells the customer of a session.
type SiteReader interface {
	SessionStatus(ctx context.Context, id string) (Site, error)
}

// LookupCounter counts the questions to the site, and those of its answers that
// agree with Redis.
type LookupCounter interface {
	CountLookup(ctx context.Context, at time.Time, agreed bool) error
}

// Examiner gathers all that can be seen of a session. Payments, Files, Site
// and Jobs may be nil: then they are not asked. Lookups may be nil.
type Examiner struct {
	Redis    SessionReader
	Payments PaymentReader
	Files    FileReader
	Site     SiteReader
	Jobs     JobReader
	Lookups  LookupCounter
	Limits   Thresholds
	Now      func() time.Time
}

// Examination is what was seen of a session and what it means. An error beside
// a source says why that one could not be seen.
type Examination struct {
	Evidence
	Diagnosis
	Event    Event
	Site     Site
	RedisErr error
	FileErr  error
	SiteErr  error
	Repair   SessionJob // the latest
	JobErr   error      // with it, whether a job of ours runs is not known
	At       time.Time  // when it was judged

	LookupErr error // why it could not be counted that the site was asked
}

// SiteAgrees tells whether the site tells the customer what Redis holds. It
// says something only where both answered: RedisSilent false and SiteErr nil.
func (x Examination) SiteAgrees() bool { return agrees(x.Site, x.Session) }

// Examine asks all sources about a session side by side and diagnoses it. It
// returns within 2.5 s: who has not answered by then is said to be silent.
func (x *Examiner) Examine(ctx context.Context, id string) Examination {
	return x.examine(ctx, id, func(ctx context.Context) Payment { return x.payment(ctx, id) })
}

// ExaminePaid is Examine for a payment that is known already.
func (x *Examiner) ExaminePaid(ctx context.Context, p Payment) Examination {
	return x.examine(ctx, p.SessionID, func(context.Context) Payment { return p })
}

func (x *Examiner) examine(ctx context.Context, id string, payment func(context.Context) Payment) Examination {
	ctx, cancel := context.WithTimeout(ctx, examineWithin)
	defer cancel()
	var seen Examination
	var sources sync.WaitGroup
	sources.Go(func() {
		s, err := ask(ctx, redisWithin, func(ctx context.Context) (Session, error) {
			return x.Redis.Session(ctx, id)
		})
		seen.Session, seen.RedisErr = s.AsOf(x.Now()), silence(err)
		seen.File, seen.FileErr = x.file(ctx, seen.Session.FileID())
	})
	sources.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, stripeWithin)
		defer cancel()
		seen.Payment = payment(ctx)
		seen.Event = x.event(ctx, seen.Payment)
	})
	sources.Go(func() {
		seen.Site, seen.SiteErr = x.site(ctx, id)
	})
	sources.Go(func() {
		var err error
		seen.Repair, err = x.job(ctx, id)
		seen.Job, seen.JobErr = seen.Repair.State, silence(err)
	})
	sources.Wait()
	seen.At = x.Now()
	seen.RedisSilent = seen.RedisErr != nil
	seen.Session.ID = id
	seen.Evidence = seen.complete(seen.At)
	seen.Diagnosis = Diagnose(seen.Evidence, seen.At, x.Limits)
	seen.LookupErr = x.countLookup(ctx, seen)
	return seen
}

// countLookup counts that the site was asked. Where Redis is silent it cannot be
// said whether the answer agrees with it.
func (x *Examiner) countLookup(ctx context.Context, seen Examination) error {
	if x.Lookups == nil || seen.RedisSilent || errors.Is(seen.SiteErr, ErrNotAsked) || errors.Is(seen.SiteErr, context.Canceled) {
		return nil
	}
	_, err := ask(ctx, lookupWithin, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, x.Lookups.CountLookup(ctx, seen.At, seen.SiteErr == nil && seen.SiteAgrees())
	})
	return err
}

func (x *Examiner) payment(ctx context.Context, id string) Payment {
	if x.Payments == nil {
		return Payment{SessionID: id, State: PaymentUnverified, Why: NoStripeKey}
	}
	p, err := ask(ctx, stripeWithin, func(ctx context.Context) (Payment, error) {
		return x.Payments.Payment(ctx, id), nil
	})
	switch {
	case errors.Is(err, errPanicked):
		return Payment{SessionID: id, State: PaymentUnverified, Why: StripeFault}
	case err != nil:
		return Payment{SessionID: id, State: PaymentUnverified, Why: StripeNoAnswer}
	}
	return p
}

// event asks only where Stripe knows the payment.
func (x *Examiner) event(ctx context.Context, p Payment) Event {
	if x.Payments == nil || p.State == PaymentMissing || p.State == PaymentUnverified {
		return Event{}
	}
	// Without an answer the event is unknown, which is all that is said of it.
	event, _ := ask(ctx, stripeWithin, func(ctx context.Context) (Event, error) {
		return x.Payments.Event(ctx, p), nil
	})
	return event
}

func (x *Examiner) file(ctx context.Context, id string) (File, error) {
	switch {
	case id == "":
		return File{State: FileNone}, nil
	case x.Files == nil:
		return File{State: FileUnknown}, ErrNotAsked
	}
	file, err := ask(ctx, examineWithin, func(ctx context.Context) (File, error) {
		return x.Files.File(ctx, id)
	})
	if err != nil {
		return File{State: FileUnknown}, err
	}
	return file, nil
}

func (x *Examiner) site(ctx context.Context, id string) (Site, error) {
	if x.Site == nil {
		return Site{}, ErrNotAsked
	}
	return ask(ctx, siteWithin, func(ctx context.Context) (Site, error) {
		return x.Site.SessionStatus(ctx, id)
	})
}

func (x *Examiner) job(ctx context.Context, session string) (SessionJob, error) {
	if x.Jobs == nil {
		return SessionJob{}, nil
	}
	return ask(ctx, redisWithin, func(ctx context.Context) (SessionJob, error) {
		return x.Jobs.JobOf(ctx, session)
	})
}

// ask puts a question and waits for the answer no longer than within. Who
// ignores the context is left behind; a panic is contained, and becomes an
// error.
func ask[T any](ctx context.Context, within time.Duration, question func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		var a answer
		defer func() {
			if cause := recover(); cause != nil {
				a = answer{err: fmt.Errorf("%w: %v", errPanicked, cause)}
			}
			answers <- a
		}()
		a.value, a.err = question(ctx)
	}()
	select {
	case a := <-answers:
		return a.value, a.err
	case <-ctx.Done():
		var nothing T
		return nothing, ctx.Err()
	}
}

// agrees compares the status and the file that the site tells with those in Redis.
// Pending tells the customer as little as no answer at all.
func agrees(site Site, s Session) bool {
	told := Status(site.Status)
	if !site.Found || told == StatusPending {
		told = StatusNone
	}
	held := s.Status()
	if held == StatusPending {
		held = StatusNone
	}
	differ := site.FileID != "" && s.FileID() != "" && site.FileID != s.FileID()
	return told == held && !differ
}
