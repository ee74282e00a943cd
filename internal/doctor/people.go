package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/superduperai/sessionbot/bot"
)

// atATime is how many people of a list are looked up together.
const atATime = 5

func isGroup(id string) bool { return strings.HasPrefix(id, "S") }

// person is what an id of a list turned out to be.
type person struct {
	id      string
	members []string // whom it admits; itself, or a group's
	trouble Result   // why it admits nobody; without a level it does
	outside bool     // a guest, a bot or somebody of another workspace
}

// look asks Slack who an id is.
func (s *slackExam) look(ctx context.Context, id string) person {
	p := person{id: id}
	if isGroup(id) {
		members, err := s.api.GetUserGroupMembersContext(ctx, id)
		switch {
		case err != nil:
			p.trouble = refused(id, err)
		case len(members) == 0:
			p.trouble = broken(id+": a group without members", "put somebody into the group")
		}
		p.members = members
		return p
	}
	user, err := s.api.GetUserInfoContext(ctx, id)
	switch {
	case err != nil:
		p.trouble = refused(id, err)
	case user.Deleted:
		p.trouble = broken(id+": has left", "take the id out")
	default:
		p.members = []string{id}
		p.outside = !bot.FullMember(user, s.me.TeamID)
	}
	return p
}

// lookAll asks for several. Everyone is nobody in particular.
func (s *slackExam) lookAll(ctx context.Context, ids []string) []person {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == "*" })
	people := make([]person, len(ids))
	group := errgroup.Group{}
	group.SetLimit(atATime)
	for i := range people {
		group.Go(func() error {
			people[i] = s.look(ctx, ids[i])
			return nil
		})
	}
	_ = group.Wait() // each tells of itself
	return people
}

func (s *slackExam) operators(ctx context.Context) Result {
	if s.Unusable["OPERATORS"] {
		return Result{}
	}
	if len(s.Operators) == 0 {
		return warn("OPERATORS is empty: nobody can approve a repair", "list ids of users and groups there")
	}
	return judgeOperators(s.Operators, s.lookAll(ctx, s.Operators), s.Approvals)
}

// judgeOperators tells whether those who are listed can approve repairs.
func judgeOperators(listed []string, people []person, approvals string) Result {
	if r, ok := unresolved("OPERATORS", people); !ok {
		return r
	}
	if slices.Contains(listed, "*") {
		return fine("every full member of the workspace")
	}
	var outside []string
	able := map[string]bool{}
	for _, p := range people {
		if p.outside {
			outside = append(outside, p.id)
			continue
		}
		for _, member := range p.members {
			able[member] = true
		}
	}
	switch {
	case len(able) == 0:
		return broken("OPERATORS lists no full member of the workspace", "list one: guests and bots cannot approve")
	case len(able) == 1 && approvals != "none":
		return broken("there is one operator, and APPROVALS asks for a second", "list another, or set APPROVALS to none")
	case len(outside) > 0:
		return warn("no full members, who cannot approve: "+list(outside), "take the ids out")
	}
	return fine(fmt.Sprintf("%s, listed as %s", plural(len(able), "operator"), list(listed)))
}

func (s *slackExam) readers(ctx context.Context) Result {
	if s.Unusable["READERS"] {
		return Result{}
	}
	if r, ok := unresolved("READERS", s.lookAll(ctx, s.Readers)); !ok {
		return r
	}
	if slices.Contains(s.Readers, "*") {
		return fine("every full member of the workspace")
	}
	return fine(list(s.Readers))
}

func (s *slackExam) oncall(ctx context.Context) Result {
	if r, ok := unresolved("ONCALL_MENTION", s.lookAll(ctx, []string{s.Oncall})); !ok {
		return r
	}
	return fine(s.Oncall)
}

// unresolved names those of a list who are nobody; ok where there is none.
func unresolved(variable string, people []person) (r Result, ok bool) {
	var seen []string
	for _, p := range people {
		if p.trouble.Level == "" {
			continue
		}
		seen = append(seen, p.trouble.Seen)
		if r.Level != Failed {
			r = p.trouble
		}
	}
	if len(seen) == 0 {
		return Result{}, true
	}
	r.Seen = variable + " cannot be resolved: " + list(seen)
	return r, false
}
