package blockcheck

import (
	"fmt"
	"strings"
)

// The makers below build a block, or a view, in which one thing has size n.

type obj = map[string]any

func str(n int) string { return strings.Repeat("é", n) }

func text(kind, s string) obj { return obj{"type": kind, "text": s} }

func pt(n int) obj { return text("plain_text", str(n)) }

func md(n int) obj { return text("mrkdwn", str(n)) }

func section(s string) obj { return obj{"type": "section", "text": text("mrkdwn", s)} }

// many makes n things.
func many(n int, thing func(i int) any) []any {
	list := []any{}
	for i := range n {
		list = append(list, thing(i))
	}
	return list
}

// with is a copy of o with one more member.
func with(o obj, name string, v any) obj {
	c := obj{name: v}
	for k, old := range o {
		if k != name {
			c[k] = old
		}
	}
	return c
}

func button(i int) obj {
	return obj{"type": "button", "text": pt(1), "action_id": fmt.Sprint("a", i)}
}

func actions(e ...any) obj { return obj{"type": "actions", "elements": e} }

func confirmed(name string, v obj) obj {
	dialog := obj{"title": pt(1), "text": md(1), "confirm": pt(1), "deny": pt(1)}
	return actions(with(button(0), "confirm", with(dialog, name, v)))
}

func option(i int) any { return obj{"text": pt(1), "value": fmt.Sprint(i)} }

func choice(kind string, options any) obj {
	return actions(obj{"type": kind, "action_id": "a", "options": options})
}

func oneOption(name string, v any) obj {
	return choice("static_select", []any{with(option(0).(obj), name, v)})
}

func grouped(groups any) obj {
	return actions(obj{"type": "static_select", "action_id": "a", "option_groups": groups})
}

func group(int) any { return obj{"label": pt(1), "options": []any{option(0)}} }

func input(element obj) obj { return obj{"type": "input", "label": pt(1), "element": element} }

func card(name string, v any) obj { return with(obj{"type": "card", "title": md(1)}, name, v) }

func container(name string, v any) obj {
	return with(obj{"type": "container", "title": pt(1), "child_blocks": []any{obj{"type": "divider"}}}, name, v)
}

func contextActions(e ...any) obj { return obj{"type": "context_actions", "elements": e} }

func feedback(name string, v any) obj {
	b := obj{"text": pt(1), "value": "v"}
	return contextActions(obj{"type": "feedback_buttons", "positive_button": with(b, name, v), "negative_button": b})
}

func iconButton(i int) obj {
	return obj{"type": "icon_button", "icon": "trash", "text": pt(1), "action_id": fmt.Sprint("a", i)}
}

func cell(n int) any { return obj{"type": "raw_text", "text": str(n)} }

func row(n int) []any { return many(n, func(int) any { return cell(1) }) }

func table(rows any) obj { return obj{"type": "table", "rows": rows} }

func dataTable(name string, v any) obj {
	return with(obj{"type": "data_table", "caption": "c", "rows": []any{row(1), row(1)}}, name, v)
}

func chart(c obj) obj { return obj{"type": "data_visualization", "title": "t", "chart": c} }

func pie(segments any) obj { return chart(obj{"type": "pie", "segments": segments}) }

func segment(label string, v any) obj { return obj{"label": label, "value": v} }

func line(axes obj, series ...any) obj {
	return chart(obj{"type": "line", "series": series, "axis_config": axes})
}

// points is a chart with n categories, labelled c0 and so on.
func points(n int) obj {
	label := func(i int) any { return fmt.Sprint("c", i) }
	data := many(n, func(i int) any { return obj{"label": label(i), "value": 1} })
	return line(obj{"categories": many(n, label)}, obj{"name": "s", "data": data})
}

func oneSeries(name string, label string, axes obj) obj {
	return line(axes, obj{"name": name, "data": []any{obj{"label": label, "value": 1}}})
}

func video(name string, v any) obj {
	return with(obj{
		"type": "video", "video_url": "https://x.test/v", "thumbnail_url": "https://x.test/t",
		"alt_text": "a", "title": pt(1),
	}, name, v)
}

func image(name string, v any) obj {
	return with(obj{"type": "image", "image_url": "https://x.test/i", "alt_text": "a"}, name, v)
}

func source(n int) obj {
	return obj{"type": "task_card", "task_id": "1", "title": "t", "sources": []any{
		obj{"type": "url", "url": str(n), "text": "t"},
	}}
}

func view(name string, v any) obj {
	return with(obj{"type": "modal", "title": pt(1), "blocks": []any{obj{"type": "divider"}}}, name, v)
}

var oneCategory = obj{"categories": []any{"c"}}

func groupOf(n int) obj { return grouped([]any{obj{"label": pt(1), "options": many(n, option)}}) }

func maxFiles(n int) obj { return input(obj{"type": "file_input", "max_files": n}) }

func carousel(n int) obj {
	return obj{"type": "carousel", "elements": many(n, func(int) any { return card("title", md(1)) })}
}

func dividers(n int) []any { return many(n, func(int) any { return obj{"type": "divider"} }) }

func dataRows(n int) obj {
	return dataTable("rows", many(n, func(int) any { return row(1) }))
}

func dataColumns(n int) obj { return dataTable("rows", []any{row(n), row(1)}) }

func tableRows(n int) obj { return table(many(n, func(int) any { return row(1) })) }

func segments(n int) obj { return pie(many(n, func(int) any { return segment("s", 1) })) }

func series(n int) obj {
	return line(oneCategory, many(n, func(i int) any {
		return obj{"name": fmt.Sprint("s", i), "data": []any{obj{"label": "c", "value": 1}}}
	})...)
}
