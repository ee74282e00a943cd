// Package blockhtml turns Slack's Block Kit, mrkdwn and Markdown into HTML that
// is safe to show: every text is escaped, only http, https and mailto links
// become links, only pictures of a named origin are loaded, and what is too long is
// cut and says so.
//
// Who may press what, and whether blocks keep Slack's limits, is not decided
// here: blocks that Slack would refuse are shown as well as they can be.
package blockhtml

import (
	"encoding/json"
	"html/template"
	"strconv"
	"time"
)

// Reader is the person who reads, and the names of the ids in texts.
type Reader struct {
	ID       string            // the reader's user id; mentions of it are highlighted
	Users    map[string]string // names by user id
	Channels map[string]string // names by channel id, without "#"
	Groups   map[string]string // handles by user-group id, without "@"
	Scope    string            // sets the ids of fields apart from those of other texts on the page
	Errors   map[string]string // what is wrong with what was filled in, by block_id
	Now      time.Time         // decides what "today" is; times are shown in its zone

	PicturesFrom string // the origin whose pictures are shown; empty = none
}

// Blocks renders a JSON array of blocks.
func Blocks(reader Reader, blocks json.RawMessage) template.HTML {
	r := newRenderer(reader)
	var list []json.RawMessage
	if err := json.Unmarshal(blocks, &list); err != nil {
		r.raw("Blocks that cannot be read", blocks)
		return r.html()
	}
	r.blocks(list)
	return r.html()
}

// Text renders a message's mrkdwn text.
func Text(reader Reader, text string) template.HTML {
	r := newRenderer(reader)
	r.div("text", func() { r.mrkdwn(text) })
	return r.html()
}

// Bounds of one message. Slack's own are narrower; these keep a page alive that
// is given what Slack would refuse.
const (
	maxText  = 60_000 // bytes of text
	maxNodes = 6_000  // elements
	maxDepth = 4      // blocks within blocks
	maxRaw   = 16_000 // bytes of JSON shown as it is
)

// renderer writes one message.
type renderer struct {
	markup
	reader      Reader
	depth       int
	fieldSerial int // of the fields rendered, for their ids
}

func newRenderer(reader Reader) *renderer {
	return &renderer{markup: markup{textLeft: maxText, nodesLeft: maxNodes}, reader: reader}
}

// html ends the message, with a note where something was left out.
func (r *renderer) html() template.HTML {
	if r.cut {
		r.out.WriteString(`<p class="cut">Cut here: the message is longer than this page shows.</p>`)
	}
	return template.HTML(r.out.String()) // #nosec G203 -- markup escapes all that it is given
}

func (r *renderer) blocks(list []json.RawMessage) {
	for _, data := range each(r, list) {
		r.block(data)
	}
}

// block renders one block, or shows it as it is where it cannot be read.
func (r *renderer) block(data json.RawMessage) {
	var head struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(data, &head); err != nil || head.Type == "" {
		r.raw("A block without a type", data)
		return
	}
	if r.depth >= maxDepth {
		r.raw(head.Type+" (nested too deeply)", data)
		return
	}
	r.depth++
	defer func() { r.depth-- }()
	draw, known := drawers[head.Type]
	if !known {
		r.raw(head.Type, data)
	} else if err := draw(r, data); err != nil {
		r.raw(head.Type+" (cannot be read)", data)
	}
}

// drawers render the blocks of a known type. A drawer returns an error, and has
// written nothing, where the block's members have the wrong shape. They are set by
// init, because the blocks that contain blocks refer to them.
var drawers map[string]func(*renderer, json.RawMessage) error

func init() {
	drawers = map[string]func(*renderer, json.RawMessage) error{
		"actions":            decode((*renderer).actions),
		"alert":              decode((*renderer).alert),
		"card":               decode((*renderer).card),
		"carousel":           decode((*renderer).carousel),
		"container":          decode((*renderer).container),
		"context":            decode((*renderer).context),
		"context_actions":    decode((*renderer).actions),
		"data_table":         decode((*renderer).table),
		"data_visualization": decode((*renderer).chart),
		"divider":            decode((*renderer).divider),
		"header":             decode((*renderer).header),
		"image":              decode((*renderer).image),
		"input":              decode((*renderer).input),
		"layout":             decode((*renderer).layout),
		"markdown":           decode((*renderer).markdownBlock),
		"plan":               decode((*renderer).plan),
		"rich_text":          decode((*renderer).richText),
		"section":            decode((*renderer).section),
		"table":              decode((*renderer).table),
		"task_card":          decode((*renderer).task),
		"video":              decode((*renderer).video),
	}
}

// decode makes a drawer that reads a block into what draw takes.
func decode[T any](draw func(*renderer, T)) func(*renderer, json.RawMessage) error {
	return func(r *renderer, data json.RawMessage) error {
		var block T
		if err := json.Unmarshal(data, &block); err != nil {
			return err
		}
		draw(r, block)
		return nil
	}
}

func formatNumber(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
