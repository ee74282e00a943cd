package main

import (
	"io"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/superduperai/sessionbot/store"
)

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
		{"", []string{"--json", "debug", "- " + repairID}, 0, `"verdict":"orphaned"`}, // as pasted from a list
		{"", []string{"-" + repairID}, 0, "Orphaned: "},
		{"", []string{"debug", "--frob", repairID}, 2, "There is no option --frob"},
		{"", []string{"fix", repairID}, 3, "Nothing was changed."},
		{"n\n", []string{"generate", repairID}, 3, "about $24"},
		{"y\n", []string{"generate", repairID}, 0, "Done: video ready"},
		{"y\n", []string{"generate", repairID}, 3, "Cannot generate"},
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

// TestSuspendedTerminal: a bot finishes the job while the terminal is suspended, and
// the terminal shows the end once it is resumed.
func TestSuspendedTerminal(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	finish := s.holdVideos()
	s.env["ALERT_CHANNEL"], s.env["ALERT_ON"] = "C0ALERTS", "lost" // the orphan itself is no news here
	p := start(t, s.env, "session", "generate", "--yes", repairID)
	p.awaitOutput(regexp.MustCompile(`being made`))
	p.signal(syscall.SIGSTOP)
	s.expireJobLease()
	finish()
	s.startBot()
	s.workspace.As("U0ONCALL").In("C0ALERTS").ExpectMessage(withText("Done: video ready"))
	p.signal(syscall.SIGCONT)
	code := p.exitCode()
	for _, part := range []string{"Done: video ready", "open the video", "although it was saved"} {
		if code != 0 || !strings.Contains(p.log.String(), part) {
			t.Errorf("exit code %d, want 0 saying %q:\n%s", code, part, p.log)
		}
	}
	if n := s.files.Started(); n != 1 {
		t.Errorf("%d started, want 1", n)
	}
}

// expireJobLease expires the lease of the one pending job.
func (s *stage) expireJobLease() {
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
	s.expectNoWrites()
	s.expectHistory("refused: generate,", "it needs a second operator", "cancelled: generate,")
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
	p.awaitOutput(regexp.MustCompile(`\[y/N\]`))
	p.interrupt()
	if code := p.exitCode(); code != 3 || !strings.Contains(p.log.String(), "Nothing was changed.") {
		t.Errorf("exit code %d", code)
	}
	s.expectNoWrites()
	s.expectHistory("cancelled: generate")
}

// TestStopsWatching: Ctrl-C while the video is made leaves the job to the bot,
// and says where to look.
func TestStopsWatching(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	s.holdVideos()
	p := run(t, s.env, "session", "generate", "--yes", repairID)
	p.awaitOutput(regexp.MustCompile(`being made`))
	p.interrupt()
	if code := p.exitCode(); code != 1 || !strings.Contains(p.log.String(), "see sessionbot session history "+repairID+".") {
		t.Errorf("exit code %d", code)
	}
}

// TestTerminalIsGone: a bot finishes what was approved in a terminal that died, and posts
// the end in the alert channel.
func TestTerminalIsGone(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	finish := s.holdVideos()
	s.env["ALERT_CHANNEL"], s.env["ALERT_ON"] = "C0ALERTS", "lost" // the orphan itself is no news here
	p := start(t, s.env, "session", "generate", "--yes", repairID)
	p.awaitOutput(regexp.MustCompile(`being made`))
	p.kill()
	p.exitCode()
	s.expireJobLease()
	finish()
	s.startBot()
	s.workspace.As("U0ONCALL").In("C0ALERTS").ExpectMessage(withText("Done: video ready"))
	if n := s.files.Started(); n != 1 {
		t.Errorf("%d started, want 1", n)
	}
	s.workspace.ExpectNothingElse()
}

// TestCancelsWaiting: Ctrl-C while a generation waits cancels it.
func TestCancelsWaiting(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	s.hadReplica()
	p := start(t, s.env, "session", "generate", "--yes", "--json", repairID)
	p.awaitOutput(regexp.MustCompile(`press Ctrl-C`))
	p.signal(syscall.SIGINT)
	code := p.exitCode()
	for _, part := range []string{"Cancelled: nothing was requested", `"outcome":"cancelled"`} {
		if code != 3 || !strings.Contains(p.log.String(), part) {
			t.Errorf("exit code %d, want 3 saying %q:\n%s", code, part, p.log)
		}
	}
	if v := s.value("webhook:" + repairID); v["status"] != string(store.StatusError) || s.files.Started() != 0 {
		t.Errorf("%v, %d started", v, s.files.Started())
	}
}

// TestLeavesWaiting: a supervisor that ends the process leaves the generation to
// a bot.
func TestLeavesWaiting(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	s.hadReplica()
	p := run(t, s.env, "session", "generate", "--yes", repairID)
	p.awaitOutput(regexp.MustCompile(`press Ctrl-C`))
	p.term()
	if code := p.exitCode(); code != 1 || !strings.Contains(p.log.String(), "A running bot continues the repair") {
		t.Errorf("exit code %d:\n%s", code, p.log)
	}
	if v := s.value("webhook:" + repairID); v["status"] == string(store.StatusError) {
		t.Errorf("%v", v)
	}
}
