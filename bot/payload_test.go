package bot

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/bot/socketmode"
	"github.com/superduperai/sessionbot/bot/wire"
	"github.com/superduperai/sessionbot/commands"
)

const pressedFrame = `{"type":"block_actions","api_app_id":"A1","user":{"id":"U1","team_id":"T1"},"channel":{"id":"C1","name":"x"},"response_url":"u",
	"container":{"type":"message","channel_id":"C1","message_ts":"1700000000.000100","is_ephemeral":false},
	"message":{"ts":"1700000000.000100","blocks":[{"type":"section"}]},"is_enterprise_install":false,
	"actions":[{"type":"button","action_id":"confirm.approve","value":"v","block_id":"b","action_ts":"1.2"}]}`

// TestUnusedMembersMayHaveAnyShape: unused members of a click may be of any type.
func TestUnusedMembersMayHaveAnyShape(t *testing.T) {
	t.Parallel()
	want := interaction{kind: "block_actions", app: "A1", user: "U1", channel: "C1", responseURL: "u", clicked: true,
		click: click{button: "confirm.approve", value: "v", block: "b", message: "1700000000.000100"}}
	for _, change := range [][2]string{
		{"", ""},
		{`"is_enterprise_install":false`, `"is_enterprise_install":"false"`},
		{`"is_enterprise_install":false`, `"is_enterprise_install":{"x":[]}`},
		{`{"ts":"1700000000.000100"`, `{"ts":1700000000.000100`},
		{`{"ts":"1700000000.000100"`, `{"ts":1700000000.0001`},
		{`"message_ts":"1700000000.000100"`, `"message_ts":1700000000.0001`},
		{`[{"type":"section"}]`, `[{"type":"context","elements":[{"type":"of tomorrow","x":7},7,null]}]`},
		{`[{"type":"section"}]`, `{"type":7}`},
		{`"is_ephemeral":false`, `"is_ephemeral":null,"attachment_id":"x"`},
		{`"action_ts":"1.2"`, `"action_ts":1.2,"text":7,"style":["x"],"confirm":"x","selected_option":7`},
		{`"team_id":"T1"`, `"team_id":7,"name":{}`},
		{`{"ts":"1700000000.000100"`, `{"ts":1.7000000000001e9`},
		{`"message_ts":"1700000000.000100"`, `"message_ts":1700000000.00010000`},
		{`"action_ts":"1.2"}`, `"action_ts":"1.2"},{"action_id":7},null`},
		{`"channel":{"id":"C1","name":"x"}`, `"channel":null`},
		{`"name":"x"`, `"name":null`},
		{`"type":"block_actions"`, `"TYPE":"view_submission","type":"block_actions","view":7,"state":[],"team":"T1","enterprise":7,"trigger_id":{}`},
		{`"message":{"ts":"1700000000.000100","blocks":[{"type":"section"}]}`, `"message":"none"`},
	} {
		got, err := readInteraction([]byte(strings.Replace(pressedFrame, change[0], change[1], 1)))
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(interaction{}, click{}, viewRef{})); err != nil || diff != "" {
			t.Errorf("with %s: %v (-want +got):\n%s", change[1], err, diff)
		}
	}
}

// TestCommandOfOrganization: what an organization adds to a command is not used.
func TestCommandOfOrganization(t *testing.T) {
	t.Parallel()
	want := slashCommand{AppID: "A1", User: "U1", Channel: "C1", Command: "/session", Text: "help"}
	for _, rest := range []string{
		`"is_enterprise_install":"true","enterprise_id":"E1","team_id":"T2"`, `"is_enterprise_install":true,"enterprise_id":{},"team_id":null`,
		`"is_enterprise_install":1,"enterprise_name":["x"],"team_id":7,"response_url":null`,
	} {
		got, err := wire.Decode[slashCommand]([]byte(`{"api_app_id":"A1","user_id":"U1","channel_id":"C1","command":"/session","text":"help",` + rest + `}`))
		if err != nil || got != want {
			t.Errorf("with %s: %+v, %v", rest, got, err)
		}
	}
}

