package blockcheck

import (
	"maps"
	"slices"
)

// inContainer are the blocks that a container takes.
var inContainer = []string{
	"actions", "context", "divider", "file", "header", "image", "input", "layout", "rich_text", "section",
	"table", "video",
}

// blockRules holds the rule of every type of block. It is set by init, because
// the blocks that contain blocks refer to it.
var blockRules map[string]rule

func init() {
	blockRules = map[string]rule{
		"actions":            fields(must("elements", list("actions.elements", element(inActions...)))),
		"alert":              fields(must("text", textObject(mrkdwn, "alert.text"))),
		"auth_provider":      fields(must("value", nonEmpty("auth_provider.value")), must("name", textObject(plain, "auth_provider.name"))),
		"call":               fields(must("call_id", nonEmpty("call.call_id"))),
		"card":               cardBlock,
		"carousel":           fields(must("elements", list("carousel.elements", block("card")))),
		"container":          containerBlock,
		"context":            fields(must("elements", list("context.elements", inContext))),
		"context_actions":    fields(must("elements", list("context_actions.elements", element("feedback_buttons", "icon_button")))),
		"data_table":         dataTableBlock,
		"data_visualization": chartBlock,
		"divider":            fields(),
		"file":               fields(must("external_id", nonEmpty("file.external_id")), must("source", enum("remote"))),
		"header":             fields(must("text", textObject(plain, "header.text"))),
		"image":              imageBlock,
		"input":              inputBlock,
		"layout":             layoutBlock,
		"markdown":           fields(must("text", markdownText)),
		"plan":               fields(must("title", nonEmpty("plan.title")), may("tasks", each(block("task_card")))),
		"rich_text":          richText,
		"section":            sectionBlock,
		"table":              tableBlock,
		"task_card":          taskCard,
		"video":              videoBlock,
	}
}

// notShown are the types that Slack does not take on a surface.
var notShown = map[string][]string{
	"message": {"alert"},
	"home":    {"alert", "context_actions", "markdown", "plan", "task_card"},
	"modal":   {"container", "context_actions", "data_table", "data_visualization", "markdown", "plan", "table", "task_card"},
}

// topBlock checks a block of a message or view.
func topBlock(v value) {
	allowed := slices.DeleteFunc(slices.Collect(maps.Keys(blockRules)), func(kind string) bool {
		return slices.Contains(notShown[v.surface], kind)
	})
	block(allowed...)(v)
}

// block checks one block that may be of some types.
func block(allowed ...string) rule {
	return func(v value) {
		kind, ok := v.kind(allowed...)
		if !ok {
			return
		}
		v.uniqueID("block_id", v.blockIDs)
		v.actionIDs = map[string]bool{}
		blockRules[kind](v)
	}
}

var (
	inContext = variants(map[string]rule{
		"image": imageSource, "plain_text": textObject(mrkdwn, "text"), "mrkdwn": textObject(mrkdwn, "text"),
	})

	imageBlock = func(v value) {
		imageSource(v)
		fields(may("title", textObject(plain, "image.title")))(v)
	}

	inputBlock = fields(
		must("label", textObject(plain, "input.label")),
		may("hint", textObject(plain, "input.hint")),
		must("element", element(inInput...)),
	)

	videoBlock = fields(
		must("video_url", nonEmpty("video.video_url")),
		must("thumbnail_url", nonEmpty("video.thumbnail_url")),
		must("alt_text", nonEmpty("video.alt_text")),
		must("title", textObject(plain, "video.title")),
		may("description", textObject(plain, "video.description")),
		may("author_name", bounded("video.author_name")),
		may("provider_name", bounded("video.provider_name")),
	)

	cardBlock = fields(
		may("title", textObject(mrkdwn, "card.title")),
		may("subtitle", textObject(mrkdwn, "card.subtitle")),
		may("body", textObject(mrkdwn, "card.body")),
		may("subtext", textObject(mrkdwn, "card.subtext")),
		may("hero_image", imageSource),
		may("icon", imageSource),
		may("actions", list("card.actions", element("button", "overflow"))),
	)

	layoutBlock = fields(
		must("label", nonEmpty("layout.label")),
		must("rows", list("layout.rows", fields(
			must("items", list("layout.items", fields(must("block", block(inContainer...))))),
		))),
	)

	taskCard = fields(
		must("task_id", nonEmpty("task_card.task_id")),
		must("title", nonEmpty("task_card.title")),
		may("status", enum("pending", "in_progress", "complete", "error")),
		may("details", block("rich_text")),
		may("output", block("rich_text")),
		may("sources", each(variants(map[string]rule{"url": fields(
			must("url", nonEmpty("url_source.url")),
			must("text", nonEmpty("url_source.text")),
		)}))),
	)
)

func sectionBlock(v value) {
	_, hasText := v.member("text")
	_, hasFields := v.member("fields")
	fields(
		field{"text", hasText || !hasFields, textObject(mrkdwn, "section.text")},
		may("fields", list("section.fields", sectionField)),
		may("accessory", element(accessory...)),
	)(v)
}

func sectionField(v value) {
	before := v.characters
	textObject(mrkdwn, "section.fields")(v)
	if most := limit("section.fields.item_max_length"); v.characters-before > most {
		m, _ := v.member("text")
		m.reportTooLong(most)
	}
}

// markdownText checks the text of a markdown block; the message bounds their sum.
func markdownText(v value) {
	n := v.length("markdown.text", 0)
	v.characters += n
	if n <= limit("markdown.text.max_length") { // a longer one has its own violation
		v.markdown += n
	}
}

func containerBlock(v value) {
	title := must("title", textObject(plain, "container.title"))
	if _, rich := v.member("rich_text_title"); rich {
		title = must("rich_text_title", block("rich_text"))
	}
	fields(
		title,
		may("subtitle", textObject(mrkdwn, "container.subtitle")),
		may("width", enum("narrow", "standard", "wide", "full")),
		may("icon", imageSource),
		must("child_blocks", list("container.child_blocks", block(inContainer...))),
	)(v)
}
