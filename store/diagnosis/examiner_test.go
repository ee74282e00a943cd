package diagnosis

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/superduperai/sessionbot/internal/panics"
	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
	"github.com/superduperai/sessionbot/store/sessions"
	"github.com/superduperai/sessionbot/store/storetest"
)

// source plays Redis, Stripe, SuperDuperAI and the site. Each answers after its
// delay; a deaf one does not hear that the asker has gone, and ends with the
// test only.
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
	fileID  string // of the file that was asked for
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

// TestEventTellsWhenADelayedPaymentArrived, and with it the payment.
func TestEventTellsWhenADelayedPaymentArrived(t *testing.T) {
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

// TestFilesBesideTheOneThatCounts: another key, or the site, names one that is
// finished.
func TestFilesBesideTheOneThatCounts(t *testing.T) {
	t.Parallel()
	for name, session := range map[string]store.Session{
		"the site": storetest.Held(storetest.FoxPrompt, "", ""),
		"a key":    storetest.Held(storetest.FoxPrompt, `{"status":"processing","fileId":"`+storetest.File1+`","timestamp":"`+storetest.Ago(time.Hour)+`"}`, `{"prompt":"A fox","status":"pending","timestamp":"`+storetest.Ago(time.Minute)+`"}`),
	} {
		s := working()
		s.redis.session, s.files.file = session, store.File{State: store.FileCompleted}
		if name == "a key" {
			s.site.site = store.Site{}
		}
		x := s.examiner().Examine(t.Context(), "cs_live_1")
		if x.Verdict != VerdictUndelivered || x.Deliver != storetest.File1 || s.files.asked != 1 {
			t.Errorf("%s: %s, delivers %q, asked %d times", name, x.Verdict, x.Deliver, s.files.asked)
		}
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

func TestExamineAsksNobodyInVain(t *testing.T) {
	t.Parallel()
	s := working()
	s.redis.session = storetest.Held(storetest.FoxPrompt, "", "")
	s.stripe.payment, s.site.site = store.Payment{State: store.PaymentMissing}, store.Site{}
	s.examiner().Examine(t.Context(), "cs_live_1")
	if s.files.asked != 0 || s.stripe.asked != 1 {
		t.Errorf("files asked %d times, Stripe %d times", s.files.asked, s.stripe.asked)
	}
}

// TestExamineAsksForTheFileThatCounts: a status from the future does not.
func TestExamineAsksForTheFileThatCounts(t *testing.T) {
	t.Parallel()
	s := working()
	s.redis.session = storetest.Held("", `{"status":"error","fileId":"other","timestamp":"`+storetest.Ago(-time.Hour)+`"}`,
		`{"prompt":"A fox","status":"processing","fileId":"`+storetest.File1+`","timestamp":"`+storetest.Ago(time.Minute)+`"}`)
	x := s.examiner().Examine(t.Context(), "cs_live_1")
	if s.files.fileID != storetest.File1 || x.Verdict != VerdictProcessing {
		t.Errorf("asked for %q, and it is %s", s.files.fileID, x.Verdict)
	}
}

// TestExamineAFileThatIsNotKnown: only where the API has to know it that is
// the session's fault.
func TestExamineAFileThatIsNotKnown(t *testing.T) {
	t.Parallel()
	for proven, want := range map[bool]Verdict{true: VerdictStalled, false: VerdictUnclear} {
		s := working()
		s.redis.session = storetest.Held(storetest.FoxPrompt, `{"status":"processing","fileId":"`+storetest.File1+`","timestamp":"`+storetest.Ago(time.Hour)+`"}`, "")
		s.files.err = &store.FileError{Trouble: store.FileNotFound, Err: errors.New("404")}
		x := s.examiner()
		x.Proven = func(_ context.Context, created time.Time) bool {
			if !created.Equal(storetest.At.Add(-2 * time.Hour)) {
				t.Errorf("created at %s", created)
			}
			return proven
		}
		if got := x.Examine(t.Context(), "cs_live_1"); got.Verdict != want || got.File.State != store.FileMissing || !errors.Is(got.FileErr, store.FileNotFound) {
			t.Errorf("proven %v: %+v", proven, got)
		}
	}
}

// finished is the file that was finished; without one the records break down.
type finished string

func (f finished) Known(_ context.Context, ref store.FileRef) (FileRecord, error) {
	switch {
	case f == "":
		return FileRecord{}, errors.New("rubbish")
	case ref.FileID != string(f):
		return FileRecord{File: store.File{State: store.FileUnchecked}}, nil
	}
	return FileRecord{File: store.File{State: store.FileCompleted}, Finished: []string{string(f)}}, nil
}

// TestExamineAFileThatWasFinished does not ask for it again, and asks where that
// is not known.
func TestExamineAFileThatWasFinished(t *testing.T) {
	t.Parallel()
	for records, asked := range map[finished]int{storetest.File1: 0, storetest.File2: 1, "": 1} {
		s := working()
		x := s.examiner()
		x.Records = records
		got := x.Examine(t.Context(), "cs_live_1")
		if s.files.asked != asked || (got.Verdict == VerdictCompleted) != (asked == 0) {
			t.Errorf("finished %q: asked %d times, %s", records, s.files.asked, got.Verdict)
		}
		x.Files = nil // the watch asks for files at its own pace
		want := map[finished]store.FileState{storetest.File1: store.FileCompleted, storetest.File2: store.FileUnchecked, "": store.FileUnknown}[records]
		if got := x.Examine(t.Context(), "cs_live_1"); got.File.State != want || (got.FileErr == nil) != (records != "") {
			t.Errorf("finished %q, and nobody to ask: %s, %v", records, got.File.State, got.FileErr)
		}
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

// TestExamineInTime lets each source hang or break down: the rest is told, and
// in time.
func TestExamineInTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		broken func(*sources) *source
		check  func(Examination) bool
	}{
		{"Redis", func(s *sources) *source { return &s.redis }, func(x Examination) bool {
			return x.RedisSilent && x.RedisErr != nil && x.Verdict == VerdictUnclear && x.Payment.State == store.PaymentPaid &&
				x.SiteErr == nil
		}},
		{"Stripe", func(s *sources) *source { return &s.stripe }, func(x Examination) bool {
			return x.Payment.State == store.PaymentUnverified && x.Event.State == store.EventUnknown && x.Verdict == VerdictProcessing
		}},
		{"the file", func(s *sources) *source { return &s.files }, func(x Examination) bool {
			return x.File.State == store.FileUnknown && x.FileErr != nil && x.Verdict == VerdictProcessing
		}},
		{"the site", func(s *sources) *source { return &s.site }, func(x Examination) bool {
			return x.SiteErr != nil && x.Verdict == VerdictProcessing && x.FileErr == nil
		}},
	} {
		for way, breakIt := range map[string]func(s *source, end <-chan struct{}){
			"hangs":         func(s *source, _ <-chan struct{}) { s.delay = time.Hour },
			"hangs, deaf":   func(s *source, end <-chan struct{}) { s.deaf = end },
			"panics":        func(s *source, _ <-chan struct{}) { s.panics = true },
			"answers wrong": func(s *source, _ <-chan struct{}) { s.err = errors.New("rubbish") },
		} {
			t.Run(fmt.Sprint(c.name, " ", way), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := working()
					end := make(chan struct{})
					defer close(end)
					breakIt(c.broken(s), end)
					start := time.Now()
					x := s.examiner().Examine(t.Context(), "cs_live_1")
					if took := time.Since(start); took > DefaultDeadlines().All {
						t.Errorf("took %s", took)
					}
					if !c.check(x) {
						t.Errorf("got %+v", x)
					}
				})
			})
		}
	}
}

