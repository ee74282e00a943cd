package bot

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// presses are decisions about a plan, of which Include counts as the first press.
type presses struct {
	laterPlans
	Decisions
	verdict repair.ClaimVerdict
	err     error
	did     []string
}

func (p *presses) Approve(_ context.Context, id, press string, by store.Actor, where string) (repair.ClaimResult, error) {
	p.did = append(p.did, id+press+" by "+by.ID+" in "+where)
	return repair.ClaimResult{Verdict: p.verdict, Plan: repair.PlanRecord{Plan: planAt}, Press: "N1"}, p.err
}

// TestIncludeIsAPress only on a plan that needs two, and by a person who may approve it.
func TestIncludeIsAPress(t *testing.T) {
	t.Parallel()
	const pressed, shown = "P1 by U1 in C1", "updated C1 1.2"
	for _, c := range []struct {
		name, user, approvals, risk string
		verdict                     repair.ClaimVerdict
		err                         error
		did, says                   string // "" = nothing
	}{
		{"an operator", "U1", "none", "twice", repair.NeedsSecondPress, nil, pressed, shown},
		{"of a plan that warns of nothing any more", "U1", "none", "", "", nil, "", ""},
		{"no operator", "U3", "none", "twice", "", nil, "", ""},
		{"where another operator has to approve", "U1", "generate", "twice", "", nil, "", ""},
		{"somebody approved it meanwhile", "U1", "none", "twice", repair.AlreadyClaimed, nil, pressed, ""},
		{"Redis is away", "U1", "none", "twice", "", io.ErrUnexpectedEOF, pressed, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			slack := listeningSlack(t)
			p := &presses{laterPlans: laterPlans{state: repair.PlanOpen}, verdict: c.verdict, err: c.err}
			a := approvals{slack.responder(t, Config{Commands: outcomes{}, Deadlines: NewDeadlines(24), Now: time.Now, Metrics: &gauge{},
				Repairs: Repairs{Plans: p, Decisions: p, Approvals: c.approvals}})}
			plan := repair.Plan{ID: "P1", Action: store.ActionGenerate, Risk: c.risk, Requester: store.Actor{ID: c.user}, Items: make([]repair.Plan, 2)}
			a.countIncludeAsPress(t.Context(), requester{arrival: arrival{ref: "r1"}, user: c.user, channel: "C1", responseURL: slack.URL + "/answer"}, plan)
			if did, says := strings.Join(p.did, ", "), strings.Join(slack.texts, ", "); did != c.did || says != c.says {
				t.Errorf("did %q, want %q; said %q, want %q", did, c.did, says, c.says)
			}
		})
	}
}
