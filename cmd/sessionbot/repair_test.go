package main

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
)

const repairID = "cs_live_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y5Z6rep4" // its three keys lie on three masters

// repairStage is a stage with one orphaned session, whose event is delivered.
func repairStage(t *testing.T) *stage {
	t.Helper()
	return orphan(newStage(t))
}

// onBoth runs a story on one server, and on three masters that hold a key
// of the session each.
func onBoth(t *testing.T, story func(t *testing.T, s *stage)) {
	t.Run("a server", func(t *testing.T) { story(t, repairStage(t)) })
	t.Run("three masters", func(t *testing.T) {
		s, cluster := clusterStage(t)
		nodes := map[*redistest.Server]bool{}
		for _, kind := range []string{"prompt:", "webhook:", "session:"} {
			nodes[cluster.NodeOf(t, kind+repairID)] = true
		}
		if len(nodes) != 3 {
			t.Fatalf("the keys lie on %d masters", len(nodes))
		}
		story(t, orphan(s))
	})
}

// clusterStage is a stage with three masters, empty at first, which it has to
// itself.
func clusterStage(t *testing.T) (*stage, *redistest.Cluster) {
	t.Helper()
	cluster := redistest.LockCluster(t)
	s := stageOn(t, cluster.URL(), cluster.Client())
	return s, cluster
}

// orphan stores one orphaned session.
func orphan(s *stage) *stage {
	s.t.Helper()
	s.files = demo.NewSuperDuper(time.Now, 0) // made at once
	s.env["SUPERDUPERAI_URL"] = s.serve(s.files)
	s.env["OPERATORS"] = "S0OPS"
	s.env["SITE_LAYOUT"] = "three-key" // auto goes by what it sees within half a second
	paid := time.Now().Add(-14 * time.Minute)
	s.stripe.Put(demo.CheckoutSession{ID: repairID, Status: "complete", PaymentStatus: "paid", Amount: 100, Currency: "usd",
		Created: paid, Event: store.EventDelivered})
	s.put("prompt:"+repairID, `{"prompt":"A fox runs","big":12345678901234567890,"timestamp":"`+paid.UTC().Format("2006-01-02T15:04:05.000Z")+`"}`)
	return s
}

// holdVideos keeps videos in progress until the function that it returns is called.
func (s *stage) holdVideos() (finish func()) {
	var finished atomic.Bool
	var hours atomic.Int64
	s.files = demo.NewSuperDuper(func() time.Time {
		if finished.Load() { // those as well that are started later
			return time.Now().Add(time.Duration(hours.Add(1)) * time.Hour)
		}
		return time.Now()
	}, time.Hour)
	s.env["SUPERDUPERAI_URL"] = s.serve(s.files)
	return func() { finished.Store(true) }
}

func (s *stage) put(key, value string) {
	s.t.Helper()
	if err := s.client.Set(s.t.Context(), key, value, store.KeyLife).Err(); err != nil {
		s.t.Fatal(err)
	}
}

// value reads what Redis holds, as an object; nil = missing.
func (s *stage) value(key string) map[string]any {
	s.t.Helper()
	raw, err := s.client.Get(s.t.Context(), key).Bytes()
	if err != nil {
		return nil
	}
	var value map[string]any
	if err := json.Unmarshal(raw, &value); err != nil {
		s.t.Fatal(err)
	}
	return value
}

func withText(text string) func(wstest.Message) bool {
	return func(m wstest.Message) bool { return strings.Contains(m.Text, text) }
}

// TestGenerateStory: requested, shown as a plan, refused to a guest, approved once, followed
// to its end, and on record.
func TestGenerateStory(t *testing.T) {
	t.Parallel()
	onBoth(t, generateStory)
}

