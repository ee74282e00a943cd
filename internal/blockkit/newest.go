package blockkit

import (
	"strconv"

	"github.com/slack-go/slack"
)

// Kind is one of the newest kinds of blocks, or of spans. Not every workspace and not
// every surface accepts them: Degrade replaces them by classic blocks.
type Kind string

// The newest kinds.
const (
	KindChart     Kind = "data_visualization"
	KindContainer Kind = "container"
	KindDataTable Kind = "data_table"
	KindPlan      Kind = "plan"
	KindTag       Kind = "tag"
)

// Tag is a word in a coloured field, such as a verdict. Its classic form is emphasised text.
func Tag(text string, colour slack.RichTextTagColor) Span {
	tag := slack.NewRichTextSectionTagElement(Clean(text), nil)
	tag.Color = colour
	return tag
}

// Details are blocks that readers unfold if they need them. Their classic form is the
// blocks alone: the label carries no information.
func Details(label string, blocks ...slack.Block) slack.Block {
	title := slack.NewTextBlockObject(slack.PlainTextType, label, false, false)
	return slack.NewContainerBlock(blocks...).WithTitle(title).WithCollapsible(true, true)
}

// Task is a part of a plan that is under way: what it is, and more about it, if there is.
func Task(id, title string, status slack.TaskCardStatus, more Line) *slack.TaskCardBlock {
	card := slack.NewTaskCardBlock(id, Clean(title)).WithStatus(status)
	if len(more) > 0 {
		card.WithDetails(slack.NewRichTextBlock("", slack.NewRichTextSection(more...)))
	}
	return card
}

// Plan shows how far a plan got. Its classic form is one line of facts, and one for each task.
func Plan(title string, tasks ...*slack.TaskCardBlock) slack.Block {
	plan := slack.NewPlanBlock(Clean(title)).WithTasks(tasks...)
	if len(tasks) == 0 {
		return planLines(plan)
	}
	return plan
}

func planLines(plan *slack.PlanBlock) slack.Block {
	lines := []Line{Fact("Plan", Plain(plan.Title))}
	for _, task := range plan.Tasks {
		var more Line
		if task.Details != nil {
			for _, element := range task.Details.Elements {
				if section, ok := element.(*slack.RichTextSection); ok {
					more = append(more, section.Elements...)
				}
			}
		}
		lines = append(lines, TaskLine(task.Title, more))
	}
	return Paragraph(lines...)
}

// TaskLine is a task in a line.
func TaskLine(title string, more Line) Line {
	if len(more) == 0 {
		return PlainLine(title)
	}
	return append(PlainLine(title+" · "), more...)
}

// dataTablePage is how many rows Slack shows at once.
const dataTablePage = 20

// DataTable is Table with rows that readers can sort and filter: as numbers in the
// columns that are named, and else as text. Its classic form is that table.
func DataTable(caption string, header []string, rows [][]string, numbers ...int) (slack.Block, int) {
	block, shown := Table(header, rows, false)
	table, _ := block.(*slack.TableBlock)
	data := slack.NewDataTableBlock(caption).WithPageSize(dataTablePage)
	for n, row := range table.Rows {
		cells := make([]slack.DataTableCell, len(row))
		for i, cell := range row {
			raw, _ := cell.(*slack.TableRawTextCell)
			cells[i] = slack.NewDataTableRawTextCell(raw.Text)
			for _, column := range numbers {
				if value, err := strconv.ParseFloat(raw.Text, 64); err == nil && column == i && n > 0 {
					cells[i] = slack.NewDataTableRawNumberCell(value).WithText(raw.Text)
				}
			}
		}
		data.AddRow(cells...)
	}
	return data, shown
}

func plainTable(data *slack.DataTableBlock) slack.Block {
	table := slack.NewTableBlock("")
	for _, row := range data.Rows {
		cells := make([]slack.TableCell, len(row))
		for i, cell := range row {
			switch cell := cell.(type) {
			case *slack.DataTableRawTextCell:
				cells[i] = slack.NewTableRawTextCell(cell.Text)
			case *slack.DataTableRawNumberCell:
				cells[i] = slack.NewTableRawTextCell(cell.Text)
			}
		}
		table.AddRow(cells...)
	}
	return table
}
