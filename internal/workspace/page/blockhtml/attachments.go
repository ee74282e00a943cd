package blockhtml

import (
	"cmp"
	"encoding/json"
	"html/template"
	"regexp"
)

type attachment struct {
	Color      string            `json:"color"`
	Fallback   string            `json:"fallback"`
	Pretext    string            `json:"pretext"`
	AuthorName string            `json:"author_name"`
	AuthorLink string            `json:"author_link"`
	Title      string            `json:"title"`
	TitleLink  string            `json:"title_link"`
	Text       string            `json:"text"`
	ImageURL   string            `json:"image_url"`
	ThumbURL   string            `json:"thumb_url"`
	Footer     string            `json:"footer"`
	TS         json.Number       `json:"ts"`
	Fields     []attachmentField `json:"fields"`
	Blocks     []json.RawMessage `json:"blocks"`
}

type attachmentField struct {
	Title string `json:"title"`
	Value string `json:"value"`
}

// Attachments renders a JSON array of a message's attachments.
func Attachments(reader Reader, attachments json.RawMessage) template.HTML {
	r := newRenderer(reader)
	var list []json.RawMessage
	if err := json.Unmarshal(attachments, &list); err != nil {
		r.raw("Attachments that cannot be read", attachments)
		return r.html()
	}
	for _, data := range each(r, list) {
		var a attachment
		if err := json.Unmarshal(data, &a); err != nil {
			r.raw("An attachment that cannot be read", data)
			continue
		}
		r.attachment(a)
	}
	return r.html()
}

func (r *renderer) attachment(a attachment) {
	if a.Pretext != "" {
		r.div("text", func() { r.mrkdwn(a.Pretext) })
	}
	r.div("attachment", func() {
		r.attachmentColor(a.Color)
		if len(a.Blocks) > 0 {
			r.blocks(a.Blocks)
			return
		}
		if a.AuthorName != "" {
			r.div("media-by", func() { r.anchor(a.AuthorLink, a.AuthorName) })
		}
		if a.Title != "" {
			r.div("media-title", func() { r.anchor(a.TitleLink, a.Title) })
		}
		r.div("text", func() { r.mrkdwn(cmp.Or(a.Text, a.fallback())) })
		r.attachmentFields(a.Fields)
		if image := cmp.Or(a.ImageURL, a.ThumbURL); image != "" {
			r.picture("picture", image, cmp.Or(a.Fallback, "image"))
		}
		r.attachmentFooter(a)
	})
}

// fallback is the text of an attachment that has nothing else.
func (a attachment) fallback() string {
	if a.Title != "" || a.ImageURL != "" || len(a.Fields) > 0 {
		return ""
	}
	return a.Fallback
}

func (r *renderer) attachmentFields(fields []attachmentField) {
	if len(fields) == 0 {
		return
	}
	r.div("fields", func() {
		for _, field := range each(r, fields) {
			r.div("field-pair text", func() {
				r.element("strong", field.Title)
				r.div("", func() { r.mrkdwn(field.Value) })
			})
		}
	})
}

func (r *renderer) attachmentFooter(a attachment) {
	seconds, err := a.TS.Int64()
	if a.Footer == "" && err != nil {
		return
	}
	r.div("context", func() {
		r.text(a.Footer)
		if err == nil {
			r.text(" ")
			r.date(seconds, "{date_short_pretty} at {time}", a.TS.String(), "")
		}
	})
}

// Slack's names of colours, and any other as it is written.
var (
	attachmentColors = map[string]string{"good": "#2eb886", "warning": "#daa038", "danger": "#a30200"}
	hexColor         = regexp.MustCompile(`^#?[0-9a-fA-F]{6}$`)
)

// attachmentColor draws the bar at the side. Styles within the page are not
// allowed, attributes of drawings are.
func (r *renderer) attachmentColor(color string) {
	fill := attachmentColors[color]
	if fill == "" && hexColor.MatchString(color) {
		fill = "#" + color[len(color)-6:]
	}
	if fill == "" {
		return
	}
	r.open("svg", "class", "attachment-color", "aria-hidden", "true", "preserveAspectRatio", "none", "viewBox", "0 0 4 4")
	r.open("rect", "width", "4", "height", "4", "fill", fill)
	r.close("rect")
	r.close("svg")
}
