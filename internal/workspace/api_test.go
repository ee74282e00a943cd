package workspace

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const smallManifest = `
display_information: {name: Small}
features:
  bot_user: {display_name: smallbot}
  slash_commands:
    - {command: /small, description: does little, usage_hint: "[what]", should_escape: true}
oauth_config: {scopes: {bot: [commands, chat:write, channels:read]}}
settings: {socket_mode_enabled: true, interactivity: {is_enabled: false}}
`

func TestRefusals(t *testing.T) {
	t.Parallel()
	all, small := startFast(t, Config{}), startFast(t, Config{Manifest: []byte(smallManifest)})
	for _, c := range []struct {
		method string
		args   object
		want   string // of the answer, as JSON without ok
		server *Server
		token  string
	}{
		{method: "no.such", want: `{"error":"unknown_method","req_method":"no.such"}`},
		{method: "auth.test", token: " ", want: `{"error":"not_authed"}`},
		{method: "auth.test", token: "xoxb-wrong", want: `{"error":"invalid_auth"}`},
		{method: "auth.test", token: all.AppToken(), want: `{"error":"not_allowed_token_type"}`},
		{method: "apps.connections.open", token: all.BotToken(), want: `{"error":"not_allowed_token_type"}`},
		{method: "users.info", server: small, args: object{"user": "U0LEAD"},
			want: `{"error":"missing_scope","needed":"users:read","provided":"commands,chat:write,channels:read"}`},
		{method: "conversations.info", server: small, args: object{"channel": "D0LEAD"},
			want: `{"error":"missing_scope","needed":"im:read","provided":"commands,chat:write,channels:read"}`},
		{method: "users.info", args: object{"user": "U0NOBODY"}, want: `{"error":"user_not_found"}`},
		{method: "bots.info", args: object{"bot": "B0NOBODY"}, want: `{"error":"bot_not_found"}`},
		{method: "usergroups.users.list", args: object{"usergroup": "S0NOBODY"}, want: `{"error":"no_such_subteam"}`},
		{method: "conversations.info", args: object{"channel": "C0LEADS"}, want: `{"error":"channel_not_found"}`},
		{method: "conversations.history", args: object{"channel": "C0RANDOM"}, want: `{"error":"not_in_channel"}`},
		{method: "conversations.history", args: object{"channel": "C0SUPPORT", "cursor": "x"}, want: `{"error":"invalid_cursor"}`},
		{method: "conversations.replies", args: object{"channel": "C0SUPPORT", "ts": "1.1"}, want: `{"error":"thread_not_found"}`},
		{method: "conversations.join", args: object{"channel": "C0ARCHIVE"}, want: `{"error":"is_archived"}`},
		{method: "conversations.open", args: object{"users": "U0NOBODY"}, want: `{"error":"user_not_found"}`},
		{method: "chat.postMessage", args: object{"channel": "C0LEADS", "text": "x"}, want: `{"error":"channel_not_found"}`},
		{method: "chat.postMessage", args: object{"text": "x"}, want: `{"error":"channel_not_found"}`},
		{method: "chat.postMessage", args: object{"channel": "C0RANDOM", "text": "x"}, want: `{"error":"not_in_channel"}`},
		{method: "chat.postMessage", args: object{"channel": "C0ARCHIVE", "text": "x"}, want: `{"error":"is_archived"}`},
		{method: "chat.postMessage", args: object{"channel": "C0SUPPORT"}, want: `{"error":"no_text"}`},
		{method: "conversations.info", args: object{"channel": "support"}, want: `{"error":"channel_not_found"}`},
		{method: "conversations.info", args: object{"channel": "#support"}, want: `{"error":"channel_not_found"}`},
		{method: "chat.update", args: object{"channel": "#support", "ts": "1.1", "text": "x"}, want: `{"error":"channel_not_found"}`},
		{method: "chat.postMessage", args: object{"channel": "C0SUPPORT", "attachments": "rubbish"}, want: `{"error":"invalid_attachments"}`},
		{method: "chat.postMessage", args: object{"channel": "C0SUPPORT", "attachments": []object{{"blocks": []object{{"type": "alien"}}}}},
			want: `{"error":"invalid_blocks","errors":["unsupported type: alien [json-pointer:/blocks/0]"],"response_metadata":{"messages":["[ERROR] unsupported type: alien [json-pointer:/blocks/0]"]}}`},
		{method: "chat.postMessage", args: object{"channel": "C0SUPPORT", "text": "x", "thread_ts": "1.1"}, want: `{"error":"thread_not_found"}`},
		{method: "chat.postMessage", args: object{"channel": "C0SUPPORT", "text": "x", "metadata": "x"}, want: `{"error":"invalid_metadata_format"}`},
		{method: "chat.postMessage", args: object{"channel": "C0SUPPORT", "text": "x", "metadata": object{"event_type": "x"}}, want: `{"error":"invalid_metadata_schema"}`},
		{method: "chat.postMessage", args: object{"channel": "C0SUPPORT", "blocks": "rubbish"},
			want: `{"error":"invalid_blocks_format","errors":["must be an array of blocks [json-pointer:/blocks]"],"response_metadata":{"messages":["[ERROR] must be an array of blocks [json-pointer:/blocks]"]}}`},
		{method: "chat.postMessage", args: object{"channel": "C0SUPPORT", "text": "x", "blocks": []object{{"type": "section"}}},
			want: `{"error":"invalid_blocks","errors":["missing required field: text [json-pointer:/blocks/0]"],"response_metadata":{"messages":["[ERROR] missing required field: text [json-pointer:/blocks/0]"]}}`},
		{method: "blocks.validate", args: object{"blocks": []object{{"type": "alien"}}},
			want: `{"error":"invalid_blocks","errors":["unsupported type: alien [json-pointer:/blocks/0]"],"response_metadata":{"messages":["[ERROR] unsupported type: alien [json-pointer:/blocks/0]"]}}`},
		{method: "chat.postEphemeral", args: object{"channel": "C0SUPPORT", "user": "U0NOBODY", "text": "x"}, want: `{"error":"user_not_found"}`},
		{method: "chat.postEphemeral", args: object{"channel": "D0LEAD", "user": "U0SUPPORT", "text": "x"}, want: `{"error":"user_not_in_channel"}`},
		{method: "chat.update", args: object{"channel": "C0SUPPORT", "ts": "1.1", "text": "x"}, want: `{"error":"message_not_found"}`},
		{method: "views.open", args: object{"trigger_id": "x", "view": json.RawMessage(smallModal)}, want: `{"error":"invalid_trigger_id"}`},
		{method: "views.publish", args: object{"user_id": "U0LEAD", "view": object{"type": "home"}}, want: `{"error":"invalid_arguments","errors":["missing required field: blocks [json-pointer:/view]"],"response_metadata":{"messages":["[ERROR] missing required field: blocks [json-pointer:/view]"]}}`},
		{method: "files.list", want: `{"error":"not_supported","response_metadata":{"messages":["[ERROR] of files this workspace has files.info only, not files.list"]}}`},
		{method: "files.info", want: `{"error":"file_not_found"}`},
	} {
		t.Run(c.method+" "+c.want, func(t *testing.T) {
			s := c.server
			if s == nil {
				s = all
			}
			token := c.token
			if token == "" {
				token = s.BotToken()
			}
			answer := post(t, s, strings.TrimSpace(token), c.method, c.args)
			if answer["ok"] != false {
				t.Fatalf("got %v", answer)
			}
			delete(answer, "ok")
			if got := string(encode(answer)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
	if list, _ := all.Messages("", ""); len(list) > 0 {
		t.Errorf("refused posts are shown: %v", list)
	}
}

// TestMissingMethodsAreLogged so that nobody looks for the fault elsewhere.
func TestMissingMethodsAreLogged(t *testing.T) {
	t.Parallel()
	var log notebook
	s := startFast(t, Config{Log: slog.New(slog.NewTextHandler(&log, nil))})
	for method, want := range map[string]string{
		"no.such":    `level=ERROR msg="unknown API method" component=workspace method=no.such`,
		"files.list": `level=ERROR msg="API method not supported" component=workspace method=files.list`,
	} {
		if post(t, s, s.BotToken(), method, object{}); !log.says(want) {
			t.Errorf("%s is not logged as %s", method, want)
		}
	}
}

// TestWhereArgumentsMayStand calls one method in every way that Slack takes.
func TestWhereArgumentsMayStand(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{})
	form := url.Values{"token": {s.BotToken()}, "user": {"U0GUEST"}}
	for _, c := range []struct{ name, query, contentType, body, bearer string }{
		{"form", "", "application/x-www-form-urlencoded", form.Encode(), ""},
		{"query", "?" + form.Encode(), "", "", ""},
		{"JSON and header", "", "application/json", `{"user":"U0GUEST"}`, s.BotToken()},
		{"JSON with the token inside", "", "application/json; charset=utf-8", `{"user":"U0GUEST","token":"` + s.BotToken() + `"}`, ""},
		{"form and header", "", "application/x-www-form-urlencoded", "user=U0GUEST", s.BotToken()},
		{"multipart", "", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nU0GUEST\r\n--b--\r\n", s.BotToken()},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, header, body := raw(t, http.MethodPost, s.APIURL()+"users.info"+c.query, c.body, map[string]string{
				"Content-Type": c.contentType, "Authorization": strings.TrimSpace("Bearer " + c.bearer),
			})
			if status != http.StatusOK || !strings.Contains(body, `"is_restricted":true`) {
				t.Errorf("HTTP %d %s", status, body)
			}
			if !strings.Contains(header.Get("X-OAuth-Scopes"), "users:read") || header.Get("X-Accepted-OAuth-Scopes") != "users:read" {
				t.Errorf("headers %v", header)
			}
		})
	}
}

