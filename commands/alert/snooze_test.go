package alert

import (
	"testing"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/store/incident"
)

// TestSnoozeOf: which incident and for how long, from the menu of an alert as it is now,
// and from the button that alerts of older versions have.
func TestSnoozeOf(t *testing.T) {
	t.Parallel()
	i := orphans(1)
	for _, block := range New(i, Options{}, noon).Blocks {
		actions, ok := block.(*slack.ActionBlock)
		if !ok {
			continue
		}
		for _, element := range actions.Elements.ElementSet {
			menu, ok := element.(*slack.SelectBlockElement)
			if !ok {
				continue
			}
			for n, option := range menu.Options {
				if id, choice := SnoozeOf(actions.BlockID, option.Value); id != i.ID || choice != incident.SnoozeChoices[n] {
					t.Errorf("%q in %q silences %q for %q", option.Value, actions.BlockID, id, choice)
				}
			}
		}
	}
	for _, c := range []struct{ block, value, id, choice string }{
		{"inc1.7", "4h", "inc1", "4h"},
		{"Xy1", "inc1", "inc1", "1h"}, // the button
		{"inc1.7", "2h", "2h", "1h"},  // no choice of ours, nor an incident
		{"", "08:00", "", "08:00"},
	} {
		if id, choice := SnoozeOf(c.block, c.value); id != c.id || string(choice) != c.choice {
			t.Errorf("%q in %q silences %q for %q", c.value, c.block, id, choice)
		}
	}
}
