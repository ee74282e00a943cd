package diagnosis

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/storetest"
)

// source is a fake of Redis, Stripe, SuperDuperAI and the site. Each answers after its
// delay; a deaf one ignores the context, and ends with the test only.
type source struct {
	session store.Session
	payment store.Payment
	event   store.Event
	file    store.File
	site    store.Site
	err     error
	delay   time.Duration
	deaf    <-chan struct{} // closed at the end of the test
	panics  bool
	asked   int
	fileID  string // of the requested file
}

func (s *source) wait(ctx context.Context) error {
	s.asked++
	if s.panics {
		panic("out of order")
	}
	if s.deaf != nil {
		<-s.deaf
		return errors.New("too late")
	}
	if s.delay == 0 {
		return s.err
	}
	select {
	case <-time.After(s.delay):
		return s.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *source) Session(ctx context.Context, _ string) (store.Session, error) {
	return s.session, s.wait(ctx)
}

func (s *source) Payment(ctx context.Context, id string) store.Payment {
	if s.wait(ctx) != nil {
		return store.Payment{SessionID: id, State: store.PaymentUnverified, Why: store.StripeFault}
	}
	return s.payment
}

func (s *source) Event(ctx context.Context, _ store.Payment) store.Event {
	if s.wait(ctx) != nil {
		return store.Event{}
	}
	return s.event
}

func (s *source) File(ctx context.Context, id string) (store.File, error) {
	s.fileID = id
	return s.file, s.wait(ctx)
}

func (s *source) SessionStatus(ctx context.Context, _ string) (store.Site, error) {
	return s.site, s.wait(ctx)
}

// sources are four that answer at once of a session whose file is being made.
type sources struct{ redis, stripe, files, site source }

func working() *sources {
	return &sources{
		redis: source{session: storetest.Held(storetest.FoxPrompt,
			`{"status":"processing","fileId":"`+storetest.File1+`","timestamp":"`+storetest.Ago(time.Minute)+`"}`, "")},
		stripe: source{payment: store.Payment{State: store.PaymentPaid, ChargedAt: storetest.At.Add(-time.Hour)}, event: store.Event{State: store.EventDelivered}},
		files:  source{file: store.File{State: store.FileInProgress}},
		site:   source{site: store.Site{Found: true, Status: "processing", FileID: storetest.File1}},
	}
}

func (s *sources) examiner() *Examiner {
	return &Examiner{Redis: &s.redis, Payments: &s.stripe, Files: &s.files, Site: &s.site,
		Limits: limits, Now: func() time.Time { return storetest.At }}
}

func TestExamine(t *testing.T) {
	t.Parallel()
	s := working()
	x := s.examiner().Examine(t.Context(), "cs_live_1")
	if x.Verdict != VerdictProcessing || x.Payment.State != store.PaymentPaid || x.Event.State != store.EventDelivered ||
		x.File.State != store.FileInProgress || !x.SiteAgrees() || x.At != storetest.At || x.Session.ID != "cs_live_1" {
		t.Errorf("got %+v", x)
	}
	if err := errors.Join(x.RedisErr, x.FileErr, x.SiteErr); err != nil {
		t.Error(err)
	}
}

// TestEventHasTimeOfDelayedPayment, and with it the payment.
func TestEventHasTimeOfDelayedPayment(t *testing.T) {
	t.Parallel()
	s := working()
	s.stripe.event.PaidAt = storetest.At.Add(-time.Minute)
	if x := s.examiner().Examine(t.Context(), "cs_live_1"); !x.Payment.PaidAt.Equal(storetest.At.Add(-time.Minute)) {
		t.Errorf("paid at %s", x.Payment.PaidAt)
	}
	known := store.Payment{SessionID: "cs_live_1", State: store.PaymentPaid, PaidAt: storetest.At.Add(-time.Hour)}
	if s.stripe.event.PaidAt = (time.Time{}); !s.examiner().ExaminePaid(t.Context(), known).Payment.PaidAt.Equal(known.PaidAt) {
		t.Error("what was known is forgotten")
	}
}

func TestExaminePaidDoesNotAskForThePayment(t *testing.T) {
	t.Parallel()
	s := working()
	p := store.Payment{SessionID: "cs_live_2", State: store.PaymentRefunded}
	x := s.examiner().ExaminePaid(t.Context(), p)
	if x.Verdict != VerdictRefunded || x.Session.ID != "cs_live_2" || s.stripe.asked != 1 {
		t.Errorf("got %s of %s, Stripe asked %d times", x.Verdict, x.Session.ID, s.stripe.asked)
	}
}

func TestExamineSkipsUnneededRequests(t *testing.T) {
	t.Parallel()
	s := working()
	s.redis.session = storetest.Held(storetest.FoxPrompt, "", "")
	s.stripe.payment, s.site.site = store.Payment{State: store.PaymentMissing}, store.Site{}
	s.examiner().Examine(t.Context(), "cs_live_1")
	if s.files.asked != 0 || s.stripe.asked != 1 {
		t.Errorf("files asked %d times, Stripe %d times", s.files.asked, s.stripe.asked)
	}
}

func TestExamineWithRedisAlone(t *testing.T) {
	t.Parallel()
	s := working()
	examiner := &Examiner{Redis: &s.redis, Limits: limits, Now: func() time.Time { return storetest.At }}
	x := examiner.Examine(t.Context(), "cs_live_1")
	if x.Payment.Why != store.NoStripeKey || x.File.State != store.FileUnknown || !errors.Is(x.FileErr, ErrNotAsked) ||
		!errors.Is(x.SiteErr, ErrNotAsked) || x.Verdict != VerdictProcessing {
		t.Errorf("got %+v", x)
	}
}
