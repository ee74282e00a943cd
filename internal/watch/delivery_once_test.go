package watch

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/store/lease"
)

// TestLookupRefused: the outcome of a post or a reply is unknown, and Slack refuses
// the lookup for a while. Nothing is posted twice.
func TestLookupRefused(t *testing.T) {
	t.Parallel()
	pause := &DeliveryError{After: 30 * time.Second, Err: errors.New("slow down")}
	t.Run("a post", func(t *testing.T) {
		t.Parallel()
		h := newSimulation(t)
		h.channel.readable, h.channel.lostAnswers = true, 1
		h.lead()
		h.orphan("cs_test_1")
		h.channel.failures = []error{nil, pause}
		h.advance(2 * time.Minute)
		h.expectNotified("first 1", "update 1")
	})
	t.Run("a line", func(t *testing.T) {
		t.Parallel()
		h := newSimulation(t)
		h.channel.readable = true
		h.lead()
		for n := range 5 {
			h.orphan(fmt.Sprint("cs_test_", n))
		}
		h.advance(time.Minute)
		h.expectNotified("first 5")
		h.channel.failures = []error{&DeliveryError{Unclear: true, Err: errors.New("no answer")}, pause}
		h.advance(20 * time.Minute)
		h.expectNotified("reply reminder 5")
	})
}

// TestChannelWithoutThreads: a new message replaces a reply, and reminders double all
// the same.
func TestChannelWithoutThreads(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.channel.threadsLocked = true
	h.lead()
	h.orphan("cs_test_1")
	h.advance(time.Minute)
	h.expectNotified("first 1")
	h.advance(4 * time.Hour) // after 15 minutes, 30 more, 60, 120
	h.expectNotified("first 1", "first 1", "first 1", "first 1")
	for n := range 3 {
		h.orphan(fmt.Sprint("cs_test_1", n))
	}
	h.advance(time.Minute)
	h.expectNotified("first 3") // another incident, an hour later
	for n := range 3 {          // the fifth would be announced in the thread
		h.orphan(fmt.Sprint("cs_test_2", n))
	}
	h.advance(10 * time.Minute)
	h.expectNotified("update 6", "first 6")
}

// TestKilledDuringReply: the next replica finds the reply.
func TestKilledDuringReply(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.channel.readable = true
	h.lead()
	h.orphan("cs_test_1")
	h.advance(time.Minute)
	h.expectNotified("first 1")
	h.advance(remindAfter - time.Minute)
	h.at = h.at.Add(time.Minute)
	h.channel.onReply = func() { // nothing is noted from here on
		h.must(h.client.HSet(t.Context(), "sessionbot:{watch}:state", "token", "another").Err())
	}
	if err := h.term.dispatcher.notifyAll(t.Context()); !errors.Is(err, lease.ErrLost) {
		t.Fatalf("the line was noted: %v", err)
	}
	h.expectNotified("reply reminder 1")
	h.channel.onReply = nil
	h.lead()
	h.advance(5 * time.Minute)
	h.expectNotified()
	if i := h.only(); i.Reminders != 1 {
		t.Errorf("reminded %d times", i.Reminders)
	}
}

// TestKilledWhileRecordingSummary: it was posted and recorded as such, but not as
// published. The next replica does not post it again.
func TestKilledWhileRecordingSummary(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.lead()
	h.pay("cs_test_old", h.at.Add(-48*time.Hour))
	h.advance(30 * time.Second)
	h.expectNotified("summary 1")
	ids, err := h.client.Keys(t.Context(), "sessionbot:{watch}:incident:*").Result()
	if err != nil || len(ids) != 1 {
		t.Fatalf("%q, %v", ids, err)
	}
	id := ids[0][len("sessionbot:{watch}:incident:"):]
	h.must(h.client.HDel(t.Context(), "sessionbot:{watch}:state", "history").Err())
	h.must(h.client.ZAdd(t.Context(), "sessionbot:{watch}:open", redis.Z{Score: 1, Member: id}).Err())
	h.lead()
	h.advance(5 * time.Minute)
	h.expectNotified()
	if state, err := h.records.State(t.Context()); err != nil || !state.BacklogNotified {
		t.Errorf("it is not recorded as published: %v", err)
	}
}

// TestFailoverLosesRecord: the alert was posted, and its record was lost with the
// master. The replica knows at least the mark, by which the alert is found.
func TestFailoverLosesRecord(t *testing.T) {
	t.Parallel()
	f := redistest.StartFailover(t)
	b := benchOn(t, f.URL(), f.Client())
	b.cfg.Interval = time.Hour // else three failures in a row would be reported
	b.channel.readable = true
	b.channel.onPost = func() { // from here on the replica hears nothing
		f.Replica.Freeze(t)
		if err := f.Master.Client().ClientKillByFilter(t.Context(), "TYPE", "replica").Err(); err != nil {
			t.Error(err)
		}
	}
	b.pay("cs_test_1", pastGrace())
	b.run()
	b.expect("first 1")
	b.eventually("the post is noted", func() bool { return b.only().SlackMessage.TS != "" })
	f.Master.Kill(t)
	f.Replica.Thaw(t)
	b.expect("update 1")
	if n := b.channel.posts(); n != 1 {
		t.Errorf("%d posts", n)
	}
	if key := "sessionbot:{watch}:state"; b.client.Exists(t.Context(), key).Val() != 1 {
		t.Error("the replica knows of no watch")
	}
}
