package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/store"
)

// hours is a bench whose clock a test moves: the leader does by hand what its
// loops do, as often as they do it.
type hours struct {
	*bench
	term  *term
	at    time.Time
	ticks int

	checkAt time.Time     // when the next file may be asked for
	stride  time.Duration // between two looks
}

// newHours begins at a time that Redis' own clock need not know of.
func newHours(t *testing.T) *hours { return hoursOn(newBench(t)) }

// hoursOn is newHours on the bench given. The lead, which ends by Redis' own
// clock, outlasts the test.
func hoursOn(b *bench) *hours {
	h := &hours{bench: b, at: time.Now().Truncate(time.Millisecond), stride: 15 * time.Second}
	h.checkAt = h.at
	h.clock(func() time.Time { return h.at })
	h.cfg.Interval, h.cfg.Timings = time.Minute, DefaultTimings()
	h.records.LeaseTimings.Life = time.Hour
	return h
}

// lead makes a new replica the leader.
func (h *hours) lead() {
	h.t.Helper()
	w := New(h.cfg)
	if h.term != nil {
		if err := h.records.Resign(h.t.Context(), h.term.owner); err != nil {
			h.t.Fatal(err)
		}
	}
	lead, ok, err := h.records.Lead(h.t.Context(), w.owner)
	if err != nil || !ok {
		h.t.Fatalf("no lead: %v", err)
	}
	if err := h.records.Begin(h.t.Context(), h.at.Add(-alertableAge)); err != nil {
		h.t.Fatal(err)
	}
	state, err := h.records.State(h.t.Context())
	h.done(err)
	h.term = w.newTerm(lead, state)
}

// pass lets time go by: every stride there is a look at what is due and at what
// is to be told, each minute a pass over Stripe and a sweep.
func (h *hours) pass(d time.Duration) {
	h.t.Helper()
	for end := h.at.Add(d); h.at.Before(end); h.at = h.at.Add(h.stride) {
		if h.cfg.Stripe != nil && h.begins(h.term.stripeInterval()) {
			_ = h.term.stripe.poll(h.t.Context()) // its failures are part of the story
		}
		if h.begins(h.cfg.Interval) {
			h.done(h.term.sweeps.sweep(h.t.Context()))
		}
		h.check()
		h.done(h.term.inspector.inspectDue(h.t.Context()))
		h.done(h.term.notifier.notifyAll(h.t.Context()))
		h.ticks++
	}
}

// begins tells whether what is done once an interval is done at this stride.
func (h *hours) begins(interval time.Duration) bool { return h.ticks%int(interval/h.stride) == 0 }

// check asks for as many of the files that are due as one step has time for.
func (h *hours) check() {
	h.t.Helper()
	for h.checkAt.Before(h.at.Add(h.stride)) {
		wait := h.term.files.delay(0)
		h.checkAt = h.checkAt.Add(wait)
		c, ok := h.term.files.next()
		if !ok {
			h.checkAt = h.at.Add(h.stride)
			return
		}
		h.done(h.term.files.check(h.t.Context(), c))
	}
}

func (h *hours) done(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// orphan has the grace time of a payment end just now.
func (h *hours) orphan(id string) {
	h.t.Helper()
	h.pays(id, h.at.Add(-grace-time.Second))
}

// told takes all that was told since it was last asked.
func (h *hours) told() []string {
	var all []string
	for {
		select {
		case news := <-h.channel.news:
			all = append(all, news)
		default:
			return all
		}
	}
}

func (h *hours) tells(want ...string) {
	h.t.Helper()
	got := h.told()
	if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		h.t.Errorf("%s in: told %q, want %q", h.at.Format(time.TimeOnly), got, want)
	}
}

