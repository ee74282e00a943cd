package commands_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/commands/alert"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/storetest"
	"github.com/superduperai/sessionbot/store/sweep"
)

// crowd is a world with many orphaned sessions, the oldest first.
type crowd struct {
	world
	evidence map[string]diagnosis.Evidence // as seen afresh
	ids      []string
	plans    map[string]repair.Plan
}

func newCrowd(n int) *crowd {
	c := &crowd{evidence: map[string]diagnosis.Evidence{}, plans: map[string]repair.Plan{}}
	for i := range n {
		s := storetest.Held(storetest.FoxPrompt, "", "")
		s.ID = fmt.Sprintf("cs_live_crowd%03d", i)
		paid := noon.Add(time.Duration(i-n)*time.Minute - time.Hour)
		c.ids = append(c.ids, s.ID)
		c.evidence[s.ID] = diagnosis.Evidence{Session: s, SiteLayout: store.LayoutThreeKey,
			Payment: store.Payment{SessionID: s.ID, State: store.PaymentPaid, Amount: 100, Currency: "usd", ChargedAt: paid},
			Event:   store.Event{ID: "evt_1", State: store.EventDelivered, Created: paid}}
	}
	return c
}

// edit changes what is seen of a session.
func (c *crowd) edit(i int, change func(*diagnosis.Evidence)) {
	e := c.evidence[c.ids[i]]
	change(&e)
	c.evidence[c.ids[i]] = e
}

func (c *crowd) Examine(_ context.Context, id string) diagnosis.Examination {
	e := c.evidence[id].Complete(noon)
	return diagnosis.Examination{Evidence: e, Diagnosis: diagnosis.Diagnose(e, noon, crowdLimits), At: noon}
}

func (c *crowd) Observe(_ context.Context, ids []string, _ sweep.Options) (observed []sweep.Observation, err error) {
	if len(ids) == 0 {
		ids = c.ids
	}
	for _, id := range ids {
		x := c.Examine(context.Background(), id)
		observed = append(observed, sweep.Observation{Evidence: x.Evidence, Diagnosis: x.Diagnosis})
	}
	return observed, nil
}

func (c *crowd) Propose(_ context.Context, p repair.Plan, _ string) error {
	c.plans[p.ID] = p
	return nil
}

func (c *crowd) Plan(_ context.Context, id string) (repair.PlanRecord, error) {
	p, ok := c.plans[id]
	if !ok {
		return repair.PlanRecord{}, repair.ErrUnknownPlan
	}
	return repair.PlanRecord{Plan: p, State: repair.PlanOpen}, nil
}

var crowdLimits = diagnosis.Thresholds{OrphanGrace: 10 * time.Minute, StallAfter: 30 * time.Minute}

func (c *crowd) registry(limit int) *commands.Registry { return commands.New(c.deps(limit)) }

func (c *crowd) deps(limit int) commands.Deps {
	return commands.Deps{
		Sessions: c, Finder: c, Redis: c, NewSweeper: func() commands.Sweeper { return c }, Repairs: c, Jobs: c, Trail: c, Statistics: c, Watch: c, Incidents: c,
		SiteLayout: func(context.Context) store.Layout { return store.LayoutThreeKey }, Limits: crowdLimits, Token: true,
		Bulk: commands.BulkLimits{Sessions: limit, Parallel: 3},
		Plans: repair.PlanOptions{TTL: 10 * time.Minute, Prices: repair.ListPrices, FixText: commands.FixText, RefundText: commands.RefundText,
			Models: repair.Models{Video: "google-cloud/veo3-text2video"}},
		Now: func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler),
	}
}

func (c *crowd) ask(limit int, text string) commands.Answer {
	return c.registry(limit).Parse(commands.Request{Command: "/session", Text: text, User: "U1", Channel: "C1"}).Run(context.Background())
}

func (c *crowd) click(limit int, actionID, value string) commands.Answer {
	return c.registry(limit).ParseAction(actionID, value, commands.Request{User: "U1", Channel: "C1"}).Run(context.Background())
}

func sessionsOf(p *repair.Plan) (ids []string) {
	for _, item := range p.Items {
		ids = append(ids, item.Session)
	}
	return ids
}

// TestBulkLimits: more sessions than one plan may hold are refused with advice, unless
// the oldest of them are asked for.
func TestBulkLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text    string
		outcome commands.Outcome
		items   int
		rest    int
		says    string
	}{
		{"bulk generate", commands.Refused, 0, 0, "More than 5 sessions"},
		{"bulk generate --limit 5", commands.Done, 5, 2, "Generate 5 videos?"},
		{"bulk generate --limit 2", commands.Done, 2, 5, "5 more are over the limit of one plan"},
		{"bulk generate --limit 6", commands.Refused, 0, 0, "BULK_LIMIT"},
		{"bulk generate --since 63m", commands.Done, 3, 0, "Generate 3 videos?"},
		{"bulk generate stalled", commands.Done, 0, 0, "Nothing to generate now"},
		{"bulk fix orphaned --since 63m", commands.Done, 3, 0, "Mark 3 sessions as error?"},
	} {
		w := newCrowd(7)
		answer := w.ask(5, c.text)
		text := blockkit.Text(answer.Blocks)
		if answer.Outcome != c.outcome || !strings.Contains(text, c.says) || (answer.Plan != nil) != (c.items > 0) {
			t.Errorf("%s: %s, want %s saying %q:\n%s", c.text, answer.Outcome, c.outcome, c.says, text)
			continue
		}
		if p := answer.Plan; p != nil && (len(p.Items) != c.items || p.Rest != c.rest || !slices.IsSorted(sessionsOf(p)) || w.plans[p.ID].ID == "") {
			t.Errorf("%s: %v and %d more", c.text, sessionsOf(p), p.Rest)
		}
	}
}

