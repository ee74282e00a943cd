package blockcheck

// richParts are the parts of rich text, and inline what they are made of.
var (
	richParts = []string{"rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"}
	inline    = []string{
		"attachment_mention", "broadcast", "canvas", "canvas_message_unfurl", "canvas_user_mention", "channel",
		"citation", "color", "date", "emoji", "file", "link", "list_record", "message_mention",
		"salesforce_data_field", "tag", "team", "text", "user", "usergroup", "work_object_mention",
		"workflow_mention",
	}
)

// inlineNeeds are the members that inline elements cannot do without.
var inlineNeeds = map[string]string{
	"broadcast": "range", "channel": "channel_id", "color": "value", "date": "timestamp", "emoji": "name",
	"link": "url", "text": "text", "user": "user_id", "usergroup": "usergroup_id",
}

// richText checks a rich_text block or cell and returns the characters in it.
func (v value) richText() int {
	list, ok := v.required("elements")
	if !ok {
		return 0
	}
	n := 0
	for _, part := range list.items() {
		n += part.richPart(richParts)
	}
	v.characters += n
	return n
}

func (v value) richPart(allowed []string) int {
	kind, ok := v.kind(allowed...)
	if !ok {
		return 0
	}
	list, ok := v.required("elements")
	if !ok {
		return 0
	}
	if kind == "rich_text_list" {
		v.oneOf("style", "bullet", "ordered")
	}
	n := 0
	for _, item := range list.items() {
		if kind == "rich_text_list" {
			n += item.richPart([]string{"rich_text_section"})
		} else {
			n += item.inline()
		}
	}
	return n
}

// inline checks one piece of rich text and returns the characters in it.
func (v value) inline() int {
	kind, ok := v.kind(inline...)
	if !ok {
		return 0
	}
	if name, needs := inlineNeeds[kind]; needs {
		v.required(name)
	}
	m, ok := v.member("text")
	if !ok {
		return 0
	}
	n := m.measured("rich_text.text")
	if m.raw == "" {
		m.fault("must be more than 0 characters")
	}
	return n
}
