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
	inContextActions = []string{"feedback_buttons", "icon_button"}
)

// element checks an interactive element or image that may be of some types.
func (v value) element(allowed []string) {
	kind, ok := v.kind(allowed...)
	if !ok {
		return
	}
	v.ownID("action_id", v.actionIDs)
	v.confirm()
	switch kind {
	case "button", "workflow_button", "icon_button":
		v.button(kind)
	case "feedback_buttons":
		v.feedback("positive_button")
		v.feedback("negative_button")
	case "image":
		v.picture()
	case "overflow":
		v.options(plain, "overflow.options")
	case "checkboxes":
		v.options(mrkdwn, "checkboxes.options")
	case "radio_buttons":
		v.options(mrkdwn, "radio_buttons.options")
	case "plain_text_input":
		v.within("max_length", "plain_text_input.max_length")
		v.optionalText("placeholder", plain, "select.placeholder")
	case "file_input":
		v.within("max_files", "file_input.max_files")
	default: // selects, pickers and other inputs
		v.optionalText("placeholder", plain, "select.placeholder")
		if kind == "static_select" || kind == "multi_static_select" {
			v.menu()
		}
	}
}

// button checks a button of any type.
func (v value) button(kind string) {
	v.requiredText("text", plain, "button.text")
	v.optionalString("url", "button.url")
	v.optionalString("value", "button.value")
	v.optionalString("accessibility_label", "button.accessibility_label")
	v.optionalOneOf("style", "primary", "danger")
	switch kind {
	case "icon_button":
		v.requiredString("icon", "icon_button.icon")
		if m, ok := v.member("visible_to_user_ids"); ok {
			m.counted("icon_button.visible_to_user_ids")
		}
	case "workflow_button":
		v.required("workflow")
	}
}

func (v value) feedback(name string) {
	m, ok := v.required(name)
	if !ok || !m.isObject() {
		return
	}
	m.requiredText("text", plain, "feedback_button.text")
	m.requiredString("value", "feedback_button.value")
	m.optionalString("accessibility_label", "feedback_button.accessibility_label")
}

// menu checks the choices of a static select: options or groups of them.
func (v value) menu() {
	groups, grouped := v.member("option_groups")
	if !grouped {
		v.options(plain, "select.options")
		return
	}
	for _, g := range groups.counted("select.option_groups") {
		g.optionGroup()
	}
}
