package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
)

// source plays Redis, Stripe, SuperDuperAI and the site. Each answers after its
// delay; a deaf one does not hear that the asker has gone, and ends with the
// test only.
type source struct {
	session Session
	payment Payment
	event   Event
	file    File
	site    Site
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

func (s *source) Session(ctx context.Context, _ string) (Session, error) {
	return s.session, s.wait(ctx)
}

func (s *source) Payment(ctx context.Context, id string) Payment {
	if s.wait(ctx) != nil {
		return Payment{SessionID: id, State: PaymentUnverified, Why: StripeFault}
	}
	return s.payment
}

func (s *source) Event(ctx context.Context, _ Payment) Event {
	if s.wait(ctx) != nil {
		return Event{}
	}
	return s.event
}

func (s *source) File(ctx context.Context, id string) (File, error) {
	s.fileID = id
	return s.file, s.wait(ctx)
}

func (s *source) SessionStatus(ctx context.Context, _ string) (Site, error) {
	return s.site, s.wait(ctx)
}

// sources are four that answer at once of a session whose file is being made.
type sources struct{ redis, stripe, files, site source }

func working() *sources {
	return &sources{
		redis: source{session: Held(FoxPrompt,
			`{"status":"processing","fileId":"`+File1+`","timestamp":"`+Ago(time.Minute)+`"}`, "")},
		stripe: source{payment: Payment{State: PaymentPaid, ChargedAt: At.Add(-time.Hour)}, event: Event{State: EventDelivered}},
		files:  source{file: File{State: FileInProgress}},
		site:   source{site: Site{Found: true, Status: "processing", FileID: File1}},
	}
}

func (s *sources) examiner() *Examiner {
	return &Examiner{Redis: &s.redis, Payments: &s.stripe, Files: &s.files, Site: &s.site,
		Limits: limits, Now: func() time.Time { return At }}
}

func TestExamine(t *testing.T) {
	t.Parallel()
	s := working()
	x := s.examiner().Examine(t.Context(), "cs_live_1")
	if x.Verdict != VerdictProcessing || x.Payment.State != PaymentPaid || x.Event.State != EventDelivered ||
		x.File.State != FileInProgress || !x.SiteAgrees() || x.At != At || x.Session.ID != "cs_live_1" {
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
	s.stripe.event.PaidAt = At.Add(-time.Minute)
	if x := s.examiner().Examine(t.Context(), "cs_live_1"); !x.Payment.PaidAt.Equal(At.Add(-time.Minute)) {
		t.Errorf("paid at %s", x.Payment.PaidAt)
	}
	known := Payment{SessionID: "cs_live_1", State: PaymentPaid, PaidAt: At.Add(-time.Hour)}
	if s.stripe.event.PaidAt = (time.Time{}); !s.examiner().ExaminePaid(t.Context(), known).Payment.PaidAt.Equal(known.PaidAt) {
		t.Error("what was known is forgotten")
	}
}

// TestFilesBesideTheOneThatCounts: another key, or the site, names one that is
// finished.
func TestFilesBesideTheOneThatCounts(t *testing.T) {
	t.Parallel()
	for name, session := range map[string]Session{
		"the site": Held(FoxPrompt, "", ""),
		"a key":    Held(FoxPrompt, `{"status":"processing","fileId":"`+File1+`","timestamp":"`+Ago(time.Hour)+`"}`, `{"prompt":"A fox","status":"pending","timestamp":"`+Ago(time.Minute)+`"}`),
	} {
		s := working()
		s.redis.session, s.files.file = session, File{State: FileCompleted}
		if name == "a key" {
			s.site.site = Site{}
		}
		x := s.examiner().Examine(t.Context(), "cs_live_1")
		if x.Verdict != VerdictUndelivered || x.Deliver != File1 || s.files.asked != 1 {
			t.Errorf("%s: %s, delivers %q, asked %d times", name, x.Verdict, x.Deliver, s.files.asked)
		}
	}
}

func TestExaminePaidDoesNotAskForThePayment(t *testing.T) {
	t.Parallel()
	s := working()
	p := Payment{SessionID: "cs_live_2", State: PaymentRefunded}
	x := s.examiner().ExaminePaid(t.Context(), p)
	if x.Verdict != VerdictRefunded || x.Session.ID != "cs_live_2" || s.stripe.asked != 1 {
		t.Errorf("got %s of %s, Stripe asked %d times", x.Verdict, x.Session.ID, s.stripe.asked)
	}
}

func TestExamineAsksNobodyInVain(t *testing.T) {
	t.Parallel()
	s := working()
	s.redis.session = Held(FoxPrompt, "", "")
	s.stripe.payment, s.site.site = Payment{State: PaymentMissing}, Site{}
	s.examiner().Examine(t.Context(), "cs_live_1")
	if s.files.asked != 0 || s.stripe.asked != 1 {
		t.Errorf("files asked %d times, Stripe %d times", s.files.asked, s.stripe.asked)
	}
}

// TestExamineAsksForTheFileThatCounts: a status from the future does not.
func TestExamineAsksForTheFileThatCounts(t *testing.T) {
	t.Parallel()
	s := working()
	s.redis.session = Held("", `{"status":"error","fileId":"other","timestamp":"`+Ago(-time.Hour)+`"}`,
		`{"prompt":"A fox","status":"processing","fileId":"`+File1+`","timestamp":"`+Ago(time.Minute)+`"}`)
	x := s.examiner().Examine(t.Context(), "cs_live_1")
	if s.files.fileID != File1 || x.Verdict != VerdictProcessing {
		t.Errorf("asked for %q, and it is %s", s.files.fileID, x.Verdict)
	}
}

// TestExamineAFileThatIsNotKnown: only where the API has to know it that is
// the session's fault.
func TestExamineAFileThatIsNotKnown(t *testing.T) {
	t.Parallel()
	for proven, want := range map[bool]Verdict{true: VerdictStalled, false: VerdictUnclear} {
		s := working()
		s.redis.session = Held(FoxPrompt, `{"status":"processing","fileId":"`+File1+`","timestamp":"`+Ago(time.Hour)+`"}`, "")
		s.files.err = &FileError{Trouble: FileNotFound, Err: errors.New("404")}
		x := s.examiner()
		x.Proven = func(_ context.Context, created time.Time) bool {
			if !created.Equal(At.Add(-2 * time.Hour)) {
				t.Errorf("created at %s", created)
			}
			return proven
		}
		if got := x.Examine(t.Context(), "cs_live_1"); got.Verdict != want || got.File.State != FileMissing || !errors.Is(got.FileErr, FileNotFound) {
			t.Errorf("proven %v: %+v", proven, got)
		}
	}
}

// finished is the file that was finished; without one the records break down.
type finished string

func (f finished) Known(_ context.Context, ref FileRef) (FileRecord, error) {
	switch {
	case f == "":
		return FileRecord{}, errors.New("rubbish")
	case ref.FileID != string(f):
		return FileRecord{File: File{State: FileUnchecked}}, nil
	}
	return FileRecord{File: File{State: FileCompleted}, Finished: []string{string(f)}}, nil
}

// TestExamineAFileThatWasFinished does not ask for it again, and asks where that
// is not known.
func TestExamineAFileThatWasFinished(t *testing.T) {
	t.Parallel()
	for records, asked := range map[finished]int{File1: 0, File2: 1, "": 1} {
		s := working()
		x := s.examiner()
		x.Records = records
		got := x.Examine(t.Context(), "cs_live_1")
		if s.files.asked != asked || (got.Verdict == VerdictCompleted) != (asked == 0) {
			t.Errorf("finished %q: asked %d times, %s", records, s.files.asked, got.Verdict)
		}
		x.Files = nil // the watch asks for files at its own pace
		want := map[finished]FileState{File1: FileCompleted, File2: FileUnchecked, "": FileUnknown}[records]
		if got := x.Examine(t.Context(), "cs_live_1"); got.File.State != want || (got.FileErr == nil) != (records != "") {
			t.Errorf("finished %q, and nobody to ask: %s, %v", records, got.File.State, got.FileErr)
		}
	}
}

func TestExamineWithRedisAlone(t *testing.T) {
	t.Parallel()
	s := working()
	examiner := &Examiner{Redis: &s.redis, Limits: limits, Now: func() time.Time { return At }}
	x := examiner.Examine(t.Context(), "cs_live_1")
	if x.Payment.Why != NoStripeKey || x.File.State != FileUnknown || !errors.Is(x.FileErr, ErrNotAsked) ||
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
			return x.RedisSilent && x.RedisErr != nil && x.Verdict == VerdictUnclear && x.Payment.State == PaymentPaid &&
				x.SiteErr == nil
		}},
		{"Stripe", func(s *sources) *source { return &s.stripe }, func(x Examination) bool {
			return x.Payment.State == PaymentUnverified && x.Event.State == EventUnknown && x.Verdict == VerdictProcessing
		}},
		{"the file", func(s *sources) *source { return &s.files }, func(x Examination) bool {
			return x.File.State == FileUnknown && x.FileErr != nil && x.Verdict == VerdictProcessing
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
		if took := time.Since(start); took > DefaultDeadlines().All || x.Verdict != VerdictUnclear || x.Payment.Why != StripeNoAnswer {
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
		if took := time.Since(start); took != DefaultDeadlines().Stripe || x.Payment.State != PaymentPaid || x.Event.State != EventUnknown {
			t.Errorf("after %s: %+v, %+v", took, x.Payment, x.Event)
		}
	})
}

// leaving is the site of one who leaves while it is asked.
type leaving struct{ leave func() }

func (l leaving) SessionStatus(context.Context, string) (Site, error) {
	l.leave()
	return Site{}, nil
}

// TestExamineWithRedisFrozen: asked for the session alone, and for its job as well;
// nothing but the examination's own deadline ends that, and who leaves is not kept.
func TestExamineWithRedisFrozen(t *testing.T) {
	t.Parallel()
	for name, both := range map[string]bool{"the session": false, "both": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			r := OpenTest(t, Deaf(server.URL()))
			server.Freeze(t)
			t.Cleanup(func() { server.Thaw(t) })
			s := working()
			examiner := s.examiner()
			examiner.Redis = Reader{Redis: r}
			if both {
				examiner.Jobs = silentJobs{r}
			}
			var x Examination
			testenv.Returns(t, "the examination", func() { x = examiner.Examine(t.Context(), "cs_live_1") })
			if !x.RedisSilent || !errors.Is(x.RedisErr, ErrSilent) || x.Payment.State != PaymentPaid || x.SiteErr != nil {
				t.Errorf("got %+v", x)
			}
			if both && !errors.Is(x.JobErr, ErrSilent) {
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
	if !errors.Is(x.FileErr, errPanicked) || !strings.Contains(x.FileErr.Error(), "out of order") {
		t.Errorf("got %v", x.FileErr)
	}
}

func TestSiteAgrees(t *testing.T) {
	t.Parallel()
	processing := Held(FoxPrompt, `{"status":"processing"}`, "")
	nothing := Held(FoxPrompt, "", "")
	pendingFile := Held(FoxPrompt, `{"status":"pending","fileId":"`+File1+`"}`, "")
	for _, c := range []struct {
		site    Site
		session Session
		want    bool
	}{
		{Site{Found: true, Status: "processing"}, processing, true},
		{Site{Found: true, Status: "completed"}, processing, false},
		{Site{Found: true, Status: "rubbish"}, processing, false},
		{Site{}, processing, false},
		{Site{Status: "pending"}, nothing, true},
		{Site{Found: true, Status: "pending"}, nothing, true},
		{Site{Found: true}, nothing, true},
		{Site{Found: true, FileID: File1}, nothing, true},
		{Site{Found: true, Status: "error"}, nothing, false},
		{Site{Found: true, Status: "pending"}, pendingFile, true},
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
			wait := begin(t.Context(), time.Second, func(context.Context) (string, error) { return "here", nil })
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
	session := Held(FoxPrompt, "", "")
	for name, c := range map[string]struct {
		reads func(over <-chan struct{}) Layout
		want  Layout
	}{
		"an answer":    {func(<-chan struct{}) Layout { return LayoutThreeKey }, LayoutThreeKey},
		"none in time": {func(over <-chan struct{}) Layout { <-over; return LayoutThreeKey }, LayoutOneKey},
		"a panic":      {func(<-chan struct{}) Layout { panic("out of order") }, LayoutOneKey},
	} {
		synctest.Test(t, func(t *testing.T) {
			over := make(chan struct{})
			defer close(over)
			examiner := Examiner{Redis: holding{session}, Now: func() time.Time { return At }, Reads: func(context.Context) Layout { return c.reads(over) }}
			if got := examiner.Examine(t.Context(), session.ID).Reads; got != c.want {
				t.Errorf("%s: examined with %q, want %q", name, got, c.want)
			}
		})
	}
}

// holding is a Redis with one session.
type holding struct{ s Session }

func (h holding) Session(context.Context, string) (Session, error) { return h.s, nil }

// silentJobs are kept in a Redis that does not answer.
type silentJobs struct{ redis *Redis }

func (j silentJobs) JobOf(ctx context.Context, _ string) (SessionJob, error) {
	_, err := j.redis.Ping(ctx)
	return SessionJob{}, err
}
