package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/superduperai/sessionbot/bot/access"
)

// maxLookups is how many ids are looked up at the same time.
const maxLookups = 5

func isGroup(id string) bool { return strings.HasPrefix(id, "S") }

// person is what an id of a list refers to.
type person struct {
	id      string
	members []string // the users that it admits: itself, or a group's members
	outside bool     // a guest, a bot or a user of another workspace
	fault   Result   // why it admits no one; without a level it does
}

// lookUp asks Slack whom an id refers to.
func (s *slackChecker) lookUp(ctx context.Context, id string) person {
	if isGroup(id) {
		members, err := s.api.GetUserGroupMembersContext(ctx, id)
		switch {
		case err != nil:
			return person{fault: refused(id, err)}
		case len(members) == 0:
			return person{fault: fail(id+": a group without members", "add members to the group")}
		}
		return person{id: id, members: members}
	}
	user, err := s.api.GetUserInfoContext(ctx, id)
	switch {
	case err != nil:
		return person{fault: refused(id, err)}
	case user.Deleted:
		return person{fault: fail(id+": has left", "remove the id")}
	}
	return person{id: id, members: []string{id}, outside: !access.FullMember(user, s.me.TeamID)}
}

// resolve looks up all ids of a variable but "*". If some admit no one, fault
// names them.
func (s *slackChecker) resolve(ctx context.Context, variable string, ids []string) (people []person, fault Result) {
	ids = without(ids, []string{"*"})
	people = make([]person, len(ids))
	var group errgroup.Group
	group.SetLimit(maxLookups)
	for i := range people {
		group.Go(func() error {
			people[i] = s.lookUp(ctx, ids[i])
			return nil
		})
	}
	_ = group.Wait() // each has its own fault
	var seen []string
	for _, p := range people {
		if p.fault.Level == "" {
			continue
		}
		seen = append(seen, p.fault.Seen)
		if fault.Level != Failed {
			fault = p.fault
		}
	}
	if len(seen) > 0 {
		fault.Seen = variable + " cannot be resolved: " + list(seen)
	}
	return people, fault
}

// operators checks that those listed can approve repairs.
func (s *slackChecker) operators(ctx context.Context) Result {
	if s.Unusable["OPERATORS"] {
		return Result{}
	}
	if len(s.Operators) == 0 {
		return warn("OPERATORS is empty: nobody can approve a repair", "list ids of users and groups there")
	}
	people, fault := s.resolve(ctx, "OPERATORS", s.Operators)
	if fault.Level != "" {
		return fault
	}
	if slices.Contains(s.Operators, "*") {
		return pass("every full member of the workspace")
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
		return fail("OPERATORS lists no full member of the workspace", "list at least one: guests and bots cannot approve")
	case len(able) == 1 && s.Approvals != "none":
		return fail("there is only one operator, and APPROVALS requires a second", "list another, or set APPROVALS to none")
	case len(outside) > 0:
		return warn("not full members, so they cannot approve: "+list(outside), "remove the ids")
	}
	return pass(fmt.Sprintf("%s, listed as %s", plural(len(able), "operator"), list(s.Operators)))
}

// admitted checks that the ids of a variable admit people.
func (s *slackChecker) admitted(ctx context.Context, variable string, ids []string) Result {
	if s.Unusable[variable] {
		return Result{}
	}
	_, fault := s.resolve(ctx, variable, ids)
	switch {
	case fault.Level != "":
		return fault
	case slices.Contains(ids, "*"):
		return pass("every full member of the workspace")
	}
	return pass(list(ids))
}
