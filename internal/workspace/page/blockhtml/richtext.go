package blockhtml

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

type richTextBlock struct {
	Elements []richPart `json:"elements"`
}

// richPart is a section, list, quote or preformatted text. A list holds
// sections, the others hold inline elements.
type richPart struct {
	Type     string            `json:"type"`
	Style    string            `json:"style"`
	Indent   int               `json:"indent"`
	Offset   int               `json:"offset"`
	Border   int               `json:"border"`
	Language string            `json:"language"`
	Elements []json.RawMessage `json:"elements"`
}

// richElement is any inline element. Which members count depends on Type.
type richElement struct {
	Type        string          `json:"type"`
	Text        string          `json:"text"`
	URL         string          `json:"url"`
	UserID      string          `json:"user_id"`
	ChannelID   string          `json:"channel_id"`
	UsergroupID string          `json:"usergroup_id"`
	Range       string          `json:"range"`
	Name        string          `json:"name"`
	Unicode     string          `json:"unicode"`
	Value       string          `json:"value"`
	Color       string          `json:"color"`
	Label       string          `json:"label"`
	Timestamp   json.Number     `json:"timestamp"`
	Format      string          `json:"format"`
	Fallback    string          `json:"fallback"`
	Style       map[string]bool `json:"style"`
}

func (r *renderer) richText(b richTextBlock) {
	r.div("rich", func() {
		for _, part := range each(r, b.Elements) {
			r.richPart(part)
		}
	})
}

func (r *renderer) richPart(p richPart) {
	switch p.Type {
	case "rich_text_list":
		r.richList(p)
	case "rich_text_quote":
		r.open("blockquote")
		r.richElements(p.Elements)
		r.close("blockquote")
	case "rich_text_preformatted":
		attrs := []string{"tabindex", "0"}
		if p.Language != "" {
			attrs = append(attrs, "data-language", clip(p.Language, 40))
		}
		r.open("pre", attrs...)
		r.richElements(p.Elements)
		r.close("pre")
	case "rich_text_section":
		r.div("text", func() { r.richElements(p.Elements) })
	default:
		r.element("p", "["+p.Type+"]", "class", "unknown")
	}
}

// richList renders a list of sections. Slack sends nested lists one after
// another with a growing indent.
func (r *renderer) richList(p richPart) {
	tag, class := "ul", "indent-"+strconv.Itoa(min(max(p.Indent, 0), 8))
	if p.Border > 0 {
		class += " border"
	}
	attrs := []string{"class", class}
	if p.Style == "ordered" {
		tag = "ol"
		attrs = append(attrs, "start", strconv.Itoa(p.Offset+1))
	}
	r.open(tag, attrs...)
	for _, data := range each(r, p.Elements) {
		r.open("li")
		var item richPart
		if err := json.Unmarshal(data, &item); err != nil {
			r.raw("A list item that cannot be read", data)
		} else {
			r.richElements(item.Elements)
		}
		r.close("li")
	}
	r.close(tag)
}

func (r *renderer) richElements(list []json.RawMessage) {
	for _, data := range each(r, list) {
		var e richElement
		if err := json.Unmarshal(data, &e); err != nil {
			r.element("span", "[unreadable element]", "class", "unknown")
			continue
		}
		r.styled(e)
	}
}

// richStyles lists the styles from the outermost to the innermost element.
var richStyles = []struct{ name, tag string }{
	{"bold", "strong"}, {"italic", "em"}, {"strike", "s"}, {"underline", "u"},
	{"highlight", "mark"}, {"client_highlight", "mark"}, {"code", "code"},
}

// tagColours are those of Slack; a tag without one is grey.
var tagColours = []string{"brown", "purple", "indigo", "blue", "green", "yellow", "orange", "red"}

func (r *renderer) styled(e richElement) {
	for _, style := range richStyles {
		if e.Style[style.name] {
			r.open(style.tag)
			defer r.close(style.tag)
		}
	}
	r.richElement(e)
}

func (r *renderer) richElement(e richElement) {
	switch e.Type {
	case "text":
		r.lines(e.Text)
	case "link":
		r.anchor(e.URL, e.Text)
	case "emoji":
		r.richEmoji(e)
	case "user", "canvas_user_mention":
		r.mentionUser(e.UserID, "")
	case "channel":
		r.mentionChannel(e.ChannelID, "")
	case "usergroup":
		r.mentionGroup(e.UsergroupID, "")
	case "broadcast":
		r.broadcast(e.Range)
	case "date":
		seconds, err := e.Timestamp.Int64()
		if err != nil {
			r.text(e.Fallback)
			return
		}
		r.date(seconds, e.Format, e.Fallback, e.URL)
	case "color":
		r.element("code", e.Value)
	case "tag":
		class := "tag"
		if slices.Contains(tagColours, e.Color) {
			class += " " + e.Color
		}
		r.element("span", e.Text, "class", class)
	default:
		// Citations, files, records and mentions of messages all carry a text
		// and mostly an address.
		if text := cmp.Or(e.Text, e.Label, e.URL); text != "" {
			r.anchor(e.URL, text)
			return
		}
		r.element("span", "["+e.Type+"]", "class", "unknown")
	}
}

// anchor writes a link, or only its text where the address may not be linked to.
func (r *renderer) anchor(address, text string) {
	text = cmp.Or(text, strings.TrimPrefix(address, "mailto:"))
	if !r.link(address) {
		r.lines(text)
		return
	}
	r.lines(text)
	r.close("a")
}

func (r *renderer) richEmoji(e richElement) {
	glyph := cmp.Or(emojis()[e.Name], fromCodePoints(e.Unicode))
	if glyph == "" {
		r.text(":" + e.Name + ":")
		return
	}
	r.emoji(e.Name, glyph)
}
