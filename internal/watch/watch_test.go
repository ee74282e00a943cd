package watch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/store"
)

func overdue() time.Time { return time.Now().Add(-grace - time.Second) }

// TestPostWithoutAnAnswer is looked up, and only posted again where it is not
// there, or nobody may look.
func TestPostWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		finds bool
		posts int
	}{{"the channel can be read", true, 1}, {"nobody may look", false, 2}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.channel.lost, b.channel.finds = 1, c.finds
			b.pays("cs_test_1", overdue())
			b.run()
			b.expect("first 1")
			if !c.finds {
				b.expect("first 1")
			} else {
				b.expect("update 1") // what the found message shows is not known
			}
			b.quiet()
			if n := b.channel.posts(); n != c.posts {
				t.Errorf("%d posts, want %d", n, c.posts)
			}
		})
	}
}

// TestKilledWhilePosting: the next replica finds the message.
func TestKilledWhilePosting(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.channel.finds, b.channel.lost = true, 1
	b.channel.posted = func() { b.cancel() }
	b.pays("cs_test_1", overdue())
	stop := b.run()
	b.expect("first 1")
	stop()
	b.run()
	b.expect("update 1")
	b.quiet()
	if n := b.channel.posts(); n != 1 {
		t.Errorf("%d posts", n)
	}
}

// TestChannelOutOfReach is noted, so that /readyz and metrics tell it, and what
// was not told is told once it is in reach.
func TestChannelOutOfReach(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.channel.away = &Refusal{Lasting: true, Advice: "Invite the bot.", Err: errors.New("not in channel")}
	b.pays("cs_test_1", overdue())
	b.run()
	b.until("the state names the advice", func() bool {
		state, err := b.records.State(t.Context())
		return err == nil && state.Unreachable == "Invite the bot."
	})
	b.channel.mu.Lock()
	b.channel.away = nil
	b.channel.mu.Unlock()
	b.expect("first 1")
	b.until("the state names nothing", func() bool {
		state, err := b.records.State(t.Context())
		return err == nil && state.Unreachable == ""
	})
	b.quiet()
}

// TestDeletedAlert is posted anew while sessions are open.
func TestDeletedAlert(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.pays("cs_test_1", overdue())
	b.run()
	b.expect("first 1")
	b.channel.mu.Lock()
	b.channel.fail = []error{&Refusal{Gone: true, Err: errors.New("gone")}}
	b.channel.mu.Unlock()
	b.pays("cs_test_2", overdue())
	b.expect("first 2")
	b.quiet()
}

// TestAlertThatCannotBeChanged is posted anew, once: the old one is left behind.
func TestAlertThatCannotBeChanged(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.pays("cs_test_1", overdue())
	b.run()
	b.expect("first 1")
	b.channel.mu.Lock()
	b.channel.fail = []error{&Refusal{Stuck: true, Err: errors.New("edit_window_closed")}}
	b.channel.mu.Unlock()
	b.pays("cs_test_2", overdue())
	b.expect("first 2")
	b.pays("cs_test_3", overdue())
	b.expect("update 3")
	b.quiet()
	if n := b.channel.posts(); n != 2 {
		t.Errorf("%d posts", n)
	}
}

// TestEndOfAnAlertThatCannotBeChanged is told all the same: what stands says
// otherwise.
func TestEndOfAnAlertThatCannotBeChanged(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.pays("cs_test_1", overdue())
	b.run()
	b.expect("first 1")
	b.channel.mu.Lock()
	b.channel.fail = []error{&Refusal{Stuck: true, Err: errors.New("is_archived")}}
	b.channel.mu.Unlock()
	b.put("webhook:cs_test_1", `{"status":"processing","timestamp":"`+time.Now().UTC().Format(time.RFC3339)+`"}`)
	b.expect("resolved 0")
	b.quiet()
}

// TestRefundedAreNotCalledOut: Stripe's lists do not show refunds, so Stripe is
// asked before somebody is called, and again while the incident is open.
func TestRefundedAreNotCalledOut(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.pays("cs_test_1", overdue())
	b.stripe.refunded["cs_test_1"] = true
	b.run()
	b.quiet()
	b.pays("cs_test_2", overdue())
	b.expect("first 1")
	b.stripe.mu.Lock()
	b.stripe.refunded["cs_test_2"] = true
	b.stripe.mu.Unlock()
	i := b.only()
	lead := b.leads()
	if _, err := b.records.ChangeIncident(t.Context(), lead, i, func(i *store.Incident) bool {
		i.Cases[0].Checked = time.Now().Add(-time.Hour) // as if it were asked about long ago
		return true
	}); err != nil {
		t.Fatal(err)
	}
	b.expect("update 0")
	if got := b.only(); got.Cases[0].Ending != store.EndRefunded {
		t.Errorf("%+v", got.Cases)
	}
}

