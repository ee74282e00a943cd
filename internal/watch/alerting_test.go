package watch

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store/incident"
)

// TestSlackOutage: meanwhile an incident grows, recovers in part and becomes due for
// a reminder; a second kind of incident opens, a third opens and closes, and another
// replica takes over. Afterwards each is delivered once, in its final state. Until
// then Slack is called with backoff.
func TestSlackOutage(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]*DeliveryError{
		"no answer":          {Unclear: true, Err: errors.New("no answer")},
		"it refuses":         {Err: errors.New("service unavailable")},
		"it is rate limited": {After: 30 * time.Second, Err: errors.New("slow down")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newSimulation(t)
			h.channel.readable = true
			h.lead()
			h.orphan("cs_test_0")
			h.advance(2 * time.Minute)
			h.expectNotified("first 1")
			h.channel.down = away
			before := h.channel.calls
			for n := range 29 {
				h.orphan(fmt.Sprint("cs_test_", n+1))
				h.advance(time.Minute)
			}
			h.put("webhook:cs_test_failed", `{"status":"error","error":"no","timestamp":"`+h.at.UTC().Format(time.RFC3339)+`"}`)
			h.put("webhook:cs_test_stalled", `{"status":"processing","timestamp":"`+h.at.Add(-orphanGrace-time.Second).UTC().Format(time.RFC3339)+`"}`)
			h.advance(5 * time.Minute)
			h.lead() // another replica
			for n := range 12 {
				h.put(fmt.Sprint("webhook:cs_test_", n), `{"status":"completed","fileId":"0f000000-0000-4000-8000-00000000000f"}`)
			}
			h.put("webhook:cs_test_stalled", `{"status":"completed","fileId":"0f000000-0000-4000-8000-00000000000f"}`)
			h.advance(26 * time.Minute)
			h.expectNotified() // nothing
			// Three incidents, each tried once a minute; a post is looked for first.
			if calls := h.channel.calls - before; calls < 60 || calls > 4*60 {
				t.Errorf("%d calls within the hour", calls)
			} else {
				t.Logf("%d calls within the hour", calls)
			}
			h.channel.down = nil
			h.advance(2 * time.Minute)
			h.expectNotified("update 18", "reply threshold 18", "reply reminder 18", "first 1", "resolved 0")
			h.advance(14 * time.Minute)
			h.expectNotified("reply reminder 1") // of what was alerted last, as nobody acknowledged it
			for n := range 30 {
				h.put(fmt.Sprint("webhook:cs_test_", n), `{"status":"completed","fileId":"0f000000-0000-4000-8000-00000000000f"}`)
			}
			h.put("webhook:cs_test_failed", `{"status":"completed","fileId":"0f000000-0000-4000-8000-00000000000f"}`)
			h.advance(2 * time.Minute)
			h.expectNotified("update 0", "update 0")
		})
	}
}

// TestRemindersDouble: the intervals double. A snooze silences them, and a line says when
// it ends; another choice replaces it. The person who acknowledged is reminded, too, less often.
func TestRemindersDouble(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.stride, h.cfg.Interval = 30*time.Second, 5*time.Minute
	h.lead()
	h.orphan("cs_test_0")
	h.advance(time.Minute)
	h.expectNotified("first 1")
	notified := h.at
	reminded := func(within time.Duration) (after []int) {
		for end := h.at.Add(within); h.at.Before(end); {
			h.advance(time.Minute)
			for range h.notified() {
				after = append(after, int(h.at.Sub(notified)/time.Minute))
			}
		}
		return after
	}
	if got, want := fmt.Sprint(reminded(4*time.Hour)), "[15 45 105 225]"; got != want {
		t.Errorf("reminded after %s minutes, want %s", got, want)
	}
	press := func(of func() (incident.Incident, bool, error)) {
		t.Helper()
		if _, done, err := of(); !done || err != nil {
			t.Fatalf("pressed in vain: %v", err)
		}
	}
	snooze := func(choice incident.SnoozeChoice) func() (incident.Incident, bool, error) {
		return func() (incident.Incident, bool, error) {
			until, _ := choice.Until(h.at, time.UTC)
			return h.records.Snooze(t.Context(), h.only().ID, "U1", until, h.at)
		}
	}
	press(snooze(incident.SnoozeHour))
	press(snooze(incident.SnoozeFour))
	notified = h.at
	h.advance(time.Second)
	h.expectNotified("update 1")
	if got, want := fmt.Sprint(reminded(5*time.Hour)), "[240 240]"; got != want { // the line in the thread, and the message
		t.Errorf("after two choices of a snooze reminded after %s minutes, want %s", got, want)
	}
	press(func() (incident.Incident, bool, error) {
		return h.records.Acknowledge(t.Context(), h.only().ID, "U1", h.at)
	})
	notified = h.at
	h.advance(time.Second)
	h.expectNotified("update 1")
	if got, want := fmt.Sprint(reminded(9*time.Hour)), "[60 180 420]"; got != want {
		t.Errorf("the person who acknowledged was reminded after %s minutes, want %s", got, want)
	}
}

// TestThresholdsAndReopening: a reply for each threshold; the incident closes when all
// recovered, and reopens with a mention if another session gets into trouble soon.
func TestThresholdsAndReopening(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.stride = 3 * time.Second
	h.lead()
	lines := map[string]int{}
	for n := range 120 {
		h.orphan(fmt.Sprint("cs_test_", n))
		h.advance(6 * time.Second)
		for _, news := range h.notified() {
			reason, _, _ := strings.Cut(strings.TrimPrefix(news, "reply "), " ")
			lines[reason]++
		}
	}
	if lines["first"] != 1 || lines["threshold"] != 3 || lines["reminder"] != 0 || len(lines) != 3 {
		t.Errorf("notified %v", lines)
	}
	for n := range 120 {
		h.put(fmt.Sprint("webhook:cs_test_", n), `{"status":"completed","fileId":"0f000000-0000-4000-8000-00000000000f"}`)
	}
	h.advance(2 * time.Minute)
	if notified := h.notified(); notified[len(notified)-1] != "update 0" {
		t.Errorf("notified %q", notified)
	}
	h.orphan("cs_test_again")
	h.advance(2 * time.Minute)
	h.expectNotified("update 1", "reply reopened 1")
	h.put("webhook:cs_test_again", `{"status":"completed","fileId":"0f000000-0000-4000-8000-00000000000f"}`)
	h.advance(2 * time.Minute)
	h.expectNotified("update 0")
	h.advance(Window)
	h.orphan("cs_test_later")
	h.advance(2 * time.Minute)
	h.expectNotified("first 1") // long after it gets a new message, so that people notice
}
