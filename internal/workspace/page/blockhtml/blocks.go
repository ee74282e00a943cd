package blockhtml

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// text is a text object, mrkdwn or plain_text.
type text struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// write renders a text object; nil is nothing.
func (r *renderer) write(t *text) {
	switch {
	case t == nil:
	case t.Type == "mrkdwn":
		r.mrkdwn(t.Text)
	default:
		r.plain(t.Text)
	}
}

// textDiv writes a text in a div of the class; nil is nothing.
func (r *renderer) textDiv(class string, t *text) {
	if t == nil {
		return
	}
	r.div(class, func() { r.write(t) })
}

type sectionBlock struct {
	BlockID   string   `json:"block_id"`
	Text      *text    `json:"text"`
	Fields    []*text  `json:"fields"`
	Accessory *element `json:"accessory"`
}

func (r *renderer) section(b sectionBlock) {
	r.div("section", func() {
		r.div("section-text", func() {
			r.textDiv("text", b.Text)
			if len(b.Fields) > 0 {
				r.div("fields", func() {
					for _, field := range each(r, b.Fields) {
						r.textDiv("field text", field)
					}
				})
			}
		})
		if b.Accessory != nil {
			r.div("accessory", func() { r.control(b.BlockID, *b.Accessory) })
		}
	})
}

// divider takes what every block has: nothing of it shows.
func (r *renderer) divider(struct{}) { r.open("hr") }

func (r *renderer) header(b struct{ Text *text }) {
	r.open("p", "class", "header", "role", "heading", "aria-level", "3")
	if b.Text != nil {
		r.plain(b.Text.Text)
	}
	r.close("p")
}

// context holds texts and small images in one line.
func (r *renderer) context(b struct{ Elements []json.RawMessage }) {
	r.div("context", func() {
		for _, data := range each(r, b.Elements) {
			var t text
			var picture imageBlock
			if json.Unmarshal(data, &t) == nil && t.Type != "image" {
				r.textDiv("text", &t)
			} else if json.Unmarshal(data, &picture) == nil {
				r.picture("icon", picture.ImageURL, picture.AltText)
			} else {
				r.element("span", "[unreadable element]", "class", "unknown")
			}
		}
	})
}

type actionsBlock struct {
	BlockID  string    `json:"block_id"`
	Elements []element `json:"elements"`
}

func (r *renderer) actions(b actionsBlock) {
	r.div("actions", func() {
		for _, e := range each(r, b.Elements) {
			r.control(b.BlockID, e)
		}
	})
}

type imageBlock struct {
	ImageURL  string `json:"image_url"`
	AltText   string `json:"alt_text"`
	Title     *text  `json:"title"`
	SlackFile struct {
		URL string `json:"url"`
	} `json:"slack_file"`
}

func (r *renderer) image(b imageBlock) {
	r.div("media", func() {
		r.textDiv("media-title", b.Title)
		r.picture("picture", cmp.Or(b.ImageURL, b.SlackFile.URL), b.AltText)
	})
}

// picture renders an image and links to it. Where it may not be loaded, the alternative
// text is shown instead.
func (r *renderer) picture(class, address, alt string) {
	alt = cmp.Or(alt, "image")
	shown := r.reader.PicturesFrom != "" && strings.HasPrefix(address, r.reader.PicturesFrom+"/")
	if shown {
		class += " shown"
	}
	if !r.link(address, "class", class, "title", "Open the image") {
		r.element("span", alt, "class", class)
		return
	}
	if shown {
		r.open("img", "src", address, "alt", alt)
	} else {
		r.text(alt)
	}
	r.close("a")
}

type videoBlock struct {
	VideoURL     string `json:"video_url"`
	TitleURL     string `json:"title_url"`
	Title        *text  `json:"title"`
	Description  *text  `json:"description"`
	AltText      string `json:"alt_text"`
	AuthorName   string `json:"author_name"`
	ProviderName string `json:"provider_name"`
}

func (r *renderer) video(b videoBlock) {
	title := b.AltText
	if b.Title != nil {
		title = b.Title.Text
	}
	r.div("media", func() {
		if by := cmp.Or(b.AuthorName, b.ProviderName); by != "" {
			r.element("div", by, "class", "media-by")
		}
		r.div("media-title", func() { r.anchor(cmp.Or(b.TitleURL, b.VideoURL), cmp.Or(title, "Video")) })
		r.textDiv("text", b.Description)
		if r.link(b.VideoURL, "class", "picture play") {
			r.text("Play " + cmp.Or(b.AltText, title, "the video"))
			r.close("a")
		}
	})
}

func (r *renderer) markdownBlock(b struct{ Text string }) {
	r.div("markdown text", func() { r.markdown(b.Text) })
}

func (r *renderer) alert(b struct {
	Text  *text
	Level string
}) {
	class := "note"
	if slices.Contains([]string{"info", "success", "warning", "error"}, b.Level) {
		class += " " + b.Level
	}
	r.textDiv(class, b.Text)
}
