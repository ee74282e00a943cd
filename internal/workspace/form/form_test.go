package form

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// everything is a form with one element of every kind that is filled.
const everything = `[
 {"type":"section","block_id":"s","text":{"type":"mrkdwn","text":"<x> & y"},"accessory":
  {"type":"static_select","action_id":"one","options":[{"text":{"type":"plain_text","text":"A"},"value":"a"},{"text":{"type":"plain_text","text":"B"},"value":"b"}]}},
 {"type":"actions","block_id":"a","elements":[
  {"type":"button","action_id":"go","value":"1","text":{"type":"plain_text","text":"Go"}},
  {"type":"overflow","action_id":"menu","options":[{"text":{"type":"plain_text","text":"A"},"value":"a"}]},
  {"type":"static_select","action_id":"grouped","option_groups":[{"label":{"type":"plain_text","text":"G"},"options":[{"text":{"type":"plain_text","text":"C"},"value":"c"}]}]},
  {"type":"users_select","action_id":"who","initial_user":"U1"},
  {"type":"conversations_select","action_id":"talk"},
  {"type":"radio_buttons","action_id":"radio","options":[{"text":{"type":"plain_text","text":"A"},"value":"a"}]},
  {"type":"checkboxes","action_id":"boxes","options":[{"text":{"type":"plain_text","text":"A"},"value":"a"},{"text":{"type":"plain_text","text":"B"},"value":"b"}]},
  {"type":"datepicker","action_id":"day","initial_date":"2026-03-01"},
  {"type":"timepicker","action_id":"hour"},
  {"type":"datetimepicker","action_id":"when"}]},
 {"type":"input","block_id":"i1","label":{"type":"plain_text","text":"Name"},"element":{"type":"plain_text_input","action_id":"name","max_length":5,"min_length":2}},
 {"type":"input","block_id":"i2","optional":true,"dispatch_action":true,"label":{"type":"plain_text","text":"Mail"},"element":{"type":"email_text_input","action_id":"mail"}},
 {"type":"input","block_id":"i3","label":{"type":"plain_text","text":"Page"},"element":{"type":"url_text_input","action_id":"page"}},
 {"type":"input","block_id":"i4","label":{"type":"plain_text","text":"Seconds"},"element":{"type":"number_input","action_id":"n","is_decimal_allowed":false,"min_value":"1","max_value":"60"}},
 {"type":"input","block_id":"i5","label":{"type":"plain_text","text":"Several"},"element":{"type":"multi_users_select","action_id":"people","max_selected_items":2}},
 {"type":"input","block_id":"i6","label":{"type":"plain_text","text":"Text"},"element":{"type":"rich_text_input","action_id":"rich"}},
 {"type":"input","block_id":"i7","label":{"type":"plain_text","text":"Search"},"element":{"type":"external_select","action_id":"ext"}},
 {"type":"input","block_id":"i8","label":{"type":"plain_text","text":"Pictures"},"element":{"type":"file_input","action_id":"files","filetypes":["jpg","png"],"max_files":2}}]`

var world = World{
	HasUser:    func(id string) bool { return strings.HasPrefix(id, "U") },
	HasChannel: func(id string) bool { return id == "C1" },
	File: func(id string) map[string]any {
		if kind, ok := strings.CutPrefix(id, "F"); ok {
			return object{"id": id, "name": "a." + kind, "filetype": kind}
		}
		return nil
	},
	Offered: []any{object{"text": object{"type": "plain_text", "text": "E"}, "value": "e"}},
}

func element(t *testing.T, actionID string) Element {
	t.Helper()
	for _, e := range Elements(json.RawMessage(everything)) {
		if e.ActionID == actionID {
			return e
		}
	}
	t.Fatalf("no element %s", actionID)
	return Element{}
}