// TestSlackIsAwayForAnHour: meanwhile an incident grows, is put right in part,
// is reminded of in vain; another kind of trouble begins, a third begins and
// ends, and another replica takes over. When Slack is back each is told once, as
// it stands by then. Slack is asked so seldom that it is no flood.
func TestSlackIsAwayForAnHour(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]*Refusal{
		"no answer":        {Unclear: true, Err: errors.New("no answer")},
		"it refuses":       {Err: errors.New("service unavailable")},
		"it wants a pause": {After: 30 * time.Second, Err: errors.New("slow down")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHours(t)
			h.channel.finds = true
			h.lead()
			h.orphan("cs_test_0")
			h.pass(2 * time.Minute)
			h.tells("first 1")
			h.channel.away = away
			before := h.channel.calls
			for n := range 29 {
				h.orphan(fmt.Sprint("cs_test_", n+1))
				h.pass(time.Minute)
			}
			h.put("webhook:cs_test_failed", `{"status":"error","error":"no","timestamp":"`+h.at.UTC().Format(time.RFC3339)+`"}`)
			h.put("webhook:cs_test_stalled", `{"status":"processing","timestamp":"`+h.at.Add(-grace-time.Second).UTC().Format(time.RFC3339)+`"}`)
			h.pass(5 * time.Minute)
			h.lead() // another replica
			for n := range 12 {
				h.put(fmt.Sprint("webhook:cs_test_", n), `{"status":"completed","fileId":"0f000000-0000-4000-8000-00000000000f"}`)
			}
			h.put("webhook:cs_test_stalled", `{"status":"completed","fileId":"0f000000-0000-4000-8000-00000000000f"}`)
			h.pass(26 * time.Minute)
			h.tells() // nothing
			// Three incidents, each tried once a minute; a post is looked for first.
			if calls := h.channel.calls - before; calls < 60 || calls > 4*60 {
				t.Errorf("%d calls within the hour", calls)
			} else {
				t.Logf("%d calls within the hour", calls)
			}
			h.channel.away = nil
			h.pass(2 * time.Minute)
			h.tells("update 18", "reply threshold 18", "reply reminder 18", "first 1", "resolved 0")
			h.pass(14 * time.Minute)
			h.tells("reply reminder 1") // of what was told last, as nobody acknowledged it
			for n := range 30 {
				h.put(fmt.Sprint("webhook:cs_test_", n), `{"status":"completed","fileId":"0f000000-0000-4000-8000-00000000000f"}`)
			}
			h.put("webhook:cs_test_failed", `{"status":"completed","fileId":"0f000000-0000-4000-8000-00000000000f"}`)
			h.pass(2 * time.Minute)
			h.tells("update 0", "update 0")
		})
	}
}

// TestRemindersDouble until somebody acknowledges; a snooze is silence for an
// hour, another press one more.
func TestRemindersDouble(t *testing.T) {
	t.Parallel()
	h := newHours(t)
	h.stride, h.cfg.Interval = 30*time.Second, 5*time.Minute
	h.lead()
	h.orphan("cs_test_0")
	h.pass(time.Minute)
	h.tells("first 1")
	told := h.at
	reminded := func(within time.Duration) (after []int) {
		for end := h.at.Add(within); h.at.Before(end); {
			h.pass(time.Minute)
			for range h.told() {
				after = append(after, int(h.at.Sub(told)/time.Minute))
			}
		}
		return after
	}
	if got, want := fmt.Sprint(reminded(4*time.Hour)), "[15 45 105 225]"; got != want {
		t.Errorf("reminded after %s minutes, want %s", got, want)
	}
	press := func(of func() (store.Incident, bool, error)) {
		t.Helper()
		if _, done, err := of(); !done || err != nil {
			t.Fatalf("pressed in vain: %v", err)
		}
	}
	snooze := func() (store.Incident, bool, error) {
		return h.records.Snooze(t.Context(), h.only().ID, "U1", h.at)
	}
	press(snooze)
	press(snooze)
	told = h.at
	h.pass(time.Second)
	h.tells("update 1")
	if got, want := fmt.Sprint(reminded(3*time.Hour)), "[120]"; got != want {
		t.Errorf("after two presses on Snooze reminded after %s minutes, want %s", got, want)
	}
	press(func() (store.Incident, bool, error) {
		return h.records.Acknowledge(t.Context(), h.only().ID, "U1", h.at)
	})
	h.pass(time.Second)
	h.tells("update 1")
	if got := reminded(9 * time.Hour); got != nil {
		t.Errorf("reminded of what somebody looks after, after %v minutes", got)
	}
}

