package blockhtml

import "encoding/json"

type cardBlock struct {
	BlockID   string                `json:"block_id"`
	HeroImage *element              `json:"hero_image"`
	Icon      *element              `json:"icon"`
	SlackIcon struct{ Name string } `json:"slack_icon"`
	Title     *text                 `json:"title"`
	Subtitle  *text                 `json:"subtitle"`
	Body      *text                 `json:"body"`
	Subtext   *text                 `json:"subtext"`
	Actions   []element             `json:"actions"`
}

func (r *renderer) card(b cardBlock) {
	r.div("card", func() {
		if b.HeroImage != nil {
			r.picture("picture hero", b.HeroImage.ImageURL, b.HeroImage.AltText)
		}
		r.div("card-head", func() {
			if b.Icon != nil {
				r.picture("icon", b.Icon.ImageURL, b.Icon.AltText)
			} else if emojis()[b.SlackIcon.Name] != "" {
				r.emoji(b.SlackIcon.Name, emojis()[b.SlackIcon.Name])
			}
			r.open("div")
			r.textDiv("card-title", b.Title)
			r.textDiv("card-subtitle", b.Subtitle)
			r.close("div")
		})
		r.textDiv("text", b.Body)
		r.textDiv("card-subtext", b.Subtext)
		if len(b.Actions) > 0 {
			r.actions(actionsBlock{BlockID: b.BlockID, Elements: b.Actions})
		}
	})
}

func (r *renderer) carousel(b struct{ Elements []cardBlock }) {
	r.open("div", "class", "carousel", "role", "group", "aria-label", "Cards", "tabindex", "0")
	for _, card := range each(r, b.Elements) {
		r.card(card)
	}
	r.close("div")
}

type containerBlock struct {
	Title       *text             `json:"title"`
	RichTitle   *richTextBlock    `json:"rich_text_title"`
	Subtitle    *text             `json:"subtitle"`
	Collapsible bool              `json:"is_collapsible"`
	Collapsed   bool              `json:"default_collapsed"`
	Children    []json.RawMessage `json:"child_blocks"`
}

func (r *renderer) container(b containerBlock) {
	outer, head := "div", "div"
	attrs := []string{"class", "container"}
	if b.Collapsible {
		outer, head = "details", "summary"
		if !b.Collapsed {
			attrs = append(attrs, "open", "")
		}
	}
	r.open(outer, attrs...)
	r.open(head, "class", "container-head")
	if b.RichTitle != nil {
		r.richText(*b.RichTitle)
	} else {
		r.textDiv("container-title", b.Title)
	}
	r.textDiv("container-subtitle", b.Subtitle)
	r.close(head)
	r.div("container-body", func() { r.blocks(b.Children) })
	r.close(outer)
}

type layoutBlock struct {
	Label        string `json:"label"`
	LabelVisible bool   `json:"is_label_visible"`
	GridLines    string `json:"grid_lines"`
	Rows         []struct {
		Items []layoutItem `json:"items"`
	} `json:"rows"`
}

type layoutItem struct {
	Block     json.RawMessage `json:"block"`
	Width     string          `json:"width"`
	Alignment string          `json:"horizontal_alignment"`
}

func (r *renderer) layout(b layoutBlock) {
	class := "layout"
	if b.GridLines == "rows" || b.GridLines == "outer" {
		class += " lines-" + b.GridLines
	}
	r.div(class, func() {
		if b.LabelVisible {
			r.element("div", b.Label, "class", "container-title")
		}
		for _, row := range each(r, b.Rows) {
			r.div("layout-row", func() {
				for _, item := range each(r, row.Items) {
					r.div(item.class(), func() { r.block(item.Block) })
				}
			})
		}
	})
}

func (i layoutItem) class() string {
	class := "layout-item"
	switch i.Width {
	case "narrow", "wide":
		class += " " + i.Width
	}
	switch i.Alignment {
	case "start", "center", "end":
		class += " align-" + i.Alignment
	}
	return class
}

type taskBlock struct {
	Title     string         `json:"title"`
	Status    string         `json:"status"`
	HideTitle bool           `json:"hide_title"`
	Details   *richTextBlock `json:"details"`
	Output    *richTextBlock `json:"output"`
	Sources   []struct {
		URL  string `json:"url"`
		Text string `json:"text"`
	} `json:"sources"`
}

// taskStatus is how a task's status is shown.
var taskStatus = map[string]struct{ glyph, name string }{
	"pending": {"⏳", "pending"}, "in_progress": {"🔄", "in progress"}, "complete": {"✅", "complete"}, "error": {"❌", "error"},
}

func (r *renderer) task(b taskBlock) {
	r.div("card", func() { r.step(b) })
}

// step is a task with its status in front.
func (r *renderer) step(b taskBlock) {
	r.div("step", func() {
		status, known := taskStatus[b.Status]
		if known {
			r.element("span", status.glyph, "class", "emoji", "role", "img", "aria-label", status.name, "title", status.name)
		} else {
			r.element("span", b.Status)
		}
		r.div("step-body", func() {
			if !b.HideTitle {
				r.element("div", b.Title, "class", "step-title")
			}
			for _, rich := range []*richTextBlock{b.Details, b.Output} {
				if rich != nil {
					r.richText(*rich)
				}
			}
			for _, source := range each(r, b.Sources) {
				r.open("div")
				r.anchor(source.URL, source.Text)
				r.close("div")
			}
		})
	})
}

func (r *renderer) plan(b struct {
	Title string
	Tasks []taskBlock
}) {
	r.div("container", func() {
		r.element("div", b.Title, "class", "container-title")
		for _, task := range each(r, b.Tasks) {
			r.step(task)
		}
	})
}
