package commands_test

import (
	"context"
	"fmt"
	"slices"
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
	"github.com/superduperai/sessionbot/store/storetest"
)

// settledCrowd is a crowd in an incident, of which an operator handled some.
type settledCrowd struct {
	*crowd
	handled map[string]incident.Known
}

func (c *settledCrowd) Known(context.Context, []string) (map[string]incident.Known, error) {
	return c.handled, nil
}

func (c *settledCrowd) click(action, value string) commands.Answer {
	deps := c.deps(5)
	deps.Watch = c
	return commands.New(deps).ParseAction(action, value, commands.Request{User: "U1", Channel: "C1"}).Run(context.Background())
}

// TestRepairAllLeavesOutWhatIsSettled: what an operator handled elsewhere, and what a repair
// marked as error, is neither planned nor included, though the incident still names it. The
// longest waiting come first.
func TestRepairAllLeavesOutWhatIsSettled(t *testing.T) {
	t.Parallel()
	w := &settledCrowd{newCrowd(5), map[string]incident.Known{}}
	w.incident = incident.Incident{ID: "INC", Kind: incident.Kind(diagnosis.VerdictOrphaned)}
	for _, id := range w.ids {
		w.incident.Cases = append(w.incident.Cases, incident.Case{ID: id, At: w.evidence[id].Payment.ChargedAt})
	}
	handled := func(i int) {
		w.handled[w.ids[i]] = incident.Known{Handled: &incident.Handled{By: "U2", At: noon, Verdict: diagnosis.VerdictOrphaned}}
	}
	handled(1)
	w.edit(2, func(e *diagnosis.Evidence) {
		e.Session.Webhook = storetest.HeldKey("webhook", fmt.Sprintf(`{"status":"error","error":%q,"timestamp":"2026-03-04T11:59:00.000Z"}`, commands.FixText))
	})
	w.edit(4, func(e *diagnosis.Evidence) { e.Event.State = store.EventFailed })
	answer := w.click(alert.ActionRepairAll, "INC")
	if answer.Plan == nil || !slices.Equal(sessionsOf(answer.Plan), []string{w.ids[0], w.ids[3]}) {
		t.Fatalf("%s", blockkit.Text(answer.Blocks))
	}
	for reason, id := range map[repair.LeftOutReason]string{repair.LeftHandled: w.ids[1], repair.LeftMarked: w.ids[2]} {
		if !slices.Equal(answer.Plan.LeftOutFor(reason), []string{id}) {
			t.Errorf("%s: %v", reason, answer.Plan.LeftOut)
		}
	}
	if text := blockkit.Text(answer.Blocks); !strings.Contains(text, "Left out, nothing to do: 1 marked as handled by a colleague") {
		t.Errorf("it does not say so:\n%s", text)
	}
	handled(3)
	if included := w.click(message.ActionInclude, answer.Plan.ID); included.Plan == nil || !slices.Equal(sessionsOf(included.Plan), []string{w.ids[0], w.ids[4]}) {
		t.Errorf("included:\n%s", blockkit.Text(included.Blocks))
	}
}
