package bot

import (
	"context"
	"errors"
	"strings"

	"github.com/superduperai/sessionbot/store"
)

// admitOperator returns nil for full members of this workspace whom OPERATORS
// lists. An empty list admits nobody, and neither does one that cannot be read.
func (p *people) admitOperator(ctx context.Context, user string) error {
	if len(p.listed) == 0 {
		return &notAdmitted{words: "Nobody may approve repairs yet: OPERATORS is empty. Whoever runs this bot can list operators there."}
	}
	if err := p.admit(ctx, user); err != nil {
		if errors.Unwrap(err) != nil {
			return err
		}
		return &notAdmitted{words: "Only operators may do this. Ask " + p.names() + "; they are listed in OPERATORS."}
	}
	member, err := p.directory.fullMember(ctx, user)
	switch {
	case err != nil:
		return p.unseen(everyone, err)
	case !member:
		return &notAdmitted{words: "Only full members of this workspace may do this: no guests, and nobody from a connected workspace."}
	}
	return nil
}

// names are those whom to ask, without calling them.
func (p *people) names() string {
	var names []string
	for _, id := range p.listed {
		if id == everyone {
			return "a full member of this workspace"
		}
		names = append(names, id)
	}
	return strings.Join(names, ", ")
}

func (b *Bot) unknownPlan(err error) bool {
	return errors.Is(err, store.ErrUnknownPlan) || errors.Is(err, store.ErrUnknownJob)
}
