package blockcheck

// tableBlock checks a table, of which a message takes one.
func tableBlock(v value) {
	if v.tables++; v.tables > limit("table.per_message.max_items") {
		v.report("only_one_table_allowed")
	}
	fields(
		may("column_settings", columnSettings),
		must("rows", rows("table.rows", "table.cells", limit("table.characters_in_all_cells.max"))),
	)(v)
}

// columnSettings may be empty, unlike other lists.
func columnSettings(v value) {
	most := limit("table.column_settings.max_items")
	if items, _ := v.items(); len(items) > most {
		v.report("no more than %d items allowed", most)
	}
}

var dataTableBlock = fields(
	must("caption", nonEmpty("data_table.caption")),
	may("page_size", between("data_table.page_size")),
	must("rows", rows("data_table.rows", "data_table.columns", limit("data_table.content.max_length"))),
)

// rows checks the cells of a table, and that they hold at most so many
// characters. They do not count towards the message's text.
func rows(rowsPath, cellsPath string, most int) rule {
	check := list(rowsPath, list(cellsPath, tableCell))
	return func(v value) {
		before := v.characters
		check(v)
		if v.characters-before > most {
			v.reportTooLong(most)
		}
		v.characters = before
	}
}

var tableCell = variants(map[string]rule{
	"raw_text":   fields(must("text", cellText)),
	"raw_number": fields(must("value", number), may("text", cellText)),
	"rich_text":  richText,
	"action_cell": func(v value) {
		before := v.characters
		fields(must("element", element("button")))(v)
		v.characters = before // a button's text is not the cell's
	},
})

func cellText(v value) { v.characters += v.length("data_table.cell_text", 0) }
