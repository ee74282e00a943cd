package blockcheck

// table checks a table, of which a message takes one.
func (v value) table() {
	if v.tables++; v.tables > limit("table.per_message.max_items") {
		v.fault("only_one_table_allowed")
	}
	if m, ok := v.member("column_settings"); ok {
		if list := m.items(); len(list) > limit("table.column_settings.max_items") {
			m.fault("no more than %d items allowed", limit("table.column_settings.max_items"))
		}
	}
	v.rows("table.rows", "table.cells", limit("table.characters_in_all_cells.max"))
}

func (v value) dataTable() {
	v.requiredString("caption", "data_table.caption")
	v.within("page_size", "data_table.page_size")
	v.rows("data_table.rows", "data_table.columns", limit("data_table.content.max_length"))
}

// rows checks the cells of a table, and that they hold at most so many
// characters. They do not count towards the message's text.
func (v value) rows(rowsPath, cellsPath string, most int) {
	rows, ok := v.required("rows")
	if !ok {
		return
	}
	outside := v.characters
	n := 0
	for _, row := range rows.counted(rowsPath) {
		for _, cell := range row.counted(cellsPath) {
			n += cell.cell()
		}
	}
	v.characters = outside
	if n > most {
		rows.tooLong(most)
	}
}

// cell checks one cell and returns the characters in it. Empty ones are refused.
func (v value) cell() int {
	kind, ok := v.kind("raw_text", "raw_number", "rich_text", "action_cell")
	if !ok {
		return 0
	}
	switch kind {
	case "raw_text":
		if m, ok := v.required("text"); ok {
			return m.measured("data_table.cell_text")
		}
	case "raw_number":
		if m, ok := v.required("value"); ok {
			m.number()
		}
		if m, ok := v.member("text"); ok {
			return m.measured("data_table.cell_text")
		}
	case "rich_text":
		return v.richText()
	case "action_cell":
		if m, ok := v.required("element"); ok {
			m.element([]string{"button"})
		}
	}
	return 0
}
