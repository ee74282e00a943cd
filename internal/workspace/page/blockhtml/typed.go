package blockhtml

import (
	"cmp"
	"strings"
	"time"
)

// external renders a field whose options the app offers while one types. Where
// several may be chosen, the chosen ones come first, as buttons to remove them.
func (r *renderer) external(at fieldPlace, e element) {
	attrs := append([]string{"class", "field external"}, at.attrs(e)...)
	if e.Type == "multi_external_select" {
		attrs = append(attrs, "data-many", "")
	}
	r.open("span", attrs...)
	for _, o := range each(r, e.InitialOptions) {
		label := labelOr(o.Text, o.Value)
		r.element("button", label+" ✕", "type", "button", "class", "chip", "data-value", clip(o.Value, maxOptionValue), "aria-label", "Remove "+label)
	}
	attrs = []string{"type", "text", "role", "combobox", "aria-expanded", "false", "aria-autocomplete", "list", "autocomplete", "off",
		"aria-label", cmp.Or(at.label, labelOr(e.Placeholder, "Search")), "placeholder", labelOr(e.Placeholder, "Search")}
	if e.InitialOption != nil {
		attrs = append(attrs, "value", labelOr(e.InitialOption.Text, ""))
	}
	if at.wrong {
		attrs = append(attrs, "aria-invalid", "true")
	}
	r.open("input", append(attrs, at.described()...)...)
	if e.Confirm != nil {
		r.confirmation(*e.Confirm)
	}
	r.open("div", "class", "options", "role", "listbox", "aria-label", "Suggestions", "popover", "manual")
	r.close("div")
	r.close("span")
}

// files renders a field for files. Those that are chosen stand below it.
func (r *renderer) files(at fieldPlace, e element) {
	r.open("span", append([]string{"class", "field files"}, at.attrs(e)...)...)
	attrs := append([]string{"type", "file", "aria-label", cmp.Or(at.label, "Files")}, at.described()...)
	if e.MaxFiles != 1 {
		attrs = append(attrs, "multiple", "")
	}
	var types []string
	for _, kind := range e.FileTypes {
		types = append(types, "."+clip(kind, 20))
	}
	if len(types) > 0 {
		attrs = append(attrs, "accept", strings.Join(types, ","))
	}
	r.open("input", attrs...)
	var names []string
	for _, f := range each(r, e.InitialFiles) {
		names = append(names, clip(f.Name, 255))
	}
	r.element("span", strings.Join(names, ", "), "class", "chosen")
	r.close("span")
}

// inputTypes are the types of HTML inputs for elements that are typed in.
var inputTypes = map[string]string{
	"plain_text_input": "text", "email_text_input": "email", "url_text_input": "url", "number_input": "text",
	"datepicker": "date", "timepicker": "time", "datetimepicker": "datetime-local", "rich_text_input": "text",
}

// typed renders a field for text, or for a date or time. What the page does not
// know is shown and cannot be used.
func (r *renderer) typed(at fieldPlace, e element) {
	kind, known := inputTypes[e.Type]
	if !known {
		r.element("span", cmp.Or(e.Type, "element"), "class", "unusable", "title", "This page cannot use it")
		return
	}
	r.open("span", append([]string{"class", "field"}, at.attrs(e)...)...)
	attrs := append([]string{"aria-label", cmp.Or(at.label, labelOr(e.Placeholder, "Value")), "autocomplete", "off"}, at.described()...)
	if at.wrong {
		attrs = append(attrs, "aria-invalid", "true")
	}
	if e.Placeholder != nil {
		attrs = append(attrs, "placeholder", labelOr(e.Placeholder, ""))
	}
	if e.Type == "number_input" {
		attrs = append(attrs, "inputmode", "decimal")
	}
	value := r.initialText(e)
	if e.Multiline || e.Type == "rich_text_input" {
		r.element("textarea", value, append(attrs, "rows", "4")...)
	} else {
		r.open("input", append(attrs, "type", kind, "value", value)...)
	}
	if e.Confirm != nil {
		r.confirmation(*e.Confirm)
	}
	r.close("span")
}

// initialText is what a field holds at the start.
func (r *renderer) initialText(e element) string {
	if e.InitialDateTime != 0 {
		return time.Unix(e.InitialDateTime, 0).In(r.reader.Now.Location()).Format("2006-01-02T15:04")
	}
	if typed, ok := e.InitialValue.(string); ok {
		return typed
	}
	return cmp.Or(e.InitialDate, e.InitialTime, plainOf(e.InitialValue))
}

// plainOf is the text in rich text.
func plainOf(v any) string {
	switch v := v.(type) {
	case []any:
		var b strings.Builder
		for _, item := range v {
			b.WriteString(plainOf(item))
		}
		return b.String()
	case map[string]any:
		if own, ok := v["text"].(string); ok {
			return own
		}
		return plainOf(v["elements"])
	}
	return ""
}
