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
)

// TestExamineDeadlines lets each source hang or fail: the rest is reported, and
// in time.
func TestExamineDeadlines(t *testing.T) {
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

func TestExamineAllSourcesHang(t *testing.T) {
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

// leaving is a site whose caller cancels during the request.
type leaving struct{ leave func() }

func (l leaving) SessionStatus(context.Context, string) (store.Site, error) {
	l.leave()
	return store.Site{}, nil
}

// TestExamineWithRedisFrozen: asked for the session alone, and for its job as well;
// only the examination's own deadline ends that, and a caller that cancels returns at once.
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
				examiner.Jobs = frozenJobs{r}
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

// TestAnswersInTimeCount: an answer that came in time counts, even if it is read late.
func TestAnswersInTimeCount(t *testing.T) {
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

// frozenJobs are kept in a Redis that does not answer.
type frozenJobs struct{ redis *rdb.Redis }

func (j frozenJobs) JobOf(ctx context.Context, _ string) (SessionJob, error) {
	_, err := j.redis.Ping(ctx)
	return SessionJob{}, err
}
