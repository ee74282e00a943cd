package bot

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
)

// admitOperator returns nil for full members of this workspace whom OPERATORS
// lists. An empty list admits nobody, and neither does one that cannot be read.
func (p *people) admitOperator(ctx context.Context, user string) error {
	if len(p.listed) == 0 {
		return &notAdmitted{words: string(commands.AsideNoOperators)}
	}
	if err := p.admit(ctx, user); err != nil {
		if errors.Unwrap(err) != nil {
			return err
		}
		return &notAdmitted{words: string(commands.AsideOperators), ask: p.listed}
	}
	member, err := p.directory.fullMember(ctx, user)
	switch {
	case err != nil:
		return p.unseen(everyone, err)
	case !member:
		return &notAdmitted{words: string(commands.AsideMembers), ask: p.others(user)}
	}
	return nil
}

// others are who is listed beside somebody.
func (p *people) others(user string) []string {
	return slices.DeleteFunc(slices.Clone(p.listed), func(id string) bool { return id == user })
}

// turnAway tells somebody why they may not, and whom to ask. Only they see it,
// so those who are named are not called.
func (b *Bot) turnAway(ctx context.Context, to asker, err error) {
	line := blockkit.L(blockkit.Plain(err.Error()))
	var refused *notAdmitted
	if errors.As(err, &refused) && len(refused.ask) > 0 {
		line = append(append(line, blockkit.Plain(" Ask ")), names(refused.ask)...)
		line = append(line, blockkit.Plain("."))
	}
	if cause := errors.Unwrap(err); cause != nil {
		b.log.Error("a person could not be looked up and was refused", "ref", to.ref, "error", cause, "advice", FaultOf(cause).Advice())
	}
	b.metrics.Answered("", string(commands.Refused), 0)
	b.line(ctx, to, line)
}

// maxNames is how many of those whom to ask are named.
const maxNames = 5

func names(ids []string) blockkit.Line {
	if slices.Contains(ids, everyone) {
		return blockkit.L(blockkit.Plain("a full member of this workspace"))
	}
	var line blockkit.Line
	for i, id := range ids[:min(len(ids), maxNames)] {
		if i > 0 {
			line = append(line, blockkit.Plain(" or "))
		}
		if strings.HasPrefix(id, "S") {
			line = append(line, blockkit.Group(id))
		} else {
			line = append(line, blockkit.User(id))
		}
	}
	return line
}
