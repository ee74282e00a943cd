package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// fakeNotes is a channel with the notes of all replicas.
type fakeNotes struct {
	mu     sync.Mutex
	notes  []Outage
	events []string
	err    error         // of every call
	closed bool          // the channel's history cannot be read
	slow   time.Duration // until a note is changed
}

func (f *fakeNotes) FindOutage(context.Context) (Outage, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.err != nil:
		return Outage{}, false, f.err
	case f.closed:
		return Outage{}, false, ErrHistoryForbidden
	}
	for _, o := range f.notes {
		if o.Until.IsZero() {
			return o, true, nil
		}
	}
	return Outage{}, false, nil
}

func (f *fakeNotes) PostOutage(_ context.Context, o Outage) (store.Message, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return store.Message{}, f.err
	}
	o.Note = store.Message{Channel: "C1", TS: fmt.Sprint(len(f.notes) + 1)}
	f.notes, f.events = append(f.notes, o), append(f.events, "away: "+o.Cause.Error())
	return o.Note, nil
}

func (f *fakeNotes) ResolveOutage(_ context.Context, o Outage) error {
	time.Sleep(f.slow)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return f.err
	}
	for n := range f.notes {
		if f.notes[n].Note == o.Note {
			f.notes[n] = o
		}
	}
	f.events = append(f.events, "back after "+o.Until.Sub(o.Since).Round(10*time.Second).String())
	return nil
}

// fail makes every call fail, nil = none.
func (f *fakeNotes) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

// outages are replicas in a synctest bubble.
type outages struct {
	*fakeNotes
	t      *testing.T
	log    strings.Builder
	logger *slog.Logger
	redis  error // that each election meets
	runs   []*outageReporter
}

func newOutages(t *testing.T) *outages {
	o := &outages{t: t, fakeNotes: &fakeNotes{}}
	o.logger = slog.New(slog.NewTextHandler(&o.log, nil)) // one, which does not write two lines at once
	return o
}

