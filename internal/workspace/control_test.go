package workspace

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/internal/workspace/page"
)

// control calls /control and returns the answer as JSON.
func control(t *testing.T, s *Server, method, path, body string) string {
	t.Helper()
	status, _, answer := raw(t, method, s.URL()+"/control/"+path, body, map[string]string{"X-Control-Key": s.ControlKey()})
	if status != http.StatusOK {
		t.Fatalf("%s: HTTP %d %s", path, status, answer)
	}
	return answer
}

func TestControlAnswers(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{})
	for _, c := range []struct{ method, path, body, want string }{
		{"POST", "command", `{"user":"U0LEAD","channel":"C0ALERTS","command":"/x","text":""}`, `{"error":"dispatch_failed","ok":false}`},
		{"POST", "click", `{"user":"U0LEAD","channel":"C0ALERTS","ts":"1.1","action_id":"go"}`, `{"error":"U0LEAD sees no message 1.1 in #alerts","ok":false}`},
		{"POST", "fault", `{"kind":"flood"}`, `{"error":"there is no fault \"flood\"","ok":false}`},
		{"POST", "fault", `{"kind":"refuse"}`, `{"error":"refuse needs an error code, such as \"account_inactive\"","ok":false}`},
		{"POST", "fault", `{"kind":"server_error","status":200}`, `{"error":"status must be between 400 and 599","ok":false}`},
		{"POST", "fault", `{"kind":"disconnect","reason":"boredom"}`,
			`{"error":"reason must be one of [\"refresh_requested\" \"too_many_websockets\" \"link_disabled\"]","ok":false}`},
		{"POST", "fault", `{"kind":"refuse","error":"token_revoked","method":"auth.test"}`, `{"ok":true}`},
		{"POST", "fault", `{"kind":"refuse_blocks"}`, `{"error":"refuse_blocks needs types, such as [\"data_table\"]","ok":false}`},
		{"POST", "fault", `{"kind":"clear"}`, `{"ok":true}`},
		{"GET", "connections", "", `{"connections":0,"ok":true}`},
		{"GET", "connections?least=1&wait=1", "", `{"connections":0,"ok":true}`},
		{"GET", "messages?channel=C0RANDOM&user=U0LEAD", "", `{"messages":[],"ok":true,"revision":1}`},
		{"GET", "messages?channel=C0RANDOM&wait=1", "", `{"messages":[],"ok":true,"revision":1}`},
	} {
		if got := control(t, s, c.method, c.path, c.body); got != c.want {
			t.Errorf("%s: %s, want %s", c.path, got, c.want)
		}
	}
}

func TestControlMessages(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{})
	control(t, s, "POST", "message", `{"user":"U0LEAD","channel":"C0RANDOM","text":"one"}`)
	var all struct {
		Messages []map[string]any
		Revision int64
	}
	if err := json.Unmarshal([]byte(control(t, s, "GET", "messages?channel=C0RANDOM&user=U0LEAD", "")), &all); err != nil || len(all.Messages) != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	for _, name := range []string{"ts", "user", "text", "blocks", "ephemeral", "edited", "deleted", "thread_ts"} {
		if _, ok := all.Messages[0][name]; !ok {
			t.Errorf("no %s in %v", name, all.Messages[0])
		}
	}
	news := make(chan string, 1)
	go func() { news <- control(t, s, "GET", "messages?after=1&wait=60000", "") }()
	if _, err := s.Write("U0SUPPORT", "C0SUPPORT", "", "two"); err != nil {
		t.Fatal(err)
	}
	if got := <-news; !strings.Contains(got, `"two"`) || strings.Contains(got, `"one"`) {
		t.Errorf("news: %s", got)
	}
}

func TestPageBackend(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{Manifest: []byte(smallManifest), Hints: []page.Hint{{Label: "Say hi", Text: "/small hi"}}})
	b := backend{s}
	news := b.NextChange()
	if err := b.Type("U0LEAD", "C0RANDOM", "", "hello @smallbot"); err != nil {
		t.Fatal(err)
	}
	<-news
	unread := func(user string) int {
		for _, c := range b.Channels(user) {
			if c.ID == "C0RANDOM" {
				return c.Unread
			}
		}
		t.Fatalf("%s does not see #random", user)
		return 0
	}
	if unread("U0LEAD") != 0 || unread("U0SUPPORT") != 1 {
		t.Errorf("unread: Lea %d, Sam %d", unread("U0LEAD"), unread("U0SUPPORT"))
	}
	b.Read("U0SUPPORT", "C0RANDOM")
	if unread("U0SUPPORT") != 0 {
		t.Errorf("unread after reading: %d", unread("U0SUPPORT"))
	}
	if m := b.Messages("C0RANDOM", "U0GUEST"); len(m) != 1 || m[0].Text != "hello <@U0BOT>" || m[0].Name != "lea" || m[0].At.IsZero() {
		t.Errorf("messages %+v", m)
	}
	if list := b.Channels("U0LEAD"); list[len(list)-1] != (page.Channel{ID: "D0LEAD", Name: "smallbot", Direct: true, Member: true}) {
		t.Errorf("the direct channel: %+v", list[len(list)-1])
	}
	if c := b.Commands(); c[0] != (page.Command{Name: "/small", Description: "does little", UsageHint: "[what]"}) {
		t.Errorf("commands %+v", c)
	}
	for text, shown := range map[string]bool{"/small": true, "/nonsense": true, "/invite @nobody": false} {
		if err := b.Type("U0LEAD", "C0RANDOM", "", text); (err == nil) != shown {
			t.Errorf("%s: %v, shown by Slackbot: %v", text, err, shown)
		}
	}
	if err := b.Type("U0LEAD", "C0RANDOM", "1.1", "/small"); err == nil {
		t.Error("a command worked in a thread")
	}
	if status, header, body := raw(t, http.MethodGet, s.URL()+"/", "", nil); status != http.StatusOK ||
		!strings.HasPrefix(header.Get("Content-Type"), "text/html") || !strings.Contains(body, "support") {
		t.Errorf("GET /: HTTP %d %v", status, header)
	}
}

func TestInviteAndRemove(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{})
	posts := func() any {
		return post(t, s, s.BotToken(), "chat.postMessage", object{"channel": "C0RANDOM", "text": "x"})["ok"]
	}
	for _, step := range []struct {
		command string
		posts   bool
	}{{"/invite", true}, {"/remove", false}} {
		if _, err := s.Command("U0LEAD", "C0RANDOM", step.command, "@app"); err != nil {
			t.Fatal(err)
		}
		if got := posts(); got != step.posts {
			t.Errorf("after %s: posted %v", step.command, got)
		}
	}
}
