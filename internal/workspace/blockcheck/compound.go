package blockcheck

func (v value) card() {
	v.optionalText("title", mrkdwn, "card.title")
	v.optionalText("subtitle", mrkdwn, "card.subtitle")
	v.optionalText("body", mrkdwn, "card.body")
	v.optionalText("subtext", mrkdwn, "card.subtext")
	for _, name := range []string{"hero_image", "icon"} {
		if m, ok := v.member(name); ok && m.isObject() {
			m.picture()
		}
	}
	if m, ok := v.member("actions"); ok {
		for _, e := range m.counted("card.actions") {
			e.element([]string{"button", "overflow"})
		}
	}
}

func (v value) carousel() {
	if m, ok := v.required("elements"); ok {
		for _, e := range m.counted("carousel.elements") {
			e.block([]string{"card"})
		}
	}
}

func (v value) container() {
	if rich, ok := v.member("rich_text_title"); ok {
		rich.block([]string{"rich_text"})
	} else {
		v.requiredText("title", plain, "container.title")
	}
	v.optionalText("subtitle", mrkdwn, "container.subtitle")
	v.optionalOneOf("width", "narrow", "standard", "wide", "full")
	if m, ok := v.member("icon"); ok && m.isObject() {
		m.picture()
	}
	if m, ok := v.required("child_blocks"); ok {
		for _, b := range m.counted("container.child_blocks") {
			b.block(inContainer)
		}
	}
}

func (v value) layout() {
	v.requiredString("label", "layout.label")
	rows, ok := v.required("rows")
	if !ok {
		return
	}
	for _, row := range rows.counted("layout.rows") {
		items, ok := row.required("items")
		if !ok {
			continue
		}
		for _, item := range items.counted("layout.items") {
			if b, ok := item.required("block"); ok {
				b.block(inContainer)
			}
		}
	}
}

func (v value) plan() {
	v.requiredString("title", "plan.title")
	if m, ok := v.member("tasks"); ok {
		for _, task := range m.items() {
			task.block([]string{"task_card"})
		}
	}
}

func (v value) taskCard() {
	v.requiredString("task_id", "task_card.task_id")
	v.requiredString("title", "task_card.title")
	v.optionalOneOf("status", "pending", "in_progress", "complete", "error")
	for _, name := range []string{"details", "output"} {
		if m, ok := v.member(name); ok {
			m.block([]string{"rich_text"})
		}
	}
	sources, ok := v.member("sources")
	if !ok {
		return
	}
	for _, source := range sources.items() {
		if _, ok := source.kind("url"); ok {
			source.requiredString("url", "url_source.url")
			source.requiredString("text", "url_source.text")
		}
	}
}
