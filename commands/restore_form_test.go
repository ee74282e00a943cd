package commands

import (
	"slices"
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/store"
)

// TestEntered: what the view's fields hold is read, or what is wrong is said at the field.
func TestEntered(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		e     Entered
		order store.Order
		wrong string // the fields
	}{
		{Entered{" A fox\r\nruns ", "", ""}, store.Order{Prompt: "A fox\nruns"}, ""},
		{Entered{"A &lt;b&gt; <!channel>", " 5,5 ", "720 × 1280"}, store.Order{Prompt: "A &lt;b&gt; <!channel>", Seconds: 5.5, Resolution: "720x1280"}, ""},
		{Entered{"A fox", "60", "10x4096"}, store.Order{Prompt: "A fox", Seconds: 60, Resolution: "10x4096"}, ""},
		{Entered{"", "8", "1280x720"}, store.Order{}, "prompt"},
		{Entered{" \n\u00a0", "0", "1280"}, store.Order{}, "prompt seconds size"},
		{Entered{"A \x1b[2J fox", "61", "9x720"}, store.Order{}, "prompt seconds size"},
		{Entered{strings.Repeat("a", 8001), "NaN", "5000x720"}, store.Order{}, "prompt seconds size"},
		{Entered{"A fox", "eight", "1280x0720x1"}, store.Order{}, "seconds size"},
		{Entered{"A fox", "+Inf", "-1280x720"}, store.Order{}, "seconds size"},
	} {
		order, faults := c.e.order()
		var wrong []string
		for field, text := range faults {
			wrong = append(wrong, strings.TrimPrefix(field, "session_restore."))
			if strings.Contains(text, "fox") || text == "" {
				t.Errorf("%.40q: it says %q", c.e, text)
			}
		}
		slices.Sort(wrong)
		if got := strings.Join(wrong, " "); order != c.order || got != c.wrong {
			t.Errorf("%.40q: %+v, wrong are %q; want %+v and %q", c.e, order, got, c.order, c.wrong)
		}
	}
}

// TestOpensForm: a view asks for a prompt where a session is named, and no prompt.
func TestOpensForm(t *testing.T) {
	t.Parallel()
	const id = "cs_live_a1B2c3D4"
	for text, want := range map[string]bool{
		"restore " + id: true, " Restore `" + id + "`  \n": true, "restore cs_live_a1B2…0001": true, "restore <https://superduperai.co/session/" + id + ">": true,
		"restore " + id + " A fox": false, "restore": false, "restore –": false, "debug " + id: false, id: false, "": false, "restore " + id + ",A": false,
	} {
		if got := OpensForm(Request{Command: "/session", Text: text}); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
	if OpensForm(Request{Command: "/redis", Text: "restore " + id}) {
		t.Error("/redis restores nothing")
	}
}
