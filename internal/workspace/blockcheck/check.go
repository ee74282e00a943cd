// Package blockcheck checks Block Kit as Slack checks it: types, required
// members, and every limit of limits.json. It renders nothing and
// depends on no message around the blocks.
package blockcheck

import (
	"bytes"
	"encoding/json"
	"slices"
)

// The error codes under which Slack answers violations.
const (
	InvalidFormat = "invalid_blocks_format" // not an array of objects at all
	InvalidBlocks = "invalid_blocks"
	TooLong       = "msg_blocks_too_long" // the message as a whole
	InvalidView   = "invalid_arguments"
)

// Limits of a message as a whole, which limits.json does not have.
const (
	maxBlocks     = 50
	maxCharts     = 2
	maxCharacters = 13_200 // of text in all blocks but tables and charts
)

// Violation is one place where blocks break Slack's rules.
type Violation struct {
	Code    string // Slack's error code
	Pointer string // JSON pointer to the place, such as /blocks/1/text/text
	Text    string // the rule, in Slack's wording
}

// String is the violation as Slack writes it.
func (v Violation) String() string { return v.Text + " [json-pointer:" + v.Pointer + "]" }

// checker collects the violations of one message or view.
type checker struct {
	code       string
	surface    string // message, or the type of a view
	found      []Violation
	blockIDs   map[string]bool
	actionIDs  map[string]bool // of the block that is being checked
	tables     int
	charts     int
	characters int // of text, tables and charts left out
	markdown   int // characters in all markdown blocks
}

// Check lists where the blocks of a message break the rules, in their order.
// Blocks without fault give none.
func Check(blocks json.RawMessage) []Violation {
	_, found := Read(blocks)
	return found
}

// Read is Check, and returns the blocks as well: without violations all of them
// are objects.
func Read(blocks json.RawMessage) ([]any, []Violation) {
	c := &checker{code: InvalidBlocks, surface: "message", blockIDs: map[string]bool{}}
	raw, ok := parse(blocks)
	list, isArray := raw.([]any)
	if !ok || !isArray {
		return nil, []Violation{{Code: InvalidFormat, Pointer: "/blocks", Text: "must be an array of blocks"}}
	}
	v := value{checker: c, pointer: "/blocks", raw: list}
	if len(list) > maxBlocks {
		v.report("no more than %d items allowed", maxBlocks)
	}
	each(topBlock)(v)
	if most := limit("markdown.text.max_length"); c.markdown > most {
		v.reportTooLong(most)
	}
	if c.characters > maxCharacters {
		v.code = TooLong
		v.reportTooLong(maxCharacters)
	}
	return list, c.found
}

// CheckView lists where a modal or home tab breaks the rules. Its pointers start
// at /view.
func CheckView(view json.RawMessage) []Violation {
	c := &checker{code: InvalidView, blockIDs: map[string]bool{}}
	raw, _ := parse(view)
	v := value{checker: c, pointer: "/view", raw: raw}
	if !v.isObject() {
		return c.found
	}
	title := may("title", nil)
	kind, _ := v.member("type")
	c.surface, _ = kind.raw.(string)
	if c.surface == "modal" {
		title = must("title", textObject(plain, "view.title"))
		if takesInput(v) {
			fields(must("submit", nil))(v)
		}
	}
	fields(
		may("external_id", bounded("view.callback_id")),
		may("private_metadata", bounded("view.private_metadata")),
		may("callback_id", bounded("view.callback_id")),
		may("close", textObject(plain, "view.close")),
		may("submit", textObject(plain, "view.submit")),
		must("type", enum("modal", "home")),
		title,
		must("blocks", list("view.blocks", topBlock)),
	)(v)
	return c.found
}

// takesInput reports whether a view has an input block. A modal with one needs a
// submit button.
func takesInput(v value) bool {
	list, _ := v.member("blocks")
	blocks, _ := list.raw.([]any)
	return slices.ContainsFunc(blocks, func(raw any) bool {
		block, _ := raw.(map[string]any)
		return block["type"] == "input"
	})
}

// parse reads one JSON value and nothing behind it.
func parse(raw json.RawMessage) (any, bool) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var v any
	if decoder.Decode(&v) != nil || decoder.More() {
		return nil, false
	}
	return v, true
}