// TestFill: every kind of element takes what people may choose or type, and
// nothing else.
func TestFill(t *testing.T) {
	t.Parallel()
	optionA := `{"text":{"text":"A","type":"plain_text"},"value":"a"}`
	for _, c := range []struct{ action, value, want string }{
		{"one", `"a"`, `{"selected_option":` + optionA + `,"type":"static_select"}`},
		{"one", `""`, `{"selected_option":null,"type":"static_select"}`},
		{"one", `"z"`, `option "z" is not offered`},
		{"one", `["a","b"]`, `the value is no string`},
		{"menu", `"a"`, `{"selected_option":` + optionA + `,"type":"overflow"}`},
		{"menu", `""`, `an option is needed`},
		{"go", `"1"`, `a button is pressed, not filled`},
		{"grouped", `"c"`, `{"selected_option":{"text":{"text":"C","type":"plain_text"},"value":"c"},"type":"static_select"}`},
		{"who", `"U2"`, `{"selected_user":"U2","type":"users_select"}`},
		{"who", `"X"`, `there is no user X`},
		{"talk", `"C1"`, `{"selected_conversation":"C1","type":"conversations_select"}`},
		{"talk", `"C2"`, `there is no channel C2`},
		{"radio", `"a"`, `{"selected_option":` + optionA + `,"type":"radio_buttons"}`},
		{"boxes", `["a"]`, `{"selected_options":[` + optionA + `],"type":"checkboxes"}`},
		{"boxes", `[]`, `{"selected_options":[],"type":"checkboxes"}`},
		{"boxes", `["a","z"]`, `option "z" is not offered`},
		{"boxes", `{}`, `the value is neither a string nor an array of strings`},
		{"day", `"2026-12-31"`, `{"selected_date":"2026-12-31","type":"datepicker"}`},
		{"day", `"2026-02-30"`, `"2026-02-30" is not a date such as 2026-03-01`},
		{"hour", `"23:59"`, `{"selected_time":"23:59","type":"timepicker"}`},
		{"when", `"1772452800"`, `{"selected_date_time":1772452800,"type":"datetimepicker"}`},
		{"when", `"soon"`, `"soon" is not a time in seconds since 1970, with ten digits`},
		{"name", `"Änn"`, `{"type":"plain_text_input","value":"Änn"}`},
		{"name", `"Annabel"`, `7 characters are more than the 5 allowed`},
		{"name", `"A"`, `1 characters are fewer than the 2 required`},
		{"mail", `"ann@example.com"`, `{"type":"email_text_input","value":"ann@example.com"}`},
		{"mail", `"Ann <ann@example.com>"`, `"Ann <ann@example.com>" is not an e-mail address`},
		{"page", `"https://example.com/x"`, `{"type":"url_text_input","value":"https://example.com/x"}`},
		{"page", `"here"`, `"here" is not a URL`},
		{"n", `"8"`, `{"type":"number_input","value":"8"}`},
		{"n", `"8.5"`, `"8.5" is not a whole number`},
		{"n", `"61"`, `61 is more than the 60 allowed`},
		{"n", `"0"`, `0 is less than the 1 required`},
		{"people", `["U1","U2"]`, `{"selected_users":["U1","U2"],"type":"multi_users_select"}`},
		{"people", `["U1","U2","U3"]`, `3 choices are more than the 2 allowed`},
		{"rich", `"hi"`, `{"rich_text_value":{"elements":[{"elements":[{"text":"hi","type":"text"}],"type":"rich_text_section"}],"type":"rich_text"},"type":"rich_text_input"}`},
		{"files", `["Fjpeg","Fpng"]`, `{"files":[{"filetype":"jpeg","id":"Fjpeg","name":"a.jpeg"},{"filetype":"png","id":"Fpng","name":"a.png"}],"type":"file_input"}`},
		{"files", `"Fpng"`, `{"files":[{"filetype":"png","id":"Fpng","name":"a.png"}],"type":"file_input"}`},
		{"files", `[]`, `{"files":[],"type":"file_input"}`},
		{"files", `"Fgif"`, `a.gif is not of an accepted type`},
		{"files", `"X1"`, `there is no file X1`},
		{"files", `["Fpng","Fpng","Fpng"]`, `3 choices are more than the 2 allowed`},
		{"ext", `"e"`, `{"selected_option":{"text":{"text":"E","type":"plain_text"},"value":"e"},"type":"external_select"}`},
		{"ext", `"f"`, `option "f" is not offered`},
	} {
		state, err := element(t, c.action).Fill(json.RawMessage(c.value), world)
		got := string(encode(state))
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s %s: %s, want %s", c.action, c.value, got, c.want)
		}
	}
}

