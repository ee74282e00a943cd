package main

import (
	"html"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
)

// foxPrompt is a prompt with what Slack escapes.
const foxPrompt = "A “fox”  & a <hen> --limit 5,\nslowly"

// lostStage is a stage with one session whose prompt is lost, and a site that reads one
// key.
func lostStage(t *testing.T, cs demo.CheckoutSession) *stage {
	t.Helper()
	s := orphan(newStage(t))
	s.site = demo.NewSite(demo.SiteConfig{Redis: s.client, FilesURL: s.env["SUPERDUPERAI_URL"], StripeURL: s.env["STRIPE_API_URL"], Secret: webhookMark})
	s.env["SITE_URL"], s.env["SITE_LAYOUT"] = s.serve(s.site), "one-key"
	s.client.Del(t.Context(), "prompt:"+repairID)
	cs.ID, cs.Status, cs.PaymentStatus, cs.Amount, cs.Currency = repairID, "complete", "paid", 100, "usd"
	cs.Created, cs.Event = time.Now().Add(-14*time.Minute), store.EventDelivered
	s.stripe.Put(cs)
	return s
}

// TestRestoreStory: a lost prompt is entered by an operator, shown, stored after an
// approval, and the video is started from the same message.
func TestRestoreStory(t *testing.T) {
	t.Parallel()
	s := lostStage(t, demo.CheckoutSession{})
	s.env["OPERATORS"] = "U0LEAD"
	s.startBot()
	support := s.workspace.As("U0SUPPORT").In("C0SUPPORT")
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	support.Type("/session debug " + repairID)
	seen := support.ExpectMessage(withText("Ask the customer for the prompt, then store it (no cost): press Restore prompt…"))
	support.Click(seen, "session.restore")
	s.workspace.As("U0SUPPORT").Close(s.workspace.As("U0SUPPORT").ExpectModal(viewShowing("Only operators may do this")))
	support.Type("/session restore " + repairID + " A fox")
	support.ExpectMessage(withText("Only operators may do this"))
	guest := s.workspace.As("U0GUEST").In("C0SUPPORT")
	guest.Type("/session restore " + repairID + " A fox")
	guest.ExpectMessage(withText("may use this bot"))
	lead.Type("/session restore `" + repairID + "`  " + foxPrompt)
	plan := lead.ExpectMessage(withText("Restore the prompt of"))
	if plan.Ephemeral || !strings.Contains(plan.Text, "Storing it costs nothing") || !strings.Contains(strings.ReplaceAll(html.UnescapeString(plan.Text), "\n> ", "\n"), foxPrompt) {
		t.Errorf("the plan is not for everybody, or does not show the prompt: %s", plan.Text)
	}
	support.Click(plan, "confirm.approve")
	support.ExpectMessage(withText("Only operators may do this"))
	if s.value("session:"+repairID) != nil {
		t.Error("a plan must not write anything")
	}
	lead.Click(plan, "confirm.approve")
	done := s.expectEnd(lead, plan, withText("is stored."), withText("Nothing has been started yet. Next, run "))
	held := s.value("session:" + repairID)
	if held["prompt"] != foxPrompt || held["status"] != "pending" || held["duration"] != 8.0 || held["videoCount"] != 1.0 || held["resolution"] != "1280x720" || s.files.Started() != 0 {
		t.Errorf("session: holds %v, and %d were started", held, s.files.Started())
	}
	lead.Click(done, "session.replay")
	replay := lead.ExpectMessage(withText("Replay the webhook for"))
	lead.Click(replay, "confirm.cancel")
	lead.ExpectUpdate(replay, withText("Cancelled"))
	lead.Click(done, "session.generate")
	generate := lead.ExpectMessage(withText("Generate a video for"))
	lead.Click(generate, "confirm.approve")
	s.expectEnd(lead, generate, withText("Done: video ready"))
	if n := s.files.Started(); n != 1 {
		t.Errorf("%d videos were started, want 1", n)
	}
	lead.Type("/session restore " + repairID + " A hen")
	lead.ExpectMessage(withText("Nothing to restore: the prompt is still stored."))
	s.expectHistory("refused: restore, by @U0SUPPORT in #C0SUPPORT", "refused: restore, by @U0GUEST", "planned: restore, by @U0LEAD in #C0SUPPORT",
		"approved: restore, by @U0LEAD", "ended: restore, approved by @U0LEAD in #C0SUPPORT · done")
	s.workspace.ExpectNothingElse()
	s.expectCleanLog("fox", "hen")
}

// viewShowing fits views that contain all the parts.
func viewShowing(parts ...string) func(wstest.View) bool {
	return func(v wstest.View) bool { return v.Shows(parts...) }
}

