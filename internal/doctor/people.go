package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/superduperai/sessionbot/bot"
)

// maxLookups is how many ids are looked up at the same time.
const maxLookups = 5

func isGroup(id string) bool { return strings.HasPrefix(id, "S") }

// person is what an id of a list refers to.
type person struct {
	id      string
	members []string // whom it admits: itself, or a group's
	fault   Result   // why it admits nobody; without a level it does
	outside bool     // a guest, a bot or somebody of another workspace
}

// lookUp asks Slack whom an id refers to.
func (s *slackChecker) lookUp(ctx context.Context, id string) person {
	p := person{id: id}
	if isGroup(id) {
		members, err := s.api.GetUserGroupMembersContext(ctx, id)
		switch {
		case err != nil:
			p.fault = refused(id, err)
		case len(members) == 0:
			p.fault = fail(id+": a group without members", "put somebody into the group")
		}
		p.members = members
		return p
	}
	user, err := s.api.GetUserInfoContext(ctx, id)
	switch {
	case err != nil:
		p.fault = refused(id, err)
	case user.Deleted:
		p.fault = fail(id+": has left", "take the id out")
	default:
		p.members = []string{id}
		p.outside = !bot.FullMember(user, s.me.TeamID)
	}
	return p
}

// lookUpAll looks up all ids but "*".
func (s *slackChecker) lookUpAll(ctx context.Context, ids []string) []person {
	ids = without(ids, []string{"*"})
	people := make([]person, len(ids))
	var group errgroup.Group
	group.SetLimit(maxLookups)
	for i := range people {
		group.Go(func() error {
			people[i] = s.lookUp(ctx, ids[i])
			return nil
		})
	}
	_ = group.Wait() // each has its own fault
	return people
}

func (s *slackChecker) operators(ctx context.Context) Result {
	if s.Unusable["OPERATORS"] {
		return Result{}
	}
	if len(s.Operators) == 0 {
		return warn("OPERATORS is empty: nobody can approve a repair", "list ids of users and groups there")
	}
	return judgeOperators(s.Operators, s.lookUpAll(ctx, s.Operators), s.Approvals)
}

// judgeOperators judges whether those listed can approve repairs.
func judgeOperators(listed []string, people []person, approvals string) Result {
	if r, ok := unresolved("OPERATORS", people); !ok {
		return r
	}
	if slices.Contains(listed, "*") {
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
		return fail("OPERATORS lists no full member of the workspace", "list one: guests and bots cannot approve")
	case len(able) == 1 && approvals != "none":
		return fail("there is one operator, and APPROVALS asks for a second", "list another, or set APPROVALS to none")
	case len(outside) > 0:
		return warn("no full members, who cannot approve: "+list(outside), "take the ids out")
	}
	return pass(fmt.Sprintf("%s, listed as %s", plural(len(able), "operator"), list(listed)))
}

func (s *slackChecker) readers(ctx context.Context) Result {
	if s.Unusable["READERS"] {
		return Result{}
	}
	if r, ok := unresolved("READERS", s.lookUpAll(ctx, s.Readers)); !ok {
		return r
	}
	if slices.Contains(s.Readers, "*") {
		return pass("every full member of the workspace")
	}
	return pass(list(s.Readers))
}

func (s *slackChecker) oncall(ctx context.Context) Result {
	if r, ok := unresolved("ONCALL_MENTION", s.lookUpAll(ctx, []string{s.Oncall})); !ok {
		return r
	}
	return pass(s.Oncall)
}

// unresolved names the ids of a list that admit nobody; ok if there are none.
func unresolved(variable string, people []person) (r Result, ok bool) {
	var seen []string
	for _, p := range people {
		if p.fault.Level == "" {
			continue
		}
		seen = append(seen, p.fault.Seen)
		if r.Level != Failed {
			r = p.fault
		}
	}
	if len(seen) == 0 {
		return Result{}, true
	}
	r.Seen = variable + " cannot be resolved: " + list(seen)
	return r, false
}
