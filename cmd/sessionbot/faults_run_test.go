package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
)

// TestFaults checks whether each promise is kept. At night it makes every fault of
// the table, measures, and with -update writes down what it saw; every day it
// makes a few, and leaves alone what depends on how busy the machine is.
func TestFaults(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := kept{}
	acks, soon := 0, 0
	t.Run("at", func(t *testing.T) {
		for _, p := range places {
			p.faults = slices.DeleteFunc(slices.Clone(p.faults), func(f fault) bool { return !testenv.Nightly && !f.everyday })
			if len(p.faults) == 0 {
				continue
			}
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				f := p.start(t)
				for n, ft := range p.faults {
					r := &trial{fleet: f, place: p, fault: ft, name: p.name + ", " + ft.name, kept: map[promise]bool{}}
					mu.Lock()
					seen[p.name+ft.name] = r.kept
					mu.Unlock()
					r.run(n)
				}
				all, within := f.acks()
				mu.Lock()
				acks, soon = acks+all, soon+within
				mu.Unlock()
				f.leave()
			})
		}
	})
	if !testenv.Nightly {
		return
	}
	t.Logf("%d acks, %d of them within 100 ms", acks, soon)
	text := reliability(seen)
	if *update {
		_, record := readReliability(t)
		if err := os.WriteFile(reliabilityFile, []byte(text+record), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	generated, _ := readReliability(t)
	if diff := cmp.Diff(strings.Split(generated, "\n"), strings.Split(text, "\n")); diff != "" {
		t.Errorf("the document differs from what was seen (-document +seen):\n%s", diff)
	}
}

// leave stops the replicas; what they say meanwhile is dropped.
func (f *fleet) leave() {
	f.t.Helper()
	for _, bot := range f.bots {
		if code := bot.stop(); code != 0 {
			f.t.Errorf("asked to stop, it exited with %d", code)
		}
	}
	for _, user := range []string{"U0SUPPORT", "U0LEAD", "U0ONCALL"} {
		for _, channel := range []string{"C0SUPPORT", "C0ALERTS"} {
			f.workspace.As(user).In(channel).All()
		}
	}
}

// trial is one fault on trial.
type trial struct {
	*fleet
	place
	fault
	name string
	kept map[promise]bool

	seen, before, during, lost string // sessions: looked at, repaired before and during the fault, and in trouble
	expected                   map[string]int
}

// keep notes whether a promise was kept; once broken, it stays so.
func (r *trial) keep(p promise, ok bool, broken string, args ...any) {
	r.t.Helper()
	if !ok {
		r.t.Errorf("%s: %s is not kept: %s", r.name, p, fmt.Sprintf(broken, args...))
	}
	if was, noted := r.kept[p]; !noted || was {
		r.kept[p] = ok
	}
}

const seenFile = "6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0013"

func (r *trial) run(n int) {
	r.t.Helper()
	r.seen, r.before, r.during, r.lost = watchID(10*n), watchID(10*n+1), watchID(10*n+2), watchID(10*n+3)
	r.files.Put(seenFile, store.FileInProgress)
	for _, id := range []string{r.seen, r.before, r.during} {
		r.pays(id, time.Now().Add(-14*time.Minute), store.EventDelivered)
	}
	r.put("webhook:"+r.seen, fmt.Sprintf(`{"status":"processing","fileId":%q,"timestamp":%q}`, seenFile, time.Now().UTC().Format(time.RFC3339)))
	started := r.files.Started()
	first, second := r.approved(r.plan(r.before)), r.plan(r.during)
	r.expected = map[string]int{}
	if !r.settled() {
		r.t.Fatalf("%s: before the fault the answers are not whole", r.name)
	}
	all, _ := r.acks()

	began := time.Now()
	r.begin(r.fleet)
	r.gotLost()
	ready := func() bool { return r.ready(r.blames) }
	r.keep(promiseReady, poll(patience, ready), "%s", r.page(r.addrs[0], "/readyz"))
	r.people(second)
	r.finish()
	if r.blames == "" {
		r.keep(promiseReady, poll(patience, ready), "%s", r.page(r.addrs[0], "/readyz"))
	}
	r.end(r.fleet)
	ended := time.Now()

	r.keep(promiseBack, r.settled(), "%s", r.page(r.addrs[0], "/readyz"))
	took := time.Since(ended)
	r.repairs(first, second, started)
	alerts := func() int { return len(r.alertsOf(r.lost)) }
	r.keep(promiseAlert, poll(patience, func() bool { return alerts() > 0 }) && alerts() == 1, "alerted in %d messages", alerts())
	for user, n := range r.expected {
		r.keep(promiseAnswered, len(r.answersTo(user)) == n, "%s has %d answers, want %d", user, len(r.answersTo(user)), n)
	}
	allNow, _ := r.acks()
	r.keep(promiseAcked, allNow > all, "%d acks", allNow-all)
	for _, r.bot = range r.bots {
		for _, word := range []string{"A fox runs", stripeMark, superMark, r.env["SLACK_APP_TOKEN"], r.env["SLACK_BOT_TOKEN"], otherPassword} {
			r.keep(promiseQuiet, !strings.Contains(r.bot.log.String(), word), "%q", word)
		}
	}
	r.t.Logf("%s: the fault lasted %.1f s, back after %.1f s, alerted of all after %.1f s", r.name,
		ended.Sub(began).Seconds(), took.Seconds(), time.Since(ended).Seconds())
	for _, id := range []string{r.seen, r.during, r.lost} {
		r.webhook(id, store.StatusCompleted) // it troubles nobody any more
	}
}

// gotLost: a customer paid more than ten minutes ago, and nothing came of it.
func (r *trial) gotLost() {
	r.t.Helper()
	if r.stores {
		r.pays(r.lost, pastGrace(), store.EventFailed)
		return
	}
	r.stripe.Put(paid(r.lost, pastGrace(), store.EventFailed))
}

// people type and press while the fault lasts, and are answered.
func (r *trial) people(plan wstest.Message) {
	r.t.Helper()
	commands := []string{"/session debug " + r.seen, "/redis ping", "/session history " + r.seen, "/redis stats", "/session debug " + r.seen}
	refused := len(r.answersTo("U0LEAD"))
	if r.refuses != "" {
		r.keep(promiseAnswered, r.typed(r.workspace.As("U0LEAD").In("C0SUPPORT"), "/session fix "+r.during), "Slack does not bring it")
		refused++
	}
	r.expected["U0SUPPORT"], r.expected["U0LEAD"] = len(r.answersTo("U0SUPPORT")), refused
	earlier := r.expected["U0SUPPORT"]
	for user := range r.expected {
		for _, text := range commands {
			r.keep(promiseAnswered, r.typed(r.workspace.As(user).In("C0SUPPORT"), text), "Slack does not bring %s", text)
			r.expected[user]++
		}
	}
	oncall := r.workspace.As("U0ONCALL").In("C0SUPPORT")
	presses := len(r.answersTo("U0ONCALL"))
	pressed := oncall.TryClick(plan, "confirm.approve", "") == nil
	for user, n := range r.expected {
		ok := poll(patience, func() bool { return len(r.answersTo(user)) >= n })
		r.keep(promiseAnswered, ok, "%s has %d answers, want %d", user, len(r.answersTo(user)), n)
	}
	r.keep(promiseAnswered, !pressed || poll(patience, func() bool {
		return len(r.answersTo("U0ONCALL")) > presses || r.current(plan).Revision > plan.Revision
	}), "nobody says what became of a press on Approve")

	rest := "paid $1.00"
	if strings.HasPrefix(r.says, "Stripe") {
		rest = "A fox runs"
	}
	r.keep(promiseSaid, true, "")
	for _, m := range r.answersTo("U0SUPPORT")[earlier:] {
		if strings.Contains(m.Text, "Customer's page") {
			r.keep(promiseSaid, strings.Contains(m.Text, r.says) && strings.Contains(m.Text, rest), "%s", m.Text)
		}
	}
	if r.refuses != "" {
		says := slices.ContainsFunc(r.answersTo("U0LEAD"), func(m wstest.Message) bool { return strings.Contains(m.Text, r.refuses) })
		r.keep(promiseSaid, says, "no repair is refused with %q", r.refuses)
	}
}

// asked asks about the session that does not change.
func (r *trial) asked() wstest.Message {
	r.t.Helper()
	n := len(r.answersTo("U0SUPPORT"))
	if !r.typed(r.workspace.As("U0SUPPORT").In("C0SUPPORT"), "/session debug "+r.seen) {
		return wstest.Message{}
	}
	r.expected["U0SUPPORT"]++
	if !poll(patience, func() bool { return len(r.answersTo("U0SUPPORT")) > n }) {
		return wstest.Message{}
	}
	return r.answersTo("U0SUPPORT")[n]
}

// settled waits until both replicas are ready and answer whole.
func (r *trial) settled() bool {
	r.t.Helper()
	var since []int
	return poll(patience, func() bool {
		now := r.debugged()
		if since == nil {
			since = now
		}
		if now[0] > since[0] && now[1] > since[1] {
			return true
		}
		if !r.ready("") || !whole(r.asked()) {
			since = nil
		}
		return false
	})
}

// debugged is how many sessions each replica has answered about.
func (r *trial) debugged() []int {
	var n []int
	for _, bot := range r.bots {
		n = append(n, strings.Count(bot.log.String(), `"command":"session debug"`))
	}
	return n
}

// whole reports whether an answer about a session misses nothing.
func whole(m wstest.Message) bool {
	for _, missing := range []string{"could not be", "not seen", "unknown", "unverified"} {
		if strings.Contains(m.Text, missing) {
			return false
		}
	}
	return containing("paid $1.00", "A fox runs", "Customer's page")(m)
}

// repairs come to their end, and start no more than one video each.
func (r *trial) repairs(first, second wstest.Message, started int) {
	r.t.Helper()
	r.keep(promiseClaim, poll(patience, func() bool {
		r.finish()
		return r.value("webhook:" + r.before)["status"] == "completed" && withText("Done: video ready")(r.current(first))
	}), "approved before the fault, it says: %s", r.current(first).Text)
	var pressed time.Time
	r.keep(promiseClaim, poll(patience, func() bool {
		r.finish()
		m := r.current(second)
		if strings.Contains(string(m.Blocks), "confirm.approve") && time.Since(pressed) > 2*time.Second {
			pressed = time.Now()
			_ = r.workspace.As("U0ONCALL").In("C0SUPPORT").TryClick(m, "confirm.approve", "") // it may be gone by now
		}
		return slices.ContainsFunc([]string{"Done: video ready", "Failed: no video", "Not done: nothing was changed", "Unclear: "},
			func(end string) bool { return withText(end)(m) })
	}), "approved during the fault, it says: %s", r.current(second).Text)
	n := r.files.Started() - started
	r.keep(promiseOnce, n == 2 || n == 1 && !withText("Done: video ready")(r.current(second)), "%d videos were started for two repairs", n)
}