func generateStory(t *testing.T, s *stage) {
	s.startBot()
	support := s.workspace.As("U0SUPPORT").In("C0SUPPORT")
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	guest := s.workspace.As("U0GUEST").In("C0SUPPORT")
	support.Type("/session generate " + repairID)
	plan := support.ExpectMessage(withText("Generate a video for"))
	if plan.Ephemeral || !strings.Contains(plan.Text, "about $24") {
		t.Errorf("the plan is not for everybody, or names no cost: %s", plan.Text)
	}
	if s.value("webhook:"+repairID) != nil || s.files.Started() != 0 {
		t.Error("a plan must not do anything")
	}
	guest.Click(plan, "confirm.approve")
	guest.ExpectMessage(withText("Only operators may do this"))
	lead.Click(plan, "confirm.approve")
	done := s.expectEnd(lead, plan, withText("Done: video ready"))
	if !strings.Contains(done.Text, "although it was saved") { // the site reads no three keys
		t.Errorf("it does not say that the customer's page knows nothing of it:\n%s", done.Text)
	}
	lead.Click(done, "session.debug")
	lead.ExpectMessage(withText("Completed: the video is ready."))
	if n := s.files.Started(); n != 1 {
		t.Errorf("%d videos were started, want 1", n)
	}
	webhook, session := s.value("webhook:"+repairID), s.value("session:"+repairID)
	if webhook["status"] != "completed" || webhook["fileId"] != session["fileId"] || webhook["fileId"] == nil {
		t.Errorf("webhook %v, session %v", webhook, session)
	}
	if ttl := s.client.TTL(context.Background(), "webhook:"+repairID).Val(); ttl < store.KeyLife-time.Minute {
		t.Errorf("the webhook lives for %v", ttl)
	}
	s.expectHistory("planned: generate, by @U0SUPPORT in #C0SUPPORT", "refused: generate, by @U0GUEST in #C0SUPPORT",
		"approved: generate, by @U0LEAD in #C0SUPPORT", "ended: generate, approved by @U0LEAD in #C0SUPPORT · done")
	support.Type("/session generate " + repairID)
	support.ExpectMessage(withText("Cannot generate"))
	s.workspace.ExpectNothingElse()
	s.expectCleanLog("A fox runs")
}

var seconds = regexp.MustCompile(`(?m)^([0-9A-Z][0-9A-Za-z ]* )?\d\d:\d\d:\d\d UTC  `)

// expectHistory checks that the history says all of this, every entry to the second.
func (s *stage) expectHistory(parts ...string) {
	s.t.Helper()
	named := strings.NewReplacer("@U0SUPPORT", "@sam", "@U0LEAD", "@lea", "@U0ONCALL", "@ona", "@U0GUEST", "@gus", "#C0SUPPORT", "#support", "#C0ALERTS", "#alerts")
	p := run(s.t, s.env, "session", "history", repairID)
	if code := p.exitCode(); code != 0 {
		s.t.Fatalf("exit code %d: %s", code, p.log)
	}
	history := p.log.String()
	if entries := strings.Count(history, " UTC  "); entries == 0 || entries != len(seconds.FindAllString(history, -1)) {
		s.t.Errorf("the history's entries are not to the second:\n%s", history)
	}
	for _, part := range parts {
		if part = named.Replace(part); !strings.Contains(history, part) {
			s.t.Errorf("the history does not say %q:\n%s", part, history)
		}
	}
}

// TestClicks: every click gets its own answer, and only the authorized one has an effect.
func TestClicks(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	s.env["APPROVALS"] = "all"
	s.startBot()
	support := s.workspace.As("U0SUPPORT").In("C0SUPPORT")
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	oncall := s.workspace.As("U0ONCALL").In("C0SUPPORT")

	support.Type("/session fix " + repairID)
	plan := support.ExpectMessage(withText("Mark as error: "))
	support.Click(plan, "confirm.approve")
	support.ExpectMessage(withText("another operator has to approve it"))
	support.Click(plan, "confirm.cancel")
	gone := support.ExpectUpdate(plan, withText("Cancelled, nothing was changed"))
	if strings.Contains(string(gone.Blocks), "confirm.approve") {
		t.Error("a cancelled plan keeps its buttons")
	}

	support.Type("/session fix " + repairID)
	first := support.ExpectMessage(withText("Mark as error: "))
	support.Type("/session generate " + repairID)
	second := support.ExpectMessage(withText("Generate a video for"))
	if code := s.bot.stop(); code != 0 { // live buttons outlive the process
		t.Errorf("asked to stop, it exited with %d", code)
	}
	s.startBot()
	lead.Click(first, "confirm.approve")
	done := s.expectEnd(lead, first, withText("Done: "), withText("is marked as error"))
	if strings.Contains(string(done.Blocks), "confirm.approve") {
		t.Error("a finished plan keeps its buttons")
	}
	oncall.Click(second, "confirm.approve")
	s.expectEnd(oncall, second, withText("Not done: nothing was changed"), withText("The verdict was “orphaned” and is now “failed”"))
	v := s.value("webhook:" + repairID)
	if text, _ := v["error"].(string); v["status"] != "error" || text == "" || s.files.Started() != 0 {
		t.Errorf("%v, %d started", v, s.files.Started())
	}
	s.workspace.ExpectNothingElse()
}
