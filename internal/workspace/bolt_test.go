package workspace_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
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
	w.ExpectNothingElse()
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
