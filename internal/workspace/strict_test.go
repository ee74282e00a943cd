package workspace

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"
)

const eventsManifest = `
oauth_config: {scopes: {bot: [chat:write, channels:history]}}
settings:
  event_subscriptions: {bot_events: [message.channels, app_mention]}
  socket_mode_enabled: true
`

// nextEvent is the next event that the app gets.
func nextEvent(t *testing.T, app *client) (event map[string]any, payload map[string]any) {
	t.Helper()
	f := app.next(t)
	app.ack(t, f, nil)
	var got struct{ Payload map[string]any }
	if err := json.Unmarshal(f.raw, &got); err != nil {
		t.Fatal(err)
	}
	event, _ = got.Payload["event"].(map[string]any)
	return event, got.Payload
}

// TestOwnMessagesCauseEvents: an app hears of its own posts, edits and deletes, as
// of those of others.
func TestOwnMessagesCauseEvents(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{Manifest: []byte(eventsManifest)})
	app := connected(t, s)
	posted := post(t, s, s.BotToken(), "chat.postMessage", object{"channel": "C0SUPPORT", "text": "one"})
	ts := posted["ts"]
	if e, _ := nextEvent(t, app); e["subtype"] != "bot_message" || e["bot_id"] != botID || e["text"] != "one" || e["ts"] != ts || e["channel_type"] != "channel" {
		t.Errorf("a post: %v", e)
	}
	post(t, s, s.BotToken(), "chat.update", object{"channel": "C0SUPPORT", "ts": ts, "text": "two"})
	e, _ := nextEvent(t, app)
	after, before := e["message"].(map[string]any), e["previous_message"].(map[string]any)
	if e["subtype"] != "message_changed" || e["hidden"] != true || after["text"] != "two" || before["text"] != "one" || after["ts"] != ts || e["ts"] == ts {
		t.Errorf("an edit: %v", e)
	}
	post(t, s, s.BotToken(), "chat.delete", object{"channel": "C0SUPPORT", "ts": ts})
	e, _ = nextEvent(t, app)
	if before := e["previous_message"].(map[string]any); e["subtype"] != "message_deleted" || e["deleted_ts"] != ts || before["text"] != "two" {
		t.Errorf("a deletion: %v", e)
	}
	// Ephemeral messages cause none, and answers in the channel do.
	post(t, s, s.BotToken(), "chat.postEphemeral", object{"channel": "C0SUPPORT", "user": "U0LEAD", "text": "quiet"})
	to := s.responses.issue(response{user: "U0LEAD", channel: "C0SUPPORT"})
	if status := respondTo(t, s, to, object{"text": "loud", "response_type": "in_channel"}); status != 200 {
		t.Fatal(status)
	}
	if e, _ := nextEvent(t, app); e["text"] != "loud" || e["subtype"] != "bot_message" {
		t.Errorf("an answer: %v", e)
	}
}

// TestEventsOfPeople: what people write comes as Slack sends it.
func TestEventsOfPeople(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{Manifest: []byte(eventsManifest)})
	app := connected(t, s)
	root, err := s.Write("U0LEAD", "C0SUPPORT", "", "first")
	if err != nil {
		t.Fatal(err)
	}
	nextEvent(t, app)
	if _, err := s.Write("U0PARTNER", "C0SUPPORT", root, "hi @lea, see https://x.test/?a&b & <tell> @ops in #alerts"); err != nil {
		t.Fatal(err)
	}
	e, payload := nextEvent(t, app)
	if e["text"] != "hi <@U0LEAD>, see <https://x.test/?a&amp;b> &amp; &lt;tell&gt; <!subteam^S0OPS|@ops> in <#C0ALERTS|alerts>" {
		t.Errorf("text %q", e["text"])
	}
	if e["team"] != partnerID || e["parent_user_id"] != "U0LEAD" || e["thread_ts"] != root || e["subtype"] != nil || payload["is_ext_shared_channel"] != true {
		t.Errorf("event %v in %v", e, payload)
	}
	if id, _ := e["client_msg_id"].(string); len(id) != 36 {
		t.Errorf("client_msg_id %q", id)
	}
	blocks := e["blocks"].([]any)[0].(map[string]any)
	want := `[{"elements":[{"text":"hi ","type":"text"},{"type":"user","user_id":"U0LEAD"},{"text":", see ","type":"text"},` +
		`{"type":"link","url":"https://x.test/?a&b"},{"text":" & <tell> ","type":"text"},{"type":"usergroup","usergroup_id":"S0OPS"},` +
		`{"text":" in ","type":"text"},{"channel_id":"C0ALERTS","type":"channel"}],"type":"rich_text_section"}]`
	if got := string(encode(blocks["elements"])); got != want {
		t.Errorf("blocks %s\nwant   %s", got, want)
	}
	if _, err := s.Write("U0LEAD", "C0SUPPORT", "", "@app hello"); err != nil {
		t.Fatal(err)
	}
	kinds := map[any]bool{}
	for range 2 {
		e, _ := nextEvent(t, app)
		kinds[e["type"]] = e["text"] == "<@U0BOT> hello"
	}
	if !kinds["message"] || !kinds["app_mention"] {
		t.Errorf("a mention: %v", kinds)
	}
}

