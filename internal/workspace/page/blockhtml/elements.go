package blockhtml

import "slices"

// element is an interactive element. Which members count depends on Type.
type element struct {
	Type                 string        `json:"type"`
	Text                 *text         `json:"text"`
	ActionID             string        `json:"action_id"`
	Value                string        `json:"value"`
	URL                  string        `json:"url"`
	Style                string        `json:"style"`
	AccessibilityLabel   string        `json:"accessibility_label"`
	Confirm              *confirm      `json:"confirm"`
	VisibleTo            []string      `json:"visible_to_user_ids"`
	ImageURL             string        `json:"image_url"`
	AltText              string        `json:"alt_text"`
	Placeholder          *text         `json:"placeholder"`
	Options              []option      `json:"options"`
	OptionGroups         []optionGroup `json:"option_groups"`
	Multiline            bool          `json:"multiline"`
	InitialOption        *option       `json:"initial_option"`
	InitialOptions       []option      `json:"initial_options"`
	InitialValue         any           `json:"initial_value"` // a text, or rich text
	InitialDate          string        `json:"initial_date"`
	InitialTime          string        `json:"initial_time"`
	InitialDateTime      int64         `json:"initial_date_time"`
	InitialUser          string        `json:"initial_user"`
	InitialUsers         []string      `json:"initial_users"`
	InitialChannel       string        `json:"initial_channel"`
	InitialChannels      []string      `json:"initial_channels"`
	InitialConversation  string        `json:"initial_conversation"`
	InitialConversations []string      `json:"initial_conversations"`
	FocusOnLoad          bool          `json:"focus_on_load"`
	FileTypes            []string      `json:"filetypes"`
	MaxFiles             int           `json:"max_files"`
	InitialFiles         []named       `json:"initial_files"` // the workspace's own: those that are chosen
	Positive             *feedback     `json:"positive_button"`
	Negative             *feedback     `json:"negative_button"`
}

type named struct {
	Name string `json:"name"`
}

type confirm struct {
	Title   *text  `json:"title"`
	Text    *text  `json:"text"`
	Confirm *text  `json:"confirm"`
	Deny    *text  `json:"deny"`
	Style   string `json:"style"`
}

type feedback struct {
	Text  *text  `json:"text"`
	Value string `json:"value"`
}

// maxValue is Slack's limit for a button's value. A longer one would be sent
// back cut, so its button cannot be pressed.
const maxValue = 2000

// control renders an interactive element outside of an input block.
func (r *renderer) control(blockID string, e element) {
	if len(e.VisibleTo) > 0 && !slices.Contains(e.VisibleTo, r.reader.ID) {
		return
	}
	switch e.Type {
	case "button", "workflow_button", "icon_button":
		r.button(blockID, e)
	case "feedback_buttons":
		for _, choice := range []*feedback{e.Positive, e.Negative} {
			if choice != nil {
				r.button(blockID, element{Text: choice.Text, ActionID: e.ActionID, Value: choice.Value})
			}
		}
	case "image":
		r.picture("picture thumb", e.ImageURL, e.AltText)
	default:
		r.field(fieldPlace{block: blockID}, e)
	}
}

func (r *renderer) button(blockID string, e element) {
	class := "button"
	if e.Style == "primary" || e.Style == "danger" {
		class += " " + e.Style
	}
	attrs := []string{"class", class, "data-action", clip(e.ActionID, 255), "data-block", clip(blockID, 255), "data-value", clip(e.Value, maxValue)}
	if e.AccessibilityLabel != "" {
		attrs = append(attrs, "aria-label", clip(e.AccessibilityLabel, 75))
	}
	r.open("span", "class", "control")
	defer r.close("span")
	if e.URL != "" && r.link(e.URL, attrs...) {
		r.caption(e.Text)
		r.close("a")
		return
	}
	if len(e.Value) > maxValue {
		attrs = append(attrs, "disabled", "", "title", "The value is longer than Slack allows")
	}
	r.open("button", append(attrs, "type", "button")...)
	r.caption(e.Text)
	r.close("button")
	if e.Confirm != nil {
		r.confirmation(*e.Confirm)
	}
}

func (r *renderer) caption(t *text) {
	if t != nil {
		r.plainLine(t.Text)
	}
}

// confirmation is what the dialog in front of a button's click shows; the page's
// script takes it from the template.
func (r *renderer) confirmation(c confirm) {
	style := "primary"
	if c.Style == "danger" {
		style = "danger"
	}
	r.open("template", "data-style", style)
	r.open("h2")
	r.caption(c.Title)
	r.close("h2")
	r.textDiv("text", c.Text)
	r.element("b", labelOr(c.Confirm, "Yes"), "class", "yes")
	r.element("b", labelOr(c.Deny, "Cancel"), "class", "no")
	r.close("template")
}

func labelOr(t *text, label string) string {
	if t == nil || t.Text == "" {
		return label
	}
	return clip(t.Text, 120)
}