// TestValues: state.values has every element with a state, touched or not, and
// the blocks show what was filled in.
func TestValues(t *testing.T) {
	t.Parallel()
	values := Values{}
	for action, value := range map[string]string{"one": `"b"`, "who": `""`, "name": `"Ann"`} {
		e := element(t, action)
		state, err := e.Fill(json.RawMessage(value), world)
		if err != nil {
			t.Fatal(err)
		}
		values.Set(e, state)
	}
	got := values.In(json.RawMessage(everything))
	for place, want := range map[[2]string]string{
		{"s", "one"}:     `{"selected_option":{"text":{"text":"B","type":"plain_text"},"value":"b"},"type":"static_select"}`,
		{"a", "grouped"}: `{"selected_option":null,"type":"static_select"}`,
		{"a", "who"}:     `{"selected_user":null,"type":"users_select"}`,
		{"a", "day"}:     `{"selected_date":"2026-03-01","type":"datepicker"}`,
		{"a", "boxes"}:   `{"selected_options":[],"type":"checkboxes"}`,
		{"i1", "name"}:   `{"type":"plain_text_input","value":"Ann"}`,
		{"i2", "mail"}:   `{"type":"email_text_input","value":null}`,
		{"a", "go"}:      `null`,
		{"a", "menu"}:    `null`,
	} {
		if state := string(encode(got[place[0]][place[1]])); state != want {
			t.Errorf("%v: %s, want %s", place, state, want)
		}
	}
	shown := string(values.Shown(json.RawMessage(everything)))
	for _, want := range []string{`"initial_option":{"text":{"text":"B","type":"plain_text"},"value":"b"}`, `"initial_value":"Ann"`, `"initial_date":"2026-03-01"`, `"<x> & y"`} {
		if !strings.Contains(shown, want) {
			t.Errorf("no %s in %s", want, shown)
		}
	}
	if strings.Contains(shown, `"initial_user":`) {
		t.Errorf("a cleared field shows what it started with: %s", shown)
	}
}

// TestElementsAnywhere: elements are found in every block that can hold them,
// and get ids where they have none.
func TestElementsAnywhere(t *testing.T) {
	t.Parallel()
	button := func(id string) string { return `{"type":"button","action_id":"` + id + `"}` }
	blocks := json.RawMessage(`[
		{"type":"card","block_id":"card","actions":[` + button("1") + `]},
		{"type":"carousel","block_id":"c","elements":[{"type":"card","block_id":"inner","actions":[` + button("2") + `]}]},
		{"type":"container","block_id":"co","child_blocks":[{"type":"section","block_id":"child","accessory":` + button("3") + `}]},
		{"type":"layout","block_id":"l","rows":[{"items":[{"block":{"type":"actions","block_id":"item","elements":[` + button("4") + `]}}]}]},
		{"type":"data_table","block_id":"t","rows":[[{"type":"action_cell","element":` + button("5") + `}]]},
		{"type":"rich_text","block_id":"r","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"x"}]}]},
		{"type":"context_actions","block_id":"f","elements":[{"type":"feedback_buttons","action_id":"6",
			"positive_button":{"text":{"type":"plain_text","text":"+"},"value":"good"},"negative_button":{"text":{"text":"-","type":"plain_text"},"value":"bad"}}]}]`)
	var got []string
	for _, e := range Elements(blocks) {
		got = append(got, e.BlockID+"/"+e.ActionID+"/"+e.Value)
	}
	want := []string{"card/1/", "inner/2/", "child/3/", "item/4/", "t/5/", "f/6/good", "f/6/bad"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	list := decode(json.RawMessage(`[{"type":"actions","elements":[{"type":"button"},{"type":"button","action_id":"mine"}]}]`)).([]any)
	FillIDs(list)
	filled := Elements(encode(list))
	if filled[0].BlockID == "" || filled[0].ActionID == "" || filled[1].ActionID != "mine" {
		t.Errorf("ids %+v", filled)
	}
	if got := Elements(json.RawMessage(`{"rubbish`)); got != nil {
		t.Errorf("rubbish has %+v", got)
	}
}
