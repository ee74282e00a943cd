package workspace

import (
	"encoding/json"
	"strings"
	"testing"
)

const shortcutManifest = `
features:
  shortcuts:
    - {name: Look, type: message, callback_id: look, description: Looks at a message}
    - {name: Find, type: global, callback_id: find, description: Finds something}
  app_home: {home_tab_enabled: true}
oauth_config: {scopes: {bot: [commands]}}
settings:
  event_subscriptions: {bot_events: [app_home_opened]}
  interactivity: {is_enabled: true}
  socket_mode_enabled: true
`

func TestShortcuts(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{Manifest: []byte(shortcutManifest)})
	app := connected(t, s)
	ts, err := s.Write("U0SUPPORT", "C0SUPPORT", "", "hello")
	if err != nil {
		t.Fatal(err)
	}
	hidden := s.world.post(Message{Channel: "C0SUPPORT", User: botUser, Text: "x", Ephemeral: true, VisibleTo: "U0LEAD"}).TS
	for _, c := range []struct {
		name, body, answer string
		parts              []string
	}{
		{"global", `{"user":"U0LEAD","callback_id":"find"}`, `{"ok":true}`, []string{
			`"type":"shortcut"`, `"callback_id":"find"`, `"trigger_id":"…"`, `"action_ts":"…"`, `"id":"U0LEAD"`}},
		{"of a message", `{"user":"U0LEAD","channel":"C0SUPPORT","ts":"` + ts + `","callback_id":"look"}`, `{"ok":true}`, []string{
			`"type":"message_action"`, `"callback_id":"look"`, `"message_ts":"…"`, `"text":"hello"`, `"response_url":"…"`, `"channel":{"id":"C0SUPPORT","name":"support"}`}},
		{"global on a message", `{"user":"U0LEAD","channel":"C0SUPPORT","ts":"` + ts + `","callback_id":"find"}`,
			`{"error":"the app has no message shortcut \"find\" in its manifest","ok":false}`, nil},
		{"unknown", `{"user":"U0LEAD","callback_id":"look"}`, `{"error":"the app has no global shortcut \"look\" in its manifest","ok":false}`, nil},
		{"nobody", `{"user":"U0NOBODY","callback_id":"find"}`, `{"error":"there is no user U0NOBODY","ok":false}`, nil},
		{"ephemeral", `{"user":"U0LEAD","channel":"C0SUPPORT","ts":"` + hidden + `","callback_id":"look"}`,
			`{"error":"message ` + hidden + ` is visible to one person only, and has no shortcuts","ok":false}`, nil},
	} {
		var answer string
		got, err := acked(t, app, func() error { answer = control(t, s, "POST", "shortcut", c.body); return nil })
		if err != nil || answer != c.answer || (len(got) == 1) != (c.parts != nil) {
			t.Errorf("%s: %s, want %s; sent %s", c.name, answer, c.answer, got)
		}
		for _, part := range c.parts {
			if !strings.Contains(strings.Join(got, ""), part) {
				t.Errorf("%s: no %s in %s", c.name, part, got)
			}
		}
	}
}

// TestHome: the app is told of who opens its home tab, and what they see is
// theirs alone.
func TestHome(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{Manifest: []byte(shortcutManifest)})
	app := connected(t, s)
	open := func() string {
		t.Helper()
		control(t, s, "POST", "home", `{"user":"U0LEAD"}`)
		f := app.next(t)
		app.ack(t, f, nil)
		return string(f.raw)
	}
	if got := open(); !strings.Contains(got, `"type":"app_home_opened"`) || !strings.Contains(got, `"channel":"D0LEAD"`) ||
		!strings.Contains(got, `"tab":"home"`) || strings.Contains(got, `"view"`) {
		t.Errorf("the first time: %s", got)
	}
	home := json.RawMessage(`{"type":"home","callback_id":"h","blocks":[{"type":"actions","block_id":"a","elements":[{"type":"button","action_id":"go","text":{"type":"plain_text","text":"Go"}}]}]}`)
	v, code := callViews(t, s, "publish", object{"user_id": "U0LEAD", "view": home})
	if code != nil {
		t.Fatal(code)
	}
	if got := open(); !strings.Contains(got, `"view":{`) || !strings.Contains(got, `"callback_id":"h"`) {
		t.Errorf("the second time: %s", got)
	}
	if got := control(t, s, "GET", "views?user=U0SUPPORT", ""); !strings.Contains(got, `"home":null`) {
		t.Errorf("somebody else's: %s", got)
	}
	id := v["id"].(string)
	got, err := acked(t, app, func() error { return s.Click(Click{User: "U0LEAD", ViewID: id, ActionID: "go"}) })
	if err != nil || len(got) != 1 || !strings.Contains(got[0], `"type":"home"`) {
		t.Errorf("a click: %v, %s", err, got)
	}
	again, _ := callViews(t, s, "publish", object{"user_id": "U0LEAD", "view": home})
	if again["id"] != id || again["hash"] == v["hash"] {
		t.Errorf("published again: %v", again)
	}
	for user, want := range map[string]string{"U0NOBODY": "there is no user U0NOBODY", "": "there is no user "} {
		if err := s.Home(user); err == nil || err.Error() != want {
			t.Errorf("%q: %v", user, err)
		}
	}
}

// TestSuggestions: the app offers the options of an external select.
func TestSuggestions(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{})
	app := connected(t, s)
	view := with(t, smallModal, object{"blocks": []object{{"type": "input", "block_id": "b", "label": object{"type": "plain_text", "text": "Find"},
		"element": object{"type": "external_select", "action_id": "ext", "min_query_length": 0}}}})
	id := modalFor(t, s, view)["id"].(string)
	option := object{"text": object{"type": "plain_text", "text": "One"}, "value": "1"}
	body := func(value string) string {
		return `{"user":"U0LEAD","view_id":"` + id + `","block_id":"b","action_id":"ext","value":"` + value + `"}`
	}
	var answer string
	got, _ := acked(t, app, func() error { answer = control(t, s, "POST", "input", body("1")); return nil },
		object{"options": []object{}}, object{"option_groups": []object{{"label": object{"type": "plain_text", "text": "G"}, "options": []object{option}}}})
	if answer != `{"ok":true}` || len(got) != 2 {
		t.Fatalf("%s, sent %s", answer, got)
	}
	for _, part := range []string{`"type":"block_suggestion"`, `"action_id":"ext"`, `"block_id":"b"`, `"value":"1"`, `"view":{`} {
		if !strings.Contains(got[0], part) {
			t.Errorf("no %s in %s", part, got[0])
		}
	}
	if listed := control(t, s, "GET", "views?user=U0LEAD", ""); !strings.Contains(listed, `"selected_option":{"text":{"text":"One","type":"plain_text"},"value":"1"}`) {
		t.Errorf("chosen: %s", listed)
	}
	for _, c := range []struct {
		name, want string
		ack        any
	}{
		{"not offered", `{"error":"option \"2\" is not offered","ok":false}`, object{"options": []object{option}}},
		{"no options at all", `{"error":"the app's answer holds no options","ok":false}`, nil},
	} {
		_, _ = acked(t, app, func() error { answer = control(t, s, "POST", "input", body("2")); return nil }, c.ack, c.ack)
		if answer != c.want {
			t.Errorf("%s: %s", c.name, answer)
		}
	}
}
