package main

import (
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot"
	"github.com/superduperai/sessionbot/internal/workspace"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
)

// restore puts the recorded keys into Redis, with the rest of their lives: who
// was killed holds its leases for as long as they were to last.
func (s *stage) restore(r recording) {
	s.t.Helper()
	pipe, ctx := s.client.TxPipeline(), s.t.Context()
	for _, k := range r.Keys {
		switch {
		case k.Text != nil:
			pipe.Set(ctx, k.Key, *k.Text, 0)
		case k.Hash != nil:
			pipe.HSet(ctx, k.Key, k.Hash)
		case k.Scores != nil:
			for member, score := range k.Scores {
				pipe.ZAdd(ctx, k.Key, redis.Z{Member: member, Score: score})
			}
		default:
			for _, entry := range k.Stream {
				pipe.XAdd(ctx, &redis.XAddArgs{Stream: k.Key, ID: entry.ID, Values: entry.Values})
			}
		}
		if k.TTL > 0 {
			pipe.PExpire(ctx, k.Key, time.Duration(k.TTL)*time.Millisecond)
		}
	}
	if _, err := pipe.Exec(ctx); err != nil {
		s.t.Fatal(err)
	}
}

// repost makes the stage's workspace one that holds the recorded messages under
// their own ts, which it takes from its clock.
func (s *stage) repost(messages []recordedMessage) {
	s.t.Helper()
	var micros atomic.Int64 // 0 = now
	ws, err := workspace.Start(workspace.Config{Addr: "127.0.0.1:0", Manifest: sessionbot.Manifest, Now: func() time.Time {
		if at := micros.Load(); at != 0 {
			return time.UnixMicro(at)
		}
		return time.Now()
	}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = ws.Close() })
	s.server = ws
	s.env["SLACK_APP_TOKEN"], s.env["SLACK_BOT_TOKEN"], s.env["SLACK_API_URL"] = ws.AppToken(), ws.BotToken(), ws.APIURL()
	api := slack.New(ws.BotToken(), slack.OptionAPIURL(ws.APIURL()))
	for _, m := range messages {
		at, err := strconv.ParseInt(strings.Replace(m.TS, ".", "", 1), 10, 64)
		if err != nil {
			s.t.Fatal(err)
		}
		micros.Store(at)
		_, ts, err := api.PostMessageContext(s.t.Context(), m.Channel, slack.MsgOptionText(m.Text, false), slack.MsgOptionTS(m.Thread))
		if err != nil || ts != m.TS {
			s.t.Fatalf("posted as %q instead of %q, %v", ts, m.TS, err)
		}
	}
	micros.Store(0)
	s.workspace = wstest.New(s.t, ws.URL(), ws.ControlKey())
}

// untilShown waits until the messages of a channel say all of this. Leases have
// to end before anything does, so only a hang takes as long as this waits.
func (s *stage) untilShown(channel string, parts ...string) {
	s.t.Helper()
	tick, late := time.NewTicker(50*time.Millisecond), time.After(patience)
	defer tick.Stop()
	for {
		var shown strings.Builder
		messages, _ := s.server.Messages(channel, "")
		for _, m := range messages {
			shown.WriteString(m.Text + "\n")
		}
		if !lacks(shown.String(), parts) {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			s.t.Fatalf("%s never said %q:\n%s", channel, parts, shown.String())
		}
	}
}

// TestRecordedState: what bots of earlier commits kept in Redis when they were
// killed is continued: the alert in its message, still acknowledged, the
// sessions whose grace ends later, and the video that is being made.
func TestRecordedState(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/state/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("there are no recordings, %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) {
			t.Parallel()
			recordedState(t, watched(newStage(t)), loadRecording(t, path))
		})
	}
}

func recordedState(t *testing.T, s *stage, r recording) {
	s.restore(r)
	s.repost(r.Messages)
	s.stripe.Put(r.Stripe...)
	file, _ := s.value("webhook:" + repairID)["fileId"].(string)
	s.files.Put(file, store.FileInProgress)
	alerts, support := s.workspace.As("U0ONCALL").In("C0ALERTS"), s.workspace.As("U0SUPPORT").In("C0SUPPORT")
	alert, plan := alerts.All()[0], support.All()[0]
	s.startBot()

	s.untilShown("C0ALERTS", "3 paid sessions have had no video", "Lost: ")
	alert = alerts.ExpectUpdate(alert, containing("3 paid sessions have had no video since", orphanID, repairID, graceID, "Acknowledged by"))
	lost := alerts.ExpectMessage(containing("Lost: a paid session has no prompt", onlyPaidID))
	alerts.ExpectMessage(containing("Monitoring was down from"))

	s.files.Put(file, store.FileCompleted)
	s.untilShown("C0SUPPORT", "Done: video ready")
	s.expectEnd(support, plan, withText("Done: video ready"), withoutButtons)
	if webhook := s.value("webhook:" + repairID); webhook["status"] != "completed" || webhook["fileId"] != file || file == "" {
		t.Errorf("the file is %q, the webhook says %v", file, webhook)
	}
	if n := s.files.Started(); n != 0 {
		t.Errorf("%d more videos were started", n)
	}
	s.expectHistory("planned: generate, by @U0SUPPORT in #C0SUPPORT", "approved: generate, by @U0ONCALL in #C0SUPPORT",
		"ended: generate, approved by @U0ONCALL in #C0SUPPORT · done")

	alert = alerts.ExpectUpdate(alert, containing("2 paid sessions have had no video since", "1 generated", "Acknowledged by"))
	for _, id := range []string{orphanID, graceID, onlyPaidID} {
		s.webhook(id, store.StatusCompleted)
	}
	alerts.ExpectUpdate(alert, containing("Resolved after", "1 generated", "2 webhooks came late"))
	alerts.ExpectUpdate(lost, containing("Resolved after", "1 webhook came late"))
	s.workspace.ExpectNothingElse()
}
