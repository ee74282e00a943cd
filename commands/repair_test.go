package commands_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/workspace/blockcheck"
	"github.com/superduperai/sessionbot/store"
)

var update = flag.Bool("update", false, "write the golden files anew")

func text(s string) *string { return &s }

// plans are one of each kind.
func plans() map[store.Action]store.Plan {
	p := store.Plan{
		ID: "K3F9", Session: id, Requester: store.Actor{ID: "U0SUPPORT"}, Created: noon, Expires: noon.Add(10 * time.Minute),
		Seen: store.Seen{Verdict: store.VerdictOrphaned, Payment: store.PaymentPaid, FileState: store.FileNone, At: noon},
	}
	fix, generate := p, p
	fix.Action, fix.FixText = store.ActionFix, commands.FixText
	fix.Requester = store.Actor{ID: "ann", Terminal: true}
	fix.Warnings = []string{"Payment could not be verified."}
	fix.Writes = []store.KeyWrite{
		{Session: id, Kind: "webhook", Unreadable: true, Changes: []store.Change{{Name: "status", Odd: true, After: text("error")}, {Name: "error", After: text(commands.FixText)}, {Name: "createdAt", Odd: true}}},
		{Session: id, Kind: "session", Changes: []store.Change{{Name: "timestamp", Before: text("2026-03-04T11:00:00.000Z"), After: text("2026-03-04T12:00:31.000Z")}}},
	}
	generate.Action, generate.Retrying, generate.EventID, generate.Live = store.ActionGenerate, true, "evt_1", true
	generate.Warnings = []string{"Stripe will still deliver the event: the site may make this video itself.", "Paid for 3 videos; the product makes one for a session."}
	generate.Order = &store.Order{Model: "google-cloud/veo3-text2video", SessionModel: "other/<!channel>", Seconds: 8, SecondsFrom: store.FromDefault,
		Width: 1280, Height: 720, SizeFrom: store.FromSession, Cents: 2400, PromptFrom: store.FromPrompt, PromptChars: 62}
	generate.Writes = []store.KeyWrite{{Session: id, Kind: "webhook", Create: true, Changes: []store.Change{{Name: "status", After: text("processing")}}, Then: []string{"fileId", "timestamp"}}}
	return map[store.Action]store.Plan{store.ActionFix: fix, store.ActionGenerate: generate}
}

// outcomes are how jobs stand and end, with the causes for it.
var outcomes = []struct {
	action  store.Action
	outcome store.Outcome
	causes  []store.Cause
}{
	{store.ActionFix, "", []store.Cause{""}}, {store.ActionFix, store.OutcomeDone, []store.Cause{""}},
	{store.ActionGenerate, "", []store.Cause{""}}, {store.ActionGenerate, store.OutcomeDone, []store.Cause{"", store.CauseOthers}},
	{store.ActionGenerate, store.OutcomeRefused, []store.Cause{store.CauseChanged, store.CauseLate, store.CauseNoToken}},
	{store.ActionGenerate, store.OutcomeFailed, []store.Cause{store.CauseUnauthorised, store.CauseRejected, store.CauseRateLimited,
		store.CauseUnavailable, store.CauseBalance, store.CauseForbidden, store.CauseCertificate, store.CauseFileFailed, store.CauseNotMade, store.CauseOthers,
		store.CauseServerFault, store.CauseLate, store.CauseChanged}},
	{store.ActionGenerate, store.OutcomeUnclear, []store.Cause{store.CauseNoAnswer}},
	{store.ActionGenerate, store.OutcomeGaveUp, []store.Cause{store.CauseTooLong}},
}

// progress is how a job stands that came to this.
func progress(p store.Plan, outcome store.Outcome, cause store.Cause) store.Progress {
	job := store.Job{ID: "K3F9", Plan: p, Approver: store.Actor{ID: "U0LEAD"}, Claimed: noon.Add(time.Minute),
		Sending: noon.Add(time.Minute), Outcome: outcome, Cause: cause, Foreign: outcome == store.OutcomeDone && cause == store.CauseOthers}
	now := store.Progress{Job: job, At: noon.Add(6 * time.Minute)}
	switch outcome {
	case store.OutcomeDone, store.OutcomeFailed:
		now.Site = &store.Site{Found: true, Status: "error"}
	case store.OutcomeUnclear, store.OutcomeGaveUp:
		now.Site = &store.Site{Found: true, Status: "processing"}
	}
	if cause == store.CauseRejected || cause == store.CauseChanged {
		now.Job.Detail = []string{"body.config.duration: <!channel> is too long"}
	}
	if outcome == store.OutcomeDone && p.Action == store.ActionGenerate {
		now.Job.FileID, now.Site.Status = "6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0013", "completed"
		now.File = store.File{State: store.FileCompleted, ThumbnailURL: "https://cdn.example.com/1.jpg"}
	}
	if outcome == store.OutcomeGaveUp {
		now.Job.FileID = "6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0013"
	}
	return now
}