// TestStripeMayNotListEvents: the key may read sessions and no more. That is
// told, once, orphans are found all the same, and nobody says that Stripe made
// no event. With the right to read events that is told, too.
func TestStripeMayNotListEvents(t *testing.T) {
	t.Parallel()
	h := newHours(t)
	h.stripe.eventless = fmt.Errorf("listing: %w", store.StripeForbidden)
	h.lead()
	h.orphan("cs_test_early") // paid soon after its checkout began
	h.put("prompt:cs_test_open", `{"prompt":"A fox","timestamp":"`+h.at.Add(-2*grace).UTC().Format(time.RFC3339)+`"}`)
	h.pass(5 * time.Minute)
	h.tells("first 1", "blind 0")
	incidents, err := h.records.OpenIncidents(t.Context(), nil)
	h.done(err)
	for _, i := range incidents {
		if i.Kind == store.IncidentBlind && !slices.Equal(i.Parts, []string{store.PartEvents}) {
			t.Errorf("what fails: %q", i.Parts)
		}
		for _, c := range i.Cases {
			if c.Event != store.EventUnknown {
				t.Errorf("said of its event: %q", c.Event)
			}
		}
	}
	h.orphan("cs_test_late")
	h.pass(2 * time.Minute)
	h.tells("update 2")
	h.stripe.eventless = nil
	h.pass(2 * time.Minute)
	h.tells("update 0", "update 2") // the watch sees all; why is known of both
}

// TestKeyOfTheOtherMode: sessions that the key cannot see are counted in one
// message, and nobody takes them for unpaid.
func TestKeyOfTheOtherMode(t *testing.T) {
	t.Parallel()
	h := newHours(t)
	h.cfg.OtherMode = func(id string) bool { return id != "cs_test_seen" }
	h.lead()
	h.put("prompt:cs_test_1", `{"prompt":"A fox","timestamp":"`+h.at.Add(-2*grace).UTC().Format(time.RFC3339)+`"}`)
	h.orphan("cs_test_seen")
	h.pass(10 * time.Minute)
	h.tells("first 1", "unverifiable 0")
	h.put("webhook:cs_test_1", `{"status":"completed","fileId":"0f000000-0000-4000-8000-00000000000f"}`)
	h.pass(2 * time.Minute)
	h.tells("update 0")
}

// TestAMonthThatIsInterrupted: the first pass goes on where it was cut off, and
// who paid today is told before the month is through.
func TestAMonthThatIsInterrupted(t *testing.T) {
	t.Parallel()
	h := newHours(t)
	h.stripe.answers = 5 // then Stripe falls silent
	h.lead()
	h.orphan("cs_test_today")
	h.pass(30 * time.Second)
	h.tells("first 1")
	state, err := h.records.State(t.Context())
	if want := h.at.Add(-eventsKept + 4*dayBack); err != nil || state.Cursor.Sub(want).Abs() > time.Minute {
		t.Errorf("read up to %v, want %v; %v", state.Cursor, want, err)
	}
	h.stripe.answers = 0
	h.lead()
	h.stripe.asked = nil
	h.pass(2 * time.Minute)
	if back := h.stripe.asked[1]; back != dayBack || len(h.stripe.asked) < 20 || len(h.stripe.asked) > 30 {
		t.Errorf("then it reads %v", h.stripe.asked)
	}
}

// TestNotificationsFail: where Redis was heard before, and refuses three times to
// be, that is told, once, and so is the recovery. Where it never was nobody is
// told: its owner need not allow it.
func TestNotificationsFail(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	h := hoursOn(benchOn(t, server.URL(), server.Client()))
	h.lead()
	h.done(h.client.Do(t.Context(), "ACL", "SETUSER", "default", "resetchannels").Err())
	fail := func(times int) {
		for range times {
			if err := h.term.listener.listen(t.Context()); err == nil {
				t.Fatal("heard what Redis' owner forbids")
			}
		}
		h.done(h.term.notifier.notifyAll(t.Context()))
	}
	fail(4)
	h.tells()
	h.done(h.term.record(t.Context(), store.Notified(h.at)))
	fail(2)
	h.tells()
	fail(1)
	h.tells("blind 0")
	fail(3)
	h.tells()
	h.done(h.client.Do(t.Context(), "ACL", "SETUSER", "default", "allchannels").Err())
	h.done(h.client.ConfigSet(t.Context(), "notify-keyspace-events", "KA").Err())
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- h.term.listener.listen(ctx) }()
	h.until("it hears", func() bool {
		h.put("prompt:cs_test_1", `{}`)
		return h.term.listener.lastWrite.Load() > 0
	})
	h.until("the incident is closed", func() bool { return !h.only().Closed.IsZero() })
	stop()
	h.done(<-ended)
	h.done(h.term.notifier.notifyAll(t.Context()))
	h.tells("update 0")
}

