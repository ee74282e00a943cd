package blockkit

import (
	"slices"

	"github.com/slack-go/slack"
)

// AnyKind is for Degrade to replace all of the newest kinds.
func AnyKind(Kind) bool { return true }

// Degrade returns blocks with the classic ones in the place of those whose kind is
// refused, and the kinds that it replaced. No text and no button is lost. A chart has
// no classic form: the message has its figures as well.
func Degrade(blocks []slack.Block, refused func(Kind) bool) ([]slack.Block, []Kind) {
	d := degrader{refused: refused}
	return d.blocks(blocks), d.replaced
}

type degrader struct {
	refused  func(Kind) bool
	replaced []Kind
}

// replaces reports whether a kind is refused, and notes that it was met.
func (d *degrader) replaces(kind Kind) bool {
	if !d.refused(kind) {
		return false
	}
	if !slices.Contains(d.replaced, kind) {
		d.replaced = append(d.replaced, kind)
	}
	return true
}

func (d *degrader) blocks(blocks []slack.Block) []slack.Block {
	out := make([]slack.Block, 0, len(blocks))
	for _, block := range blocks {
		switch b := block.(type) {
		case *slack.ContainerBlock:
			children := d.blocks(b.ChildBlocks.BlockSet)
			if d.replaces(KindContainer) {
				out = append(out, children...)
				continue
			}
			kept := *b
			kept.ChildBlocks.BlockSet = children
			block = &kept
		case *slack.DataVisualizationBlock:
			if d.replaces(KindChart) {
				continue
			}
		case *slack.DataTableBlock:
			if d.replaces(KindDataTable) {
				block = plainTable(b)
			}
		case *slack.PlanBlock:
			if d.replaces(KindPlan) {
				block = planLines(b)
			}
		case *slack.RichTextBlock:
			block = d.richText(b)
		}
		out = append(out, block)
	}
	return out
}

// richText replaces the tags of rich text. What has none is the same.
func (d *degrader) richText(b *slack.RichTextBlock) slack.Block {
	changed := slices.Clone(b.Elements)
	for i, element := range b.Elements {
		section, ok := element.(*slack.RichTextSection)
		if ok && slices.ContainsFunc(section.Elements, isTag) && d.replaces(KindTag) {
			changed[i] = slack.NewRichTextSection(withoutTags(section.Elements)...)
		}
	}
	return slack.NewRichTextBlock(b.BlockID, changed...)
}

func isTag(span Span) bool {
	_, ok := span.(*slack.RichTextSectionTagElement)
	return ok
}

// withoutTags has emphasised text in the place of tags, in one span with the emphasised
// text that follows.
func withoutTags(spans []Span) []Span {
	var out []Span
	tagged := false // the last span replaces a tag
	for _, span := range spans {
		text, ok := span.(*slack.RichTextSectionTextElement)
		if ok && tagged && styleOf(text.Style) == bold {
			last, _ := out[len(out)-1].(*slack.RichTextSectionTextElement)
			out[len(out)-1], tagged = Bold(last.Text+text.Text), false
			continue
		}
		tag, ok := span.(*slack.RichTextSectionTagElement)
		if tagged = ok; tagged {
			span = Bold(tag.Text)
		}
		out = append(out, span)
	}
	return out
}