// TestImagesAreNoVideos: where an image is made, nobody is told of a video.
func TestImagesAreNoVideos(t *testing.T) {
	prompt, generating, done, failed := "A fox", "processing", "completed", "error"
	image := func(status *string, file store.FileState, paid store.PaymentState) store.Examination {
		var e store.Evidence
		e.Session.Lookup = store.Key{Kind: "session", Exists: true, Full: true,
			Value: store.Value{Prompt: &prompt, Status: status, GenerationType: "text-to-image"}}
		if file != "" {
			e.Session.Lookup.Value.FileID, e.File.State = text("f1"), file
		}
		e.Payment = store.Payment{State: paid, Created: noon.Add(-time.Hour)}
		x := store.Examination{Evidence: e, At: noon, Event: store.Event{State: store.EventFailed, Created: noon.Add(-time.Hour)}}
		x.Diagnosis = store.Diagnose(e, noon, store.Thresholds{OrphanGrace: 10 * time.Minute, StallAfter: 30 * time.Minute})
		return x
	}
	var told strings.Builder
	for _, x := range []store.Examination{
		image(nil, "", store.PaymentPaid), image(nil, "", store.PaymentUnverified), image(nil, "", store.PaymentNotRequired),
		image(nil, "", store.PaymentUnpaid), image(nil, "", store.PaymentExpired), image(nil, "", store.PaymentRefunded),
		image(&generating, store.FileInProgress, store.PaymentPaid), image(&generating, store.FileCompleted, store.PaymentPaid),
		image(&generating, store.FileFailed, store.PaymentPaid), image(&generating, store.FileUnknown, store.PaymentPaid),
		image(&done, store.FileCompleted, store.PaymentPaid), image(&failed, "", store.PaymentUnverified),
	} {
		world := &world{examined: x}
		told.WriteString(answer(t, registry(world), "debug "+id) + "\n")
		for _, action := range []store.Action{store.ActionFix, store.ActionGenerate} {
			p, err := store.MakePlan(action, x, store.Actor{ID: "U1"}, store.PlanOptions{TTL: time.Minute, FixText: commands.FixText,
				Models: store.Models{Video: "veo3", Image: "gpt-image-1"}}, noon)
			if err != nil {
				continue // not allowed: debug says why
			}
			line := commands.ClaimLine(store.ClaimAnswer{Verdict: store.NeedsSecondClick, Plan: store.PlanRecord{Plan: p}}, noon)
			told.WriteString(blockkit.Text(append(commands.PlanBlocks(p), blockkit.Paragraph(line))) + buttons(commands.PlanActions(p, "")) + "\n")
			for _, o := range outcomes {
				for _, cause := range o.causes {
					if o.action == action {
						now := progress(p, o.outcome, cause)
						told.WriteString(blockkit.Text(registry(world).ProgressBlocks(now)) + "\n")
					}
				}
			}
		}
	}
	if !strings.Contains(told.String(), "Generate an image for") || !strings.Contains(told.String(), "Your image is ready") {
		t.Errorf("images are not told of:\n%s", told.String())
	}
	for line := range strings.Lines(told.String()) {
		if strings.Contains(strings.ToLower(line), "video") {
			t.Errorf("an image is called a video: %s", line)
		}
	}
}

// answer is what a command says, buttons included.
func answer(t *testing.T, r *commands.Registry, request string) string {
	t.Helper()
	a := r.Run(t.Context(), commands.Request{Command: "/session", Text: request, User: "U1"})
	if a.Outcome != commands.Done {
		t.Fatalf("%s: %s, %v", request, a.Outcome, a.Err)
	}
	return blockkit.Text(a.Blocks) + buttons(a.Actions)
}

func buttons(actions []slack.BlockElement) string {
	var labels []string
	for _, action := range actions {
		button := action.(*slack.ButtonBlockElement)
		label := "[" + button.Text.Text + "]"
		if button.Confirm != nil {
			label += "(" + button.Confirm.Text.Text + ")"
		}
		labels = append(labels, label)
	}
	return strings.Join(labels, " ")
}

