package main

import (
	"crypto/sha256"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
)

// approved plans a repair, approves it and returns its message at the end.
func (s *stage) approved(by wstest.Place, action string, end ...func(wstest.Message) bool) wstest.Message {
	s.t.Helper()
	plan := s.planned(by, action)
	by.Click(plan, "confirm.approve")
	return s.expectEnd(by, plan, end...)
}

// started plans a generation, approves it and returns its message while it is made.
func (s *stage) started(by wstest.Place) wstest.Message {
	s.t.Helper()
	plan := s.planned(by, "generate")
	by.Click(plan, "confirm.approve")
	return by.ExpectUpdate(plan, withText("being made"), withoutButtons)
}

// expectEnd expects the end of a repair in its message, and once in the thread, where
// it mentions the approver.
func (s *stage) expectEnd(by wstest.Place, plan wstest.Message, end ...func(wstest.Message) bool) wstest.Message {
	s.t.Helper()
	done := by.ExpectUpdate(plan, end...)
	s.checkMessage(done)
	reply := by.ExpectMessage(func(m wstest.Message) bool { return m.ThreadTS == plan.TS })
	s.checkMessage(reply)
	head, _, _ := strings.Cut(done.Text, "\n")
	_, approver, found := strings.Cut(done.Text, "approved by @")
	approver, _, _ = strings.Cut(approver, " ")
	if mention := `{"type":"user","user_id":"` + approver + `"}`; !found || !strings.HasPrefix(reply.Text, "@"+approver+" "+head) || !strings.Contains(string(reply.Blocks), mention) {
		s.t.Errorf("the thread says\n%s\nof\n%s", reply.Text, done.Text)
	}
	return done
}

// TestGenerationFails: whatever SuperDuperAI answers, people read why and what
// to do, and the session may be generated again.
func TestGenerationFails(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	s.startBot()
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	for _, c := range []struct {
		fault demo.Fault
		says  []string
	}{
		{demo.Fault{Status: 401, Body: `{"detail":"Could not validate"}`}, []string{"rejected the token", "SUPERDUPERAI_TOKEN"}},
		{demo.Fault{Status: 402, Body: `{"detail":"Insufficient balance"}`}, []string{"does not have enough balance", "Insufficient balance"}},
		{demo.Fault{Status: 403, Body: `{"detail":"VIP only <!channel>"}`}, []string{"VIP", "SUPERDUPERAI_MODEL"}},
		{demo.Fault{Status: 422, Body: `{"detail":[{"loc":["body","config","duration"],"msg":"too long","type":"value_error"}]}`},
			[]string{"rejected the request", "body.config.duration: too long"}},
		{demo.Fault{Status: 429, Body: `{}`, RetryAfter: time.Minute}, []string{"overloaded", "It asks us to wait until"}},
		{demo.Fault{Status: 500, Body: `<html>`}, []string{"an internal error", "It answered HTTP 500", "Look in the SuperDuperAI editor"}},
	} {
		s.files.BreakFor("generate-video", c.fault)
		failed := s.approved(lead, "generate", withText("Failed: no video"), withText("although it was saved"))
		for _, part := range c.says {
			if !strings.Contains(failed.Text, part) {
				t.Errorf("HTTP %d: it does not say %q:\n%s", c.fault.Status, part, failed.Text)
			}
		}
		webhook := s.value("webhook:" + repairID)
		if text, _ := webhook["error"].(string); webhook["status"] != "error" || !strings.HasPrefix(text, "Failed to start generation: ") {
			t.Errorf("HTTP %d: webhook %v", c.fault.Status, webhook)
		}
	}
	s.files.Heal()
	s.approved(lead, "generate", withText("Done: video ready"))
	if n := s.files.Started(); n != 1 {
		t.Errorf("%d started, want 1", n)
	}
	lead.Type("/session debug " + repairID)
	lead.ExpectMessage(all(withText("Earlier repairs  “generate” "), withText(": done")))
	s.workspace.ExpectNothingElse()
	s.expectCleanLog("A fox runs", "Insufficient balance")
}

// TestWrongHost: a certificate that does not fit names the right host.
func TestWrongHost(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	server := httptest.NewTLSServer(s.files)
	t.Cleanup(server.Close)
	s.env["SUPERDUPERAI_URL"] = server.URL
	s.startBot()
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	s.approved(lead, "generate", withText("Failed: no video"), withText("Set SUPERDUPERAI_URL to https://dev-editor.superduperai.co"))
	s.workspace.ExpectNothingElse()
}