// start starts a replica, and returns what stops it.
func (o *outages) start() (stop func()) {
	w := New(Config{Timings: DefaultTimings(), Interval: time.Minute, Now: time.Now, Outages: o.fakeNotes,
		Log: o.logger})
	ctx, cancel := context.WithCancel(o.t.Context())
	var tasks sync.WaitGroup
	tasks.Go(func() { w.outage.run(ctx) })
	tasks.Go(func() {
		for ctx.Err() == nil {
			o.mu.Lock()
			err := o.redis
			o.mu.Unlock()
			w.outage.observe(ctx, err)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	})
	o.runs = append(o.runs, w.outage)
	return func() { cancel(); tasks.Wait() }
}

// pass lets time pass while Redis answers with err.
func (o *outages) pass(d time.Duration, err error) {
	o.mu.Lock()
	o.redis = err
	o.mu.Unlock()
	time.Sleep(d)
	synctest.Wait()
}

func (o *outages) expect(want ...string) {
	o.t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if got := strings.Join(o.events, ", "); got != strings.Join(want, ", ") {
		o.t.Errorf("shown %q, want %q", got, want)
	}
	o.events = nil
}

var errAway = errors.New("no answer")

// TestOutageNote: however many replicas notice that Redis is away, one note says so,
// and it is resolved once.
func TestOutageNote(t *testing.T) {
	t.Parallel()
	const long = 5 * time.Minute
	for _, c := range []struct {
		name     string
		replicas int
		story    func(o *outages, stop func())
		want     []string
	}{
		{"four and a half minutes", 3, func(o *outages, _ func()) {
			o.pass(long, nil)
			o.pass(270*time.Second, errAway)
			o.pass(long, nil)
		}, []string{"away: no answer", "back after 4m30s"}},
		{"away when the replicas start", 3, func(o *outages, _ func()) {
			o.pass(long, errAway)
			o.pass(long, nil)
		}, []string{"away: no answer", "back after 5m0s"}},
		{"a failover", 3, func(o *outages, _ func()) {
			o.pass(25*time.Second, errAway)
			o.pass(long, nil)
		}, nil},
		{"back for a moment", 2, func(o *outages, _ func()) {
			o.pass(2*time.Minute, errAway)
			o.pass(5*time.Second, nil)
			o.pass(2*time.Minute, errAway)
			o.pass(long, nil)
		}, []string{"away: no answer", "back after 4m10s"}},
		{"away three times within a minute", 2, func(o *outages, _ func()) {
			for range 3 {
				o.pass(8*time.Second, errAway)
				o.pass(8*time.Second, nil)
			}
			o.pass(long, nil)
		}, nil},
		{"hardly ever back", 3, func(o *outages, _ func()) {
			for range 12 {
				o.pass(20*time.Second, errAway)
				o.pass(5*time.Second, nil)
			}
			o.pass(long, nil)
		}, []string{"away: no answer", "back after 5m0s"}},
		{"a missing answer now and then", 2, func(o *outages, _ func()) {
			for range 20 {
				o.pass(time.Second, errAway)
				o.pass(7*time.Second, nil)
			}
			o.pass(long, nil)
		}, nil},
		{"another fault meanwhile", 2, func(o *outages, _ func()) {
			o.pass(2*time.Minute, errAway)
			o.pass(2*time.Minute, errors.New("loading"))
			o.pass(long, nil)
		}, []string{"away: no answer", "back after 4m0s"}},
		{"restarted while hardly ever back", 1, func(o *outages, stop func()) {
			o.pass(25*time.Second, errAway)
			stop()
			o.start()
			o.pass(5*time.Second, nil)
			o.pass(2*time.Minute, errAway)
			o.pass(long, nil)
		}, []string{"away: no answer", "back after 2m0s"}},
		{"the channel refuses the note for a while", 2, func(o *outages, _ func()) {
			o.fail(&DeliveryError{NeedsPerson: true, Err: errAway})
			o.pass(long, errAway)
			o.fail(nil)
			o.pass(2*time.Minute, errAway)
			o.pass(long, nil)
		}, []string{"away: no answer", "back after 7m0s"}},
		{"the channel refuses the note for good", 2, func(o *outages, _ func()) {
			o.fail(&DeliveryError{NeedsPerson: true, Err: errAway})
			o.pass(long, errAway)
			o.pass(long, nil)
			o.fail(nil)
			o.pass(long, nil)
		}, nil},
		{"away again while the note is resolved", 1, func(o *outages, _ func()) {
			o.slow = 10 * time.Second
			o.pass(2*time.Minute, errAway)
			o.pass(15*time.Second, nil)
			o.pass(3*time.Minute, errAway)
			o.pass(long, nil)
		}, []string{"away: no answer", "back after 2m0s", "away: no answer", "back after 3m0s"}},
		{"twice", 2, func(o *outages, _ func()) {
			o.pass(2*time.Minute, errAway)
			o.pass(long, nil)
			o.pass(3*time.Minute, errors.New("full"))
			o.pass(long, nil)
		}, []string{"away: no answer", "back after 2m0s", "away: full", "back after 3m0s"}},
		{"a replica starts meanwhile, the one that posted ends", 1, func(o *outages, stop func()) {
			o.pass(2*time.Minute, errAway)
			stop()
			o.start()
			o.pass(2*time.Minute, errAway)
			o.pass(long, nil)
		}, []string{"away: no answer", "back after 4m0s"}},
		{"no replica lives when Redis is back", 1, func(o *outages, stop func()) {
			o.pass(2*time.Minute, errAway)
			stop()
			o.start()
			o.pass(long, nil)
		}, []string{"away: no answer", "back after 2m0s"}},
		{"Slack is away too", 2, func(o *outages, _ func()) {
			o.fail(&DeliveryError{Unclear: true, Err: errAway})
			o.pass(2*time.Minute, errAway)
			o.fail(nil)
			o.pass(3*time.Minute, errAway)
			o.fail(&DeliveryError{After: time.Minute, Err: errAway})
			o.pass(time.Minute, nil)
			o.fail(nil)
			o.pass(long, nil)
		}, []string{"away: no answer", "back after 5m0s"}},
		{"the channel cannot be read", 1, func(o *outages, _ func()) {
			o.closed = true
			o.pass(long, errAway)
			o.pass(long, nil)
		}, []string{"away: no answer", "back after 5m0s"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOutages(t)
				var stop func()
				for range c.replicas {
					stop = o.start()
				}
				c.story(o, stop)
				o.expect(c.want...)
			})
		})
	}
}

// TestOutageIsLoggedOnce when it begins and once when it ends.
func TestOutageIsLoggedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOutages(t)
		o.start()
		o.pass(270*time.Second, errAway)
		o.pass(time.Minute, nil)
		lines := strings.Split(strings.TrimSpace(o.log.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], "Redis unavailable") || !strings.Contains(lines[1], "after_s=27") {
			t.Errorf("log:\n%s", o.log.String())
		}
	})
}

// TestOutageExplainsGap: an outage with a note is not reported again as a gap.
func TestOutageExplainsGap(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOutages(t)
		o.start()
		swept := time.Now()
		o.pass(time.Minute, nil)
		o.pass(10*time.Minute, errAway)
		o.pass(time.Minute, nil)
		r := o.runs[0]
		for _, c := range []struct {
			name string
			from time.Time
			want bool
		}{
			{"the outage", swept, true},
			{"nobody watched for long before", swept.Add(-time.Hour), false},
			{"nobody watched afterwards", time.Now(), false},
		} {
			if got := r.explains(c.from, time.Now()); got != c.want {
				t.Errorf("%s: explained %t", c.name, got)
			}
		}
		o.pass(time.Hour, nil)
		o.pass(20*time.Second, errAway)
		o.pass(time.Minute, nil)
		if r.explains(time.Now().Add(-2*time.Minute), time.Now()) {
			t.Error("an outage without a note explains a gap")
		}
	})
}
