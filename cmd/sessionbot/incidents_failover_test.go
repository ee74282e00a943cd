package main

import (
	"regexp"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
)

// TestLeaderIsKilled: the other replica goes on where the first one stopped, in
// the same message; what was not posted yet is posted, once.
func TestLeaderIsKilled(t *testing.T) {
	t.Parallel()
	watchedOnBoth(t, leaderIsKilled)
}

func leaderIsKilled(t *testing.T, s *stage) {
	s.startProcess()
	first := s.bot
	s.pays(watchID(1), pastGrace(), store.EventFailed)
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	alert := oncall.ExpectMessage(containing("A paid session got no video."))
	s.startBot()
	s.workspace.AwaitConnections(2)
	first.kill()
	s.expireLeadership()
	s.pays(watchID(2), pastGrace(), store.EventDelivered)
	alert = oncall.ExpectUpdate(alert, containing("2 paid sessions have had no video since"))
	if code := s.bot.stop(); code != 0 {
		t.Errorf("asked to stop, it exited with %d", code)
	}
	s.webhook(watchID(1), store.StatusProcessing)
	s.startBot()
	alert = oncall.ExpectUpdate(alert, containing("A paid session got no video.", "2 sessions in all; 1 webhook came late"))
	oncall.Click(alert, "alert.ack")
	oncall.ExpectUpdate(alert, containing("Acknowledged by"))
	s.onlyUpdates(containing("Acknowledged by"))
}

// expireLeadership acts as if the life of the leader's lease had gone by.
func (s *stage) expireLeadership() {
	s.t.Helper()
	if err := s.client.Del(s.t.Context(), "sessionbot:{watch}:leader").Err(); err != nil {
		s.t.Fatal(err)
	}
}

// TestRedisIsAway for longer than the lease lasts: what happened is alerted after.
func TestRedisIsAway(t *testing.T) {
	t.Parallel()
	s := watched(ownStage(t))
	s.startBot()
	s.pays(watchID(1), pastGrace(), store.EventFailed)
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	alert := oncall.ExpectMessage(containing("A paid session got no video."))
	s.stripe.Put(demo.CheckoutSession{ID: watchID(2), Status: "complete", PaymentStatus: "paid", Amount: 100, Currency: "usd", Created: pastGrace(), Event: store.EventFailed})
	s.redis.Freeze(t)
	s.bot.awaitOutput(regexp.MustCompile("leadership lost"))
	s.redis.Thaw(t)
	oncall.ExpectMessage(containing("Lost: a paid session"))
	s.webhook(watchID(1), store.StatusCompleted)
	oncall.ExpectUpdate(alert, containing("Resolved after"))
	s.workspace.ExpectNothingElse()
}

// TestRedisFailsOver: a replica is made the master, and the watch goes on there,
// in the same message.
func TestRedisFailsOver(t *testing.T) {
	t.Parallel()
	t.Run("Sentinel", func(t *testing.T) {
		t.Parallel()
		f := redistest.StartFailover(t)
		redisFailsOver(watched(stageOn(t, f.URL(), f.Client())), f.Master)
	})
	t.Run("three masters", func(t *testing.T) {
		t.Parallel()
		c := redistest.StartCluster(t)
		master := c.NodeOf(t, "{watch}") // where incidents lie
		c.AddReplica(t, master)
		redisFailsOver(watched(stageOn(t, c.URL(), c.Client())), master)
	})
}

func redisFailsOver(s *stage, master *redistest.Server) {
	s.env["SWEEP_INTERVAL"] = "20s" // three failures in a row would be alerted
	s.startBot()
	s.workspace.Optional(func(m wstest.Message) bool { // if the failover takes long
		return containing("Redis has been unavailable")(m) || containing("Redis is available again")(m)
	})
	s.pays(watchID(1), pastGrace(), store.EventFailed)
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	alert := oncall.ExpectMessage(containing("A paid session got no video."))
	// The replica has the session; that it was alerted may get lost.
	testenv.Until(s.t, "a replica follows", func() bool {
		n, err := master.Client().Wait(s.t.Context(), 1, time.Second).Result()
		return err == nil && n == 1
	})
	master.Kill(s.t)
	await(s.t, func() string { // a key in the slot of the incidents, then all others
		for _, key := range []string{"{watch}:probe", "probe"} {
			if err := s.client.Set(s.t.Context(), key, "", time.Minute).Err(); err != nil {
				return err.Error()
			}
		}
		return "written"
	}, "written")
	s.pays(watchID(2), pastGrace(), store.EventFailed)
	alert = oncall.ExpectUpdate(alert, containing("2 paid sessions have had no video since"))
	s.webhook(watchID(1), store.StatusProcessing)
	s.webhook(watchID(2), store.StatusProcessing)
	oncall.ExpectUpdate(alert, containing("Resolved after", "2 webhooks came late"))
	s.workspace.ExpectNothingElse()
}
