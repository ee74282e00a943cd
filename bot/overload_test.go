package bot

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What is acked is answered: if there is no room even for the answer that the bot is busy,
// nothing is acked, and Slack reports a failure.
func TestOverloadedBotAcksNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(s *bubble) {
		first, second := s.both()
		s.hangs.Store(true)
		acked := 0
		for i := range workers/4 + queueSize/2 + busyWorkers + busyQueueSize + 10 {
			first.types(t, fmt.Sprint("e", i), "x")
			synctest.Wait()
			if len(first.acks) == 0 {
				break
			}
			<-first.acks
			acked++
		}
		second.types(t, "unheard", "x")
		synctest.Wait()
		if least := workers/4 + queueSize/2 + busyQueueSize - 8; acked < least || len(second.acks) > 0 {
			t.Errorf("%d were acked, and then %d more", acked, len(second.acks))
		}
		if log := s.log.String(); strings.Contains(log, "request unanswered") || !strings.Contains(log, "overloaded, envelope not acknowledged") {
			t.Error("the overload is not logged")
		}
		s.hangs.Store(false)
		for range acked {
			within(t, time.Hour, "answer", s.answers)
		}
		second.types(t, "unheard", "y") // Slack may send it again
		for got := ""; got != "unheard"; {
			got = within(t, time.Second, "ack", second.acks)
		}
		if got := within(t, time.Minute, "answer", s.answers); !strings.Contains(got, "answer to y") {
			t.Errorf("answered %s", got)
		}
		s.quiet()
	})
}
