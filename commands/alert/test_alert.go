package alert

import "github.com/superduperai/sessionbot/internal/blockkit"

// Test shows that alerts arrive, and whom they mention.
func Test(o Options) Message {
	next := "→ Nothing to do: the test worked. Alerts appear in this channel, and mention the same people."
	if o.Mention == "" {
		next = "→ The test worked, but alerts mention nobody. Set ONCALL_MENTION if somebody should be notified; otherwise there is nothing to do."
	}
	return composeAlert(":white_check_mark:", "Test alert: no session is in trouble.", o.Mention,
		blockkit.Message(blockkit.PlainLine(next)))
}
