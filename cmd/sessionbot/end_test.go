package main

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
)

// TestEndIsPostedOnce: the approver of a repair is notified of its end once, although
// the process that posted it dies before that.
func TestEndIsPostedOnce(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	s.startBot()
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	done := s.approved(lead, "generate", withText("Done: video ready"))
	const jobs = "sessionbot:{jobs}:"
	job := jobs + "job:" + s.jobOf()
	record := func() string { return s.client.HGet(t.Context(), job, "job").Val() }
	await(t, record, `"Told":true`)
	s.expectCleanStop()
	unnoted := strings.Replace(record(), `"Told":true`, `"Told":false`, 1)
	pipe := s.client.TxPipeline()
	pipe.HSet(t.Context(), job, "job", unnoted)
	pipe.ZAdd(t.Context(), jobs+"pending", redis.Z{Score: 1, Member: s.jobOf()})
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.startBot()
	lead.ExpectUpdate(done, withText("Done: video ready"))
	await(t, record, `"Told":true`)
	s.workspace.ExpectNothingElse()
}

// jobOf is the id of the session's latest job.
func (s *stage) jobOf() string {
	s.t.Helper()
	return s.client.HGet(s.t.Context(), "sessionbot:{jobs}:of:"+repairID, "id").Val()
}

// TestPresses counts those from the answer to a running repair: two, and three where
// Stripe still delivers. No dialog asks in between, and no hint is left behind that does
// not hold any more.
func TestPresses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		event store.EventState
		want  int
	}{
		"delivered": {store.EventDelivered, 2}, "Stripe still delivers": {store.EventFailed, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := repairStage(t)
			s.stripe.Put(demo.CheckoutSession{ID: repairID, Status: "complete", PaymentStatus: "paid", Amount: 100, Currency: "usd",
				Created: time.Now().Add(-14 * time.Minute), Event: c.event})
			s.startBot()
			lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
			presses := 0
			press := func(m wstest.Message, action string) {
				t.Helper()
				if presses++; strings.Contains(string(m.Blocks), `"confirm":`) {
					t.Errorf("a dialog asks: %s", m.Blocks)
				}
				lead.Click(m, action)
			}
			lead.Type("/session debug " + repairID)
			press(lead.ExpectMessage(withText("about $24 for a $1.00 order")), "session.generate")
			plan := lead.ExpectMessage(withText("the customer paid $1.00"))
			press(plan, "confirm.approve")
			if c.event == store.EventFailed {
				plan = lead.ExpectUpdate(plan, withText(" pressed once"))
				pressed := time.Now().Add(-time.Minute).UnixMilli() // on the clock
				if err := s.client.HSet(t.Context(), "sessionbot:{jobs}:plan:"+strings.Split(planID(t, plan), ".")[0], "pressed", pressed).Err(); err != nil {
					t.Fatal(err)
				}
				press(plan, "confirm.approve")
			}
			s.expectEnd(lead, plan, withText("Done: video ready"))
			if presses != c.want {
				t.Errorf("%d presses, want %d", presses, c.want)
			}
			s.workspace.ExpectNothingElse()
		})
	}
}
