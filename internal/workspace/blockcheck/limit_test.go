package blockcheck

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// limitCases has one case for each number of limits.json.
var limitCases = []struct {
	limit   string
	pointer string // of the violation, below /blocks/0 or /view
	make    func(n int) obj
}{
	{"text.min_length", "/text/text", func(n int) obj { return section(str(n)) }},
	{"text.max_length", "/elements/0/text", func(n int) obj {
		return obj{"type": "context", "elements": []any{md(n)}}
	}},
	{"action_id.max_length", "/elements/0/action_id", func(n int) obj { return actions(with(button(0), "action_id", str(n))) }},
	{"block_id.max_length", "/block_id", func(n int) obj { return obj{"type": "divider", "block_id": str(n)} }},
	{"button.text.max_length", "/elements/0/text/text", func(n int) obj { return actions(with(button(0), "text", pt(n))) }},
	{"button.url.max_length", "/elements/0/url", func(n int) obj { return actions(with(button(0), "url", str(n))) }},
	{"button.value.max_length", "/elements/0/value", func(n int) obj { return actions(with(button(0), "value", str(n))) }},
	{"button.accessibility_label.max_length", "/elements/0/accessibility_label", func(n int) obj {
		return actions(with(button(0), "accessibility_label", str(n)))
	}},
	{"confirmation.title.max_length", "/elements/0/confirm/title/text", func(n int) obj { return confirmed("title", pt(n)) }},
	{"confirmation.text.max_length", "/elements/0/confirm/text/text", func(n int) obj { return confirmed("text", md(n)) }},
	{"confirmation.confirm.max_length", "/elements/0/confirm/confirm/text", func(n int) obj { return confirmed("confirm", pt(n)) }},
	{"confirmation.deny.max_length", "/elements/0/confirm/deny/text", func(n int) obj { return confirmed("deny", pt(n)) }},
	{"option.text.max_length", "/elements/0/options/0/text/text", func(n int) obj { return oneOption("text", pt(n)) }},
	{"option.value.max_length", "/elements/0/options/0/value", func(n int) obj { return oneOption("value", str(n)) }},
	{"option.description.max_length", "/elements/0/options/0/description/text", func(n int) obj { return oneOption("description", pt(n)) }},
	{"option.url.max_length", "/elements/0/options/0/url", func(n int) obj { return oneOption("url", str(n)) }},
	{"option_group.label.max_length", "/elements/0/option_groups/0/label/text", func(n int) obj {
		return grouped([]any{obj{"label": pt(n), "options": []any{option(0)}}})
	}},
	{"option_group.options.min_items", "/elements/0/option_groups/0/options", groupOf},
	{"option_group.options.max_items", "/elements/0/option_groups/0/options", groupOf},
	{"select.placeholder.max_length", "/elements/0/placeholder/text", func(n int) obj {
		return actions(obj{"type": "users_select", "placeholder": pt(n)})
	}},
	{"select.options.max_items", "/elements/0/options", func(n int) obj { return choice("static_select", many(n, option)) }},
	{"select.option_groups.max_items", "/elements/0/option_groups", func(n int) obj { return grouped(many(n, group)) }},
	{"overflow.options.min_items", "/elements/0/options", func(n int) obj { return choice("overflow", many(n, option)) }},
	{"overflow.options.max_items", "/elements/0/options", func(n int) obj { return choice("overflow", many(n, option)) }},
	{"checkboxes.options.min_items", "/elements/0/options", func(n int) obj { return choice("checkboxes", many(n, option)) }},
	{"checkboxes.options.max_items", "/elements/0/options", func(n int) obj { return choice("checkboxes", many(n, option)) }},
	{"radio_buttons.options.min_items", "/elements/0/options", func(n int) obj { return choice("radio_buttons", many(n, option)) }},
	{"radio_buttons.options.max_items", "/elements/0/options", func(n int) obj { return choice("radio_buttons", many(n, option)) }},
	{"url_source.url.min_length", "/sources/0/url", source},
	{"url_source.url.max_length", "/sources/0/url", source},
	{"file_input.max_files.min", "/element/max_files", maxFiles},
	{"file_input.max_files.max", "/element/max_files", maxFiles},
	{"plain_text_input.max_length.max", "/element/max_length", func(n int) obj {
		return input(obj{"type": "plain_text_input", "max_length": n})
	}},
	{"actions.elements.max_items", "/elements", func(n int) obj {
		return actions(many(n, func(i int) any { return button(i) })...)
	}},
	{"alert.text.max_length", "/blocks/0/text/text", func(n int) obj {
		return view("blocks", []any{obj{"type": "alert", "text": md(n)}})
	}},
	{"card.title.max_length", "/title/text", func(n int) obj { return card("title", md(n)) }},
	{"card.subtitle.max_length", "/subtitle/text", func(n int) obj { return card("subtitle", md(n)) }},
	{"card.body.max_length", "/body/text", func(n int) obj { return card("body", md(n)) }},
	{"card.subtext.max_length", "/subtext/text", func(n int) obj { return card("subtext", md(n)) }},
	{"card.actions.max_items", "/actions", func(n int) obj {
		return card("actions", many(n, func(i int) any { return button(i) }))
	}},
	{"carousel.elements.min_items", "/elements", carousel},
	{"carousel.elements.max_items", "/elements", carousel},
	{"container.title.max_length", "/title/text", func(n int) obj { return container("title", pt(n)) }},
	{"container.subtitle.max_length", "/subtitle/text", func(n int) obj { return container("subtitle", md(n)) }},
	{"container.child_blocks.max_items", "/child_blocks", func(n int) obj { return container("child_blocks", dividers(n)) }},
	{"context.elements.max_items", "/elements", func(n int) obj {
		return obj{"type": "context", "elements": many(n, func(int) any { return md(1) })}
	}},
	{"context_actions.elements.max_items", "/elements", func(n int) obj {
		return contextActions(many(n, func(i int) any { return iconButton(i) })...)
	}},
	{"feedback_button.text.max_length", "/elements/0/positive_button/text/text", func(n int) obj { return feedback("text", pt(n)) }},
	{"feedback_button.value.max_length", "/elements/0/positive_button/value", func(n int) obj { return feedback("value", str(n)) }},
	{"feedback_button.accessibility_label.max_length", "/elements/0/positive_button/accessibility_label", func(n int) obj {
		return feedback("accessibility_label", str(n))
	}},
	{"icon_button.visible_to_user_ids.max_items", "/elements/0/visible_to_user_ids", func(n int) obj {
		return contextActions(with(iconButton(0), "visible_to_user_ids", many(n, func(i int) any { return fmt.Sprint("U", i) })))
	}},
	{"data_table.rows.min_items", "/rows", dataRows},
	{"data_table.rows.max_items", "/rows", dataRows},
	{"data_table.columns.min_items", "/rows/0", dataColumns},
	{"data_table.columns.max_items", "/rows/0", dataColumns},
	{"data_table.page_size.min", "/page_size", func(n int) obj { return dataTable("page_size", n) }},
	{"data_table.page_size.max", "/page_size", func(n int) obj { return dataTable("page_size", n) }},
	{"data_table.cell_text.min_length", "/rows/0/0/text", func(n int) obj { return dataTable("rows", []any{[]any{cell(n)}, row(1)}) }},
	{"data_table.content.max_length", "/rows", func(n int) obj { return dataTable("rows", []any{[]any{cell(n - 1)}, row(1)}) }},
	{"data_visualization.title.max_length", "/title", func(n int) obj { return with(points(1), "title", str(n)) }},
	{"data_visualization.segments.min_items", "/chart/segments", segments},
	{"data_visualization.segments.max_items", "/chart/segments", segments},
	{"data_visualization.segment.label.max_length", "/chart/segments/0/label", func(n int) obj { return pie([]any{segment(str(n), 1)}) }},
	{"data_visualization.segment.value.exclusive_min", "/chart/segments/0/value", func(n int) obj { return pie([]any{segment("s", n)}) }},
	{"data_visualization.series.min_items", "/chart/series", series},
	{"data_visualization.series.max_items", "/chart/series", series},
	{"data_visualization.series_name.max_length", "/chart/series/0/name", func(n int) obj { return oneSeries(str(n), "c", oneCategory) }},
	{"data_visualization.data.min_items", "/chart/series/0/data", points},
	{"data_visualization.data.max_items", "/chart/series/0/data", points},
	{"data_visualization.point_label.max_length", "/chart/series/0/data/0/label", func(n int) obj {
		return oneSeries("s", str(n), obj{"categories": []any{str(n)}})
	}},
	{"data_visualization.categories.min_items", "/chart/axis_config/categories", points},
	{"data_visualization.categories.max_items", "/chart/axis_config/categories", points},
	{"data_visualization.category_label.max_length", "/chart/axis_config/categories/0", func(n int) obj {
		return oneSeries("s", str(n), obj{"categories": []any{str(n)}})
	}},
	{"data_visualization.axis_label.max_length", "/chart/axis_config/x_label", func(n int) obj {
		return oneSeries("s", "c", with(oneCategory, "x_label", str(n)))
	}},
	{"header.text.max_length", "/text/text", func(n int) obj { return obj{"type": "header", "text": pt(n)} }},
	{"image.image_url.max_length", "/image_url", func(n int) obj { return image("image_url", str(n)) }},
	{"image.alt_text.max_length", "/alt_text", func(n int) obj { return image("alt_text", str(n)) }},
	{"input.label.max_length", "/label/text", func(n int) obj {
		return with(input(obj{"type": "plain_text_input"}), "label", pt(n))
	}},
	{"input.hint.max_length", "/hint/text", func(n int) obj {
		return with(input(obj{"type": "plain_text_input"}), "hint", pt(n))
	}},
	{"markdown.text.min_length", "/text", func(n int) obj { return obj{"type": "markdown", "text": str(n)} }},
	{"markdown.text.max_length", "/text", func(n int) obj { return obj{"type": "markdown", "text": str(n)} }},
	{"section.text.max_length", "/text/text", func(n int) obj { return section(str(n)) }},
	{"section.fields.max_items", "/fields", func(n int) obj {
		return obj{"type": "section", "fields": many(n, func(int) any { return md(1) })}
	}},
	{"section.fields.item_max_length", "/fields/0/text", func(n int) obj { return obj{"type": "section", "fields": []any{md(n)}} }},
	{"video.alt_text.min_length", "/alt_text", func(n int) obj { return video("alt_text", str(n)) }},
	{"video.alt_text.max_length", "/alt_text", func(n int) obj { return video("alt_text", str(n)) }},
	{"video.title.max_length", "/title/text", func(n int) obj { return video("title", pt(n)) }},
	{"video.author_name.max_length", "/author_name", func(n int) obj { return video("author_name", str(n)) }},
	{"video.description.max_length", "/description/text", func(n int) obj { return video("description", pt(n)) }},
	{"video.provider_name.max_length", "/provider_name", func(n int) obj { return video("provider_name", str(n)) }},
	{"view.blocks.min_items", "/blocks", func(n int) obj { return view("blocks", dividers(n)) }},
	{"view.blocks.max_items", "/blocks", func(n int) obj { return view("blocks", dividers(n)) }},
	{"view.private_metadata.max_length", "/private_metadata", func(n int) obj { return view("private_metadata", str(n)) }},
	{"view.callback_id.max_length", "/callback_id", func(n int) obj { return view("callback_id", str(n)) }},
	{"view.title.max_length", "/title/text", func(n int) obj { return view("title", pt(n)) }},
	{"view.close.max_length", "/close/text", func(n int) obj { return view("close", pt(n)) }},
	{"view.submit.max_length", "/submit/text", func(n int) obj { return view("submit", pt(n)) }},
	{"table.rows.min_items", "/rows", tableRows},
	{"table.rows.max_items", "/rows", tableRows},
	{"table.cells.min_items", "/rows/0", func(n int) obj { return table([]any{row(n)}) }},
	{"table.cells.max_items", "/rows/0", func(n int) obj { return table([]any{row(n)}) }},
	{"table.column_settings.max_items", "/column_settings", func(n int) obj {
		return with(table([]any{row(1)}), "column_settings", many(n, func(int) any { return obj{"align": "left"} }))
	}},
	{"table.characters_in_all_cells.max", "/rows", func(n int) obj { return table([]any{[]any{cell(n - 1), cell(1)}}) }},
}