// TestNoToken: a generation without a token is not planned, and the refusal is on record.
func TestNoToken(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	s.env["SUPERDUPERAI_TOKEN"] = ""
	s.startBot()
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	lead.Type("/session generate " + repairID)
	lead.ExpectMessage(withText("set it as SUPERDUPERAI_TOKEN"))
	s.expectNoWrites()
	s.expectHistory("refused: generate, by @U0LEAD in #C0SUPPORT · no token")
	s.workspace.ExpectNothingElse()
}

// TestFixOfACorruptValue: the plan lists what is removed, and the former bytes are kept.
func TestFixOfACorruptValue(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	const corrupt = `{"status":7,"createdAt":{},"more":12345678901234567890}`
	s.put("webhook:"+repairID, corrupt)
	s.put("session:"+repairID, `{"fileId":`)
	s.startBot()
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	plan := s.planned(lead, "fix")
	for _, part := range []string{"set status (unreadable) to “error”", "remove createdAt (unreadable)", "cannot be read: replaced, after a copy is saved"} {
		if !strings.Contains(plan.Text, part) {
			t.Errorf("the plan does not say %q:\n%s", part, plan.Text)
		}
	}
	lead.Click(plan, "confirm.approve")
	s.expectEnd(lead, plan, withText("is marked as error"))
	raw := s.client.Get(t.Context(), "webhook:"+repairID).Val()
	if v := s.value("webhook:" + repairID); v["status"] != "error" || v["createdAt"] != nil || !strings.Contains(raw, `"more":12345678901234567890`) {
		t.Errorf("webhook: holds %s", raw)
	}
	saved := fmt.Sprintf("sessionbot:saved:webhook:%s:%x", repairID, sha256.Sum256([]byte(corrupt)))
	if got := s.client.Get(t.Context(), saved).Val(); got != corrupt {
		t.Errorf("%q was kept as %q", corrupt, got)
	}
	s.workspace.ExpectNothingElse()
}

// TestUnclearStory: the answer gets lost, nothing is sent again, and an operator settles it,
// once, and only this generation.
func TestUnclearStory(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	s.files.BreakFor("generate-video", demo.Fault{Cut: true, Late: true})
	s.startBot()
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	guest := s.workspace.As("U0GUEST").In("C0SUPPORT")
	unclear := s.approved(lead, "generate", withText("Unclear: a video was requested for"), withText("/session settle"))
	older := s.copyOf(lead, unclear)
	lead.Type("/session generate " + repairID)
	lead.ExpectMessage(withText("Cannot generate yet: a video was requested"))
	guest.Click(unclear, "confirm.not_made")
	guest.ExpectMessage(withText("Only operators may do this"))
	lead.Type("/session debug " + repairID)
	debug := lead.ExpectMessage(withText("Found: /session settle " + repairID))
	lead.Click(debug, "confirm.not_made")
	lead.ExpectMessage(withText("Settled: nothing was made"))
	s.expectEnd(lead, unclear, withText("Failed: no video"), withText("An operator checked: nothing was made"))

	again := s.approved(lead, "generate", withText("Unclear: a video was requested for"))
	lead.Click(older, "confirm.not_made")
	lead.ExpectMessage(withText("There is nothing to settle"))
	const file = "6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0013"
	guest.Type("/session settle " + repairID + " " + file)
	guest.ExpectMessage(withText("Only full members"))
	lead.Type("/session settle " + repairID + " " + file)
	lead.ExpectMessage(withText("SuperDuperAI does not know this file, so nothing was settled"))
	s.files.Put(file, store.FileCompleted)
	lead.Type("/session settle " + repairID + " " + file)
	lead.ExpectMessage(withText("Settled: tracking the file until it finishes (SuperDuperAI says: completed)"))
	s.expectEnd(lead, again, withText("Done: video ready"), withText(file), withText("although it was saved"))
	lead.Type("/session settle " + repairID + " " + file)
	lead.ExpectMessage(withText("There is nothing to settle"))
	if n := s.files.Started(); n != 2 {
		t.Errorf("%d started, want 2", n)
	}
	s.expectHistory("settled: generate, by @U0LEAD in #C0SUPPORT · file "+file+", SuperDuperAI says: completed",
		"settled: generate, by @U0LEAD in #C0SUPPORT · not made", "not an operator's click",
		"refused: generate, by @U0LEAD in #C0SUPPORT · settle: nothing was unclear",
		"refused: generate, by @U0GUEST in #C0SUPPORT · settle: requested by somebody who is not a reader",
		"refused: generate, by @U0LEAD in #C0SUPPORT · settle: SuperDuperAI does not know the file "+file)
	s.workspace.ExpectNothingElse()
}

