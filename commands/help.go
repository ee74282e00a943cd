package commands

import (
	"context"

	"github.com/superduperai/sessionbot/internal/blockkit"
)

func (r *Registry) help(group string) Command {
	return Command{Group: group, Name: "help", Summary: "this list", Parse: withoutArgs(func(context.Context, Request) (Answer, error) {
		lines := []blockkit.Line{blockkit.BoldLine("What /" + group + " can do")}
		for _, command := range r.group(group) {
			lines = append(lines, blockkit.L(blockkit.Code(command.usage()), blockkit.Plain("  "+command.Summary)))
		}
		if group == "session" {
			lines = append(lines, blockkit.PlainLine("Paste an id as it is, in quotes, in a link or in a sentence, also without a command; likewise a customer's e-mail address or a payment (pi_…)."),
				blockkit.PlainLine("Only operators approve. A plan that may cost twice takes two presses, and some workspaces require another operator than the one who requested it: the plan says so."))
		}
		return Answer{Blocks: blockkit.Message(lines...)}, nil
	})}
}