// check checks a block in a message, or a view.
func check(t *testing.T, o obj) []Violation {
	t.Helper()
	if o["type"] == "modal" {
		return CheckView(raw(t, o))
	}
	return Check(raw(t, []any{o}))
}

func raw(t *testing.T, v any) json.RawMessage {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEveryLimit(t *testing.T) {
	t.Parallel()
	covered := map[string]bool{"table.per_message.max_items": true} // in TestWholeMessage
	for _, c := range limitCases {
		covered[c.limit] = true
		t.Run(c.limit, func(t *testing.T) {
			at := limit(c.limit)
			beyond := at + 1
			switch name := c.limit[strings.LastIndex(c.limit, ".")+1:]; name {
			case "min", "min_items", "min_length":
				beyond = at - 1
			case "exclusive_min":
				at, beyond = at+1, at
			}
			if found := check(t, c.make(at)); len(found) > 0 {
				t.Errorf("%d is within the limit, but: %v", at, found)
			}
			root := "/blocks/0"
			o := c.make(beyond)
			if o["type"] == "modal" {
				root = "/view"
			}
			found := check(t, o)
			for _, v := range found {
				if v.Pointer == root+c.pointer {
					return
				}
			}
			t.Errorf("%d is beyond the limit, expected a violation at %s, got %v", beyond, root+c.pointer, found)
		})
	}
	for path := range limits {
		if !covered[path] {
			t.Errorf("no case for %s", path)
		}
	}
}
