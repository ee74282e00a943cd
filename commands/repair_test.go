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
		{Session: id, Kind: "webhook", Unreadable: true, Changes: []store.Change{{Name: "status", After: text("error")}, {Name: "error", After: text(commands.FixText)}}},
		{Session: id, Kind: "session", Changes: []store.Change{{Name: "timestamp", Before: text("2026-03-04T11:00:00.000Z"), After: text("2026-03-04T12:00:31.000Z")}}},
	}
	generate.Action, generate.Retrying, generate.EventID, generate.Live = store.ActionGenerate, true, "evt_1", true
	generate.Warnings = []string{"Stripe will still deliver the event: the site may make this video itself.", "Paid for 3 videos; the product makes one for a session."}
	generate.Order = &store.Order{Model: "google-cloud/veo3-text2video", SessionModel: "other/<!channel>", Seconds: 8, SecondsFrom: store.FromDefault,
		Width: 1280, Height: 720, SizeFrom: store.FromSession, Cents: 2400, PromptFrom: store.FromPrompt, PromptChars: 62}
	generate.Writes = []store.KeyWrite{{Session: id, Kind: "webhook", Create: true, Changes: []store.Change{{Name: "status", After: text("processing")}}, Then: []string{"fileId", "timestamp"}}}
	return map[store.Action]store.Plan{store.ActionFix: fix, store.ActionGenerate: generate}
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
		var labels []string
		for _, action := range actions {
			labels = append(labels, "["+action.(*slack.ButtonBlockElement).Text.Text+"]")
		}
		fmt.Fprintf(&out, "== %s\n%s\n%s\n\n", name, blockkit.Text(blocks), strings.Join(labels, " "))
	}
	all := plans()
	for _, action := range []store.Action{store.ActionFix, store.ActionGenerate} {
		p := all[action]
		show("plan, "+string(action), commands.PlanBlocks(p), commands.PlanActions(p, false))
		show("cancelled", commands.CancelledBlocks(p, p.Requester, noon), nil)
		show("expired", commands.ExpiredBlocks(p), nil)
	}
	show("pressed once", commands.PlanBlocks(all[store.ActionGenerate]), commands.PlanActions(all[store.ActionGenerate], true))
	for _, c := range []struct {
		action  store.Action
		outcome store.Outcome
		causes  []store.Cause
	}{
		{store.ActionFix, "", []store.Cause{""}}, {store.ActionFix, store.OutcomeDone, []store.Cause{""}},
		{store.ActionGenerate, "", []store.Cause{""}}, {store.ActionGenerate, store.OutcomeDone, []store.Cause{"", store.CauseOthers}},
		{store.ActionGenerate, store.OutcomeRefused, []store.Cause{store.CauseChanged, store.CauseLate, store.CauseNoToken}},
		{store.ActionGenerate, store.OutcomeFailed, []store.Cause{store.CauseUnauthorised, store.CauseRejected, store.CauseRateLimited,
			store.CauseUnavailable, store.CauseBalance, store.CauseForbidden, store.CauseCertificate, store.CauseFileFailed, store.CauseNotMade, store.CauseOthers}},
		{store.ActionGenerate, store.OutcomeUnclear, []store.Cause{store.CauseNoAnswer}},
		{store.ActionGenerate, store.OutcomeGaveUp, []store.Cause{store.CauseTooLong}},
	} {
		for _, cause := range c.causes {
			job := store.Job{ID: "K3F9", Plan: all[c.action], Approver: store.Actor{ID: "U0LEAD"}, Claimed: noon.Add(time.Minute),
				Sending: noon.Add(time.Minute), Outcome: c.outcome, Cause: cause, Foreign: c.outcome == store.OutcomeDone && cause == store.CauseOthers}
			p := store.Progress{Job: job, At: noon.Add(6 * time.Minute)}
			if c.outcome == store.OutcomeDone || c.outcome == store.OutcomeFailed {
				p.Site = &store.Site{Found: true, Status: "error"}
			}
			if cause == store.CauseRejected || cause == store.CauseChanged {
				p.Job.Detail = []string{"body.config.duration: <!channel> is too long"}
			}
			if c.outcome == store.OutcomeDone && c.action == store.ActionGenerate {
				p.Job.FileID, p.Site.Status = "6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0013", "completed"
				p.File = store.File{State: store.FileCompleted, ThumbnailURL: "https://cdn.example.com/1.jpg"}
			}
			show(fmt.Sprintf("%s, %s %s", c.action, c.outcome, cause), r.ProgressBlocks(p), commands.ProgressActions(p.Job))
		}
	}
	for _, verdict := range []store.ClaimVerdict{store.AlreadyClaimed, store.AlreadyCancelled, store.Expired, store.NeedsSecondClick, store.Unknown} {
		line := commands.ClaimLine(store.ClaimAnswer{Verdict: verdict, Plan: store.PlanRecord{Plan: all[store.ActionGenerate]}, By: store.Actor{ID: "U0LEAD"}, At: noon}, noon.Add(4*time.Second))
		show("click, "+string(verdict), []slack.Block{blockkit.Paragraph(line)}, nil)
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
