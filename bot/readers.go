package bot

import (
	"context"
	"slices"
	"strings"

	"github.com/superduperai/sessionbot/commands"
)

// everyone in a list of people stands for every full member of the workspace.
const everyone = "*"

// people are those whom a variable lists: ids of users and of user groups, or
// everyone.
type people struct {
	variable  string // the list's name, such as READERS
	listed    []string
	directory *directory
}

// notAdmitted says why somebody is turned away, in words for them.
type notAdmitted struct {
	words string
	ask   []string // whom to ask, named behind the words; empty = nobody is known
	err   error    // what could not be looked up, nil = they are simply not listed
}

func (n *notAdmitted) Error() string { return n.words }
func (n *notAdmitted) Unwrap() error { return n.err }

// admit returns nil for those who are listed, else a *notAdmitted. What cannot
// be looked up admits nobody.
func (p *people) admit(ctx context.Context, user string) error {
	if user != "" && slices.Contains(p.listed, user) {
		return nil
	}
	var unseen *notAdmitted
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
		if member && err == nil {
			return nil
		}
		if err != nil {
			unseen = p.unseen(id, err)
		}
	}
	if unseen != nil {
		return unseen
	}
	return &notAdmitted{words: p.who()}
}

func (p *people) unseen(id string, err error) *notAdmitted {
	fault := FaultOf(err)
	words := "Slack could not tell who you are (" + fault.Name() + "), so nothing was done. " + fault.Advice()
	if id != everyone {
		words = "The user group " + id + " of " + p.variable + " cannot be read (" + fault.Name() + "), so it admits nobody. " + fault.Advice()
	}
	return &notAdmitted{words: words, err: fault}
}

func (p *people) who() string {
	if slices.Contains(p.listed, everyone) {
		return string(commands.AsideReaders)
	}
	return "Only the people and groups listed in " + p.variable + " may ask. Whoever runs this bot can add you."
}
