package message

import (
	"errors"
	"testing"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// TestJobSiteFact: for every answer of the site's.
func TestJobSiteFact(t *testing.T) {
	t.Parallel()
	made := repair.Job{Outcome: store.OutcomeDone, FileID: "f"}
	marked := repair.Job{Outcome: store.OutcomeDone, Plan: repair.Plan{Action: store.ActionFix}}
	overwritten := repair.Job{Outcome: store.OutcomeFailed, Cause: repair.CauseOverwritten, Overwritten: true}
	hidden := overwritten
	hidden.FileID = "f"
	const not, wrong = ": the customer does not see the video", ", although it was saved: check the site's log, and that it uses this Redis"
	for _, c := range []struct {
		name string
		job  repair.Job
		site store.Site
		want string
	}{
		{"the video", made, store.Site{Found: true, Status: "completed", FileID: "f"}, "status completed: the customer sees the video"},
		{"by its file", made, store.Site{Found: true, Status: "processing", FileID: "f"}, "status processing: the customer sees the video"},
		{"another video", made, store.Site{Found: true, Status: "completed", FileID: "g"}, "status completed" + not + wrong},
		{"no status", made, store.Site{Found: true, FileID: "f"}, "no status, so the page says “File Not Found”" + not + wrong},
		{"nothing", made, store.Site{}, "“not found”" + wrong},
		{"the error", marked, store.Site{Found: true, Status: "error"}, "status error: the customer sees the error"},
		{"no error", marked, store.Site{Found: true, Status: "processing"}, "status processing: the customer does not see the error" + wrong},
		{"what the site wrote over it", overwritten, store.Site{Found: true, Status: "error"}, "status error: the customer sees an error"},
		{"the video all the same", hidden, store.Site{Found: true, Status: "processing", FileID: "f"}, "status processing: the customer sees the video"},
		{"not the video", hidden, store.Site{Found: true, Status: "error", FileID: "f"}, "status error" + not},
		{"still waiting", repair.Job{Outcome: store.OutcomeGaveUp, FileID: "f"}, store.Site{Found: true, Status: "processing", FileID: "f"}, "status processing: the customer's page is still waiting"},
	} {
		got := blockkit.Text([]slack.Block{blockkit.Paragraph(jobSiteFact(repair.Progress{Job: c.job, Site: &c.site}))})
		if want := "Customer's page  " + c.want; got != want {
			t.Errorf("%s: %q, want %q", c.name, got, want)
		}
	}
	failed := repair.Progress{Job: made, Site: &store.Site{}, SiteErr: errors.New("away")}
	if got := blockkit.Text([]slack.Block{blockkit.Paragraph(jobSiteFact(failed))}); got[:len("Customer's page  unknown: ")] != "Customer's page  unknown: " {
		t.Errorf("without an answer: %q", got)
	}
}