func TestExamineWhenAllHang(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := working()
		end := make(chan struct{})
		defer close(end)
		for _, source := range []*source{&s.redis, &s.stripe, &s.files, &s.site} {
			source.deaf = end
		}
		start := time.Now()
		x := s.examiner().Examine(t.Context(), "cs_live_1")
		if took := time.Since(start); took > DefaultDeadlines().All || x.Verdict != VerdictUnclear || x.Payment.Why != store.StripeNoAnswer {
			t.Errorf("%s after %s: %+v", x.Verdict, took, x)
		}
	})
}

// TestExamineKeepsThePaymentWhoseEventIsLate: both share one deadline.
func TestExamineKeepsThePaymentWhoseEventIsLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := working()
		s.stripe.delay = 1500 * time.Millisecond
		start := time.Now()
		x := s.examiner().Examine(t.Context(), "cs_live_1")
		if took := time.Since(start); took != DefaultDeadlines().Stripe || x.Payment.State != store.PaymentPaid || x.Event.State != store.EventUnknown {
			t.Errorf("after %s: %+v, %+v", took, x.Payment, x.Event)
		}
	})
}

// leaving is the site of one who leaves while it is asked.
type leaving struct{ leave func() }

func (l leaving) SessionStatus(context.Context, string) (store.Site, error) {
	l.leave()
	return store.Site{}, nil
}

// TestExamineWithRedisFrozen: asked for the session alone, and for its job as well;
// nothing but the examination's own deadline ends that, and who leaves is not kept.
func TestExamineWithRedisFrozen(t *testing.T) {
	t.Parallel()
	for name, both := range map[string]bool{"the session": false, "both": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			r := rdbtest.Open(t, rdbtest.Deaf(server.URL()))
			server.Freeze(t)
			t.Cleanup(func() { server.Thaw(t) })
			s := working()
			examiner := s.examiner()
			examiner.Redis = sessions.Reader{Redis: r}
			if both {
				examiner.Jobs = silentJobs{r}
			}
			var x Examination
			testenv.Returns(t, "the examination", func() { x = examiner.Examine(t.Context(), "cs_live_1") })
			if !x.RedisSilent || !errors.Is(x.RedisErr, rdb.ErrNoAnswer) || x.Payment.State != store.PaymentPaid || x.SiteErr != nil {
				t.Errorf("got %+v", x)
			}
			if both && !errors.Is(x.JobErr, rdb.ErrNoAnswer) {
				t.Errorf("the job: %v", x.JobErr)
			}
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			examiner.Site = leaving{leave}
			if x := examiner.Examine(ctx, "cs_live_1"); !errors.Is(x.RedisErr, context.Canceled) {
				t.Errorf("who left was kept: %v", x.RedisErr)
			}
		})
	}
}

