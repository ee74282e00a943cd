package blockcheck

import "slices"

// Elements by where Slack takes them.
var (
	selects = []string{
		"static_select", "external_select", "users_select", "conversations_select", "channels_select",
		"multi_static_select", "multi_external_select", "multi_users_select", "multi_conversations_select",
		"multi_channels_select",
	}
	choices   = []string{"checkboxes", "radio_buttons", "datepicker", "timepicker"}
	accessory = slices.Concat(selects, choices, []string{"button", "image", "overflow", "workflow_button"})
	inActions = slices.Concat(selects, choices, []string{"button", "datetimepicker", "overflow", "workflow_button"})
	inInput   = slices.Concat(selects, choices, []string{
		"datetimepicker", "email_text_input", "file_input", "number_input", "plain_text_input",
		"rich_text_input", "url_text_input",
	})
)

// element checks an interactive element or image that may be of some types.
func element(allowed ...string) rule {
	return func(v value) {
		kind, ok := v.kind(allowed...)
		if !ok {
			return
		}
		v.uniqueID("action_id", v.actionIDs)
		fields(may("confirm", confirmation))(v)
		check, ok := elementRules[kind]
		if !ok { // selects, pickers and other inputs
			check = fields(placeholder)
		}
		check(v)
	}
}

var elementRules = map[string]rule{
	"button":              fields(buttonFields...),
	"workflow_button":     fields(append(buttonFields, must("workflow", nil))...),
	"icon_button":         fields(append(buttonFields, must("icon", nonEmpty("icon_button.icon")), may("visible_to_user_ids", list("icon_button.visible_to_user_ids", nil)))...),
	"feedback_buttons":    fields(must("positive_button", feedbackButton), must("negative_button", feedbackButton)),
	"image":               imageSource,
	"overflow":            fields(must("options", options(plain, "overflow.options"))),
	"checkboxes":          fields(must("options", options(mrkdwn, "checkboxes.options"))),
	"radio_buttons":       fields(must("options", options(mrkdwn, "radio_buttons.options"))),
	"plain_text_input":    fields(may("max_length", between("plain_text_input.max_length")), placeholder),
	"file_input":          fields(may("max_files", between("file_input.max_files"))),
	"static_select":       staticSelect,
	"multi_static_select": staticSelect,
}

var (
	placeholder = may("placeholder", textObject(plain, "select.placeholder"))

	buttonFields = []field{
		must("text", textObject(plain, "button.text")),
		may("url", bounded("button.url")),
		may("value", bounded("button.value")),
		may("accessibility_label", bounded("button.accessibility_label")),
		may("style", enum("primary", "danger")),
	}

	feedbackButton = object(
		must("text", textObject(plain, "feedback_button.text")),
		must("value", nonEmpty("feedback_button.value")),
		may("accessibility_label", bounded("feedback_button.accessibility_label")),
	)

	confirmation = object(
		must("title", textObject(plain, "confirmation.title")),
		must("text", textObject(mrkdwn, "confirmation.text")),
		must("confirm", textObject(plain, "confirmation.confirm")),
		may("deny", textObject(plain, "confirmation.deny")),
		may("style", enum("primary", "danger")),
	)

	optionGroup = object(
		must("label", textObject(plain, "option_group.label")),
		must("options", options(plain, "option_group.options")),
	)
)

func options(kinds []string, path string) rule {
	return list(path, object(
		must("text", textObject(kinds, "option.text")),
		must("value", nonEmpty("option.value")),
		may("description", textObject(kinds, "option.description")),
		may("url", bounded("option.url")),
	))
}

// staticSelect has either options or groups of them.
func staticSelect(v value) {
	choices := must("options", options(plain, "select.options"))
	if _, grouped := v.member("option_groups"); grouped {
		choices = must("option_groups", list("select.option_groups", optionGroup))
	}
	fields(placeholder, choices)(v)
}

// imageSource checks the address and the alternative text of an image.
func imageSource(v value) {
	if !v.isObject() {
		return
	}
	_, hasFile := v.member("slack_file")
	fields(
		field{"image_url", !hasFile, bounded("image.image_url")},
		must("alt_text", nonEmpty("image.alt_text")),
	)(v)
}
