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
// wrote it, but for the address of Slack, which the SDK takes from no variable.
func TestSlackGoExample(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bot := filepath.Join(dir, "bot")
	build := exec.CommandContext(t.Context(), "go", "build", "-overlay", example(t, dir), "-o", bot, "./slackgo")
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

// example returns the overlay in which the SDK's example is a package of this module.
func example(t *testing.T, dir string) string {
	t.Helper()
	found, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", "github.com/slack-go/slack").Output()
	testenv.Must(t, err)
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(found)), "examples/socketmode/socketmode.go"))
	testenv.Must(t, err)
	edited := strings.Replace(string(text), "\t\tbotToken,\n", "\t\tbotToken, slack.OptionAPIURL(os.Getenv(\"SLACK_API_URL\")),\n", 1)
	if edited == string(text) {
		t.Fatal("the example creates its client in another way now")
	}
	source, file := filepath.Join(dir, "main.go"), filepath.Join(dir, "overlay.json")
	testenv.Must(t, os.WriteFile(source, []byte(edited), 0o600))
	here, err := os.Getwd()
	testenv.Must(t, err)
	mapping, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(here, "slackgo/main.go"): source}})
	testenv.Must(t, err)
	testenv.Must(t, os.WriteFile(file, mapping, 0o600))
	return file
}