func TestPanicsAreErrors(t *testing.T) {
	t.Parallel()
	s := working()
	s.files.panics = true
	x := s.examiner().Examine(t.Context(), "cs_live_1")
	if _, panicked := errors.AsType[*panics.Error](x.FileErr); !panicked {
		t.Errorf("got %v", x.FileErr)
	}
}

func TestSiteAgrees(t *testing.T) {
	t.Parallel()
	processing := storetest.Held(storetest.FoxPrompt, `{"status":"processing"}`, "")
	nothing := storetest.Held(storetest.FoxPrompt, "", "")
	pendingFile := storetest.Held(storetest.FoxPrompt, `{"status":"pending","fileId":"`+storetest.File1+`"}`, "")
	for _, c := range []struct {
		site    store.Site
		session store.Session
		want    bool
	}{
		{store.Site{Found: true, Status: "processing"}, processing, true},
		{store.Site{Found: true, Status: "completed"}, processing, false},
		{store.Site{Found: true, Status: "rubbish"}, processing, false},
		{store.Site{}, processing, false},
		{store.Site{Status: "pending"}, nothing, true},
		{store.Site{Found: true, Status: "pending"}, nothing, true},
		{store.Site{Found: true}, nothing, true},
		{store.Site{Found: true, FileID: storetest.File1}, nothing, true},
		{store.Site{Found: true, Status: "error"}, nothing, false},
		{store.Site{Found: true, Status: "pending"}, pendingFile, true},
	} {
		x := Examination{Evidence: Evidence{Session: c.session, Site: &c.site}}
		if got := x.SiteAgrees(); got != c.want {
			t.Errorf("site %+v, Redis %q: agrees %v", c.site, c.session.Status(), got)
		}
	}
}

// TestAnswersCountHoweverLate: what a source answered in time is not lost on who
// looks late.
func TestAnswersCountHoweverLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for range 50 { // a choice between both would be made at random
			wait := startCall(t.Context(), time.Second, func(context.Context) (string, error) { return "here", nil })
			<-time.After(2 * time.Second) // on the bubble's clock
			if answer, err := wait(); answer != "here" || err != nil {
				t.Fatalf("got %q, %v", answer, err)
			}
		}
	})
}

// tries counts lookups.
type tries struct{ agreed, failed int }

func (c *tries) Count(_ time.Time, agreed bool) {
	if agreed {
		c.agreed++
	} else {
		c.failed++
	}
}

// TestLookupsAreCounted: each answer of the site, and each that did not come.
func TestLookupsAreCounted(t *testing.T) {
	t.Parallel()
	s, counted := working(), tries{}
	x := s.examiner()
	x.Lookups = &counted
	for range 3 {
		x.Examine(t.Context(), "cs_live_1")
	}
	s.site.err = errors.New("away")
	x.Examine(t.Context(), "cs_live_1")
	if counted != (tries{3, 1}) {
		t.Errorf("counted %+v", counted)
	}
}

// TestExaminedWithTheSitesLayout: one-key is taken where no answer comes.
func TestExaminedWithTheSitesLayout(t *testing.T) {
	t.Parallel()
	session := storetest.Held(storetest.FoxPrompt, "", "")
	for name, c := range map[string]struct {
		reads func(over <-chan struct{}) store.Layout
		want  store.Layout
	}{
		"an answer":    {func(<-chan struct{}) store.Layout { return store.LayoutThreeKey }, store.LayoutThreeKey},
		"none in time": {func(over <-chan struct{}) store.Layout { <-over; return store.LayoutThreeKey }, store.LayoutOneKey},
		"a panic":      {func(<-chan struct{}) store.Layout { panic("out of order") }, store.LayoutOneKey},
	} {
		synctest.Test(t, func(t *testing.T) {
			over := make(chan struct{})
			defer close(over)
			examiner := Examiner{Redis: holding{session}, Now: func() time.Time { return storetest.At }, Reads: func(context.Context) store.Layout { return c.reads(over) }}
			if got := examiner.Examine(t.Context(), session.ID).Reads; got != c.want {
				t.Errorf("%s: examined with %q, want %q", name, got, c.want)
			}
		})
	}
}

// holding is a Redis with one session.
type holding struct{ s store.Session }

func (h holding) Session(context.Context, string) (store.Session, error) { return h.s, nil }

// silentJobs are kept in a Redis that does not answer.
type silentJobs struct{ redis *rdb.Redis }

func (j silentJobs) JobOf(ctx context.Context, _ string) (SessionJob, error) {
	_, err := j.redis.Ping(ctx)
	return SessionJob{}, err
}
