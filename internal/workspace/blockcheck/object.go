package blockcheck

import "slices"

// The kinds of text objects that a place takes.
var (
	plain  = []string{"plain_text"}
	mrkdwn = []string{"plain_text", "mrkdwn"}
)

func (v value) requiredText(name string, kinds []string, path string) {
	if m, ok := v.required(name); ok {
		m.text(kinds, path)
	}
}

func (v value) optionalText(name string, kinds []string, path string) {
	if m, ok := v.member(name); ok {
		m.text(kinds, path)
	}
}

// text checks a text object; path names its limits.
func (v value) text(kinds []string, path string) {
	if !v.isObject() {
		return
	}
	v.oneOf("type", kinds...)
	m, ok := v.required("text")
	if !ok {
		return
	}
	n := m.measured(path)
	if s, isString := m.raw.(string); isString && s == "" {
		m.fault("must be more than %d characters", limit("text.min_length")-1)
	}
	if _, own := limits[path+".max_length"]; !own && n > limit("text.max_length") {
		m.tooLong(limit("text.max_length"))
	}
	v.characters += n
}

// confirm checks the confirmation dialog of an element, where it has one.
func (v value) confirm() {
	m, ok := v.member("confirm")
	if !ok || !m.isObject() {
		return
	}
	m.requiredText("title", plain, "confirmation.title")
	m.requiredText("text", mrkdwn, "confirmation.text")
	m.requiredText("confirm", plain, "confirmation.confirm")
	m.optionalText("deny", plain, "confirmation.deny")
	m.optionalOneOf("style", "primary", "danger")
}

// option checks one option of a select, overflow menu or group of choices.
func (v value) option(kinds []string) {
	if !v.isObject() {
		return
	}
	v.requiredText("text", kinds, "option.text")
	v.requiredString("value", "option.value")
	v.optionalText("description", kinds, "option.description")
	v.optionalString("url", "option.url")
}

// options checks the required member options.
func (v value) options(kinds []string, path string) {
	if m, ok := v.required("options"); ok {
		for _, o := range m.counted(path) {
			o.option(kinds)
		}
	}
}

// optionGroup checks one group of options.
func (v value) optionGroup() {
	if v.isObject() {
		v.requiredText("label", plain, "option_group.label")
		v.options(plain, "option_group.options")
	}
}

// picture checks that an image says where it comes from and what it shows.
func (v value) picture() {
	_, hasFile := v.member("slack_file")
	if url, ok := v.member("image_url"); ok {
		url.measured("image.image_url")
	} else if !hasFile {
		v.fault("missing required field: image_url")
	}
	v.requiredString("alt_text", "image.alt_text")
}

// ownID checks an id against its limit and that it is used only once.
func (v value) ownID(name string, used map[string]bool) {
	m, ok := v.member(name)
	if !ok {
		return
	}
	m.measured(name)
	id, isString := m.raw.(string)
	if !isString || id == "" {
		return
	}
	if used[id] {
		m.fault("`%s` %q already exists", name, id)
	}
	used[id] = true
}

// kind is the value's type, if it is one of those that fit here.
func (v value) kind(allowed ...string) (string, bool) {
	if !v.isObject() {
		return "", false
	}
	m, ok := v.required("type")
	if !ok {
		return "", false
	}
	kind, ok := m.str()
	if ok && !slices.Contains(allowed, kind) {
		v.fault("unsupported type: %s", kind)
		return "", false
	}
	return kind, ok
}