// TestRepairTexts compares every plan, outcome and answer to a click with the
// golden file and with Slack's limits.
func TestRepairTexts(t *testing.T) {
	r := registry(&world{})
	var out strings.Builder
	show := func(name string, blocks []slack.Block, actions []slack.BlockElement) {
		t.Helper()
		if len(actions) > 0 {
			blocks = append(blocks, slack.NewActionBlock("", actions...))
		}
		raw, err := json.Marshal(blocks)
		if err != nil {
			t.Fatal(err)
		}
		for _, violation := range blockcheck.Check(raw) {
			t.Errorf("%s: Slack would refuse it: %v", name, violation)
		}
		fmt.Fprintf(&out, "== %s\n%s\n%s\n\n", name, blockkit.Text(blocks), buttons(actions))
	}
	all := plans()
	for _, action := range []store.Action{store.ActionFix, store.ActionGenerate} {
		p := all[action]
		show("plan, "+string(action), commands.PlanBlocks(p), commands.PlanActions(p, ""))
		show("cancelled", commands.CancelledBlocks(p, p.Requester, noon), nil)
		show("expired", commands.ExpiredBlocks(p), nil)
	}
	show("pressed once", commands.PressedBlocks(all[store.ActionGenerate], store.Actor{ID: "U0LEAD"}), commands.PlanActions(all[store.ActionGenerate], "P4"))
	corrupt := all[store.ActionFix]
	corrupt.Writes = []store.KeyWrite{{Session: id, Kind: "webhook", Unreadable: true, Replaced: true, Changes: []store.Change{{Name: "status", After: text("error")}}}}
	image := all[store.ActionGenerate]
	image.Kind, image.Warnings, image.Order = store.KindImage, nil, &store.Order{Model: "azure-openai/gpt-image-1", Image: true, Width: 1024, Height: 1024,
		SizeFrom: store.FromSession, PromptFrom: store.FromSession, PromptChars: 62}
	show("plan, generate an image", commands.PlanBlocks(image), commands.PlanActions(image, ""))
	for _, outcome := range []store.Outcome{"", store.OutcomeDone, store.OutcomeUnclear, store.OutcomeGaveUp} {
		p := progress(image, outcome, "")
		show("an image, "+string(outcome), r.ProgressBlocks(p), commands.ProgressActions(p.Job))
	}
	show("plan, fix of what cannot be read at all", commands.PlanBlocks(corrupt), commands.PlanActions(corrupt, ""))
	for _, c := range outcomes {
		for _, cause := range c.causes {
			p := progress(all[c.action], c.outcome, cause)
			show(fmt.Sprintf("%s, %s %s", c.action, c.outcome, cause), r.ProgressBlocks(p), commands.ProgressActions(p.Job))
		}
	}
	inTerminal := progress(all[store.ActionGenerate], store.OutcomeUnclear, store.CauseNoAnswer)
	inTerminal.Job.Approver = store.Actor{ID: "ann", Terminal: true}
	show("generate in a terminal, unclear", r.ProgressBlocks(inTerminal), nil)
	for _, verdict := range []store.ClaimVerdict{store.AlreadyCancelled, store.Expired, store.NeedsSecondClick, store.Unknown} {
		line := commands.ClaimLine(store.ClaimAnswer{Verdict: verdict, Plan: store.PlanRecord{Plan: all[store.ActionGenerate]}, By: store.Actor{ID: "U0LEAD"}, At: noon}, noon.Add(4*time.Second))
		show("click, "+string(verdict), []slack.Block{blockkit.Paragraph(line)}, nil)
	}
	for _, outcome := range []store.Outcome{"", store.OutcomeDone, store.OutcomeRefused, store.OutcomeFailed, store.OutcomeUnclear, store.OutcomeGaveUp} {
		line := commands.ClaimLine(store.ClaimAnswer{Verdict: store.AlreadyClaimed, Job: store.Job{Outcome: outcome}, By: store.Actor{ID: "U0LEAD"}, At: noon}, noon.Add(4*time.Second))
		show("click, already_claimed, "+string(outcome), []slack.Block{blockkit.Paragraph(line)}, nil)
	}
	for _, doing := range []store.JobState{store.JobRunning, store.JobUnclear} {
		line := commands.ClaimLine(store.ClaimAnswer{Verdict: store.Busy, Doing: doing}, noon)
		show("click, busy, "+string(doing), []slack.Block{blockkit.Paragraph(line)}, nil)
	}
	const path = "testdata/repairs.golden"
	if *update {
		if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(out.String(), "\n")); diff != "" {
		t.Errorf("differs from %s (-want +got); -update writes it anew:\n%s", path, diff)
	}
}
