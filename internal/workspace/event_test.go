package workspace

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestEventRedelivery(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{AckWithin: time.Millisecond}) // nothing is acknowledged
	app := connected(t, s)
	if _, err := s.Write("U0SUPPORT", "C0RANDOM", "", "the bot is not here"); err != nil {
		t.Fatal(err)
	}
	ts, err := s.Write("U0SUPPORT", "C0SUPPORT", "", "is <@U0BOT> there?")
	if err != nil {
		t.Fatal(err)
	}
	attempts, ids, envelopes := map[string][]string{}, map[string]string{}, map[string]bool{}
	for range 8 {
		f := app.next(t)
		var event struct{ Type, Channel, TS, Text string }
		if err := json.Unmarshal(f.Payload.Event, &event); err != nil || event.Channel != "C0SUPPORT" || event.TS != ts {
			t.Fatalf("event %s: %v", f.raw, err)
		}
		attempts[event.Type] = append(attempts[event.Type], f.RetryReason+string(rune('0'+f.RetryAttempt)))
		if ids[event.Type] == "" {
			ids[event.Type] = f.Payload.EventID
		}
		if ids[event.Type] != f.Payload.EventID || envelopes[f.EnvelopeID] {
			t.Errorf("redelivery needs the same event under a new envelope: %s", f.raw)
		}
		envelopes[f.EnvelopeID] = true
	}
	for _, kind := range []string{"message", "app_mention"} {
		if got := strings.Join(attempts[kind], " "); got != "0 timeout1 timeout2 timeout3" {
			t.Errorf("%s was delivered as %q", kind, got)
		}
	}
}
