package storybook

import (
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/repair"
)

// TestImagesAreNoVideos: no message about an image calls it a video.
func TestImagesAreNoVideos(t *testing.T) {
	t.Parallel()
	prompt, generating, done, failed := "A fox", "processing", "completed", "error"
	image := func(status *string, file store.FileState, paid store.PaymentState) diagnosis.Examination {
		var e diagnosis.Evidence
		e.Session.SessionKey = store.Key{Kind: "session", Exists: true, Full: true,
			Value: store.Value{Prompt: &prompt, Status: status, GenerationType: "text-to-image"}}
		if file != "" {
			e.Session.SessionKey.Value.FileID, e.File.State = text("f1"), file
		}
		e.Payment = store.Payment{State: paid, Created: noon.Add(-time.Hour)}
		e.Event = store.Event{State: store.EventFailed, Created: noon.Add(-time.Hour)}
		x := diagnosis.Examination{Evidence: e, At: noon}
		x.Diagnosis = diagnosis.Diagnose(e, noon, diagnosis.Thresholds{OrphanGrace: 10 * time.Minute, StallAfter: 30 * time.Minute})
		return x
	}
	var out strings.Builder
	for _, x := range []diagnosis.Examination{
		image(nil, "", store.PaymentPaid), image(nil, "", store.PaymentUnverified), image(nil, "", store.PaymentNotRequired),
		image(nil, "", store.PaymentUnpaid), image(nil, "", store.PaymentExpired), image(nil, "", store.PaymentRefunded),
		image(&generating, store.FileInProgress, store.PaymentPaid), image(&generating, store.FileCompleted, store.PaymentPaid),
		image(&generating, store.FileFailed, store.PaymentPaid), image(&generating, store.FileUnknown, store.PaymentPaid),
		image(&done, store.FileCompleted, store.PaymentPaid), image(&failed, "", store.PaymentUnverified),
	} {
		w := &world{seen: x.Evidence, event: x.Event}
		out.WriteString(whole(ask(w, "", "/session", "debug "+sessionID)) + "\n")
		for _, action := range []store.Action{store.ActionFix, store.ActionGenerate} {
			p, err := repair.MakePlan(action, x, store.Actor{ID: "U1"}, repair.PlanOptions{TTL: time.Minute, FixText: commands.FixText,
				Models: repair.Models{Video: "veo3", Image: "gpt-image-1"}}, noon)
			if err != nil {
				continue // not allowed: debug says why
			}
			line := message.PlanClickReply(repair.ClaimResult{Verdict: repair.NeedsSecondPress, Plan: repair.PlanRecord{Plan: p}}, noon)
			out.WriteString(blockkit.Text(append(message.PlanBlocks(p, 2400), blockkit.Paragraph(line))) + whole(Story{}.with(message.PlanActions(p, ""))) + "\n")
			for _, o := range endings {
				for _, cause := range o.causes {
					if o.action == action {
						now := progress(p, o.outcome, cause)
						out.WriteString(blockkit.Text(registryOf(w).ProgressBlocks(now)) + "\n")
					}
				}
			}
		}
	}
	if !strings.Contains(out.String(), "Generate an image for") || !strings.Contains(out.String(), "Your image is ready") {
		t.Errorf("no message about an image:\n%s", out.String())
	}
	for line := range strings.Lines(out.String()) {
		if strings.Contains(strings.ToLower(line), "video") {
			t.Errorf("an image is called a video: %s", line)
		}
	}
}

// whole is all that is read of a message, buttons included.
func whole(s Story) string { return blockkit.Text(s.Blocks) + buttons(s) }
