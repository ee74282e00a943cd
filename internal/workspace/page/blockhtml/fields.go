package blockhtml

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
)

type inputBlock struct {
	BlockID  string   `json:"block_id"`
	Label    *text    `json:"label"`
	Hint     *text    `json:"hint"`
	Optional bool     `json:"optional"`
	Dispatch bool     `json:"dispatch_action"`
	Element  *element `json:"element"`
}

// input renders a labelled field, and what is wrong with what was filled in.
func (r *renderer) input(b inputBlock) {
	r.fieldSerial++
	id := "field-" + r.fieldID(b.BlockID)
	r.div("input", func() {
		label := labelOr(b.Label, "")
		r.open("div", "class", "label", "id", id+"-label")
		r.text(label)
		if b.Optional {
			r.element("span", " (optional)", "class", "optional")
		}
		r.close("div")
		wrong := r.reader.Errors[b.BlockID]
		if b.Element != nil {
			r.field(fieldPlace{block: b.BlockID, id: id, label: label, wrong: wrong != "", hint: b.Hint != nil, dispatch: b.Dispatch}, *b.Element)
		}
		if wrong != "" {
			r.element("p", wrong, "class", "wrong", "id", id+"-wrong")
		}
		if b.Hint != nil {
			r.element("p", labelOr(b.Hint, ""), "class", "hint", "id", id+"-hint")
		}
	})
}

// fieldID makes a block_id fit to be part of an element's id.
func (r *renderer) fieldID(blockID string) string {
	return strconv.Itoa(r.fieldSerial) + "-" + strings.Map(func(c rune) rune {
		if c == '-' || c == '_' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
			return c
		}
		return '_'
	}, clip(r.reader.Scope, 40)+"-"+clip(blockID, 40))
}

// fieldPlace is where a field stands: in an input block, or, without an id, on
// its own.
type fieldPlace struct {
	block, id, label      string
	wrong, hint, dispatch bool
}

// attrs say which element a field is.
func (at fieldPlace) attrs(e element) []string {
	attrs := []string{"data-action", clip(e.ActionID, 255), "data-block", clip(at.block, 255)}
	if at.dispatch {
		attrs = append(attrs, "data-dispatch", "")
	}
	if e.FocusOnLoad {
		attrs = append(attrs, "data-focus", "")
	}
	return attrs
}

// name is what a field is called by those who hear it.
func (at fieldPlace) name(own string) string {
	if at.label == "" {
		return own
	}
	return at.label + ": " + own
}

// described links a field to its error and its hint.
func (at fieldPlace) described() []string {
	var by []string
	if at.wrong {
		by = append(by, at.id+"-wrong")
	}
	if at.hint {
		by = append(by, at.id+"-hint")
	}
	var attrs []string
	if len(by) > 0 {
		attrs = append(attrs, "aria-describedby", strings.Join(by, " "))
	}
	if at.wrong {
		attrs = append(attrs, "data-wrong", "")
	}
	return attrs
}

// field renders an element that is filled.
func (r *renderer) field(at fieldPlace, e element) {
	switch e.Type {
	case "overflow", "static_select":
		r.menu(at, e)
	case "users_select":
		r.menu(at, e.offering(r.reader.Users, e.InitialUser))
	case "channels_select":
		r.menu(at, e.offering(r.reader.Channels, e.InitialChannel))
	case "conversations_select":
		r.menu(at, e.offering(r.reader.Channels, e.InitialConversation))
	case "radio_buttons":
		r.choices(at, e, "radio")
	case "checkboxes", "multi_static_select":
		r.choices(at, e, "checkbox")
	case "multi_users_select":
		r.choices(at, e.offering(r.reader.Users, e.InitialUsers...), "checkbox")
	case "multi_channels_select":
		r.choices(at, e.offering(r.reader.Channels, e.InitialChannels...), "checkbox")
	case "multi_conversations_select":
		r.choices(at, e.offering(r.reader.Channels, e.InitialConversations...), "checkbox")
	case "file_input":
		r.files(at, e)
	case "external_select", "multi_external_select":
		r.external(at, e)
	default:
		r.typed(at, e)
	}
}

// offering is the element with people or channels as its options, some chosen.
func (e element) offering(names map[string]string, chosen ...string) element {
	for _, id := range slices.Sorted(maps.Keys(names)) {
		o := option{Text: &text{Text: names[id]}, Value: id}
		e.Options = append(e.Options, o)
		if slices.Contains(chosen, id) {
			e.InitialOption = &o
			e.InitialOptions = append(e.InitialOptions, o)
		}
	}
	return e
}

// choices renders radio buttons or checkboxes.
func (r *renderer) choices(at fieldPlace, e element, kind string) {
	attrs := append([]string{"class", "field choices", "role", "group", "aria-label", cmp.Or(at.label, labelOr(e.Placeholder, "Choices"))}, at.attrs(e)...)
	r.open("div", append(attrs, at.described()...)...)
	if e.Confirm != nil {
		r.confirmation(*e.Confirm)
	}
	options := e.Options
	for _, group := range e.OptionGroups {
		options = append(options, group.Options...)
	}
	r.fieldSerial++
	name := "choice-" + r.fieldID(at.block)
	for _, o := range each(r, options) {
		r.open("label")
		attrs := []string{"type", kind, "name", name, "value", clip(o.Value, maxOptionValue)}
		if e.InitialOption != nil && e.InitialOption.Value == o.Value ||
			slices.ContainsFunc(e.InitialOptions, func(i option) bool { return i.Value == o.Value }) {
			attrs = append(attrs, "checked", "")
		}
		r.open("input", attrs...)
		r.open("span")
		r.write(o.Text)
		if o.Description != nil {
			r.textDiv("about", o.Description)
		}
		r.close("span")
		r.close("label")
	}
	r.close("div")
}