// TestBulkOfAnIncident: the oldest are taken, the rest is named, and who recovered
// meanwhile is left out with the reason.
func TestBulkOfAnIncident(t *testing.T) {
	t.Parallel()
	w := newCrowd(8)
	w.incident = incident.Incident{ID: "INC", Kind: incident.Kind(diagnosis.VerdictOrphaned)}
	for _, id := range w.ids {
		w.incident.Cases = append(w.incident.Cases, incident.Case{ID: id, At: w.evidence[id].Payment.ChargedAt})
	}
	w.edit(1, func(e *diagnosis.Evidence) { e.Payment.State = store.PaymentRefunded })
	w.edit(2, func(e *diagnosis.Evidence) { e.Event.State = store.EventFailed })
	answer := w.click(4, alert.ActionRepairAll, "INC")
	if answer.Plan == nil {
		t.Fatalf("no plan: %s", blockkit.Text(answer.Blocks))
	}
	if got, want := sessionsOf(answer.Plan), []string{w.ids[0], w.ids[3], w.ids[4], w.ids[5]}; !slices.Equal(got, want) || answer.Plan.Rest == 0 {
		t.Errorf("it repairs %v and %d more, want %v", got, answer.Plan.Rest, want)
	}
	if answer := w.click(4, alert.ActionRepairAll, "GONE"); answer.Outcome != commands.Refused {
		t.Errorf("an unknown incident: %s", answer.Outcome)
	}

	w.edit(3, func(e *diagnosis.Evidence) { e.Payment.State = store.PaymentRefunded })
	included := w.click(4, message.ActionInclude, answer.Plan.ID)
	if included.Plan == nil || !slices.Contains(sessionsOf(included.Plan), w.ids[2]) || included.Plan.Risk == "" || included.Plan.ID == answer.Plan.ID ||
		included.Plan.CountLeftOut()[repair.LeftRefunded] != 2 {
		t.Errorf("included: %+v", included.Plan)
	}
	if gone := w.click(4, message.ActionInclude, "GONE"); gone.Outcome != commands.Refused || gone.Plan != nil {
		t.Errorf("of an unknown plan: %s", gone.Outcome)
	}
}

// TestBulkOfWhatStripeDelivers: where Stripe will deliver all of them nothing is planned
// before somebody says so.
func TestBulkOfWhatStripeDelivers(t *testing.T) {
	t.Parallel()
	w := newCrowd(3)
	for i := range w.ids {
		w.edit(i, func(e *diagnosis.Evidence) { e.Event.State = store.EventFailed })
	}
	answer := w.ask(5, "bulk generate")
	if answer.Plan != nil || answer.Outcome != commands.Refused || len(answer.Actions) != 1 || len(w.plans) != 1 {
		t.Fatalf("%s with %d buttons:\n%s", answer.Outcome, len(answer.Actions), blockkit.Text(answer.Blocks))
	}
	for id := range w.plans {
		if included := w.click(5, message.ActionInclude, id); included.Plan == nil || len(included.Plan.Items) != 3 || included.Plan.Risk == "" {
			t.Errorf("included: %s", blockkit.Text(included.Blocks))
		}
	}
}

// TestBulkDetails: all sessions of a plan, those left out too, page by page.
func TestBulkDetails(t *testing.T) {
	t.Parallel()
	w := newCrowd(48)
	for i := 5; i < 10; i++ {
		w.edit(i, func(e *diagnosis.Evidence) { e.Event.State = store.EventFailed })
	}
	plan := w.ask(60, "bulk generate").Plan
	named := func(p *repair.Plan) bool {
		return slices.ContainsFunc(message.PlanActions(*p, ""), func(b slack.BlockElement) bool {
			button, ok := b.(*slack.ButtonBlockElement)
			return ok && button.ActionID == message.ActionDetails && button.Value == p.ID
		})
	}
	if len(plan.Items) != 43 || !named(plan) {
		t.Fatalf("%d items, with all named: %v", len(plan.Items), !named(plan))
	}
	met, value := map[string]int{}, plan.ID
	for page := range 3 {
		answer := w.click(60, message.ActionDetails, value)
		raw, err := json.Marshal(answer.Blocks)
		testenv.Must(t, err)
		for _, id := range w.ids {
			if strings.Contains(string(raw), `"`+id+`"`) {
				met[id]++
			}
		}
		button, ok := answer.Actions[0].(*slack.ButtonBlockElement)
		if !ok || answer.Outcome != commands.Done || len(answer.Blocks) > 30 || (page == 2) != (button.Value == plan.ID) {
			t.Fatalf("page %d: %s\n%s", page, answer.Outcome, blockkit.Text(answer.Blocks))
		}
		value = button.Value
		if text := blockkit.Text(answer.Blocks); page == 2 && strings.Count(text, "left out: Stripe is still retrying it") != 5 {
			t.Errorf("it does not say who is left out, and why:\n%s", text)
		}
	}
	if len(met) != 48 {
		t.Errorf("%d sessions are named", len(met))
	}
	for _, odd := range []string{"GONE", plan.ID + ".-1", plan.ID + ".48", plan.ID + ".x", plan.ID + ".1.2"} {
		if answer := w.click(60, message.ActionDetails, odd); (answer.Outcome == commands.Refused) != (odd == "GONE") {
			t.Errorf("%s: %s", odd, answer.Outcome)
		}
	}
	if few := newCrowd(10).ask(60, "bulk generate").Plan; named(few) {
		t.Error("there is a button where all are named")
	}
}
