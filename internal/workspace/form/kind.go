package form

// kind is how one type of element is filled.
type kind struct {
	// state is the member of state.values that holds what was chosen or typed.
	// Elements without one, such as buttons, have no state.
	state string
	// initial is the element's member with which it starts.
	initial string
	// many means that several may be chosen.
	many bool
	// check makes what the app sees of one value, or says what is wrong with it.
	check func(Element, string, World) (any, error)
}

// World is the workspace as a form needs it.
type World struct {
	HasUser    func(id string) bool
	HasChannel func(id string) bool
	// File is what apps see of a file that the person uploaded, nil = there is none.
	File func(id string) map[string]any
	// Offered are the options that the app gave for external selects.
	Offered []any
}

// kinds are the interactive elements.
var kinds = map[string]kind{
	"button":           {},
	"workflow_button":  {},
	"icon_button":      {},
	"feedback_buttons": {},
	"overflow":         {check: offered},

	"static_select":        {"selected_option", "initial_option", false, offered},
	"external_select":      {"selected_option", "initial_option", false, fetched},
	"users_select":         {"selected_user", "initial_user", false, user},
	"channels_select":      {"selected_channel", "initial_channel", false, conversation},
	"conversations_select": {"selected_conversation", "initial_conversation", false, conversation},
	"radio_buttons":        {"selected_option", "initial_option", false, offered},

	"multi_static_select":        {"selected_options", "initial_options", true, offered},
	"multi_external_select":      {"selected_options", "initial_options", true, fetched},
	"multi_users_select":         {"selected_users", "initial_users", true, user},
	"multi_channels_select":      {"selected_channels", "initial_channels", true, conversation},
	"multi_conversations_select": {"selected_conversations", "initial_conversations", true, conversation},
	"checkboxes":                 {"selected_options", "initial_options", true, offered},

	"datepicker":     {"selected_date", "initial_date", false, layout("2006-01-02", "a date such as 2026-03-01")},
	"timepicker":     {"selected_time", "initial_time", false, layout("15:04", "a time such as 08:30")},
	"datetimepicker": {"selected_date_time", "initial_date_time", false, dateTime},

	"plain_text_input": {"value", "initial_value", false, plainText},
	"email_text_input": {"value", "initial_value", false, email},
	"url_text_input":   {"value", "initial_value", false, webAddress},
	"number_input":     {"value", "initial_value", false, number},
	"rich_text_input":  {"rich_text_value", "initial_value", false, richText},
	"file_input":       {"files", "initial_files", true, file}, // which no app sets: the page shows it
}
