// Package blockhtml turns Slack's Block Kit, mrkdwn and Markdown into HTML that
// is safe to show: every text is escaped, only http, https and mailto links
// become links, nothing is loaded from elsewhere, and what is too long is cut
// and says so.
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

// Reader is who looks, and what the ids in texts stand for.
type Reader struct {
	ID       string            // the reader's user id; mentions of it stand out
	Users    map[string]string // names by user id
	Channels map[string]string // names by channel id, without "#"
	Groups   map[string]string // handles by user-group id, without "@"
	Now      time.Time         // decides what "today" is; times are shown in its zone
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
	r.open("div", "class", "text")
	r.mrkdwn(text)
	r.close("div")
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
	reader Reader
	depth  int
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
	for _, data := range list {
		if r.full() {
			return
		}
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
	if err := r.draw(head.Type, data); err != nil {
		r.raw(head.Type+" (cannot be read)", data)
	}
}

// draw renders a block of a known type. It returns an error, and has written
// nothing, where the block's members have the wrong shape.
func (r *renderer) draw(kind string, data json.RawMessage) error {
	switch kind {
	case "section":
		return decode(data, r.section)
	case "header":
		return decode(data, r.header)
	case "context":
		return decode(data, r.context)
	case "actions", "context_actions":
		return decode(data, r.actions)
	case "divider":
		r.open("hr")
		return nil
	case "image":
		return decode(data, r.image)
	case "video":
		return decode(data, r.video)
	case "markdown":
		return decode(data, r.markdownBlock)
	case "rich_text":
		return decode(data, r.richText)
	case "table", "data_table":
		return decode(data, r.table)
	case "data_visualization":
		return decode(data, r.chart)
	case "card":
		return decode(data, r.card)
	case "carousel":
		return decode(data, r.carousel)
	case "container":
		return decode(data, r.container)
	case "layout":
		return decode(data, r.layout)
	case "task_card":
		return decode(data, r.task)
	case "plan":
		return decode(data, r.plan)
	case "alert":
		return decode(data, r.alert)
	}
	r.raw(kind, data)
	return nil
}

// decode reads a block into what draw takes and draws it.
func decode[T any](data json.RawMessage, draw func(T)) error {
	var block T
	if err := json.Unmarshal(data, &block); err != nil {
		return err
	}
	draw(block)
	return nil
}

func formatNumber(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
