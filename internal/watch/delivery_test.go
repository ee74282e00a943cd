package watch

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// TestPostWithoutAnswer: it is looked up, and posted again only if it is not there or
// the channel cannot be read.
func TestPostWithoutAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		finds bool
		posts int
	}{{"the channel can be read", true, 1}, {"the channel cannot be read", false, 2}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.channel.lostAnswers, b.channel.readable = 1, c.finds
			b.pay("cs_test_1", pastGrace())
			b.run()
			b.expect("first 1")
			if !c.finds {
				b.expect("first 1")
			} else {
				b.expect("update 1") // what the found message shows is not known
			}
			b.expectNothing()
			if n := b.channel.posts(); n != c.posts {
				t.Errorf("%d posts, want %d", n, c.posts)
			}
		})
	}
}

// TestKilledDuringPost: the next replica finds the message.
func TestKilledDuringPost(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.channel.readable, b.channel.lostAnswers = true, 1
	b.channel.onPost = func() { b.cancel() }
	b.pay("cs_test_1", pastGrace())
	stop := b.run()
	b.expect("first 1")
	stop()
	b.run()
	b.expect("update 1")
	b.expectNothing()
	if n := b.channel.posts(); n != 1 {
		t.Errorf("%d posts", n)
	}
}

// TestChannelUnreachable: that is recorded, for /readyz and the metrics, and alerts
// are delivered once the channel can be reached.
func TestChannelUnreachable(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.channel.down = &DeliveryError{NeedsPerson: true, Advice: "Invite the bot.", Err: errors.New("not in channel")}
	b.pay("cs_test_1", pastGrace())
	b.run()
	b.eventually("the state names the advice", func() bool {
		state, err := b.records.State(t.Context())
		return err == nil && state.Unreachable == "Invite the bot."
	})
	b.channel.mu.Lock()
	b.channel.down = nil
	b.channel.mu.Unlock()
	b.expect("first 1")
	b.eventually("the state names nothing", func() bool {
		state, err := b.records.State(t.Context())
		return err == nil && state.Unreachable == ""
	})
	b.expectNothing()
}

// TestDeletedAlert: it is posted again while it has open sessions.
func TestDeletedAlert(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.pay("cs_test_1", pastGrace())
	b.run()
	b.expect("first 1")
	b.channel.mu.Lock()
	b.channel.failures = []error{&DeliveryError{MessageGone: true, Err: errors.New("gone")}}
	b.channel.mu.Unlock()
	b.pay("cs_test_2", pastGrace())
	b.expect("first 2")
	b.expectNothing()
}

// TestAlertThatCannotBeEdited: it is posted again, once, and the old one left alone.
func TestAlertThatCannotBeEdited(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.pay("cs_test_1", pastGrace())
	b.run()
	b.expect("first 1")
	b.channel.mu.Lock()
	b.channel.failures = []error{&DeliveryError{NotEditable: true, Err: errors.New("edit_window_closed")}}
	b.channel.mu.Unlock()
	b.pay("cs_test_2", pastGrace())
	b.expect("first 2")
	b.pay("cs_test_3", pastGrace())
	b.expect("update 3")
	b.expectNothing()
	if n := b.channel.posts(); n != 2 {
		t.Errorf("%d posts", n)
	}
}

// TestResolvedAlertThatCannotBeEdited: the resolution is posted, since the old message
// says otherwise.
func TestResolvedAlertThatCannotBeEdited(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.pay("cs_test_1", pastGrace())
	b.run()
	b.expect("first 1")
	b.channel.mu.Lock()
	b.channel.failures = []error{&DeliveryError{NotEditable: true, Err: errors.New("is_archived")}}
	b.channel.mu.Unlock()
	b.put("webhook:cs_test_1", `{"status":"processing","timestamp":"`+time.Now().UTC().Format(time.RFC3339)+`"}`)
	b.expect("resolved 0")
	b.expectNothing()
}

// TestRetryAfterOutlivesProcess: a new process respects Slack's Retry-After, too.
func TestRetryAfterOutlivesProcess(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.channel.failures = []error{&DeliveryError{After: time.Hour, Err: errors.New("slow down")}}
	b.pay("cs_test_1", pastGrace())
	earliest := time.Now().Add(time.Hour).Truncate(time.Millisecond)
	stop := b.run()
	b.eventually("the pause is noted", func() bool {
		incidents, err := b.records.OpenIncidents(t.Context(), nil)
		return err == nil && len(incidents) == 1 && !incidents[0].NextTry.Before(earliest)
	})
	b.expectNothing()
	stop()
	b.run()
	b.expectNothing()
}

// TestReplyWithUnknownOutcome: it is looked up and not repeated, nor if the channel
// cannot be read; a reply that was certainly not delivered is repeated.
func TestReplyWithUnknownOutcome(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		err   error
		finds bool
	}{
		{"it arrived, the channel can be read", &DeliveryError{Unclear: true, Err: errors.New("no answer")}, true},
		{"it arrived, the channel cannot be read", &DeliveryError{Unclear: true, Err: errors.New("no answer")}, false},
		{"it did not arrive", &DeliveryError{Err: errors.New("slow down")}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newSimulation(t)
			h.channel.readable = c.finds
			h.lead()
			h.orphan("cs_test_0")
			h.advance(time.Minute)
			h.expectNotified("first 1")
			for n := range 4 {
				h.orphan(fmt.Sprint("cs_test_more_", n))
			}
			h.channel.failures = []error{nil, c.err}
			h.advance(10 * time.Minute)
			h.expectNotified("update 5", "reply threshold 5")
			if len(h.channel.failures) > 0 || h.only().Threshold != 5 {
				t.Errorf("the line does not count as said: %+v", h.only())
			}
		})
	}
}
