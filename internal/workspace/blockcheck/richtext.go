package blockcheck

import (
	"maps"
	"slices"
)

// inlineRequires holds every type of inline element of rich text, and the member
// that it cannot do without.
var inlineRequires = map[string]string{
	"attachment_mention": "", "broadcast": "range", "canvas": "", "canvas_message_unfurl": "",
	"canvas_user_mention": "", "channel": "channel_id", "citation": "", "color": "value", "date": "timestamp",
	"emoji": "name", "file": "", "link": "url", "list_record": "", "message_mention": "",
	"salesforce_data_field": "", "tag": "", "team": "", "text": "text", "user": "user_id",
	"usergroup": "usergroup_id", "work_object_mention": "", "workflow_mention": "",
}

var inlineTypes = slices.Collect(maps.Keys(inlineRequires))

// richText checks a rich_text block or cell.
var richText = fields(must("elements", each(variants(map[string]rule{
	"rich_text_section":      richElements,
	"rich_text_preformatted": richElements,
	"rich_text_quote":        richElements,
	"rich_text_list": func(v value) {
		if list, ok := v.required("elements"); ok {
			fields(must("style", enum("bullet", "ordered")))(v)
			each(variants(map[string]rule{"rich_text_section": richElements}))(list)
		}
	},
}))))

var richElements = fields(must("elements", each(func(v value) {
	kind, ok := v.kind(inlineTypes...)
	if !ok {
		return
	}
	if name := inlineRequires[kind]; name != "" {
		v.required(name)
	}
	fields(may("text", func(v value) { v.characters += v.length("rich_text.text", 1) }))(v)
})))