// TestLongText: a long text is cut in a post, and refused in an update.
func TestLongText(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{})
	posted := post(t, s, s.BotToken(), "chat.postMessage", object{"channel": "C0SUPPORT", "text": strings.Repeat("é", 40_001)})
	message, _ := posted["message"].(map[string]any)
	if text, _ := message["text"].(string); utf8.RuneCountInString(text) != 40_000 {
		t.Errorf("posted %d characters, %v", utf8.RuneCountInString(text), posted["error"])
	}
	for n, want := range map[int]any{4000: nil, 4001: "msg_too_long"} {
		updated := post(t, s, s.BotToken(), "chat.update", object{"channel": "C0SUPPORT", "ts": posted["ts"], "text": strings.Repeat("é", n)})
		if updated["error"] != want {
			t.Errorf("an update of %d characters: %v", n, updated["error"])
		}
	}
}

// TestAttachments: attachments are kept, come back, and their buttons work.
func TestAttachments(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{})
	app := connected(t, s)
	attachments := `[{"color":"danger","title":"Failed","text":"*why*"},{"blocks":[{"type":"actions","block_id":"b","elements":[{"type":"button","action_id":"go","text":{"type":"plain_text","text":"Go"}}]}]}]`
	if answer := post(t, s, s.BotToken(), "chat.postMessage", object{"channel": "C0SUPPORT", "attachments": json.RawMessage(attachments)}); answer["ok"] != true {
		t.Fatalf("posted %v", answer)
	}
	list, _ := s.Messages("C0SUPPORT", "U0LEAD")
	if got := string(list[0].Attachments); !strings.Contains(got, `"title":"Failed"`) || !strings.Contains(got, `"id":2`) {
		t.Errorf("kept %s", got)
	}
	sent, err := acked(t, app, func() error {
		return s.Click(Click{User: "U0LEAD", Channel: "C0SUPPORT", TS: list[0].TS, ActionID: "go"})
	})
	if err != nil || !strings.Contains(strings.Join(sent, ""), `"block_id":"b"`) {
		t.Errorf("a click: %v, %s", err, sent)
	}
}

// TestUnsupportedArgumentsAreLogged so that nobody looks for the fault elsewhere.
func TestUnsupportedArgumentsAreLogged(t *testing.T) {
	t.Parallel()
	var log notebook
	s := startFast(t, Config{Log: slog.New(slog.NewTextHandler(&log, nil))})
	post(t, s, s.BotToken(), "chat.postMessage", object{"channel": "C0SUPPORT", "text": "x", "username": "somebody", "reply_broadcast": true})
	for _, name := range []string{"username", "reply_broadcast"} {
		if want := `level=ERROR msg="argument not supported" component=workspace method=chat.postMessage argument=` + name; !log.says(want) {
			t.Errorf("%s is not logged as %s", name, want)
		}
	}
}

// TestImages: the images of a profile can be had.
func TestImages(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{})
	answer := post(t, s, s.BotToken(), "users.info", object{"user": "U0LEAD"})
	profile := answer["user"].(map[string]any)["profile"].(map[string]any)
	for _, name := range []string{"image_24", "image_32", "image_48", "image_72", "image_192", "image_512"} {
		address, _ := profile[name].(string)
		if status, header, body := raw(t, "GET", address, "", nil); status != 200 || header.Get("Content-Type") != "image/svg+xml" || !strings.Contains(body, ">L</text>") {
			t.Errorf("%s at %q: HTTP %d %s", name, address, status, body)
		}
	}
	if status, _, _ := raw(t, "GET", s.URL()+"/avatar/U0NOBODY", "", nil); status != 404 {
		t.Errorf("nobody's image: HTTP %d", status)
	}
}
