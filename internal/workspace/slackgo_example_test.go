package workspace_test

import (
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
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", bot, "./examples/socketmode")
	build.Dir = elsewhere(t, filepath.Join(dir, "sdk"))
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

// elsewhere copies the SDK, with the address in SLACK_API_URL for Slack's.
func elsewhere(t *testing.T, dir string) string {
	t.Helper()
	found, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", "github.com/slack-go/slack").Output()
	testenv.Must(t, err)
	testenv.Must(t, os.CopyFS(dir, os.DirFS(strings.TrimSpace(string(found)))))
	source := filepath.Join(dir, "slack.go")
	text, err := os.ReadFile(source)
	testenv.Must(t, err)
	edited := strings.Replace(string(text), "endpoint:      APIURL", `endpoint:      os.Getenv("SLACK_API_URL")`, 1)
	if edited == string(text) {
		t.Fatal("the SDK keeps Slack's address elsewhere now")
	}
	testenv.Must(t, os.Chmod(source, 0o600)) // those of the module cache cannot be written
	testenv.Must(t, os.WriteFile(source, []byte(edited), 0o600))
	return dir
}
