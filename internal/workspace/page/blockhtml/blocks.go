package blockhtml

import (
	"encoding/json"
	"slices"
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

// wrap writes a text in a div of the class; nil is nothing.
func (r *renderer) wrap(class string, t *text) {
	if t == nil {
		return
	}
	r.open("div", "class", class)
	r.write(t)
	r.close("div")
}

type sectionBlock struct {
	BlockID   string   `json:"block_id"`
	Text      *text    `json:"text"`
	Fields    []*text  `json:"fields"`
	Accessory *element `json:"accessory"`
}

func (r *renderer) section(b sectionBlock) {
	r.open("div", "class", "section")
	r.open("div", "class", "section-text")
	r.wrap("text", b.Text)
	if len(b.Fields) > 0 {
		r.open("div", "class", "fields")
		for _, field := range each(r, b.Fields) {
			r.wrap("field text", field)
		}
		r.close("div")
	}
	r.close("div")
	if b.Accessory != nil {
		r.open("div", "class", "accessory")
		r.control(b.BlockID, *b.Accessory)
		r.close("div")
	}
	r.close("div")
}

// divider takes what every block has: nothing of it shows.
func (r *renderer) divider(struct{}) { r.open("hr") }

type headerBlock struct {
	Text *text `json:"text"`
}

func (r *renderer) header(b headerBlock) {
	r.open("p", "class", "header", "role", "heading", "aria-level", "3")
	if b.Text != nil {
		r.plain(b.Text.Text)
	}
	r.close("p")
}

type contextBlock struct {
	Elements []json.RawMessage `json:"elements"`
}

// context holds texts and small images in one line.
func (r *renderer) context(b contextBlock) {
	r.open("div", "class", "context")
	for _, data := range each(r, b.Elements) {
		var t text
		var picture imageBlock
		if json.Unmarshal(data, &t) == nil && t.Type != "image" {
			r.wrap("text", &t)
		} else if json.Unmarshal(data, &picture) == nil {
			r.picture("icon", picture.ImageURL, picture.AltText)
		} else {
			r.element("span", "[unreadable element]", "class", "unknown")
		}
	}
	r.close("div")
}

type actionsBlock struct {
	BlockID  string    `json:"block_id"`
	Elements []element `json:"elements"`
}

func (r *renderer) actions(b actionsBlock) {
	r.open("div", "class", "actions")
	for _, e := range each(r, b.Elements) {
		r.control(b.BlockID, e)
	}
	r.close("div")
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
	r.open("div", "class", "media")
	r.wrap("media-title", b.Title)
	r.picture("picture", firstOf(b.ImageURL, b.SlackFile.URL), b.AltText)
	r.close("div")
}

// picture renders an image. The page loads nothing from elsewhere, so it
// shows the alternative text and links to the image.
func (r *renderer) picture(class, address, alt string) {
	alt = firstOf(alt, "image")
	if !r.link(address, "class", class, "title", "Open the image") {
		r.element("span", alt, "class", class)
		return
	}
	r.text(alt)
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
	r.open("div", "class", "media")
	if by := firstOf(b.AuthorName, b.ProviderName); by != "" {
		r.element("div", by, "class", "media-by")
	}
	r.open("div", "class", "media-title")
	r.anchor(firstOf(b.TitleURL, b.VideoURL), firstOf(title, "Video"))
	r.close("div")
	r.wrap("text", b.Description)
	if r.link(b.VideoURL, "class", "picture play") {
		r.text("Play " + firstOf(b.AltText, title, "the video"))
		r.close("a")
	}
	r.close("div")
}

type markdownBlock struct {
	Text string `json:"text"`
}

func (r *renderer) markdownBlock(b markdownBlock) {
	r.open("div", "class", "markdown text")
	r.markdown(b.Text)
	r.close("div")
}

type alertBlock struct {
	Text  *text  `json:"text"`
	Level string `json:"level"`
}

var alertLevels = []string{"info", "success", "warning", "error"}

func (r *renderer) alert(b alertBlock) {
	class := "note"
	if slices.Contains(alertLevels, b.Level) {
		class += " " + b.Level
	}
	r.wrap(class, b.Text)
}