// only is the one incident there is.
func (b *bench) only() store.Incident {
	b.t.Helper()
	incidents, err := b.records.OpenIncidents(b.t.Context(), nil)
	if err != nil || len(incidents) != 1 {
		b.t.Fatalf("%d incidents, %v", len(incidents), err)
	}
	return incidents[0]
}

// leads stands in for the leader: its token is the one that is stored.
func (b *bench) leads() store.Lead {
	b.t.Helper()
	owner, err := b.client.Get(b.t.Context(), "sessionbot:{watch}:leader").Result()
	if err != nil {
		b.t.Fatal(err)
	}
	lead, ok, err := b.records.Lead(b.t.Context(), owner)
	if err != nil || !ok {
		b.t.Fatalf("no lead: %v", err)
	}
	return lead
}

// TestSessionWithoutAnEvent is found by the list of sessions.
func TestSessionWithoutAnEvent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	at := overdue().Add(-overlap)
	b.put("prompt:cs_test_1", `{"prompt":"A fox"}`)
	b.stripe.sessions = []store.Paid{{Payment: payment("cs_test_1", at)}}
	b.run()
	b.expect("first 1")
	if got := b.only().Cases[0]; got.Event != store.EventNone || got.Amount != 100 {
		t.Errorf("%+v", got)
	}
	b.quiet()
}

// TestFixedByUsIsNoNews: who marked a session as error knows of it.
func TestFixedByUsIsNoNews(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.put("webhook:cs_test_1", `{"status":"error","error":"fixed by us","timestamp":"`+time.Now().UTC().Format(time.RFC3339)+`"}`)
	b.put("webhook:cs_test_2", `{"status":"error","error":"no","timestamp":"`+time.Now().UTC().Format(time.RFC3339)+`"}`)
	b.run()
	b.expect("first 1")
	if got := b.only().Cases[0].ID; got != "cs_test_2" {
		t.Errorf("told of %s", got)
	}
	b.quiet()
}

// TestPanicIsContained: a panic becomes an error, which tells nothing of its value.
func TestPanicIsContained(t *testing.T) {
	t.Parallel()
	err := contained(func() error { panic(strings.ToUpper("a customer's prompt")) })
	if err == nil || strings.Contains(err.Error(), "CUSTOMER") {
		t.Errorf("%v", err)
	}
}

// TestReady counts from the start, and then from the last sweep.
func TestReady(t *testing.T) {
	t.Parallel()
	h := newHours(t)
	h.lead()
	began := h.at
	if err := h.term.Ready(t.Context(), began); err != nil {
		t.Errorf("just started: %v", err)
	}
	h.at = h.at.Add(4 * h.cfg.Interval)
	if err := h.term.Ready(t.Context(), began); err == nil {
		t.Error("ready without a sweep in four intervals")
	}
	h.done(h.term.sweeps.sweep(t.Context()))
	if err := h.term.Ready(t.Context(), began); err != nil {
		t.Errorf("after a sweep: %v", err)
	}
}

