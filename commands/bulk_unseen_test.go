package commands_test

import (
	"context"
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/commands/alert"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/repair"
)

// TestRepairAllWithoutEvents: where the key may not read Stripe's events, nothing can be
// replayed, and nobody knows which videos the site will still start by itself. They are
// not all generated unless somebody says so, twice.
func TestRepairAllWithoutEvents(t *testing.T) {
	t.Parallel()
	w := newCrowd(3)
	w.incident = incident.Incident{ID: "INC", Kind: incident.Kind(diagnosis.VerdictOrphaned)}
	for i, id := range w.ids {
		w.incident.Cases = append(w.incident.Cases, incident.Case{ID: id, At: w.evidence[id].Payment.ChargedAt})
		w.edit(i, func(e *diagnosis.Evidence) { e.Event = store.Event{} })
	}
	deps := w.deps(5)
	deps.StripeKey, deps.WebhookSecret = true, true
	click := func(action, value string) commands.Answer {
		return commands.New(deps).ParseAction(action, value, commands.Request{User: "U1", Channel: "C1"}).Run(context.Background())
	}
	answer := click(alert.ActionRepairAll, "INC")
	text := blockkit.Text(answer.Blocks)
	if answer.Plan != nil || len(answer.Actions) != 1 || !strings.Contains(text, "Left out: 3 that Stripe may be retrying") {
		t.Fatalf("%d buttons:\n%s", len(answer.Actions), text)
	}
	for id := range w.plans {
		included := click(message.ActionInclude, id)
		if p := included.Plan; p == nil || p.Action != store.ActionGenerate || len(p.Items) != 3 || p.Risk == "" || p.CountLeftOut()[repair.LeftEventUnseen] != 0 {
			t.Errorf("included:\n%s", blockkit.Text(included.Blocks))
		}
	}
}
