package storybook

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
)

// TestNothingIsLostInClassicBlocks: in a workspace that refuses the newest kinds of blocks
// every message says the same and has the same buttons. Labels of what is folded or drawn
// alone are left out.
func TestNothingIsLostInClassicBlocks(t *testing.T) {
	t.Parallel()
	met := map[blockkit.Kind]bool{}
	for _, s := range Stories() {
		classic, kinds := blockkit.Degrade(s.Blocks, blockkit.AnyKind)
		for _, kind := range kinds {
			met[kind] = true
		}
		newest, old := contentOf(t, s.Blocks), contentOf(t, classic)
		if diff := cmp.Diff(newest.buttons, old.buttons); diff != "" {
			t.Errorf("%s: the buttons differ (-newest +classic):\n%s", s.Title, diff)
		}
		for _, text := range newest.texts {
			if !strings.Contains(old.all(), text) {
				t.Errorf("%s: the classic blocks do not say %q", s.Title, text)
			}
		}
		for _, text := range old.texts {
			for part := range strings.SplitSeq(strings.ReplaceAll(text, "\n", " · "), " · ") {
				if part = strings.TrimSpace(part); part != "Plan" && !strings.Contains(newest.all(), part) {
					t.Errorf("%s: the newest blocks do not say %q", s.Title, part)
				}
			}
		}
		if blockkit.Text(s.Blocks) != blockkit.Text(classic) {
			t.Errorf("%s: the texts for notifications differ", s.Title)
		}
		raw := checked(t, Story{Title: s.Title + ", classic", Home: s.Home, Blocks: classic})
		for _, kind := range []string{"container", "data_table", "data_visualization", "plan", "task_card", "tag"} {
			if strings.Contains(string(raw), `"type":"`+kind+`"`) {
				t.Errorf("%s: a %s is left", s.Title, kind)
			}
		}
	}
	for _, kind := range []blockkit.Kind{blockkit.KindChart, blockkit.KindContainer, blockkit.KindDataTable, blockkit.KindPlan, blockkit.KindTag} {
		if !met[kind] {
			t.Errorf("no message has a %s", kind)
		}
	}
}

// content is what blocks say, in their order, and their buttons and menus.
type content struct{ texts, buttons []string }

// all is the texts without the gaps between spans.
func (c content) all() string {
	return strings.Join(c.texts, "")
}

// contentOf finds texts and buttons wherever they are.
func contentOf(t *testing.T, blocks []slack.Block) (c content) {
	t.Helper()
	raw, err := json.Marshal(blocks)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		t.Fatal(err)
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			if v["type"] == string(blockkit.KindChart) {
				return
			}
			if id, ok := v["action_id"]; ok {
				button, err := json.Marshal([]any{id, v["value"], v["text"], v["options"], v["style"], v["confirm"]})
				if err != nil {
					t.Fatal(err)
				}
				c.buttons = append(c.buttons, string(button))
				return
			}
			for _, name := range []string{"text", "fallback", "user_id", "usergroup_id", "channel_id", "url"} {
				if text, ok := v[name].(string); ok {
					c.texts = append(c.texts, text)
				}
			}
			if title, ok := v["title"].(string); ok { // of a plan or task
				c.texts = append(c.texts, title)
			}
			for _, name := range slices.Sorted(maps.Keys(v)) {
				if v["type"] != string(blockkit.KindContainer) || name != "title" {
					walk(v[name])
				}
			}
		}
	}
	walk(tree)
	return c
}
