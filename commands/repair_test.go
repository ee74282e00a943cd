package commands

import (
	"slices"
	"testing"

	"github.com/superduperai/sessionbot/store"
)

// TestFixTexts: the watch recognises what a plan writes by these texts.
func TestFixTexts(t *testing.T) {
	t.Parallel()
	for _, kind := range []store.Kind{store.KindVideo, store.KindImage} {
		if text := kind.Reword(FixText); !slices.Contains(FixTexts(), text) {
			t.Errorf("a plan for an %s writes %q, which is not in FixTexts", kind, text)
		}
	}
}
