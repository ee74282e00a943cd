package blockhtml

// option is a choice of a menu.
type option struct {
	Text        *text  `json:"text"`
	Value       string `json:"value"`
	Description *text  `json:"description"`
	URL         string `json:"url"`
}

type optionGroup struct {
	Label   *text    `json:"label"`
	Options []option `json:"options"`
}

// menu renders an overflow menu or a select: a button, and the options that the
// page's script opens below it. The chosen option of a select is marked.
func (r *renderer) menu(at fieldPlace, e element) {
	r.open("span", append([]string{"class", "control picker"}, at.attrs(e)...)...)
	defer r.close("span")
	r.opener(at, e)
	if e.Confirm != nil {
		r.confirmation(*e.Confirm)
	}
	r.open("div", "class", "options", "role", "menu", "aria-label", at.name(menuLabel(e)), "popover", "manual")
	for _, o := range each(r, e.Options) {
		r.option(e, o)
	}
	for _, group := range each(r, e.OptionGroups) {
		label := labelOr(group.Label, "")
		r.open("div", "role", "group", "aria-label", label)
		r.element("div", label, "class", "options-label", "aria-hidden", "true")
		for _, o := range each(r, group.Options) {
			r.option(e, o)
		}
		r.close("div")
	}
	r.close("div")
}

// menuLabel names a menu for those who hear it.
func menuLabel(e element) string {
	switch {
	case e.Type == "overflow":
		return "More actions"
	case e.InitialOption != nil && e.Placeholder != nil:
		return labelOr(e.Placeholder, "Select") + ": " + labelOr(e.InitialOption.Text, "")
	case e.InitialOption != nil:
		return labelOr(e.InitialOption.Text, "Select")
	}
	return labelOr(e.Placeholder, "Select")
}

// opener is the button that opens a menu: three dots, or what is chosen.
func (r *renderer) opener(at fieldPlace, e element) {
	attrs := append([]string{"type", "button", "class", "button opener", "aria-haspopup", "menu", "aria-expanded", "false",
		"aria-label", at.name(menuLabel(e))}, at.described()...)
	if e.Type == "overflow" {
		attrs[3] += " overflow"
	}
	r.open("button", attrs...)
	switch {
	case e.Type == "overflow":
		r.text("⋯")
	case e.InitialOption != nil:
		r.caption(e.InitialOption.Text)
	default:
		r.text(labelOr(e.Placeholder, "Select"))
	}
	r.close("button")
}

// option is one choice. One with an address is a link, which is reported too.
func (r *renderer) option(e element, o option) {
	role, checked := "menuitem", []string(nil)
	if e.Type != "overflow" {
		role, checked = "menuitemradio", []string{"aria-checked", "false"}
		if e.InitialOption != nil && e.InitialOption.Value == o.Value {
			checked[1] = "true"
		}
	}
	attrs := append([]string{"class", "option", "role", role, "tabindex", "-1", "data-value", clip(o.Value, maxOptionValue)}, checked...)
	tag := "button"
	if o.URL != "" && r.link(o.URL, attrs...) {
		tag = "a"
	} else {
		r.open(tag, append(attrs, "type", "button")...)
	}
	r.caption(o.Text)
	if o.Description != nil {
		r.element("span", labelOr(o.Description, ""), "class", "about")
	}
	r.close(tag)
}

// maxOptionValue is as much of an option's value as is kept: more than Slack takes.
const maxOptionValue = 300
