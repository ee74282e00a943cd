package blockcheck

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestWording(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, blocks, want string }{
		{"too long", `[{"type":"divider"},{"type":"section","text":{"type":"mrkdwn","text":"` + strings.Repeat("x", 3001) + `"}}]`,
			"must be less than 3001 characters [json-pointer:/blocks/1/text/text]"},
		{"empty text", `[{"type":"section","text":{"type":"mrkdwn","text":""}}]`,
			"must be more than 0 characters [json-pointer:/blocks/0/text/text]"},
		{"no text", `[{"type":"section"}]`, "missing required field: text [json-pointer:/blocks/0]"},
		{"no type", `[{}]`, "missing required field: type [json-pointer:/blocks/0]"},
		{"unknown type", `[{"type":"nonsense"}]`, "unsupported type: nonsense [json-pointer:/blocks/0]"},
		{"alert in a message", `[{"type":"alert","text":{"type":"mrkdwn","text":"x"}}]`, "unsupported type: alert [json-pointer:/blocks/0]"},
		{"mrkdwn header", `[{"type":"header","text":{"type":"mrkdwn","text":"x"}}]`,
			"must be a valid enum value [json-pointer:/blocks/0/text/type]"},
		{"text that is no text", `[{"type":"header","text":"x"}]`, "must provide an object [json-pointer:/blocks/0/text]"},
		{"number as text", `[{"type":"markdown","text":1}]`, "must provide a string [json-pointer:/blocks/0/text]"},
		{"bad style", `[{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"x"},"style":"loud"}]}]`,
			"must be a valid enum value [json-pointer:/blocks/0/elements/0/style]"},
		{"button in a context", `[{"type":"context","elements":[{"type":"button"}]}]`,
			"unsupported type: button [json-pointer:/blocks/0/elements/0]"},
		{"action_id twice", `[{"type":"actions","elements":[
			{"type":"button","text":{"type":"plain_text","text":"x"},"action_id":"a"},
			{"type":"button","text":{"type":"plain_text","text":"y"},"action_id":"a"}]}]`,
			"`action_id` \"a\" already exists [json-pointer:/blocks/0/elements/1/action_id]"},
		{"block_id twice", `[{"type":"divider","block_id":"b"},{"type":"divider","block_id":"b"}]`,
			"`block_id` \"b\" already exists [json-pointer:/blocks/1/block_id]"},
		{"empty cell", `[{"type":"table","rows":[[{"type":"raw_text","text":""}]]}]`,
			"must be more than 0 characters [json-pointer:/blocks/0/rows/0/0/text]"},
		{"point without category", `[{"type":"data_visualization","title":"t","chart":{"type":"bar","axis_config":{"categories":["a"]},
			"series":[{"name":"s","data":[{"label":"b","value":1}]}]}}]`,
			"must be one of the categories [json-pointer:/blocks/0/chart/series/0/data/0/label]"},
		{"rich text of nothing", `[{"type":"rich_text"}]`, "missing required field: elements [json-pointer:/blocks/0]"},
		{"empty rich text", `[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":""}]}]}]`,
			"must be more than 0 characters [json-pointer:/blocks/0/elements/0/elements/0/text]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := Check(json.RawMessage(c.blocks))
			if len(found) != 1 || found[0].String() != c.want || found[0].Code != InvalidBlocks {
				t.Errorf("got %v, want %q", found, c.want)
			}
		})
	}
}

func TestNoBlocks(t *testing.T) {
	t.Parallel()
	for _, blocks := range []string{``, `{}`, `"x"`, `null`, `[] []`, `[`} {
		if found := Check(json.RawMessage(blocks)); len(found) != 1 || found[0].Code != InvalidFormat {
			t.Errorf("%q: %v", blocks, found)
		}
	}
	if found := CheckView(json.RawMessage(`[]`)); len(found) != 1 || found[0].Code != InvalidView {
		t.Errorf("a view that is an array: %v", found)
	}
}

func TestWholeMessage(t *testing.T) {
	t.Parallel()
	sections := func(n, size int) []any { return many(n, func(int) any { return section(str(size)) }) }
	for _, c := range []struct {
		name       string
		at, beyond []any
		code       string
	}{
		{"blocks", dividers(50), dividers(51), InvalidBlocks},
		{"tables", []any{table([]any{row(1)})}, []any{table([]any{row(1)}), table([]any{row(1)})}, InvalidBlocks},
		{"charts", []any{points(1), points(1)}, []any{points(1), points(1), points(1)}, InvalidBlocks},
		{"characters", sections(6, 2200), append(sections(6, 2200), section("x")), TooLong},
		{"markdown in all", markdowns(6000, 6000), markdowns(6000, 6001), InvalidBlocks},
	} {
		t.Run(c.name, func(t *testing.T) {
			if found := Check(raw(t, c.at)); len(found) > 0 {
				t.Errorf("within the limit, but: %v", found)
			}
			if found := Check(raw(t, c.beyond)); len(found) != 1 || found[0].Code != c.code {
				t.Errorf("beyond the limit: %v, want one %s", found, c.code)
			}
		})
	}
}

func markdowns(sizes ...int) []any {
	return many(len(sizes), func(i int) any { return obj{"type": "markdown", "text": str(sizes[i])} })
}

func TestActionIDsMayRepeatAcrossBlocks(t *testing.T) {
	t.Parallel()
	if found := Check(raw(t, []any{actions(button(1)), actions(button(1))})); len(found) > 0 {
		t.Error(found)
	}
}

func FuzzCheck(f *testing.F) {
	for _, c := range limitCases {
		b, err := json.Marshal([]any{c.make(limit(c.limit))})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`[{"type":"card","actions":[null]},[],{"type":"table","rows":[1,[2]]}]`))
	f.Fuzz(func(t *testing.T, blocks []byte) {
		for _, v := range append(Check(blocks), CheckView(blocks)...) {
			if v.Code == "" || v.Text == "" || !strings.HasPrefix(v.Pointer, "/") {
				t.Errorf("incomplete violation %+v", v)
			}
		}
	})
}
