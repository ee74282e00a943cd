package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/superduperai/sessionbot"
	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/workspace"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
)

// record reads the one incident that is open, as it is stored.
func (s *stage) record() (key string, incident map[string]any) {
	s.t.Helper()
	ids, err := s.client.ZRange(s.t.Context(), "sessionbot:{watch}:open", 0, -1).Result()
	if err != nil || len(ids) != 1 {
		return "", nil
	}
	key = "sessionbot:{watch}:incident:" + ids[0]
	raw, err := s.client.HGet(s.t.Context(), key, "incident").Bytes()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &incident); err != nil {
		s.t.Fatal(err)
	}
	return key, incident
}

// TestKilledBeforeItIsPosted: the record was there first, so the next process
// looks for the message, finds none and posts it, once.
func TestKilledBeforeItIsPosted(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.workspace.Fault("slow", 4, "chat.postMessage")
	s.pays(watchID(1), pastGrace(), store.EventFailed)
	s.startProcess()
	await(t, func() string {
		if _, incident := s.record(); incident["posting"] != nil {
			return "posting"
		}
		return "not yet"
	}, "posting")
	s.bot.kill()
	s.expireLeadership()
	s.workspace.Fault("clear", 0, "") // which has the dead bot's message posted, if it was on its way
	s.startBot()
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	oncall.ExpectMessage(containing("A paid session got no video."))
	s.onlyUpdates(containing("A paid session got no video.")) // where it was found
}

// TestKilledBeforeThePostIsNoted: the message is there, and only its address was not
// recorded. It is found by its mark, and not posted again.
func TestKilledBeforeThePostIsNoted(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	alert := s.losesRecordOfPost()
	s.pays(watchID(2), pastGrace(), store.EventFailed)
	s.startBot()
	oncall.ExpectUpdate(alert, containing("2 paid sessions have had no video since"))
	s.onlyUpdates(containing("2 paid sessions have had no video since"))
}

// TestKilledWithoutHistoryScope: without the right to read the channel's history
// the alert comes once more, which is the price of a kill, and not again.
func TestKilledWithoutHistoryScope(t *testing.T) {
	t.Parallel()
	var manifest []byte
	for line := range bytes.Lines(sessionbot.Manifest) {
		if !bytes.Contains(line, []byte(":history")) {
			manifest = append(manifest, line...)
		}
	}
	server := redistest.NewDatabase(t)
	s := watched(stageIn(t, workspace.Config{Manifest: manifest, AckWithin: ackWithin}, server.URL(), server.Client()))
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	s.losesRecordOfPost()
	s.startBot()
	again := oncall.ExpectMessage(containing("A paid session got no video."))
	s.pays(watchID(2), pastGrace(), store.EventFailed)
	oncall.ExpectUpdate(again, containing("2 paid sessions have had no video since", "Stripe has not been able to deliver the events to at least one endpoint since"))
	s.onlyUpdates(containing("2 paid sessions have had no video since"))
}

// losesRecordOfPost runs a bot that alerts of one orphan, and dies before that is
// noted.
func (s *stage) losesRecordOfPost() wstest.Message {
	s.t.Helper()
	s.pays(watchID(1), pastGrace(), store.EventFailed)
	s.startBot()
	alert := s.workspace.As("U0ONCALL").In("C0ALERTS").ExpectMessage(containing("A paid session got no video."))
	if code := s.bot.stop(); code != 0 {
		s.t.Errorf("asked to stop, it exited with %d", code)
	}
	var metadata struct {
		Payload struct{ Mark string } `json:"event_payload"`
	}
	if err := json.Unmarshal(alert.Metadata, &metadata); err != nil || metadata.Payload.Mark == "" {
		s.t.Fatalf("the alert has no mark: %s, %v", alert.Metadata, err)
	}
	key, incident := s.record()
	delete(incident, "place")
	incident["posting"], incident["posting_at"], incident["shown"] = metadata.Payload.Mark, incident["posted_at"], 0
	raw, err := json.Marshal(incident)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.client.HSet(s.t.Context(), key, "incident", raw).Err(); err != nil {
		s.t.Fatal(err)
	}
	return alert
}

// TestAnswersGetLost: Slack posts the alert and a line in its thread, and its
// answers are lost. Both are looked up, and there is one of each.
func TestAnswersGetLost(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.startBot()
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	s.workspace.Fault("lose_answer", 120, "chat.postMessage")
	s.pays(watchID(1), pastGrace(), store.EventFailed)
	alert := oncall.ExpectMessage(func(m wstest.Message) bool { // it was found
		return m.Edited && containing("A paid session got no video.")(m)
	})
	s.workspace.Fault("lose_answer", 20, "chat.postMessage")
	for n := range 4 {
		s.pays(watchID(2+n), pastGrace(), store.EventFailed)
	}
	alert = oncall.ExpectUpdate(alert, containing("5 paid sessions have had no video"))
	oncall.ExpectMessage(containing("Growing: 5 paid sessions have had no video"))
	s.workspace.Fault("clear", 0, "")
	s.webhook(watchID(1), store.StatusCompleted)
	oncall.ExpectUpdate(alert, containing("4 paid sessions have had no video", "to at least one endpoint since"))
	s.onlyUpdates(containing("4 paid sessions have had no video"))
}

// TestWatchIsDegraded: three sweeps fail in a row, which is reported once, and so is
// the recovery. What the bot remembers lies in another Redis.
func TestWatchIsDegraded(t *testing.T) {
	t.Parallel()
	s := watched(ownStage(t))
	state := redistest.NewDatabase(t)
	s.env["STATE_REDIS_URL"] = state.URL()
	s.startBot()
	await(t, func() string { return state.Client().HGet(t.Context(), "sessionbot:{watch}:state", "swept").String() }, ": 1")
	s.redis.Freeze(t)
	oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
	alert := oncall.ExpectMessage(containing("Monitoring has been impaired since", "the sessions in Redis cannot be read", "<@U0ONCALL>"))
	s.redis.Thaw(t)
	alert = oncall.ExpectUpdate(alert, containing("Monitoring is restored after"))
	if strings.Contains(alert.Text, "U0ONCALL") {
		t.Errorf("somebody is called: %s", alert.Text)
	}
	keys, err := s.client.Keys(t.Context(), "sessionbot:*").Result()
	if err != nil || len(keys) > 0 {
		t.Errorf("the product's Redis holds %v, %v", keys, err)
	}
	s.workspace.ExpectNothingElse()
}
