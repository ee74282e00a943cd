package main

import (
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/internal/testenv"
)

// TestRedisAway: one message in the alert channel says so and, afterwards, for how
// long; the log does not repeat itself; nothing else is alerted about it.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	s := watched(ownStage(t))
	s.startBot()
	testenv.Must(t, s.redis.Client().Save(t.Context()).Err())
	s.redis.Kill(t)
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	note := oncall.ExpectMessage(containing("Redis has been unavailable since", "<@U0ONCALL>", "sessionbot doctor"))
	s.redis.Restart(t)
	oncall.ExpectUpdate(note, containing("Redis is available again after"))
	s.workspace.ExpectNothingElse()
	seen := map[string]int{}
	for _, line := range strings.Split(s.bot.log.String(), "\n") {
		if strings.Contains(line, `"level":"WARN"`) || strings.Contains(line, `"level":"ERROR"`) {
			_, message, _ := strings.Cut(line, `"msg":`)
			seen[message]++
		}
	}
	for message, n := range seen {
		if n > 1 {
			t.Errorf("logged %d times: %s", n, message)
		}
	}
}