// TestRestoreWhatStripeHas: the prompt in Stripe's metadata is offered in the view, and
// in the message where there is none.
func TestRestoreWhatStripeHas(t *testing.T) {
	t.Parallel()
	s := lostStage(t, demo.CheckoutSession{Prompt: "A fox in Stripe", Seconds: "5"})
	s.startBot()
	person := s.workspace.As("U0LEAD")
	lead := person.In("C0SUPPORT")
	lead.Type("/session debug " + repairID)
	lead.Click(lead.ExpectMessage(withText("Restore the prompt, which Stripe still has")), "session.restore")
	form := person.ExpectModal(viewShowing("Stripe still has it", "A fox in Stripe"))
	if wrong, err := person.Submit(form); err != nil || len(wrong) > 0 {
		t.Fatalf("answered %v, %v", wrong, err)
	}
	plan := lead.ExpectMessage(withText("from Stripe's metadata"))
	lead.Click(plan, "confirm.cancel")
	lead.ExpectUpdate(plan, withText("Cancelled"))

	lead.Type("/session restore " + repairID)
	form = person.ExpectModal(viewShowing("A fox in Stripe", "Seconds", "1280x720"))
	for field, value := range map[string]string{"prompt": foxPrompt, "seconds": "5.5", "size": "720 × 1280"} {
		person.Fill(form, "session_restore."+field, value)
	}
	if wrong, err := person.Submit(form); err != nil || len(wrong) > 0 {
		t.Fatalf("answered %v, %v", wrong, err)
	}
	plan = lead.ExpectMessage(withText("typed by the requester"))
	lead.Click(plan, "confirm.approve")
	s.expectEnd(lead, plan, withText("is stored."), withText("Nothing has been started yet. Next, run "))
	if held := s.value("session:" + repairID); held["prompt"] != foxPrompt || held["duration"] != 5.5 || held["resolution"] != "720x1280" {
		t.Errorf("session: holds %v", held)
	}
	lead.Type("/session restore " + repairID)
	person.ExpectModal(viewShowing("Nothing to restore"))
	s.workspace.ExpectNothingElse()
	s.expectCleanLog("A fox", "hen")
}

// TestRestoreInAThread: a message opens no view, and what Stripe still has is planned.
func TestRestoreInAThread(t *testing.T) {
	t.Parallel()
	s := lostStage(t, demo.CheckoutSession{Prompt: "A fox in Stripe"})
	s.startBot()
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	lead.Type("<@U0BOT> restore " + repairID)
	lead.ExpectMessage(withText("from Stripe's metadata"))
	lead.ExpectMessage(withText("The plan is shown in"))
	s.workspace.ExpectNothingElse()
}

// TestRestoreInATerminal: the prompt comes from standard input or a file, and anything else
// is refused.
func TestRestoreInATerminal(t *testing.T) {
	t.Parallel()
	write := func(text string) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "prompt")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	none := filepath.Join(t.TempDir(), "none")
	s := lostStage(t, demo.CheckoutSession{Prompt: "[PROMPT:900chars]"})
	for _, c := range []struct {
		name, in string
		args     []string
		code     int
		says     string
	}{
		{"nothing", "", []string{repairID, "--yes"}, 2, "pass it on standard input or with --prompt-file"},
		{"blank", " \n\t\n", []string{repairID, "--yes"}, 2, "pass it on standard input or with --prompt-file"},
		{"100 kB", strings.Repeat("fox ", 25_000), []string{repairID, "--yes"}, 2, "The prompt is too long"},
		{"control characters", "A \x1b[2Jfox", []string{repairID, "--yes"}, 2, "control character (U+001B, as character 3)"},
		{"binary", "\x89PNG\r\n\x1a\n\x00fox", []string{repairID, "--yes"}, 2, "not text in UTF-8"},
		{"a file that is missing", "", []string{repairID, "--prompt-file", none}, 2, "cannot be read"},
		{"a file without a name", "", []string{repairID, "--prompt-file"}, 2, "--prompt-file"},
		{"an argument", "A fox", []string{repairID, "A", "fox"}, 2, "only the session's id as an argument"},
		{"no id", "", []string{"--yes"}, 2, "Which session?"},
		{"nobody to ask", "A fox", []string{repairID}, 3, "Standard input held the prompt"},
		{"no", "n\n", []string{repairID, "--prompt-file", write("A fox")}, 3, "Nothing was changed."},
		{"a file", "y\n", []string{repairID, "--prompt-file=" + write("A fox &amp; a hen\r\nrun\n")}, 0, "is stored."},
		{"again", "A fox", []string{repairID, "--yes"}, 3, "Nothing to restore"},
	} {
		p := runWith(t, strings.NewReader(c.in), false, s.env, append([]string{"session", "restore"}, c.args...)...)
		if code := p.exitCode(); code != c.code || !strings.Contains(p.log.String(), c.says) {
			t.Errorf("%s: exit code %d, want %d saying %q:\n%.2000s", c.name, code, c.code, c.says, p.log)
		}
	}
	if held := s.value("session:" + repairID); held["prompt"] != "A fox &amp; a hen\nrun" {
		t.Errorf("session: holds %v", held)
	}
	other := lostStage(t, demo.CheckoutSession{})
	other.env["SITE_LAYOUT"] = "three-key"
	p := runWith(t, strings.NewReader("A fox from a pipe"), false, other.env, "session", "restore", repairID, "--yes", "--json")
	if code := p.exitCode(); code != 0 || !strings.Contains(p.log.String(), `"outcome":"done"`) || other.value("prompt:" + repairID)["prompt"] != "A fox from a pipe" {
		t.Errorf("exit code %d, prompt: holds %v:\n%s", code, other.value("prompt:"+repairID), p.log)
	}
	if other.value("session:"+repairID) != nil || other.files.Started() != 0 {
		t.Error("it did more than to write the prompt")
	}
}
