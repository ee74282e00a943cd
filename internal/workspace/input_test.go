package workspace

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/superduperai/sessionbot/internal/workspace/wstest"
)

// menus are two overflow menus that share an action_id, and a select.
const menus = `[
 {"type":"section","block_id":"s1","text":{"type":"mrkdwn","text":"one"},"accessory":{"type":"overflow","action_id":"menu","options":[
  {"text":{"type":"plain_text","text":"Debug"},"value":"debug:1"},{"text":{"type":"plain_text","text":"Fix"},"value":"fix:1"}]}},
 {"type":"section","block_id":"s2","text":{"type":"mrkdwn","text":"two"},"accessory":{"type":"overflow","action_id":"menu","options":[
  {"text":{"type":"plain_text","text":"Debug"},"value":"debug:2"}]}},
 {"type":"actions","block_id":"a","elements":[
  {"type":"button","action_id":"go","text":{"type":"plain_text","text":"Go"}},
  {"type":"static_select","action_id":"snooze","placeholder":{"type":"plain_text","text":"Snooze"},"options":[
   {"text":{"type":"plain_text","text":"15 minutes"},"value":"15m"},{"text":{"type":"plain_text","text":"1 hour"},"value":"1h"}]}]}]`

// fillIn fills something over HTTP and returns the answer and, where the app gets
// to know of it, its payload.
func fillIn(t *testing.T, s *Server, app *client, body string) (string, json.RawMessage) {
	t.Helper()
	answer := make(chan string, 1)
	go func() { answer <- control(t, s, "POST", "input", body) }()
	select {
	case f := <-app.frames:
		app.ack(t, f, nil)
		var got struct{ Payload json.RawMessage }
		if err := json.Unmarshal(changing.ReplaceAll(f.raw, []byte(`"$1":"…"`)), &got); err != nil {
			t.Fatal(err)
		}
		return <-answer, got.Payload
	case got := <-answer:
		return got, nil
	case <-time.After(within):
		t.Fatal("neither a frame nor an answer")
		return "", nil
	}
}

// TestMenus: a choice reaches the app with the option as it was sent and the
// state of the message; what is not offered does not.
func TestMenus(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{})
	app := connected(t, s)
	posted := post(t, s, s.BotToken(), "chat.postMessage", object{"channel": "C0SUPPORT", "text": "x", "blocks": json.RawMessage(menus)})
	at := `"user":"U0LEAD","channel":"C0SUPPORT","ts":"` + posted["ts"].(string) + `"`
	hour := `{"text":{"text":"1 hour","type":"plain_text"},"value":"1h"}`
	none := `"state":{"values":{"a":{"snooze":{"selected_option":null,"type":"static_select"}}}}`
	chosen := `"state":{"values":{"a":{"snooze":{"selected_option":` + hour + `,"type":"static_select"}}}}`
	for _, c := range []struct {
		name, body, answer string
		parts              []string // of the payload; none = no payload
	}{
		{"an overflow menu", `{` + at + `,"block_id":"s1","action_id":"menu","value":"fix:1"}`, `{"ok":true}`, []string{none,
			`"actions":[{"action_id":"menu","action_ts":"…","block_id":"s1","selected_option":{"text":{"text":"Fix","type":"plain_text"},"value":"fix:1"},"type":"overflow"}]`}},
		{"the menu that offers it", `{` + at + `,"action_id":"menu","value":"debug:2"}`, `{"ok":true}`, []string{none, `"block_id":"s2"`}},
		{"a select", `{` + at + `,"block_id":"a","action_id":"snooze","value":"1h"}`, `{"ok":true}`, []string{chosen,
			`"actions":[{"action_id":"snooze","action_ts":"…","block_id":"a","placeholder":{"text":"Snooze","type":"plain_text"},"selected_option":` + hour + `,"type":"static_select"}]`}},
		{"not offered", `{` + at + `,"block_id":"a","action_id":"snooze","value":"4h"}`, `{"error":"option \"4h\" is not offered","ok":false}`, nil},
		{"no such menu", `{` + at + `,"block_id":"a","action_id":"menu","value":"fix:1"}`,
			`{"error":"there is nothing to choose or fill in with block_id \"a\", action_id \"menu\"","ok":false}`, nil},
		{"a button", `{` + at + `,"block_id":"a","action_id":"go","value":""}`,
			`{"error":"there is nothing to choose or fill in with block_id \"a\", action_id \"go\"","ok":false}`, nil},
		{"no such message", `{"user":"U0LEAD","channel":"C0SUPPORT","ts":"1.1","action_id":"menu","value":"fix:1"}`,
			`{"error":"U0LEAD sees no message 1.1 in #support","ok":false}`, nil},
		{"somebody else has chosen nothing", `{"user":"U0SUPPORT","channel":"C0SUPPORT","ts":"` + posted["ts"].(string) + `","block_id":"s1","action_id":"menu","value":"debug:1"}`, `{"ok":true}`, []string{none}},
		{"the choice is kept", `{` + at + `,"block_id":"s1","action_id":"menu","value":"debug:1"}`, `{"ok":true}`, []string{chosen}},
	} {
		answer, payload := fillIn(t, s, app, c.body)
		if answer != c.answer || (payload != nil) != (c.parts != nil) {
			t.Errorf("%s: %s, want %s; payload %s", c.name, answer, c.answer, payload)
		}
		for _, part := range c.parts {
			if !strings.Contains(string(payload), part) {
				t.Errorf("%s: no %s in %s", c.name, part, payload)
			}
		}
	}
	shown := backend{s}.Messages("C0SUPPORT", "U0LEAD")
	if got := string(shown[0].Shown); !strings.Contains(got, `"initial_option":`+hour) {
		t.Errorf("the page shows %s", got)
	}
}

// TestClientReadsMenus has the Go library read a choice, and a test play it.
func TestClientReadsMenus(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{})
	api := slack.New(s.BotToken(), slack.OptionAppLevelToken(s.AppToken()), slack.OptionAPIURL(s.APIURL()))
	var blocks slack.Blocks
	if err := json.Unmarshal([]byte(menus), &blocks); err != nil {
		t.Fatal(err)
	}
	w := wstest.New(t, s.URL(), s.ControlKey())
	bot := newGoClient(s, newMemory(), nil)
	bot.Client = socketmode.New(api)
	bot.run(t, bot.acking)
	w.AwaitConnections(1)
	if _, _, err := api.PostMessageContext(t.Context(), "C0SUPPORT", slack.MsgOptionText("x", false), slack.MsgOptionBlocks(blocks.BlockSet...)); err != nil {
		t.Fatal(err)
	}
	lea := w.As("U0LEAD").In("C0SUPPORT")
	m := lea.ExpectMessage(wstest.Saying("x"))
	lea.Choose(m, "snooze", "15m")
	if err := lea.TryChoose(m, "snooze", "never"); err == nil || err.Error() != `option "never" is not offered` {
		t.Errorf("an option that is not offered: %v", err)
	}
	got := bot.events(socketmode.EventTypeInteractive)[0].Data.(slack.InteractionCallback)
	if a := got.ActionCallback.BlockActions[0]; a.SelectedOption.Value != "15m" || a.BlockID != "a" || a.Type != "static_select" {
		t.Errorf("action %+v", a)
	}
	if state := got.BlockActionState.Values["a"]["snooze"]; state.SelectedOption.Value != "15m" {
		t.Errorf("state %+v", state)
	}
}