func TestPlacesAndPeople(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{})
	for _, c := range []struct {
		method string
		args   object
		has    string
	}{
		{"auth.test", object{}, `"user_id":"U0BOT"`},
		{"bots.info", object{"bot": "B0BOT"}, `"user_id":"U0BOT"`},
		{"team.info", object{}, `"id":"T0WORKSPACE"`},
		{"users.info", object{"user": "U0PARTNER"}, `"is_stranger":true`},
		{"users.list", object{}, `"id":"U0ONCALL"`},
		{"usergroups.list", object{"include_users": true}, `"users":["U0SUPPORT","U0ONCALL","U0LEAD"]`},
		{"usergroups.users.list", object{"usergroup": "S0OPS"}, `"users":["U0SUPPORT","U0ONCALL","U0LEAD"]`},
		{"conversations.list", object{}, `"id":"C0ALERTS"`},
		{"conversations.list", object{"types": "im"}, `"user":"U0LEAD"`},
		{"conversations.info", object{"channel": "C0RANDOM"}, `"is_member":false`},
		{"conversations.members", object{"channel": "C0RANDOM"}, `"members":["U0SUPPORT","U0ONCALL","U0LEAD"]`},
		{"conversations.join", object{"channel": "C0RANDOM"}, `"is_member":true`},
		{"conversations.open", object{"users": "U0LEAD"}, `"id":"D0LEAD"`},
		{"chat.postMessage", object{"channel": "U0LEAD", "text": "hi"}, `"channel":"D0LEAD"`},
		{"api.test", object{"foo": "bar"}, `"foo":"bar"`},
		{"blocks.validate", object{"blocks": []object{{"type": "divider"}}}, `{"ok":true}`},
	} {
		answer := post(t, s, s.BotToken(), c.method, c.args)
		if got := string(encode(answer)); answer["ok"] != true || !strings.Contains(got, c.has) {
			t.Errorf("%s %v: no %s in %s", c.method, c.args, c.has, got)
		}
	}
}

