package bot

import (
	"context"
	"slices"
	"strings"

	"github.com/superduperai/sessionbot/bot/slackapi"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
)

// everyone in a list of people means every full member of the workspace.
const everyone = "*"

// people is an access list: ids of users and of user groups, or everyone.
type people struct {
	variable  string // the list's name, such as READERS
	listed    []string
	directory *directory
}

// refusal says why a person may not.
type refusal struct {
	text  string
	ask   []string        // whom to ask, named after the text; may be empty
	cause *slackapi.Fault // of the lookup, nil = they are not listed
}

// line is the text that the person reads.
func (n *refusal) line() blockkit.Line {
	line := blockkit.L(blockkit.Plain(n.text))
	if len(n.ask) > 0 {
		line = append(append(line, blockkit.Plain(" Ask ")), names(n.ask)...)
		line = append(line, blockkit.Plain("."))
	}
	return line
}

// admit returns nil for a listed person. A failed lookup admits nobody.
func (p *people) admit(ctx context.Context, user string) *refusal {
	if user != "" && slices.Contains(p.listed, user) {
		return nil
	}
	var failed *refusal
	for _, id := range p.listed {
		var member bool
		var err error
		switch {
		case id == everyone:
			member, err = p.directory.fullMember(ctx, user)
		case strings.HasPrefix(id, "S"):
			var members []string
			members, err = p.directory.members(ctx, id)
			member = slices.Contains(members, user)
		}
		if err != nil {
			failed = p.lookupFailed(id, err)
		} else if member {
			return nil
		}
	}
	switch {
	case failed != nil:
		return failed
	case slices.Contains(p.listed, everyone):
		return &refusal{text: string(message.NoticeReaders)}
	}
	return &refusal{text: "Only the people and groups listed in " + p.variable + " may use this bot. Ask its operators to add you there."}
}

// admitOperator returns nil for a listed full member of this workspace. An empty
// list admits nobody, and neither does a failed lookup.
func (p *people) admitOperator(ctx context.Context, user string) *refusal {
	if len(p.listed) == 0 {
		return &refusal{text: string(message.NoticeNoOperators)}
	}
	if refused := p.admit(ctx, user); refused != nil {
		if refused.cause != nil {
			return refused
		}
		return &refusal{text: string(message.NoticeOperators), ask: p.listed}
	}
	member, err := p.directory.fullMember(ctx, user)
	switch {
	case err != nil:
		return p.lookupFailed(everyone, err)
	case !member:
		return &refusal{text: string(message.NoticeMembers), ask: p.excluding(user)}
	}
	return nil
}

func (p *people) lookupFailed(id string, err error) *refusal {
	fault := slackapi.FaultOf(err)
	text := "Slack could not identify you (" + fault.Name() + "), so nothing was done. "
	if id != everyone {
		text = "The user group " + id + " of " + p.variable + " could not be read (" + fault.Name() + "), so nobody in it may do this now. "
	}
	return &refusal{text: text + fault.Advice(), cause: fault}
}

// excluding lists everybody but one person.
func (p *people) excluding(user string) []string {
	return slices.DeleteFunc(slices.Clone(p.listed), func(id string) bool { return id == user })
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
