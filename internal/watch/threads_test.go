package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/follow"
	"github.com/superduperai/sessionbot/store/incident"
)

// fakeThreads are threads that keep their answers, by their marks.
type fakeThreads struct {
	posted   map[string]store.Message
	said     []string // the session, the thread and how it ended
	failures []error  // of the next answers
	onPost   func()   // nil = nothing happens after a post
	findErr  error    // what looking for an answer meets
}

func (f *fakeThreads) Answer(_ context.Context, session string, t follow.Thread) (store.Message, string, error) {
	var err error
	if len(f.failures) > 0 {
		err, f.failures = f.failures[0], f.failures[1:]
	}
	var failure *DeliveryError
	if err != nil && (!errors.As(err, &failure) || !failure.Unclear) {
		return store.Message{}, "", err
	}
	m := store.Message{Channel: t.Message.Channel, TS: fmt.Sprint("9.", len(f.posted))}
	f.posted[t.Answer.Mark] = m
	f.said = append(f.said, fmt.Sprint(session, " ", t.Message.TS, " ", t.Answer.End))
	if f.onPost != nil {
		f.onPost()
	}
	return m, "https://x/" + m.TS, err
}

func (f *fakeThreads) FindAnswer(_ context.Context, t follow.Thread) (store.Message, bool, error) {
	m, found := f.posted[t.Answer.Mark]
	return m, found && f.findErr == nil, f.findErr
}

// threadedSimulation is a simulation in which threads ask about sessions.
type threadedSimulation struct {
	*simulation
	threads  *fakeThreads
	followed *follow.Store
}

func newThreaded(t *testing.T) *threadedSimulation {
	h := &threadedSimulation{simulation: newSimulation(t), threads: &fakeThreads{posted: map[string]store.Message{}}}
	h.stride = time.Minute
	h.followed = follow.NewStore(h.product)
	h.cfg.Followed, h.cfg.Answerer = h.followed, h.threads
	h.lead()
	return h
}

// asks records a question about a session in the thread of a message.
func (h *threadedSimulation) asks(session, ts string, before follow.End) {
	h.t.Helper()
	h.must(h.followed.Follow(h.t.Context(), session, follow.Thread{Message: store.Message{Channel: "C1", TS: ts}, By: "U1", At: h.at, Before: before}))
}

// expectAnswers lets time pass, and expects these answers meanwhile.
func (h *threadedSimulation) expectAnswers(d time.Duration, want ...string) {
	h.t.Helper()
	for end := h.at.Add(d); h.at.Before(end); {
		h.advance(time.Minute)
		h.must(h.term.follower.answerAll(h.t.Context()))
	}
	slices.Sort(h.threads.said)
	if !slices.Equal(h.threads.said, want) {
		h.t.Errorf("%s in: said %q, want %q", h.at.Format(time.TimeOnly), h.threads.said, want)
	}
	h.threads.said = nil
}

// finish has the site finish a session's video.
func (h *threadedSimulation) finish(session string, n int) {
	h.t.Helper()
	h.api.mu.Lock()
	if h.api.own == nil {
		h.api.own = map[string]store.FileState{}
	}
	h.api.own[fileID(n)] = store.FileCompleted
	h.api.mu.Unlock()
	h.put("webhook:"+session, `{"status":"completed","fileId":"`+fileID(n)+`","timestamp":"`+h.at.UTC().Format(time.RFC3339)+`"}`)
}

// TestThreadsAreAnsweredOnce: by how the session ended, in each thread that asked before
// that, whichever replica leads.
func TestThreadsAreAnsweredOnce(t *testing.T) {
	t.Parallel()
	h := newThreaded(t)
	for n := range 4 {
		h.orphan(fmt.Sprint("cs_test_", n))
	}
	h.asks("cs_test_0", "1", follow.Open)
	h.asks("cs_test_0", "2", follow.Open)
	h.asks("cs_test_0", "3", follow.Ready)
	h.asks("cs_test_1", "1", follow.Open)
	h.asks("cs_test_2", "1", follow.Open)
	h.asks("cs_test_3", "1", follow.Open)
	h.pay("cs_test_4", h.at.Add(-time.Minute)) // which is in no trouble, and so in no incident
	h.put("webhook:cs_test_4", `{"status":"processing","fileId":"`+fileID(4)+`","timestamp":"`+h.at.UTC().Format(time.RFC3339)+`"}`)
	h.api.own = map[string]store.FileState{fileID(4): store.FileInProgress}
	h.asks("cs_test_4", "1", follow.Open)
	h.expectAnswers(2 * time.Minute)

	h.finish("cs_test_0", 1)
	h.must(h.records.SaveHandled(t.Context(), "cs_test_2", incident.Handled{By: "U9", At: h.at, Verdict: diagnosis.VerdictOrphaned}))
	h.expectAnswers(2*time.Minute, "cs_test_0 1 ready", "cs_test_0 2 ready", "cs_test_2 1 handled")
	h.stripe.refunded["cs_test_1"] = true // which Stripe's lists do not show
	h.stripe.refunded["cs_test_4"] = true
	h.expectAnswers(recheckAfter+2*time.Minute, "cs_test_1 1 refunded", "cs_test_4 1 refunded")
	h.lead() // another replica
	h.finish("cs_test_2", 2)
	h.expectAnswers(5 * time.Minute)
	all, err := h.followed.Sessions(t.Context())
	h.must(err)
	for _, s := range all {
		for _, thread := range s.Threads {
			a := thread.Answer
			if s.ID == "cs_test_3" || thread.Message.TS == "3" {
				if a != nil {
					t.Errorf("%s %s is answered: %+v", s.ID, thread.Message.TS, a)
				}
			} else if a.Message.TS == "" || a.Permalink == "" || (a.File != "") != (a.End == follow.Ready) || (a.HandledBy == "U9") != (a.End == follow.Handled) {
				t.Errorf("%s %s: %+v", s.ID, thread.Message.TS, a)
			}
		}
	}
	h.asks("cs_test_2", "1", follow.Handled) // once more in the thread that was answered
	h.expectAnswers(2*time.Minute, "cs_test_2 1 ready")
}

