package workspace_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/internal/workspace"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
)

// TestSlackGoExample has the Socket Mode example of the Go SDK work here as its authors
// wrote it. The SDK has no variable for Slack's address, so it is compiled with another.
func TestSlackGoExample(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bot := filepath.Join(dir, "bot")
	build := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay(t, dir), "-o", bot, "github.com/slack-go/slack/examples/socketmode")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s := start(t, workspace.Config{})
	runProgram(t, s, dir, bot)
	w := wstest.New(t, s.URL(), s.ControlKey())
	w.AwaitConnections(1)
	lea := w.As("U0LEAD").In("C0SUPPORT")

	lea.Type("<@U0BOT> are you there?")
	lea.ExpectMessage(wstest.Saying("Yes, hello."))
	lea.Type("/ask why")
	if m := lea.ExpectMessage(wstest.Saying("foo")); !m.Ephemeral || !strings.Contains(string(m.Blocks), "somevalue") {
		t.Errorf("the answer in the ack: %s", m)
	}
}

// overlay replaces Slack's address in the SDK by the one in SLACK_API_URL.
func overlay(t *testing.T, dir string) string {
	t.Helper()
	found, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", "github.com/slack-go/slack").Output()
	testenv.Must(t, err)
	source := filepath.Join(strings.TrimSpace(string(found)), "slack.go")
	text, err := os.ReadFile(source)
	testenv.Must(t, err)
	edited := strings.Replace(string(text), "endpoint:      APIURL", `endpoint:      os.Getenv("SLACK_API_URL")`, 1)
	if edited == string(text) {
		t.Fatal("the SDK keeps Slack's address elsewhere now")
	}
	replacement, file := filepath.Join(dir, "slack.go"), filepath.Join(dir, "overlay.json")
	testenv.Must(t, os.WriteFile(replacement, []byte(edited), 0o600))
	mapping, err := json.Marshal(map[string]map[string]string{"Replace": {source: replacement}})
	testenv.Must(t, err)
	testenv.Must(t, os.WriteFile(file, mapping, 0o600))
	return file
}
