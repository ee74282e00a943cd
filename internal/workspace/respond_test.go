package workspace

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// respondTo posts to a response URL and returns the HTTP status.
func respondTo(t *testing.T, s *Server, token string, body any) int {
	t.Helper()
	status, _, _ := raw(t, http.MethodPost, s.responseURL(token), string(encode(body)), nil)
	return status
}

func TestResponseURLs(t *testing.T) {
	t.Parallel()
	lead := response{user: "U0LEAD", channel: "C0SUPPORT"}
	for _, c := range []struct {
		name   string
		clicks bool // the URL comes from a click on a message of the bot's
		body   any
		status int
		lead   string // what Lea sees then
		others string
	}{
		{"ephemeral", false, object{"text": "hi"}, 200, "hi", ""},
		{"in the channel", false, object{"text": "hi", "response_type": "in_channel"}, 200, "hi", "hi"},
		{"no original to replace", false, object{"text": "hi", "replace_original": true}, 200, "hi", ""},
		{"no original to delete", false, object{"delete_original": true}, 400, "", ""},
		{"one more", true, object{"text": "hi"}, 200, "original hi", ""},
		{"replace", true, object{"text": "hi", "replace_original": true}, 200, "hi", ""},
		{"replace, said as a string", true, object{"text": "hi", "replace_original": "true"}, 200, "hi", ""},
		{"delete", true, object{"delete_original": true}, 200, "(deleted)", ""},
		{"nothing", true, object{}, 400, "original", ""},
		{"bad blocks", true, object{"text": "hi", "replace_original": true, "blocks": []object{{"type": "alien"}}}, 400, "original", ""},
		{"not JSON", true, 7, 400, "original", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startFast(t, Config{})
			to := lead
			if c.clicks {
				to.original = s.world.post(Message{Channel: "C0SUPPORT", User: botUser, Text: "original", Ephemeral: true, VisibleTo: "U0LEAD"}).TS
			}
			if status := respondTo(t, s, s.responses.issue(to), c.body); status != c.status {
				t.Errorf("HTTP %d, want %d", status, c.status)
			}
			for user, want := range map[string]string{"U0LEAD": c.lead, "U0SUPPORT": c.others} {
				list, _ := s.Messages("C0SUPPORT", user)
				texts := []string{}
				for _, m := range list {
					if m.Deleted {
						m.Text += "(deleted)"
					}
					texts = append(texts, m.Text)
				}
				if got := strings.Join(texts, " "); got != want {
					t.Errorf("%s sees %q, want %q", user, got, want)
				}
			}
		})
	}
}

func TestResponseURLWorksWhereTheBotIsNot(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{})
	token := s.responses.issue(response{user: "U0LEAD", channel: "C0LEADS"})
	if status := respondTo(t, s, token, object{"text": "hi"}); status != http.StatusOK {
		t.Errorf("HTTP %d", status)
	}
}

func TestResponseURLWearsOut(t *testing.T) {
	t.Parallel()
	clock := newClock()
	s := startFast(t, Config{Now: clock.now})
	token := s.responses.issue(response{user: "U0LEAD", channel: "C0SUPPORT"})
	for i := range responseUses {
		if status := respondTo(t, s, token, object{"text": "hi"}); status != http.StatusOK {
			t.Errorf("use %d: HTTP %d", i+1, status)
		}
	}
	if status := respondTo(t, s, token, object{"text": "hi"}); status != http.StatusNotFound {
		t.Errorf("one use too many: HTTP %d", status)
	}
	token = s.responses.issue(response{user: "U0LEAD", channel: "C0SUPPORT"})
	clock.turn(responseLife)
	if status := respondTo(t, s, token, object{"text": "hi"}); status != http.StatusOK {
		t.Errorf("at the end of its life: HTTP %d", status)
	}
	clock.turn(time.Second)
	if status := respondTo(t, s, token, object{"text": "hi"}); status != http.StatusNotFound {
		t.Errorf("after its life: HTTP %d", status)
	}
	if status := respondTo(t, s, "unheard-of", object{"text": "hi"}); status != http.StatusNotFound {
		t.Errorf("one that never was: HTTP %d", status)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(`{"text":"x","replace_original":"true"}`)
	f.Add(`"text"`)
	f.Add(`{"blocks":[{"type":"divider"}],"delete_original":1}`)
	f.Fuzz(func(t *testing.T, body string) {
		a, err := parseReply([]byte(body))
		if err != nil {
			return
		}
		shown, err := checkContent(content{text: a.Text, blocks: a.Blocks, attachments: a.Attachments})
		if err == nil && shown.text == "" && len(shown.blocks)+len(shown.attachments) == 0 {
			t.Errorf("an answer without content passed: %q", body)
		}
	})
}