// TestSettleWithoutSuperDuperAI: if SuperDuperAI is unreachable the operator's word
// counts, and the answer says so; for anyone else it is refused, on record.
func TestSettleWithoutSuperDuperAI(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	s.env["OPERATORS"] = "U0LEAD"
	s.files.BreakFor("generate-video", demo.Fault{Cut: true, Late: true})
	s.startBot()
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	support := s.workspace.As("U0SUPPORT").In("C0SUPPORT")
	unclear := s.approved(lead, "generate", withText("Unclear: a video was requested for"))
	const file = "6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0013"
	support.Type("/session settle " + repairID + " " + file)
	support.ExpectMessage(withText("Only operators may do this"))
	s.files.BreakFor(file, demo.Fault{Status: 503, Body: `{}`})
	page := "https://superduperai.co/en/file/" + strings.ToUpper(file)
	lead.Type("/session settle `" + repairID + "` <" + page + "|" + page + ">")
	lead.ExpectMessage(withText("Settled: tracking the file until it finishes (not checked: SuperDuperAI answered HTTP 503)"))
	s.files.Put(file, store.FileFailed)
	s.files.Heal()
	s.expectEnd(lead, unclear, withText("Failed: no video"), withText("SuperDuperAI could not make it"))
	s.expectHistory("refused: generate, by @U0SUPPORT in #C0SUPPORT · settle: requested by somebody who is not an operator", "not checked: ")
	s.workspace.ExpectNothingElse()
}

// TestGivenUpAndFinished: a video that takes too long is given up; once it is
// finished all the same, debug says how to show it on the customer's page.
func TestGivenUpAndFinished(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	finish := s.holdVideos()
	s.env["GIVE_UP_AFTER"] = "1s"
	s.startBot()
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	givenUp := s.approved(lead, "generate", withText("Stopped waiting after"), withText("/session settle "+repairID))
	finish()
	lead.Type("/session debug " + repairID)
	lead.ExpectMessage(withText("Show the video on the customer's page (no cost)"))
	_, command, _ := strings.Cut(givenUp.Text, "If the file is ready: ")
	command, _, _ = strings.Cut(command, " (no cost)")
	lead.Type(command[:len(command)-1] + "x")
	lead.ExpectMessage(withText("not the id of a file"))
	const other = "6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0013"
	s.files.Put(other, store.FileCompleted)
	lead.Type("/session settle " + repairID + " " + other)
	lead.ExpectMessage(withText("This is not the file of that generation"))
	lead.Type(command)
	lead.ExpectMessage(withText("Settled: tracking the file until it finishes (SuperDuperAI says: completed)"))
	s.expectEnd(lead, givenUp, withText("Done: video ready"), withText("although it was saved"))
	if n := s.files.Started(); n != 1 {
		t.Errorf("%d started, want 1", n)
	}
	s.workspace.ExpectNothingElse()
}

// TestKilledWhileItIsMade: the process dies, and another one follows the video to its end in
// the same message.
func TestKilledWhileItIsMade(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	finish := s.holdVideos()
	s.startProcess()
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	plan := s.planned(lead, "generate")
	lead.Click(plan, "confirm.approve")
	running := lead.ExpectUpdate(plan, withText("being made"))
	s.bot.kill()
	s.bot.exitCode()
	s.workspace.AwaitNoConnection()
	// As if the lease's life had gone by.
	if err := s.client.Del(t.Context(), "sessionbot:{jobs}:lease:"+planID(t, plan)).Err(); err != nil {
		t.Fatal(err)
	}
	s.startBot()
	finish()
	s.expectEnd(lead, running, withText("Done: video ready"))
	if n := s.files.Started(); n != 1 {
		t.Errorf("%d started, want 1", n)
	}
	s.workspace.ExpectNothingElse()
}

// TestRedisHangsDuringAGeneration: a Redis that hangs during a generation only
// delays it.
func TestRedisHangsDuringAGeneration(t *testing.T) {
	t.Parallel()
	s := orphan(ownStage(t))
	finish := s.holdVideos()
	s.startInTime()
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	plan := s.planned(lead, "generate")
	older := s.copyOf(lead, plan)
	lead.Click(plan, "confirm.approve")
	running := lead.ExpectUpdate(plan, withText("being made"))
	s.redis.Freeze(t)
	finish()
	lead.Click(older, "confirm.approve")
	lead.ExpectMessage(withText("Nothing was done."))
	lead.Type("/session generate " + repairID)
	lead.ExpectMessage(withText("Redis"))
	s.redis.Thaw(t)
	s.expectEnd(lead, running, withText("Done: video ready"))
	if n := s.files.Started(); n != 1 {
		t.Errorf("%d started, want 1", n)
	}
	s.workspace.ExpectNothingElse()
}
