package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
)

func TestTypedWords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"→ Run /session generate again.":                           "→ Run sessionbot session generate again.",
		"/redis stats counts them, and (/session list) lists them": "sessionbot redis stats counts them, and (sessionbot session list) lists them",
		"https://site.example/session /session":                    "https://site.example/session /session",
		"Press Debug first: a video may exist.":                    "Debug it first: a video may exist.",
		"Wait, then refresh.":                                      "Wait, then debug it again.",
	} {
		if got := typedWords(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// TestNamesInATerminal: people and channels are shown by name if Slack answers, and each is
// looked up once.
func TestNamesInATerminal(t *testing.T) {
	t.Parallel()
	asked := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.FormValue("user") + r.FormValue("channel")
		asked[id]++
		answer := map[string]string{"U1": `{"ok":true,"user":{"id":"U1","name":"sam"}}`, "C1": `{"ok":true,"channel":{"id":"C1","name":"support"}}`}[id]
		if answer == "" {
			answer = `{"ok":false,"error":"user_not_found"}`
		}
		_, _ = fmt.Fprint(w, answer)
	}))
	t.Cleanup(server.Close)
	blocks := []slack.Block{blockkit.Paragraph(blockkit.L(blockkit.User("U1"), blockkit.Channel("C1"), blockkit.User("U2")), blockkit.L(blockkit.User("U1")))}
	with := terminal{config: config{SlackBotToken: "xoxb-1", SlackAPIURL: server.URL + "/"}, log: slog.New(slog.DiscardHandler)}
	if diff := cmp.Diff(map[string]string{"U1": "sam", "C1": "support", "U2": ""}, with.namesIn(t.Context(), blocks)); diff != "" {
		t.Errorf("the names (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"U1": 1, "C1": 1, "U2": 1}, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	if names := (terminal{}).namesIn(t.Context(), blocks); names != nil {
		t.Errorf("without a token: %v", names)
	}
}
