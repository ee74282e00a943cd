package workspace_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/internal/workspace"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
)

// TestOfficialSDK has a bot on Slack's own SDK for JavaScript work here without
// knowing that this is not Slack.
func TestOfficialSDK(t *testing.T) {
	t.Parallel()
	node := testenv.Need(t, "node")
	wanted, err := os.ReadFile(filepath.Join("testdata", "bolt", "package.json"))
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(filepath.Join("testdata", "bolt", "bot.mjs"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := errors.Join(
		os.Symlink(testenv.NodeModules(t, wanted), filepath.Join(dir, "node_modules")),
		os.WriteFile(filepath.Join(dir, "bot.mjs"), program, 0o600),
	); err != nil {
		t.Fatal(err)
	}

	s := start(t, workspace.Config{})
	runProgram(t, s, dir, node, "bot.mjs")
	w := wstest.New(t, s.URL(), s.ControlKey())
	w.AwaitConnections(1)
	sam := w.As("U0SUPPORT").In("C0SUPPORT")
	lea := w.As("U0LEAD").In("C0SUPPORT")

	sam.Type("/ack in time")
	if m := sam.ExpectMessage(wstest.Saying("acked in time")); !m.Ephemeral {
		t.Errorf("an ack's text went to everybody: %s", m)
	}

	sam.Type("/ask why")
	asked := sam.ExpectMessage(wstest.Saying("<@U0SUPPORT> asked *why*"))
	sam.Click(asked, "publish")
	lea.ExpectMessage(wstest.Saying("published why"))
	if m := sam.ExpectUpdate(asked); m.Text != "done" || !m.Ephemeral {
		t.Errorf("the clicked message: %s", m)
	}

	lea.Type("hello there")
	if m := lea.ExpectMessage(wstest.Saying("hello <@U0LEAD>")); m.ThreadTS == "" {
		t.Errorf("the reply is outside the thread: %s", m)
	}
	lea.Type("<@U0BOT> are you there?")
	lea.ExpectMessage(wstest.Saying("yes, Lea Lead?"))
	usesViews(t, w)
	w.ExpectNothingElse()
}

// usesViews has the bot open, check and close modals, and publish a home tab.
func usesViews(t *testing.T, w *wstest.Workspace) {
	t.Helper()
	lea := w.As("U0LEAD")
	direct := lea.In("D0LEAD")
	if err := lea.Shortcut("find"); err != nil {
		t.Fatal(err)
	}
	titled := func(title string) func(wstest.View) bool {
		return func(v wstest.View) bool { return strings.Contains(string(v.Title), title) }
	}
	form := lea.ExpectModal(titled("Find"))
	lea.Fill(form, "text", "Ti")
	lea.Fill(form, "kinds", "cat")
	if err := lea.TryFill(form, "kinds", "cow"); err == nil {
		t.Error("a kind that is not offered was chosen")
	}
	if wrong, err := lea.Submit(form); err != nil || wrong["name"] != "Too short" {
		t.Errorf("errors %v, %v", wrong, err)
	}
	lea.Press(form, "more")
	lea.Close(lea.ExpectModal(titled("More")))
	lea.Fill(lea.ExpectModal(titled("Find")), "text", "Tiger")
	if _, err := lea.Submit(form); err != nil {
		t.Error(err)
	}
	lea.ExpectNoModal()
	direct.ExpectMessage(wstest.Saying("Tiger the cat, kept"))

	lea.In("C0RANDOM").Type("anything new")
	said := lea.In("C0RANDOM").All()
	if err := lea.In("C0RANDOM").Shortcut(said[len(said)-1], "find"); err != nil {
		t.Fatal(err)
	}
	lea.Close(lea.ExpectModal(titled("anything new")))
	direct.ExpectMessage(wstest.Saying("closed"))

	lea.OpenHome()
	home := lea.ExpectHome(func(v wstest.View) bool { return v.Shows("*At home* <@U0LEAD>") })
	lea.Fill(home, "pick", "two")
	lea.ExpectHome(func(v wstest.View) bool { return v.Shows("picked two") })
}

// runProgram runs an app against the workspace until the test ends.
func runProgram(t *testing.T, s *workspace.Server, dir, program string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, args...)
	var out bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &out
	cmd.Env = append(os.Environ(),
		"SLACK_BOT_TOKEN="+s.BotToken(), "SLACK_APP_TOKEN="+s.AppToken(), "SLACK_API_URL="+s.APIURL())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // it is killed
		if t.Failed() {
			t.Logf("the app said:\n%s", out.String())
		}
	})
}
