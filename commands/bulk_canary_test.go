package commands_test

import (
	"context"
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/repair"
)

// TestBulkPredicts: a plan of more than ten sessions says what is predicted of the first,
// as far as the bot will be able to see it; a smaller one says nothing of it.
func TestBulkPredicts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text     string
		sessions int
		token    bool
		want     repair.Prediction
		says     string // "" = nothing of a canary
	}{
		{"bulk generate", 10, true, repair.PredictMade, ""},
		{"bulk generate", 11, true, repair.PredictMade, ", which takes 2 to 15 min. Expected: its video is finished and the customer's page shows it."},
		{"bulk replay", 11, true, repair.PredictMade, "its video is finished"},
		{"bulk replay", 11, false, repair.PredictStarted, "whose end cannot be seen without SUPERDUPERAI_TOKEN"},
		{"bulk fix", 11, false, repair.PredictError, "the customer's page shows the error"},
	} {
		crowd := newCrowd(c.sessions)
		for i := range c.sessions {
			crowd.edit(i, func(e *diagnosis.Evidence) { e.Event.Completed, e.Event.CompletedAt = true, e.Event.Created })
		}
		deps := crowd.deps(50)
		deps.Token, deps.WebhookSecret, deps.StripeKey = c.token, true, true
		answer := commands.New(deps).Parse(commands.Request{Command: "/session", Text: c.text, User: "U1", Channel: "C1"}).Run(context.Background())
		text := blockkit.Text(answer.Blocks)
		if answer.Plan == nil || answer.Plan.Predicts(0) != c.want || strings.Contains(text, "(canary)") != (c.says != "") || !strings.Contains(text, c.says) {
			t.Errorf("%s of %d, token %t: want %s, saying %q:\n%s", c.text, c.sessions, c.token, c.want, c.says, text)
		}
	}
}
