package storybook

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/workspace/blockcheck"
)

// TestBusiestHome: Slack takes the App Home however much there is to show, and it says how
// much more there is.
func TestBusiestHome(t *testing.T) {
	t.Parallel()
	w := busyWorld(9)
	home, err := registryOf(&w).Home(t.Context(), commands.Home{})
	if err != nil {
		t.Fatal(err)
	}
	blocks := home.Blocks("U0LEAD", home.Plans, noon)
	raw, err := json.Marshal(blocks)
	if err != nil {
		t.Fatal(err)
	}
	for _, violation := range blockcheck.CheckView([]byte(`{"type": "home", "blocks": ` + string(raw) + `}`)) {
		t.Errorf("Slack would refuse it: %v", violation)
	}
	text := blockkit.Text(blocks)
	for _, want := range []string{"18 open incidents, 18 plans to approve, 9 unclear repairs.", "And 15 more plans", "And 14 more incidents", "And 5 more unclear repairs"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
}
