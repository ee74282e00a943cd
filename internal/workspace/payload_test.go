package workspace

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// changing are the members of a payload that differ each time.
var changing = regexp.MustCompile(`"(envelope_id|response_url|trigger_id|action_ts|message_ts|ts)":"([^"]+)"`)

// golden compares a frame with JSON in which what changes reads "…".
func golden(t *testing.T, f frame, want string) {
	t.Helper()
	var got, wanted any
	if err := json.Unmarshal(changing.ReplaceAll(f.raw, []byte(`"$1":"…"`)), &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(want), &wanted); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("frame (-want +got):\n%s", diff)
	}
}

func TestSlashCommandPayload(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{Manifest: []byte(smallManifest)})
	app := connected(t, s)
	result := make(chan error, 1)
	go func() {
		_, err := s.Command("U0LEAD", "C0RANDOM", "/small", " see https://x.test/?a=1&b=2 & ask @ops ")
		result <- err
	}()
	f := app.next(t)
	app.ack(t, f, nil)
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(f.raw), `"response_url":"`+s.URL()+"/response/") {
		t.Errorf("no response_url of ours in %s", f.raw)
	}
	golden(t, f, `{
		"type": "slash_commands", "envelope_id": "…", "accepts_response_payload": true,
		"payload": {
			"token": "workspace-verification-token", "team_id": "T0WORKSPACE", "team_domain": "workspace",
			"channel_id": "C0RANDOM", "channel_name": "random", "user_id": "U0LEAD", "user_name": "lea",
			"command": "/small", "text": "see <https://x.test/?a=1&amp;b=2> &amp; ask <!subteam^S0OPS|@ops>",
			"api_app_id": "A0APP", "is_enterprise_install": "false", "response_url": "…", "trigger_id": "…"
		}
	}`)
}

func TestClickPayload(t *testing.T) {
	t.Parallel()
	blocks := json.RawMessage(`[{"type":"section","block_id":"s","text":{"type":"mrkdwn","text":"x"},
		"accessory":{"type":"button","action_id":"go","value":"1","text":{"type":"plain_text","text":"Go"}}},
		{"type":"actions","block_id":"b","elements":[
		{"type":"button","action_id":"go","value":"2","style":"primary","text":{"type":"plain_text","text":"Go 2"}}]}]`)
	s := startFast(t, Config{})
	app := connected(t, s)
	lasting := s.world.post(Message{Channel: "C0SUPPORT", User: botUser, Text: "x", Blocks: blocks})
	ephemeral := s.world.post(Message{Channel: "C0SUPPORT", User: botUser, Text: "x", Blocks: blocks, Ephemeral: true, VisibleTo: "U0PARTNER"})
	click := func(c Click) frame {
		result := make(chan error, 1)
		go func() { result <- s.Click(c) }()
		f := app.next(t)
		app.ack(t, f, nil)
		if err := <-result; err != nil {
			t.Fatal(err)
		}
		return f
	}
	common := `"type": "block_actions", "token": "workspace-verification-token", "api_app_id": "A0APP",
		"team": {"id": "T0WORKSPACE", "domain": "workspace"}, "enterprise": null, "is_enterprise_install": false,
		"user": {"id": "U0PARTNER", "username": "pat", "name": "pat", "team_id": "T0PARTNER"},
		"channel": {"id": "C0SUPPORT", "name": "support"}, "state": {"values": {}},
		"response_url": "…", "trigger_id": "…",`
	var message any
	if err := json.Unmarshal(changing.ReplaceAll(encode(s.messageObject(lasting, false)), []byte(`"$1":"…"`)), &message); err != nil {
		t.Fatal(err)
	}
	golden(t, click(Click{User: "U0PARTNER", Channel: "C0SUPPORT", TS: lasting.TS, ActionID: "go"}), `{
		"type": "interactive", "envelope_id": "…", "accepts_response_payload": false, "payload": {`+common+`
			"container": {"type": "message", "message_ts": "…", "channel_id": "C0SUPPORT", "is_ephemeral": false},
			"message": `+string(encode(message))+`,
			"actions": [{"type": "button", "block_id": "s", "action_id": "go", "value": "1", "action_ts": "…",
				"text": {"type": "plain_text", "text": "Go"}}]
		}
	}`)
	golden(t, click(Click{User: "U0PARTNER", Channel: "C0SUPPORT", TS: ephemeral.TS, ActionID: "go", Value: "2"}), `{
		"type": "interactive", "envelope_id": "…", "accepts_response_payload": false, "payload": {`+common+`
			"container": {"type": "message", "message_ts": "…", "channel_id": "C0SUPPORT", "is_ephemeral": true},
			"actions": [{"type": "button", "block_id": "b", "action_id": "go", "value": "2", "style": "primary",
				"action_ts": "…", "text": {"type": "plain_text", "text": "Go 2"}}]
		}
	}`)
}

