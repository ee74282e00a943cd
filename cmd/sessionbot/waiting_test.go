package main

import (
	"strings"
	"testing"
	"time"
)

// hadReplica makes the bot's Redis be one that had a replica an hour ago.
func (s *stage) hadReplica() {
	s.t.Helper()
	if err := s.client.Set(s.t.Context(), "sessionbot:{jobs}:replica", "", 23*time.Hour).Err(); err != nil {
		s.t.Fatal(err)
	}
}

// TestWaitingStory: a generation that waits says so. The requester cancels it, nothing was
// requested, and another one continues by itself.
func TestWaitingStory(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	s.env["APPROVALS"] = "generate"
	s.hadReplica()
	s.startBot()
	support, lead := s.workspace.As("U0SUPPORT").In("C0SUPPORT"), s.workspace.As("U0LEAD").In("C0SUPPORT")
	waits := withText("Waiting: no replica of Redis has confirmed the record")

	plan := s.planned(support, "generate")
	old := s.copyOf(support, plan)
	lead.Click(plan, "confirm.approve")
	waiting := lead.ExpectUpdate(plan, waits, withoutButtons)
	support.Click(waiting, "confirm.cancel")
	ended := s.expectEnd(lead, waiting, withText("Cancelled: nothing was requested"))
	if strings.Contains(string(ended.Blocks), "confirm.cancel") {
		t.Errorf("it can still be cancelled: %s", ended.Blocks)
	}
	support.Click(old, "confirm.cancel")
	support.ExpectMessage(withText("This plan is shown in another message"))
	if status := s.value("webhook:" + repairID)["status"]; status != "error" || s.files.Started() != 0 {
		t.Errorf("the status is %v, %d started", status, s.files.Started())
	}
	s.expectHistory("ended: generate,", "cancelled", "while it waited for a replica", "approved: generate,")

	again := s.planned(support, "generate")
	lead.Click(again, "confirm.approve")
	waiting = lead.ExpectUpdate(again, waits)
	if err := s.client.Del(t.Context(), "sessionbot:{jobs}:replica").Err(); err != nil {
		t.Fatal(err)
	}
	s.expectEnd(lead, waiting, withText("Done: video ready"))
	if n := s.files.Started(); n != 1 {
		t.Errorf("%d started, want 1", n)
	}
	s.workspace.ExpectNothingElse()
}
