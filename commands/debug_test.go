package commands_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
)

// TestDebugNamesTheCustomer to the person who asked, and to nobody else.
func TestDebugNamesTheCustomer(t *testing.T) {
	t.Parallel()
	const address = "ann@example.com"
	prompt := "A logo for bob@example.com" // the customer's words may hold an address, too
	for _, req := range []commands.Request{{Shared: true}, {}, {Terminal: true}} {
		w := &world{}
		w.examined.Payment = store.Payment{State: store.PaymentPaid, Email: address + "\nPayment  forged"}
		w.examined.Session.Prompt = store.Key{Kind: "prompt", Exists: true, Value: store.Value{Prompt: &prompt}}
		req.Command, req.Text = "/session", "debug "+id
		for _, call := range []commands.Call{registry(w).Parse(req), registry(w).ParseAction("session.debug", id, req)} {
			answer := call.Run(t.Context())
			text := blockkit.Text(answer.Blocks)
			if strings.Contains(text, address) == req.Shared || strings.Contains(text, "\nPayment  forged") ||
				!strings.Contains(text, "A logo for ") || strings.Contains(text, "bob@") {
				t.Errorf("shared: %v, terminal: %v:\n%s", req.Shared, req.Terminal, text)
			}
			raw, err := json.Marshal(answer.JSON)
			if err != nil || strings.Contains(string(raw), address) {
				t.Errorf("--json names the customer: %s, %v", raw, err)
			}
		}
	}
}
