package commands

import (
	"context"

	"github.com/superduperai/sessionbot/internal/blockkit"
)

func (r *Registry) help(group string) Command {
	return Command{Group: group, Name: "help", Summary: "what can be asked for", Parse: withoutArgs(func(context.Context, Request) (Answer, error) {
		lines := []blockkit.Line{blockkit.BoldLine("What /" + group + " can do")}
		for _, command := range r.group(group) {
			lines = append(lines, blockkit.L(blockkit.Code(command.usage()), blockkit.Plain("  "+command.Summary)))
		}
		if group == "session" {
			lines = append(lines, blockkit.PlainLine("An id may be pasted as it is, in quotes, inside a link or a sentence, and without a command; so may a customer's e-mail address or a payment (pi_…)."))
		}
		return Answer{Blocks: blockkit.Message(lines...)}, nil
	})}
}
