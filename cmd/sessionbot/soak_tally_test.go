package main

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/workspace/wstest"
)

// atWork is longer than the bot may try to answer.
const atWork = 30 * time.Second

// tally records what people requested, and what they saw of it. Each matter has a session id
// of its own, by which its messages are recognised.
type tally struct {
	mu      sync.Mutex
	changed chan struct{} // closed when something was said or died, then replaced
	matters map[string]*matter
	talking map[[2]string]*matter // by person and channel: the subject of the conversation there
	graves  []grave

	requests, answered, refused, lost, doubled, killedWith int
	plans, generated, stuck                                int
}

// matter is one session id and what was said of it.
type matter struct {
	id             string
	acked, refused int // requests that Slack took, and those that it said failed
	excused        int // whose process was killed
	said           int
	shown          map[string]wstest.Message // by ts
	last, inPlan   wstest.Message
	plans          map[string]bool // by ts
	ends           map[string]bool // in threads, by ts
}

// grave is the end of a process that was killed.
type grave struct {
	at  time.Time
	log string
}

func newTally() *tally {
	return &tally{changed: make(chan struct{}), matters: map[string]*matter{}, talking: map[[2]string]*matter{}}
}

// killed notes that a process was killed, and what it had received.
func (y *tally) killed(log string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.graves = append(y.graves, grave{time.Now(), log})
	y.wake()
}

// wake wakes everyone who waits.
func (y *tally) wake() {
	close(y.changed)
	y.changed = make(chan struct{})
}

// about begins a matter of a person in a channel.
func (y *tally) about(user, channel string) *matter {
	y.mu.Lock()
	defer y.mu.Unlock()
	m := &matter{id: fmt.Sprintf("cs_live_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1Soak%08d", len(y.matters)), shown: map[string]wstest.Message{}, plans: map[string]bool{}, ends: map[string]bool{}}
	y.matters[m.id], y.talking[[2]string{user, channel}] = m, m
	return m
}

var soakID = regexp.MustCompile(`cs_live_\w+Soak\d{8}`)

// listen notes all that is said until the soak is over.
func (y *tally) listen(w *wstest.Workspace, over <-chan struct{}) {
	for {
		y.take(w.News(100 * time.Millisecond))
		select {
		case <-over:
			y.take(w.News(time.Second))
			return
		default:
		}
	}
}

func (y *tally) take(news []wstest.Message) {
	y.mu.Lock()
	defer y.mu.Unlock()
	for _, m := range news {
		if m.Channel == alertsGoTo || m.User == "USLACKBOT" {
			continue
		}
		of := y.matters[soakID.FindString(string(m.Blocks))]
		if of == nil { // such as "Redis did not answer"
			of = y.talking[[2]string{m.VisibleTo, m.Channel}]
		}
		if of == nil {
			continue // a plan that no longer names its session
		}
		if m.ThreadTS != "" && m.ThreadTS != m.TS { // nobody asked for the end of a repair
			of.ends[m.TS] = true
			continue
		}
		of.said++
		of.shown[m.TS], of.last = m, m
		if strings.Contains(string(m.Blocks), `"confirm.approve"`) || m.TS == of.inPlan.TS {
			of.inPlan, of.plans[m.TS] = m, true
		}
	}
	y.wake()
}

// until waits for something to be true of what was said, and reports whether it
// came to be in time.
func (y *tally) until(longest time.Duration, is func() bool) bool {
	late := time.After(longest)
	for {
		y.mu.Lock()
		done, changed := is(), y.changed
		y.mu.Unlock()
		if done {
			return true
		}
		select {
		case <-changed:
		case <-late:
			return false
		}
	}
}

// ask sends a request and waits for its answer. It reports whether there was
// one.
func (y *tally) ask(t testing.TB, m *matter, what string, send func() (envelope string, err error)) bool {
	y.mu.Lock()
	before := m.said
	y.mu.Unlock()
	sent := time.Now()
	envelope, err := send()
	if err != nil {
		y.mu.Lock()
		defer y.mu.Unlock()
		if said := err.Error(); said == "dispatch_failed" || said == "operation_timeout" {
			y.requests++
			y.refused++
			m.refused++
		} // else the button was gone: somebody was quicker
		return false
	}
	y.until(patience, func() bool { return m.said > before || y.diedWith(envelope, sent) })
	y.mu.Lock()
	defer y.mu.Unlock()
	answered := m.said > before
	y.requests++
	m.acked++
	switch {
	case answered:
		y.answered++
	case y.diedWith(envelope, sent):
		y.killedWith++
		m.excused++
	default:
		y.lost++
		t.Errorf("%s about %s was acked at %s and never answered", what, m.id, sent.Format(time.TimeOnly))
	}
	return answered
}

// diedWith reports whether the process that took a request was killed before it
// can have answered. Who took a click is not known: then any that was killed at
// that time may have.
func (y *tally) diedWith(envelope string, sent time.Time) bool {
	for _, g := range y.graves {
		after := g.at.Sub(sent)
		if after > 0 && after < atWork && (envelope == "" || strings.Contains(g.log, envelope)) {
			return true
		}
	}
	return false
}

// close looks for what was said more often than it was asked for.
func (y *tally) close(t *testing.T) {
	y.mu.Lock()
	defer y.mu.Unlock()
	for _, m := range y.matters {
		more := m.said - m.acked - m.refused
		if len(m.plans) > 0 { // a plan's message goes through many states
			more = len(m.plans) - 1 + max(len(m.ends)-1, 0)
		}
		if more > 0 {
			y.doubled += more
			t.Errorf("%s was answered %d times; asked %d times, %d times in vain: %v", m.id, m.said, m.acked, m.refused, m.shown)
		}
	}
}

func (y *tally) String() string {
	y.mu.Lock()
	defer y.mu.Unlock()
	return fmt.Sprintf("typed and clicked %d: %d answered, %d failed according to Slack, %d acked by a process that was then killed\n"+
		"lost %d, doubled %d\nplans        %d approved, %d not brought to an end", y.requests, y.answered, y.refused, y.killedWith, y.lost, y.doubled, y.plans, y.stuck)
}

// lastOf is what was said last of a matter.
func (y *tally) lastOf(m *matter) wstest.Message {
	y.mu.Lock()
	defer y.mu.Unlock()
	return m.last
}

// planOf is the message of a matter's plan, as it is now.
func (y *tally) planOf(m *matter) wstest.Message {
	y.mu.Lock()
	defer y.mu.Unlock()
	return m.inPlan
}

func (y *tally) planEnded(t testing.TB, m *matter, action string, ended bool) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.plans++
	if action == "generate" {
		y.generated++
	}
	if !ended {
		y.stuck++
		t.Errorf("the plan for %s never came to an end: %s", m.id, m.inPlan.Text)
	}
}
