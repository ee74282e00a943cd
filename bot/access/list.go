// Package access decides who may ask and who may approve, by the lists of users and user
// groups that are configured and by what Slack says of them.
package access

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

// List is an access list: ids of users and of user groups, or everyone.
type List struct {
	Variable  string // its name, such as READERS
	Listed    []string
	Directory *Directory
}

// Denial says why a person may not.
type Denial struct {
	Text  string
	Ask   []string        // whom to ask, named after the text; may be empty
	Cause *slackapi.Fault // of the lookup, nil = they are not listed
}

// Line is the text that the person reads.
func (n *Denial) Line() blockkit.Line {
	line := blockkit.L(blockkit.Plain(n.Text))
	if len(n.Ask) > 0 {
		line = append(append(line, blockkit.Plain(" Ask ")), names(n.Ask)...)
		line = append(line, blockkit.Plain("."))
	}
	return line
}

// Admit returns nil for a listed person. A failed lookup admits no one.
func (l List) Admit(ctx context.Context, user string) *Denial {
	if user != "" && slices.Contains(l.Listed, user) {
		return nil
	}
	var failed *Denial
	for _, id := range l.Listed {
		var member bool
		var err error
		switch {
		case id == everyone:
			member, err = l.Directory.fullMember(ctx, user)
		case strings.HasPrefix(id, "S"):
			var members []string
			members, err = l.Directory.members(ctx, id)
			member = slices.Contains(members, user)
		}
		if err != nil {
			failed = l.lookupFailed(id, err)
		} else if member {
			return nil
		}
	}
	switch {
	case failed != nil:
		return failed
	case slices.Contains(l.Listed, everyone):
		return &Denial{Text: string(message.NoticeReaders)}
	}
	return &Denial{Text: "Only the people and groups listed in " + l.Variable + " may use this bot. Ask its operators to add you there."}
}

// AdmitOperator returns nil for a listed full member of this workspace. An empty
// list admits no one, and neither does a failed lookup.
func (l List) AdmitOperator(ctx context.Context, user string) *Denial {
	if len(l.Listed) == 0 {
		return &Denial{Text: string(message.NoticeNoOperators)}
	}
	if refused := l.Admit(ctx, user); refused != nil {
		if refused.Cause != nil {
			return refused
		}
		return &Denial{Text: string(message.NoticeOperators), Ask: l.Listed}
	}
	member, err := l.Directory.fullMember(ctx, user)
	switch {
	case err != nil:
		return l.lookupFailed(everyone, err)
	case !member:
		return &Denial{Text: string(message.NoticeMembers), Ask: l.Excluding(user)}
	}
	return nil
}

func (l List) lookupFailed(id string, err error) *Denial {
	fault := slackapi.FaultOf(err)
	text := "Slack could not identify you (" + fault.Name() + "), so nothing was done. "
	if id != everyone {
		text = "The user group " + id + " of " + l.Variable + " could not be read (" + fault.Name() + "), so nobody in it may do this now. "
	}
	return &Denial{Text: text + fault.Advice(), Cause: fault}
}

// Excluding returns the list without one person.
func (l List) Excluding(user string) []string {
	return slices.DeleteFunc(slices.Clone(l.Listed), func(id string) bool { return id == user })
}

// maxNames is how many of the people to ask are named.
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
