package blockcheck

// blockTypes are the blocks of messages. Modals take alert, too.
var blockTypes = []string{
	"actions", "auth_provider", "call", "card", "carousel", "container", "context", "context_actions",
	"data_table", "data_visualization", "divider", "file", "header", "image", "input", "layout", "markdown",
	"plan", "rich_text", "section", "table", "task_card", "video",
}

// inContainer are the blocks that a container takes.
var inContainer = []string{
	"actions", "context", "divider", "file", "header", "image", "input", "layout", "rich_text", "section",
	"table", "video",
}

// blocks checks the blocks of a message or view.
func (v value) blocks(items []value) {
	allowed := blockTypes
	if v.inModal {
		allowed = append([]string{"alert"}, blockTypes...)
	}
	for _, item := range items {
		item.block(allowed)
	}
}

// block checks one block that may be of some types.
func (v value) block(allowed []string) {
	kind, ok := v.kind(allowed...)
	if !ok {
		return
	}
	v.ownID("block_id", v.blockIDs)
	v.actionIDs = map[string]bool{}
	switch kind {
	case "section":
		v.section()
	case "actions":
		v.elements("actions.elements", inActions)
	case "context_actions":
		v.elements("context_actions.elements", inContextActions)
	case "context":
		v.context()
	case "header":
		v.requiredText("text", plain, "header.text")
	case "image":
		v.picture()
		v.optionalText("title", plain, "image.title")
	case "input":
		v.input()
	case "markdown":
		v.markdownBlock()
	case "rich_text":
		v.richText()
	case "video":
		v.video()
	case "file":
		v.requiredString("external_id", "file.external_id")
		v.oneOf("source", "remote")
	case "call":
		v.requiredString("call_id", "call.call_id")
	case "alert":
		v.requiredText("text", mrkdwn, "alert.text")
	case "auth_provider":
		v.requiredString("value", "auth_provider.value")
		v.requiredText("name", plain, "auth_provider.name")
	default:
		v.compound(kind)
	}
}

// compound checks the blocks that are made of parts of their own.
func (v value) compound(kind string) {
	switch kind {
	case "card":
		v.card()
	case "carousel":
		v.carousel()
	case "container":
		v.container()
	case "layout":
		v.layout()
	case "plan":
		v.plan()
	case "task_card":
		v.taskCard()
	case "table":
		v.table()
	case "data_table":
		v.dataTable()
	case "data_visualization":
		v.chart()
	}
}

func (v value) section() {
	text, hasText := v.member("text")
	fields, hasFields := v.member("fields")
	if !hasText && !hasFields {
		v.fault("missing required field: text")
	}
	if hasText {
		text.text(mrkdwn, "section.text")
	}
	if hasFields {
		for _, f := range fields.counted("section.fields") {
			f.field()
		}
	}
	if m, ok := v.member("accessory"); ok {
		m.element(accessory)
	}
}

// field checks one field of a section.
func (v value) field() {
	v.text(mrkdwn, "section.fields")
	m, _ := v.member("text")
	s, _ := m.raw.(string)
	if most := limit("section.fields.item_max_length"); characters(s) > most {
		m.tooLong(most)
	}
}

// elements checks the interactive elements of a block.
func (v value) elements(path string, allowed []string) {
	if m, ok := v.required("elements"); ok {
		for _, e := range m.counted(path) {
			e.element(allowed)
		}
	}
}

func (v value) context() {
	list, ok := v.required("elements")
	if !ok {
		return
	}
	for _, e := range list.counted("context.elements") {
		kind, ok := e.kind("image", "plain_text", "mrkdwn")
		switch {
		case !ok:
		case kind == "image":
			e.picture()
		default:
			e.text(mrkdwn, "text")
		}
	}
}

func (v value) input() {
	v.requiredText("label", plain, "input.label")
	v.optionalText("hint", plain, "input.hint")
	if m, ok := v.required("element"); ok {
		m.element(inInput)
	}
}

func (v value) markdownBlock() {
	m, ok := v.required("text")
	if !ok {
		return
	}
	n := m.measured("markdown.text")
	v.characters += n
	if n <= limit("markdown.text.max_length") { // a longer one has its own violation
		v.markdown += n
	}
}

func (v value) video() {
	v.requiredString("video_url", "video.video_url")
	v.requiredString("thumbnail_url", "video.thumbnail_url")
	v.requiredString("alt_text", "video.alt_text")
	v.requiredText("title", plain, "video.title")
	v.optionalText("description", plain, "video.description")
	v.optionalString("author_name", "video.author_name")
	v.optionalString("provider_name", "video.provider_name")
}