func TestFramesShowNoToken(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{})
	status, _, body := raw(t, http.MethodPost, s.APIURL()+"auth.test", url.Values{"token": {s.BotToken()}}.Encode(),
		map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
	if status != http.StatusOK {
		t.Fatal(body)
	}
	connected(t, s)
	frames := s.frames.recent()
	shown, err := json.Marshal(frames)
	if err != nil || len(frames) < 4 {
		t.Fatalf("%v %s", err, shown)
	}
	for _, secret := range []string{s.BotToken(), s.AppToken(), s.ControlKey()} {
		if strings.Contains(string(shown), secret) {
			t.Errorf("a secret is shown: %s", shown)
		}
	}
}

func FuzzArguments(f *testing.F) {
	f.Add("application/json", `{"a":1,"b":null,"limit":-1}`)
	f.Add("application/json", `null`)
	f.Add("application/x-www-form-urlencoded", "a=1&a=%zz")
	f.Add("multipart/form-data; boundary=b", "--b\r\n\r\nx\r\n--b--")
	f.Fuzz(func(t *testing.T, contentType, body string) {
		r := &http.Request{Method: http.MethodPost, URL: &url.URL{}, Header: http.Header{"Content-Type": {contentType}},
			Body: io.NopCloser(strings.NewReader(body))}
		args, err := readArguments(r)
		if err != nil {
			return
		}
		for name := range args {
			if n := args.number(name, 10); n < 1 || n > 10 {
				t.Errorf("number %d", n)
			}
			_, _, _ = args.json(name), args.list(name), args.bool(name)
		}
		if !json.Valid(args.redacted()) {
			t.Errorf("not JSON: %s", args.redacted())
		}
	})
}
