package alert

import "github.com/superduperai/sessionbot/internal/blockkit"

// Test shows that alerts arrive, and whom they mention.
func Test(o Options) Message {
	whom := ", and mention the same people."
	if o.Mention == "" {
		whom = ", and mention nobody: ONCALL_MENTION is not set."
	}
	return composeAlert(":white_check_mark:", "Test alert: no session is in trouble.", o.Mention,
		blockkit.Message(blockkit.PlainLine("→ Nothing to do. Alerts appear in this channel"+whom)))
}