// BenchmarkDetection measures from the end of the grace time to the alert being
// posted: by Stripe's events, by Redis' notifications without a Stripe key, and
// by the sweep alone. It fails where that takes too long: two seconds, and by the
// sweep one interval and its own time. Run it with -benchtime 100x.
func BenchmarkDetection(b *testing.B) {
	for _, way := range []struct {
		name          string
		stripe, notes bool
	}{{"Stripe", true, false}, {"notifications", false, true}, {"sweep", false, false}} {
		b.Run(way.name, func(b *testing.B) {
			server := redistest.Start(b)
			s := benchOn(b, server.URL(), server.Client())
			s.cfg.Interval, s.cfg.Timings = time.Second, timings
			s.cfg.AlertOn = []store.Verdict{store.VerdictOrphaned}
			if !way.stripe {
				s.cfg.Stripe, s.cfg.Payments = nil, nil
			}
			if way.notes {
				if err := s.client.ConfigSet(b.Context(), "notify-keyspace-events", "KA").Err(); err != nil {
					b.Fatal(err)
				}
			}
			s.put("session:cs_test_other", `{"prompt":"A fox","status":"completed","fileId":"0f000000-0000-4000-8000-00000000000f","createdAt":"2026-01-01T00:00:00.000Z"}`)
			s.run()
			s.until("the watch is up", func() bool {
				state, err := s.records.State(b.Context())
				return err == nil && !state.Swept.IsZero()
			})
			var took []time.Duration
			for b.Loop() {
				ends := time.Now().Add(1500 * time.Millisecond) // the end of the grace time
				id := fmt.Sprint("cs_test_", len(took))
				s.pays(id, ends.Add(-grace))
				s.expect("first 1")
				took = append(took, max(time.Since(ends), 0))
				s.until("that it is told is noted", func() bool { return s.only().Place.TS != "" })
				incident := s.only().ID
				for _, key := range []string{"sessionbot:{watch}:open", "sessionbot:{watch}:incident:" + incident,
					"sessionbot:{watch}:paid:" + id, "prompt:" + id} { // each orphan is the first
					if err := s.client.Del(b.Context(), key).Err(); err != nil {
						b.Fatal(err)
					}
				}
			}
			slices.Sort(took)
			most := 2 * time.Second
			if !way.stripe && !way.notes {
				most = s.cfg.Interval + s.figures.slowest() + 2*timings.Round
			}
			if p99 := took[len(took)*99/100]; p99 > most {
				b.Errorf("p99 is %s, more than %s", p99, most)
			}
			b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Milliseconds()), "p99-ms")
		})
	}
}

// TestPauseThatSlackAsksFor is kept, and outlives the process.
func TestPauseThatSlackAsksFor(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.channel.fail = []error{&Refusal{After: time.Hour, Err: errors.New("slow down")}}
	b.pays("cs_test_1", overdue())
	earliest := time.Now().Add(time.Hour).Truncate(time.Millisecond)
	stop := b.run()
	b.until("the pause is noted", func() bool {
		incidents, err := b.records.OpenIncidents(t.Context(), nil)
		return err == nil && len(incidents) == 1 && !incidents[0].NextTry.Before(earliest)
	})
	b.quiet()
	stop()
	b.run()
	b.quiet()
}

// TestPassesOverlap: the first reads a month, a day at a time; each later one begins where the
// last one ended, less a quarter of an hour, a new leader's too. What Stripe
// lists late is found.
func TestPassesOverlap(t *testing.T) {
	t.Parallel()
	h := newHours(t)
	h.lead()
	h.done(h.term.stripe.poll(t.Context()))
	if h.stripe.asked[0] != dayBack {
		t.Errorf("%s comes first", h.stripe.asked[0])
	}
	var month time.Duration
	for _, back := range h.stripe.asked[1:] {
		if month += back; back > dayBack {
			t.Errorf("%s are read at a time", back)
		}
	}
	if month != eventsKept {
		t.Errorf("%s of %s are read", month, eventsKept)
	}
	h.stripe.asked = nil
	h.pass(2 * time.Minute)
	h.lead()
	h.pass(time.Minute)
	if want := []time.Duration{overlap, overlap + time.Minute, overlap + time.Minute}; !slices.Equal(h.stripe.asked, want) {
		t.Errorf("then it reads %v, want %v", h.stripe.asked, want)
	}
	h.orphan("cs_test_1") // created before the last pass
	h.pass(time.Minute)
	h.tells("first 1")
}

// TestLinesThatMayHaveArrived are looked up, and not said twice, also where
// nobody may look; what certainly did not arrive is said again.
func TestLinesThatMayHaveArrived(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		err   error
		finds bool
	}{
		{"it arrived, the channel can be read", &Refusal{Unclear: true, Err: errors.New("no answer")}, true},
		{"it arrived, nobody may look", &Refusal{Unclear: true, Err: errors.New("no answer")}, false},
		{"it did not arrive", &Refusal{Err: errors.New("slow down")}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHours(t)
			h.channel.finds = c.finds
			h.lead()
			h.orphan("cs_test_0")
			h.pass(time.Minute)
			h.tells("first 1")
			for n := range 4 {
				h.orphan(fmt.Sprint("cs_test_more_", n))
			}
			h.channel.fail = []error{nil, c.err}
			h.pass(10 * time.Minute)
			h.tells("update 5", "reply threshold 5")
			if len(h.channel.fail) > 0 || h.only().Threshold != 5 {
				t.Errorf("the line does not count as said: %+v", h.only())
			}
		})
	}
}