// TestThreadsWhileThingsFail: an answer whose fate is not known is looked for before it is
// posted again; one that was refused is tried again, unless its place takes none.
func TestThreadsWhileThingsFail(t *testing.T) {
	t.Parallel()
	const answer = "cs_test_1 1 ready"
	unclear := &DeliveryError{Unclear: true, Err: errUnavailable}
	for name, c := range map[string]struct {
		spoil       func(h *threadedSimulation)
		first, then []string
	}{
		"no answer came":               {func(h *threadedSimulation) { h.threads.failures = []error{unclear} }, []string{answer}, nil},
		"another fault, with the post": {func(h *threadedSimulation) { h.threads.failures = []error{unclear}; h.threads.findErr = errUnavailable }, []string{answer}, nil},
		"it was never posted":          {func(h *threadedSimulation) { h.threads.failures = []error{errUnavailable} }, nil, []string{answer}},
		"the thread cannot be read": {func(h *threadedSimulation) {
			h.threads.failures = []error{unclear}
			h.threads.findErr = ErrHistoryForbidden
		}, []string{answer}, []string{answer}},
		"refused, for a moment": {func(h *threadedSimulation) {
			h.threads.failures = []error{&DeliveryError{Err: errUnavailable, After: 3 * time.Minute}}
		}, nil, []string{answer}},
		"refused for good": {func(h *threadedSimulation) {
			h.threads.failures = []error{&DeliveryError{MessageGone: true, Err: errUnavailable}}
		}, nil, nil},
		"killed before it is posted": {func(h *threadedSimulation) {
			_, err := h.followed.ChangeThread(h.t.Context(), "cs_test_1", store.Message{Channel: "C1", TS: "1"}, h.at, func(f *follow.Thread) bool {
				f.Answer = &follow.Answer{End: follow.Ready, Mark: "m", Claimed: h.at}
				return true
			})
			h.must(err)
		}, nil, []string{answer}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newThreaded(t)
			h.orphan("cs_test_1")
			h.asks("cs_test_1", "1", follow.Open)
			h.expectAnswers(time.Minute)
			h.finish("cs_test_1", 1)
			c.spoil(h)
			for end := h.at.Add(90 * time.Second); h.at.Before(end); {
				h.advance(time.Minute)
				_ = h.term.follower.answerAll(t.Context()) // its failures are part of the story
			}
			if !slices.Equal(h.threads.said, c.first) {
				t.Errorf("said %q, want %q", h.threads.said, c.first)
			}
			h.threads.said = nil
			if errors.Is(h.threads.findErr, errUnavailable) {
				h.threads.findErr = nil
			}
			h.lead() // another replica
			h.expectAnswers(5*time.Minute, c.then...)
			all, err := h.followed.Sessions(t.Context())
			if err != nil || len(all) != 1 || all[0].Waits() || all[0].Uninformed() == nil {
				t.Errorf("followed: %+v, %v", all, err)
			}
		})
	}
}

// TestTwoLeaders: a replica that leads no more, and does not know it, posts nothing twice.
func TestTwoLeaders(t *testing.T) {
	t.Parallel()
	h := newThreaded(t)
	h.orphan("cs_test_1")
	h.asks("cs_test_1", "1", follow.Open)
	h.expectAnswers(time.Minute)
	h.finish("cs_test_1", 1)
	old := h.term
	before, err := h.followed.Sessions(t.Context())
	h.must(err)
	h.lead()
	h.threads.onPost = func() { // while the new leader waits for Slack
		h.threads.onPost = nil
		h.must(old.follower.answerAll(t.Context()))
	}
	h.expectAnswers(3*time.Minute, "cs_test_1 1 ready")
	h.must(old.follower.answerAll(t.Context()))
	late := before[0].Threads[0] // which it had read before the other one answered
	late.Answer = &follow.Answer{End: follow.Ready, Mark: "late", Claimed: h.at}
	h.must(old.follower.post(t.Context(), "cs_test_1", late, "ready"))
	h.expectAnswers(3 * time.Minute)
}
