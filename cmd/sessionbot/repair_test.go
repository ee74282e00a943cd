package main

import (
	"context"
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
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

// onBoth tells a story with one server, and with three masters that hold a key
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

// orphan puts one orphaned session on the stage.
func orphan(s *stage) *stage {
	s.t.Helper()
	s.files = demo.NewSuperDuper(time.Now, 0) // made at once
	s.env["SUPERDUPERAI_URL"] = s.serve(s.files)
	s.env["OPERATORS"] = "S0OPS"
	paid := time.Now().Add(-14 * time.Minute)
	s.stripe.Put(demo.CheckoutSession{ID: repairID, Status: "complete", PaymentStatus: "paid", Amount: 100, Currency: "usd",
		Created: paid, Event: store.EventDelivered})
	s.put("prompt:"+repairID, `{"prompt":"A fox runs","big":12345678901234567890,"timestamp":"`+paid.UTC().Format("2006-01-02T15:04:05.000Z")+`"}`)
	return s
}

// slowly has videos made until the function that it returns is called.
func (s *stage) slowly() (finish func()) {
	var finished atomic.Bool
	s.files = demo.NewSuperDuper(func() time.Time {
		if finished.Load() {
			return time.Now().Add(time.Hour)
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

func saying(text string) func(wstest.Message) bool {
	return func(m wstest.Message) bool { return strings.Contains(m.Text, text) }
}

// TestGenerateStory: asked for, shown as a plan, refused to a guest, approved
// once, followed to its end, and on record.
func TestGenerateStory(t *testing.T) {
	t.Parallel()
	onBoth(t, tellGenerateStory)
}

func tellGenerateStory(t *testing.T, s *stage) {
	s.startBot()
	support := s.workspace.As("U0SUPPORT").In("C0SUPPORT")
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	guest := s.workspace.As("U0GUEST").In("C0SUPPORT")
	support.Type("/session generate " + repairID)
	plan := support.ExpectMessage(saying("Generate a video for"))
	if plan.Ephemeral || !strings.Contains(plan.Text, "about $24") {
		t.Errorf("the plan is not for everybody, or names no cost: %s", plan.Text)
	}
	if s.value("webhook:"+repairID) != nil || s.files.Started() != 0 {
		t.Error("a plan must not do anything")
	}
	guest.Click(plan, "confirm.approve")
	guest.ExpectMessage(saying("Only operators may do this"))
	lead.Click(plan, "confirm.approve")
	done := lead.ExpectUpdate(plan, saying("Done: video ready"))
	if !strings.Contains(done.Text, "although it was written") { // the site reads no three keys
		t.Errorf("it does not say that the customer's page knows nothing of it:\n%s", done.Text)
	}
	lead.Click(done, "session.debug")
	lead.ExpectMessage(saying("Completed: the video is ready."))
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
	s.recorded("planned: generate, by @U0SUPPORT in #C0SUPPORT", "refused: generate, by @U0GUEST in #C0SUPPORT",
		"approved: generate, by @U0LEAD in #C0SUPPORT", "ended: generate, by @U0LEAD in #C0SUPPORT · done")
	support.Type("/session generate " + repairID)
	support.ExpectMessage(saying("Generating is not possible"))
	s.workspace.ExpectNothingElse()
	s.quietLog("A fox runs")
}

var seconds = regexp.MustCompile(`(?m)^([0-9A-Z][0-9A-Za-z ]* )?\d\d:\d\d:\d\d UTC  `)

// recorded checks that the history says all of this, every entry to the second.
func (s *stage) recorded(parts ...string) {
	s.t.Helper()
	p := run(s.t, s.env, "session", "history", repairID)
	if code := p.exitCode(); code != 0 {
		s.t.Fatalf("exit code %d: %s", code, p.log)
	}
	history := p.log.String()
	if entries := strings.Count(history, " UTC  "); entries == 0 || entries != len(seconds.FindAllString(history, -1)) {
		s.t.Errorf("the history's entries are not to the second:\n%s", history)
	}
	for _, part := range parts {
		if !strings.Contains(history, part) {
			s.t.Errorf("the history does not say %q:\n%s", part, history)
		}
	}
}

// TestClicks: every click gets its own answer, and only the right one acts.
func TestClicks(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	s.env["APPROVALS"] = "all"
	s.startBot()
	support := s.workspace.As("U0SUPPORT").In("C0SUPPORT")
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	oncall := s.workspace.As("U0ONCALL").In("C0SUPPORT")

	support.Type("/session fix " + repairID)
	plan := support.ExpectMessage(saying("Mark as error: "))
	support.Click(plan, "confirm.approve")
	support.ExpectMessage(saying("another operator has to approve it"))
	support.Click(plan, "confirm.cancel")
	gone := support.ExpectUpdate(plan, saying("Cancelled, nothing was changed"))
	if strings.Contains(string(gone.Blocks), "confirm.approve") {
		t.Error("a cancelled plan keeps its buttons")
	}

	support.Type("/session fix " + repairID)
	first := support.ExpectMessage(saying("Mark as error: "))
	support.Type("/session generate " + repairID)
	second := support.ExpectMessage(saying("Generate a video for"))
	if code := s.bot.stop(); code != 0 { // live buttons outlive the process
		t.Errorf("asked to stop, it exited with %d", code)
	}
	s.startBot()
	lead.Click(first, "confirm.approve")
	done := lead.ExpectUpdate(first, saying("Done: "), saying("is marked as error"))
	if strings.Contains(string(done.Blocks), "confirm.approve") {
		t.Error("a finished plan keeps its buttons")
	}
	oncall.Click(second, "confirm.approve")
	oncall.ExpectUpdate(second, saying("Not done, nothing was changed"), saying("The verdict was orphaned and is failed now"))
	if v := s.value("webhook:" + repairID); v["status"] != "error" || v["error"] == "" || s.files.Started() != 0 {
		t.Errorf("%v, %d started", v, s.files.Started())
	}
	s.workspace.ExpectNothingElse()
}

// TestRepairInATerminal: the same plan, y or N, the same record.
func TestRepairInATerminal(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	run := func(answer string, args ...string) (string, int) {
		t.Helper()
		p := startWith(t, strings.NewReader(answer), s.env, append([]string{"session"}, args...)...)
		code := p.exitCode()
		return p.log.String(), code
	}
	for _, c := range []struct {
		answer string
		args   []string
		code   int
		says   string
	}{
		{"", []string{"fix", repairID}, 3, "Nothing was changed."},
		{"n\n", []string{"generate", repairID}, 3, "about $24"},
		{"y\n", []string{"generate", repairID}, 0, "Done: video ready"},
		{"y\n", []string{"generate", repairID}, 3, "Generating is not possible"},
		{"", []string{"history", repairID}, 0, "(terminal)"},
		{"", []string{"settle", repairID, "6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0013"}, 3, "nothing to settle"},
	} {
		log, code := run(c.answer, c.args...)
		if code != c.code || !strings.Contains(log, c.says) {
			t.Errorf("%v answered %q: exit code %d, want %d saying %q:\n%s", c.args, c.answer, code, c.code, c.says, log)
		}
	}
	if n := s.files.Started(); n != 1 {
		t.Errorf("%d started, want 1", n)
	}
}

// TestTerminalStandsStill: a bot brings the job to its end while the terminal
// does nothing, and the terminal tells it once it goes on.
func TestTerminalStandsStill(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	finish := s.slowly()
	s.env["ALERT_CHANNEL"], s.env["ALERT_ON"] = "C0ALERTS", "lost" // the orphan itself is no news here
	p := start(t, s.env, "session", "generate", "--yes", repairID)
	p.prints(regexp.MustCompile(`being made`))
	p.signal(syscall.SIGSTOP)
	s.leaseEnds()
	finish()
	s.startBot()
	s.workspace.As("U0ONCALL").In("C0ALERTS").ExpectMessage(saying("Done: video ready"))
	p.signal(syscall.SIGCONT)
	code := p.exitCode()
	for _, part := range []string{"Done: video ready", "open the video", "although it was written"} {
		if code != 0 || !strings.Contains(p.log.String(), part) {
			t.Errorf("exit code %d, want 0 saying %q:\n%s", code, part, p.log)
		}
	}
	if n := s.files.Started(); n != 1 {
		t.Errorf("%d started, want 1", n)
	}
}

// leaseEnds is as if the life of the one pending job's lease had gone by.
func (s *stage) leaseEnds() {
	s.t.Helper()
	pending, err := s.client.ZRange(s.t.Context(), "sessionbot:{jobs}:pending", 0, -1).Result()
	if err != nil || len(pending) != 1 {
		s.t.Fatalf("pending %q, %v", pending, err)
	}
	if err := s.client.Del(s.t.Context(), "sessionbot:{jobs}:lease:"+pending[0]).Err(); err != nil {
		s.t.Fatal(err)
	}
}

// TestSecondOperatorInATerminal: what needs one is left to Slack.
func TestSecondOperatorInATerminal(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	s.env["APPROVALS"] = "generate"
	generate := run(t, s.env, "session", "generate", "--yes", repairID)
	if code := generate.exitCode(); code != 3 || !strings.Contains(generate.log.String(), "approved in Slack") {
		t.Errorf("exit code %d", code)
	}
	s.nothingDone()
	s.recorded("refused: generate,", "it needs a second operator", "cancelled: generate,")
	fix := run(t, s.env, "session", "fix", "--yes", "--json", repairID)
	if code := fix.exitCode(); code != 0 || !strings.Contains(fix.log.String(), `"outcome":"done"`) {
		t.Errorf("exit code %d", code)
	}
}

// TestInterruptedQuestion: Ctrl-C at the question is a no, at once and on
// record.
func TestInterruptedQuestion(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	in, hold := io.Pipe() // nobody answers
	defer func() { _ = hold.Close() }()
	p := runWith(t, in, false, s.env, "session", "generate", repairID)
	p.prints(regexp.MustCompile(`\[y/N\]`))
	p.interrupt()
	if code := p.exitCode(); code != 3 || !strings.Contains(p.log.String(), "Nothing was changed.") {
		t.Errorf("exit code %d", code)
	}
	s.nothingDone()
	s.recorded("cancelled: generate")
}

// TestStopsWatching: Ctrl-C while the video is made leaves the job to the bot,
// and says where to look.
func TestStopsWatching(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	s.slowly()
	p := run(t, s.env, "session", "generate", "--yes", repairID)
	p.prints(regexp.MustCompile(`being made`))
	p.interrupt()
	if code := p.exitCode(); code != 1 || !strings.Contains(p.log.String(), "see /session history "+repairID+".") {
		t.Errorf("exit code %d", code)
	}
}

// TestTerminalIsGone: what was approved in a terminal that died is brought to
// its end by a bot, and told where alerts go.
func TestTerminalIsGone(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	finish := s.slowly()
	s.env["ALERT_CHANNEL"], s.env["ALERT_ON"] = "C0ALERTS", "lost" // the orphan itself is no news here
	p := start(t, s.env, "session", "generate", "--yes", repairID)
	p.prints(regexp.MustCompile(`being made`))
	p.kill()
	p.exitCode()
	s.leaseEnds()
	finish()
	s.startBot()
	s.workspace.As("U0ONCALL").In("C0ALERTS").ExpectMessage(saying("Done: video ready"))
	if n := s.files.Started(); n != 1 {
		t.Errorf("%d started, want 1", n)
	}
	s.workspace.ExpectNothingElse()
}
