package workspace

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// small is the smallest modal with a field.
const smallModal = `{"type":"modal","callback_id":"small","title":{"type":"plain_text","text":"Small"},
 "submit":{"type":"plain_text","text":"Save"},"blocks":[
 {"type":"input","block_id":"name","label":{"type":"plain_text","text":"Name"},"element":{"type":"plain_text_input","action_id":"text"}},
 {"type":"section","block_id":"pick","text":{"type":"mrkdwn","text":"Who?"},"accessory":{"type":"users_select","action_id":"who"}},
 {"type":"actions","block_id":"more","elements":[{"type":"button","action_id":"push","text":{"type":"plain_text","text":"More"}}]}]}`

// with returns a view with members changed.
func with(t *testing.T, view string, members object) json.RawMessage {
	t.Helper()
	var v object
	if err := json.Unmarshal([]byte(view), &v); err != nil {
		t.Fatal(err)
	}
	for name, value := range members {
		v[name] = value
	}
	return encode(v)
}

// views calls a method of the views family.
func callViews(t *testing.T, s *Server, method string, args object) (view map[string]any, code any) {
	t.Helper()
	answer := post(t, s, s.BotToken(), "views."+method, args)
	view, _ = answer["view"].(map[string]any)
	return view, answer["error"]
}

// modalFor opens a modal for Lea and returns it.
func modalFor(t *testing.T, s *Server, view json.RawMessage) map[string]any {
	t.Helper()
	v, code := callViews(t, s, "open", object{"trigger_id": s.triggerID("U0LEAD", ""), "view": view})
	if code != nil {
		t.Fatalf("views.open: %v", code)
	}
	return v
}