// TestUsedMembersAreStrict: a malformed click is not read as another one.
func TestUsedMembersAreStrict(t *testing.T) {
	t.Parallel()
	for _, change := range [][2]string{
		{`"value":"v"`, `"value":{"id":"v"}`}, {`"action_id":"confirm.approve"`, `"action_id":["confirm.approve"]`},
		{`"id":"U1"`, `"id":["U1"]`}, {`"id":"C1"`, `"id":7`}, {`"api_app_id":"A1"`, `"api_app_id":1`},
		{`"channel_id":"C1"`, `"channel_id":"C2"`}, {`{"ts":"1700000000.000100"`, `{"ts":"1700000000.000200"`},
		{`"actions":[`, `"actions":[7,`}, {`"actions":[{"type"`, `"actions":"x","y":[{"type"`},
	} {
		if got, err := readInteraction([]byte(strings.Replace(pressedFrame, change[0], change[1], 1))); err == nil {
			t.Errorf("with %s it is read as %+v", change[1], got)
		}
	}
}

// TestMemberNamesAreCaseSensitive: names that differ in case are different members.
func TestMemberNamesAreCaseSensitive(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"user", "actions", "type", "response_url", "api_app_id", "container", "action_id", "value", "message_ts"} {
		forged := strings.ReplaceAll(pressedFrame, `"`+name+`":`, `"`+strings.ToUpper(name)+`":`)
		whole, _ := readInteraction([]byte(pressedFrame))
		if got, err := readInteraction([]byte(forged)); err == nil && cmp.Equal(got, whole, cmp.AllowUnexported(interaction{}, click{}, viewRef{})) {
			t.Errorf("%s is read where it is written in capitals", name)
		}
	}
	e, err := wire.Decode[socketmode.Envelope]([]byte(`{"Type":"interactive","ENVELOPE_ID":"e","Payload":{},"reaſon":"link_disabled"}`))
	if err != nil || e.Kind != "" || e.ID != "" || e.Payload != nil || e.Reason != "" {
		t.Errorf("an envelope with other names is read as %+v, %v", e, err)
	}
	c, err := wire.Decode[slashCommand]([]byte(`{"user_id":"U1","USER_ID":"U2","command":"/session","text":"debug x","TEXT":"fix x","Channel_Id":"C1"}`))
	if want := (slashCommand{User: "U1", Command: "/session", Text: "debug x"}); err != nil || c != want {
		t.Errorf("a command reads %+v, %v, want %+v", c, err, want)
	}
}

// TestEnvelopeShapes: of an envelope only the type and the id are needed.
func TestEnvelopeShapes(t *testing.T) {
	t.Parallel()
	for _, rest := range []string{`"retry_attempt":"1"`, `"num_connections":"2"`, `"connection_info":7`, `"accepts_response_payload":"yes"`, `"reason":null`, `"debug_info":[]`} {
		if e, err := wire.Decode[socketmode.Envelope]([]byte(`{"type":"hello","envelope_id":"e",` + rest + `}`)); err != nil || e.Kind != "hello" || e.ID != "e" {
			t.Errorf("with %s: %+v, %v", rest, e, err)
		}
	}
	for _, frame := range []string{`[]`, `null`, `7`, `{"type":7}`, `{"type":"hello","envelope_id":{}}`, `{"type":"disconnect","reason":7}`, `{`} {
		if e, err := wire.Decode[socketmode.Envelope]([]byte(frame)); err == nil {
			t.Errorf("%s is read as %+v", frame, e)
		}
	}
}

// TestSubmissionsShareNoAnswer: the answer to a view that is submitted once more is put
// into the modal of that submission, even where it overtakes the ack.
func TestSubmissionsShareNoAnswer(t *testing.T) {
	t.Parallel()
	shown := func(hash string) string {
		response, ok := ackPayload(socketmode.Envelope{Kind: kindInteraction, Payload: []byte(`{"type":"view_submission","user":{"id":"U1"},
			"view":{"id":"V1","hash":"` + hash + `","type":"modal","callback_id":"` + commands.ShortcutFind + `","state":{"values":{"` +
			commands.FindField + `":{"` + commands.FindField + `":{"value":"ann@example.com"}}}}}}`)}).(*slack.ViewSubmissionResponse)
		if !ok {
			t.Fatal("the ack shows no modal")
		}
		return response.View.ExternalID
	}
	if first := shown("1.a"); first == shown("2.b") || first != shown("1.a") {
		t.Error("the modal does not depend on the submission alone")
	}
}