// TestGrowsAndComesBack: a line for each threshold that is passed and no more;
// put right it is closed, and who is in trouble soon after opens it again, which
// calls somebody.
func TestGrowsAndComesBack(t *testing.T) {
	t.Parallel()
	h := newHours(t)
	h.stride = 3 * time.Second
	h.lead()
	lines := map[string]int{}
	for n := range 120 {
		h.orphan(fmt.Sprint("cs_test_", n))
		h.pass(6 * time.Second)
		for _, news := range h.told() {
			reason, _, _ := strings.Cut(strings.TrimPrefix(news, "reply "), " ")
			lines[reason]++
		}
	}
	if lines["first"] != 1 || lines["threshold"] != 3 || lines["reminder"] != 0 || len(lines) != 3 {
		t.Errorf("told %v", lines)
	}
	for n := range 120 {
		h.put(fmt.Sprint("webhook:cs_test_", n), `{"status":"completed","fileId":"0f000000-0000-4000-8000-00000000000f"}`)
	}
	h.pass(2 * time.Minute)
	if told := h.told(); told[len(told)-1] != "update 0" {
		t.Errorf("told %q", told)
	}
	h.orphan("cs_test_again")
	h.pass(2 * time.Minute)
	h.tells("update 1", "reply reopened 1")
	h.put("webhook:cs_test_again", `{"status":"completed","fileId":"0f000000-0000-4000-8000-00000000000f"}`)
	h.pass(2 * time.Minute)
	h.tells("update 0")
	h.pass(Window)
	h.orphan("cs_test_later")
	h.pass(2 * time.Minute)
	h.tells("first 1") // long after it deserves a message that is seen
}

// TestNobodyWatched for a while, such as while no process ran: who paid meanwhile
// is told, and so is the gap, without calling anybody for it.
func TestNobodyWatched(t *testing.T) {
	t.Parallel()
	h := newHours(t)
	h.lead()
	h.pass(2 * time.Minute)
	h.orphan("cs_test_meanwhile")
	h.at = h.at.Add(3 * 24 * time.Hour)
	h.lead()
	h.pass(2 * time.Minute)
	h.tells("first 1", "resolved 0")
}

// TestNothingToPay is an orphan like any other; and what Redis does not offer is
// not switched on.
func TestNothingToPay(t *testing.T) {
	t.Parallel()
	h := newHours(t)
	h.lead()
	h.orphan("cs_test_free")
	h.stripe.events[0].Payment.State, h.stripe.events[0].Payment.Amount = store.PaymentNotRequired, 0
	h.pass(2 * time.Minute)
	h.tells("first 1")
	ctx, stop := context.WithCancel(t.Context())
	go func() { <-h.term.listener.subscribed; stop() }()
	h.done(h.term.listener.listen(ctx))
	if got := h.client.ConfigGet(t.Context(), "notify-keyspace-events").Val()["notify-keyspace-events"]; got != "" {
		t.Errorf("notifications were switched on: %q", got)
	}
}

// TestStripeRefusesTheKey: why is told, and nobody is called one by one.
func TestStripeRefusesTheKey(t *testing.T) {
	t.Parallel()
	h := newHours(t)
	h.stripe.eventless = fmt.Errorf("listing: %w", store.StripeKeyRefused)
	h.lead()
	h.put("prompt:cs_test_1", `{"prompt":"A fox","timestamp":"`+h.at.Add(-2*grace).UTC().Format(time.RFC3339)+`"}`)
	h.pass(6 * time.Minute)
	h.tells("unverifiable 0", "blind 0")
	incidents, err := h.records.OpenIncidents(t.Context(), nil)
	h.done(err)
	if !slices.ContainsFunc(incidents, func(i store.Incident) bool { return i.Why == store.StripeKeyRefused && i.Sessions == 1 }) {
		t.Errorf("why is not told: %+v", incidents)
	}
	h.stripe.eventless = nil
	h.pass(2 * time.Minute)
	h.tells("update 0", "update 0")
}