func TestTriggerID(t *testing.T) {
	t.Parallel()
	clock := newClock()
	m := newMemory()
	s := serve(m, Config{Addr: "x", Now: clock.now}, slackTiming, manifest{})
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	open := func(id string) error {
		c := call{Server: s, args: arguments{"trigger_id": encode(id), "view": json.RawMessage(smallModal)}}
		_, err := openView(c)
		return err
	}
	fresh, edge, old := s.triggerID("U0LEAD", ""), s.triggerID("U0LEAD", ""), s.triggerID("U0LEAD", "")
	for _, c := range []struct {
		name, id, want string
		turn           time.Duration
	}{
		{"rubbish", "1.2.3", "invalid_trigger_id", 0},
		{"a good one", fresh, "", 0},
		{"a used one", fresh, "exchanged_trigger_id", 0},
		{"after three seconds", edge, "", 3 * time.Second},
		{"later", old, "expired_trigger_id", time.Millisecond},
	} {
		clock.turn(c.turn)
		if err := open(c.id); (err == nil) != (c.want == "") || (err != nil && err.Error() != c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestViewsRefuse has every error of the views methods.
func TestViewsRefuse(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{})
	small := json.RawMessage(smallModal)
	home := json.RawMessage(`{"type":"home","blocks":[{"type":"divider"}]}`)
	trigger := func(view string) string { return s.triggerID("U0LEAD", view) }
	first := modalFor(t, s, with(t, smallModal, object{"external_id": "one"}))
	id := first["id"].(string)
	long := strings.Repeat("x", 250_000)
	for _, c := range []struct {
		name, method string
		args         object
		want         string
	}{
		{"no view", "open", object{"trigger_id": trigger("")}, "invalid_arguments"},
		{"no trigger", "open", object{"view": small}, "invalid_arguments"},
		{"a home tab as a modal", "open", object{"trigger_id": trigger(""), "view": home}, "invalid_arguments"},
		{"no title", "open", object{"trigger_id": trigger(""), "view": with(t, smallModal, object{"title": nil})}, "invalid_arguments"},
		{"a field without a submit button", "open", object{"trigger_id": trigger(""), "view": with(t, smallModal, object{"submit": nil})}, "invalid_arguments"},
		{"too large", "open", object{"trigger_id": trigger(""), "view": with(t, smallModal, object{"private_metadata": long})}, "view_too_large"},
		{"the same external id", "open", object{"trigger_id": trigger(""), "view": with(t, smallModal, object{"external_id": "one"})}, "duplicate_external_id"},
		{"onto nothing", "push", object{"trigger_id": trigger(""), "view": small}, "not_found"},
		{"onto a modal", "push", object{"trigger_id": trigger(id), "view": small}, ""},
		{"onto two", "push", object{"trigger_id": trigger(id), "view": small}, ""},
		{"onto three", "push", object{"trigger_id": trigger(id), "view": small}, "push_limit_reached"},
		{"neither id", "update", object{"view": small}, "invalid_arguments"},
		{"not there", "update", object{"view_id": "V0", "view": small}, "not_found"},
		{"an old hash", "update", object{"view_id": id, "hash": "1.x", "view": small}, "hash_conflict"},
		{"the right hash", "update", object{"view_id": id, "hash": first["hash"], "view": with(t, smallModal, object{"external_id": "one"})}, ""},
		{"by its external id", "update", object{"external_id": "one", "view": small}, ""},
		{"the external id is gone", "update", object{"external_id": "one", "view": small}, "not_found"},
		{"for nobody", "publish", object{"user_id": "U0NOBODY", "view": home}, "invalid_arguments"},
		{"a modal as a home tab", "publish", object{"user_id": "U0LEAD", "view": small}, "invalid_arguments"},
		{"a home tab", "publish", object{"user_id": "U0LEAD", "view": home}, ""},
		{"a home tab with an old hash", "publish", object{"user_id": "U0LEAD", "view": home, "hash": "1.x"}, "hash_conflict"},
	} {
		if _, code := callViews(t, s, c.method, c.args); code != c.want && (c.want != "" || code != nil) {
			t.Errorf("%s: %v, want %q", c.name, code, c.want)
		}
	}
	tabless := startFast(t, Config{Manifest: []byte(smallManifest)})
	if _, code := callViews(t, tabless, "publish", object{"user_id": "U0LEAD", "view": home}); code != "not_enabled" {
		t.Errorf("without a home tab in the manifest: %v", code)
	}
}

// TestViewObject: a view comes back as Slack writes it, and is listed with what
// its person has filled in.
func TestViewObject(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{})
	v := modalFor(t, s, with(t, smallModal, object{"private_metadata": "<secret>", "notify_on_close": true}))
	id := v["id"].(string)
	for name, want := range map[string]any{
		"type": "modal", "team_id": teamID, "callback_id": "small", "private_metadata": "<secret>", "notify_on_close": true,
		"clear_on_close": false, "root_view_id": id, "previous_view_id": nil, "app_id": appID, "bot_id": botID, "external_id": "", "close": nil,
	} {
		if got, ok := v[name]; !ok || got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	pushed, code := callViews(t, s, "push", object{"trigger_id": s.triggerID("U0LEAD", id), "view": json.RawMessage(smallModal)})
	if code != nil || pushed["root_view_id"] != id || pushed["previous_view_id"] != id {
		t.Errorf("pushed %v, %v", pushed, code)
	}
	control(t, s, "POST", "input", `{"user":"U0LEAD","view_id":"`+id+`","block_id":"name","action_id":"text","value":"Ann"}`)
	listed := control(t, s, "GET", "views?user=U0LEAD", "")
	if !strings.Contains(listed, `"name":{"text":{"type":"plain_text_input","value":"Ann"}}`) || !strings.Contains(listed, `"home":null`) {
		t.Errorf("listed %s", listed)
	}
	// An update keeps what was filled in, and brings a new hash.
	updated, _ := callViews(t, s, "update", object{"view_id": id, "view": json.RawMessage(smallModal)})
	if updated["hash"] == v["hash"] || !strings.Contains(string(encode(updated)), `"value":"Ann"`) {
		t.Errorf("updated %v", updated)
	}
	if got := control(t, s, "GET", "views?user=U0NOBODY", ""); got != `{"error":"there is no user U0NOBODY","ok":false}` {
		t.Errorf("nobody's views: %s", got)
	}
	control(t, s, "POST", "reset", `{}`)
	if got := control(t, s, "GET", "views?user=U0LEAD", ""); !strings.Contains(got, `"modals":[]`) {
		t.Errorf("after the reset: %s", got)
	}
}