func TestWhatPeopleCannotDo(t *testing.T) {
	t.Parallel()
	s, small := startFast(t, Config{}), startFast(t, Config{Manifest: []byte(smallManifest)})
	button := json.RawMessage(`[{"type":"actions","elements":[{"type":"button","action_id":"go"}]}]`)
	post := func(s *Server) string {
		return s.world.post(Message{Channel: "C0SUPPORT", User: botUser, Blocks: button, Ephemeral: true, VisibleTo: "U0LEAD"}).TS
	}
	ts, smallTS := post(s), post(small)
	command := func(s *Server, user, channel, name string) error {
		_, err := s.Command(user, channel, name, "")
		return err
	}
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"nobody", command(s, "U0NOBODY", "C0SUPPORT", "/x"), "there is no user U0NOBODY"},
		{"nowhere", command(s, "U0LEAD", "C0NOWHERE", "/x"), "there is no channel C0NOWHERE"},
		{"outside", command(s, "U0GUEST", "C0RANDOM", "/x"), "U0GUEST is not in #random"},
		{"archived", command(s, "U0LEAD", "C0ARCHIVE", "/x"), "#archive is archived"},
		{"not in the manifest", command(small, "U0LEAD", "C0SUPPORT", "/x"), "/x is not a valid command"},
		{"no such message", s.Click(Click{User: "U0LEAD", Channel: "C0SUPPORT", TS: "1.1", ActionID: "go"}), "U0LEAD sees no message 1.1 in #support"},
		{"somebody else's", s.Click(Click{User: "U0SUPPORT", Channel: "C0SUPPORT", TS: ts, ActionID: "go"}), "U0SUPPORT sees no message " + ts + " in #support"},
		{"no such button", s.Click(Click{User: "U0LEAD", Channel: "C0SUPPORT", TS: ts, ActionID: "stop"}), "message " + ts + ` has no such button: action_id "stop", value ""`},
		{"interactivity off", small.Click(Click{User: "U0LEAD", Channel: "C0SUPPORT", TS: smallTS, ActionID: "go"}), errNotInteractive.Error()},
		{"nobody connected", s.Click(Click{User: "U0LEAD", Channel: "C0SUPPORT", TS: ts, ActionID: "go"}), "dispatch_failed"},
		{"no such fault", s.Fault(Fault{Kind: "earthquake"}), `there is no fault "earthquake"`},
		{"no such time", s.Fault(Fault{Kind: Slow, Seconds: -1}), "seconds must be between 0 and 3600"},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("%s: %v, want %q", c.name, c.err, c.want)
		}
	}
	if _, err := s.Write("U0LEAD", "C0SUPPORT", "", " "); err == nil {
		t.Error("an empty message was sent")
	}
}

func TestEscapeTyped(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{})
	for typed, want := range map[string]string{
		"plain":                       "plain",
		"a < b & c > d":               "a &lt; b &amp; c &gt; d",
		"@sam and @nobody":            "<@U0SUPPORT|sam> and @nobody",
		"#support #nowhere":           "<#C0SUPPORT|support> #nowhere",
		"https://x.test/a?b&c.":       "<https://x.test/a?b&amp;c.>",
		"<https://x.test|x> <@U0BOT>": "<https://x.test|x> <@U0BOT>",
		"<script>":                    "&lt;script&gt;",
	} {
		if got := s.world.escapeText(typed); got != want {
			t.Errorf("%q became %q, want %q", typed, got, want)
		}
	}
}
