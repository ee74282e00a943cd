package workspace_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/internal/workspace"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
)

// TestOfficialSDK has a bot on Slack's own SDK for JavaScript work here without
// knowing that this is not Slack.
func TestOfficialSDK(t *testing.T) {
	t.Parallel()
	node, npm := testenv.Need(t, "node"), testenv.Need(t, "npm")
	dir := t.TempDir()
	for _, name := range []string{"bot.mjs", "package.json"} {
		source, err := os.ReadFile(filepath.Join("testdata", "bolt", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), source, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		if os.Getenv("REQUIRE_ALL") == "1" {
			t.Fatalf("npm install: %v\n%s", err, out)
		}
		t.Skipf("skipped: npm cannot install @slack/bolt: %v", err)
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
