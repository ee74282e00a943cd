package main

import (
	"fmt"
	"testing"

	"github.com/superduperai/sessionbot/internal/demo"
)

// TestTheSiteDisagrees: the customer's page is queried, and reported if it
// is not what was written.
func TestTheSiteDisagrees(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	s.startBot()
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	s.site.Break(demo.Fault{Status: 200, Body: `{"status":"pending","message":"Session not found or processing not yet started"}`})
	s.approved(lead, "fix", withText("is marked as error"), withText("although it was saved: check the site's log, and that it uses this Redis"))
	s.site.Break(demo.Fault{Cut: true})
	s.approved(lead, "generate", withText("Done: video ready"), withText("Customer's page  unknown: the site did not answer"))
	s.workspace.ExpectNothingElse()
}

// TestTheSiteReadsOneKey: a repair of a three-key session shows on the page, and
// the prompt stays where the site does not start another video by it.
func TestTheSiteReadsOneKey(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	s.env["SITE_LAYOUT"] = "one-key"
	s.startBot()
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	s.approved(lead, "fix", withText("is marked as error"), withText("status error: the customer sees the error"))
	s.approved(lead, "generate", withText("Done: video ready"), withText("status completed: the customer sees the video"))
	if v := s.value("session:" + repairID); v["status"] != "completed" || v["fileId"] == nil || v["toolSlug"] == nil || v["prompt"] != nil || v["error"] != nil {
		t.Errorf("session: holds %v", v)
	}
	s.workspace.ExpectNothingElse()
}

// TestSlackIsAway: the end of a repair is posted once Slack takes it.
func TestSlackIsAway(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	finish := s.holdVideos()
	s.startBot()
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	running := s.started(lead)
	s.workspace.Fault("server_error", 600, "chat.update")
	finish()
	s.awaitCompleted()
	s.workspace.Fault("clear", 0, "")
	s.expectEnd(lead, running, withText("Done: video ready"))
	s.workspace.ExpectNothingElse()
}

// awaitCompleted waits until the session itself says so.
func (s *stage) awaitCompleted() {
	s.t.Helper()
	await(s.t, func() string { return fmt.Sprint(s.value("webhook:" + repairID)["status"]) }, "completed")
}
