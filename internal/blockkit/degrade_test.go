package blockkit_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
)

// TestDegrade: each of the newest kinds, and the classic blocks that it stands for.
func TestDegrade(t *testing.T) {
	t.Parallel()
	tag := blockkit.Tag("Lost", slack.RichTextTagColorRed)
	lines := func(l ...blockkit.Line) slack.Block { return blockkit.Paragraph(l...) }
	button := slack.NewActionBlock("", blockkit.Button("session.debug", "Debug", "cs_1"))
	chart := slack.NewDataVisualizationBlock("Sessions", nil)
	data, _ := blockkit.DataTable("Prompts", []string{"#", "Prompt"}, [][]string{{"1", "A fox"}, {"2", ""}}, 0)
	table, _ := blockkit.Table([]string{"#", "Prompt"}, [][]string{{"1", "A fox"}, {"2", ""}}, false)
	failed := blockkit.Task("1", "Failed: cs_1", slack.TaskCardStatusError, blockkit.PlainLine("no token"))
	running := blockkit.Task("2", "Running: cs_2", slack.TaskCardStatusInProgress, nil)
	only := func(kinds ...blockkit.Kind) func(blockkit.Kind) bool {
		return func(kind blockkit.Kind) bool { return slices.Contains(kinds, kind) }
	}
	for _, c := range []struct {
		name         string
		blocks, want []slack.Block
		refused      func(blockkit.Kind) bool
		replaced     []blockkit.Kind
	}{
		{"a tag before emphasised text", []slack.Block{lines(blockkit.L(tag, blockkit.Bold(": paid"), blockkit.Plain(" x")))},
			[]slack.Block{lines(blockkit.L(blockkit.Bold("Lost: paid"), blockkit.Plain(" x")))}, blockkit.AnyKind, []blockkit.Kind{blockkit.KindTag}},
		{"tags before tags, text and nothing", []slack.Block{lines(blockkit.L(tag, tag, blockkit.Plain("x"), tag))},
			[]slack.Block{lines(blockkit.L(blockkit.Bold("Lost"), blockkit.Bold("Lost"), blockkit.Plain("x"), blockkit.Bold("Lost")))}, blockkit.AnyKind, []blockkit.Kind{blockkit.KindTag}},
		{"details", []slack.Block{blockkit.Details("Details", lines(blockkit.PlainLine("a")), button), button},
			[]slack.Block{lines(blockkit.PlainLine("a")), button, button}, blockkit.AnyKind, []blockkit.Kind{blockkit.KindContainer}},
		{"a tag in details", []slack.Block{blockkit.Details("Details", lines(blockkit.L(tag)))},
			[]slack.Block{lines(blockkit.L(blockkit.Bold("Lost")))}, blockkit.AnyKind, []blockkit.Kind{blockkit.KindTag, blockkit.KindContainer}},
		{"a tag in details that are kept", []slack.Block{blockkit.Details("Details", lines(blockkit.L(tag)))},
			[]slack.Block{blockkit.Details("Details", lines(blockkit.L(blockkit.Bold("Lost"))))}, only(blockkit.KindTag), []blockkit.Kind{blockkit.KindTag}},
		{"a tag that is kept in details", []slack.Block{blockkit.Details("Details", lines(blockkit.L(tag)))},
			[]slack.Block{lines(blockkit.L(tag))}, only(blockkit.KindContainer), []blockkit.Kind{blockkit.KindContainer}},
		{"a plan", []slack.Block{blockkit.Plan("Generate 2 videos", failed, running)},
			[]slack.Block{lines(blockkit.Fact("Plan", blockkit.Plain("Generate 2 videos")), blockkit.PlainLine("Failed: cs_1 · no token"), blockkit.PlainLine("Running: cs_2"))},
			blockkit.AnyKind, []blockkit.Kind{blockkit.KindPlan}},
		{"a plan without tasks is a line", []slack.Block{blockkit.Plan("Generate 2 videos")},
			[]slack.Block{lines(blockkit.Fact("Plan", blockkit.Plain("Generate 2 videos")))}, blockkit.AnyKind, nil},
		{"a table", []slack.Block{data, button}, []slack.Block{table, button}, blockkit.AnyKind, []blockkit.Kind{blockkit.KindDataTable}},
		{"a chart", []slack.Block{chart, table}, []slack.Block{table}, blockkit.AnyKind, []blockkit.Kind{blockkit.KindChart}},
		{"nothing is refused", []slack.Block{chart, data, blockkit.Plan("p", failed), lines(blockkit.L(tag))},
			[]slack.Block{chart, data, blockkit.Plan("p", failed), lines(blockkit.L(tag))}, only(), nil},
		{"classic blocks", []slack.Block{table, button, blockkit.Context("x"), blockkit.Quote("y")},
			[]slack.Block{table, button, blockkit.Context("x"), blockkit.Quote("y")}, blockkit.AnyKind, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			before := encoded(t, c.blocks)
			got, replaced := blockkit.Degrade(c.blocks, c.refused)
			if diff := cmp.Diff(encoded(t, c.want), encoded(t, got)); diff != "" {
				t.Errorf("blocks (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.replaced, replaced); diff != "" {
				t.Errorf("kinds (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, encoded(t, c.blocks)); diff != "" {
				t.Errorf("the blocks were changed:\n%s", diff)
			}
			if want := blockkit.Text(c.want); blockkit.Text(c.blocks) != want {
				t.Errorf("the text is %q, want %q", blockkit.Text(c.blocks), want)
			}
		})
	}
}

func encoded(t *testing.T, blocks []slack.Block) (all []string) {
	t.Helper()
	for _, block := range blocks {
		raw, err := json.Marshal(block)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(raw))
	}
	return all
}

// TestDataTableSortsNumbers: numbers are numbers in the named columns alone, and the
// header is text.
func TestDataTableSortsNumbers(t *testing.T) {
	t.Parallel()
	block, shown := blockkit.DataTable("Prompts", []string{"1", "2"}, [][]string{{"7", "7"}, {"x", "y"}}, 0)
	want := `{"type":"data_table","caption":"Prompts","rows":[[{"type":"raw_text","text":"1"},{"type":"raw_text","text":"2"}],` +
		`[{"type":"raw_number","value":7,"text":"7"},{"type":"raw_text","text":"7"}],[{"type":"raw_text","text":"x"},{"type":"raw_text","text":"y"}]],"page_size":20}`
	if got := encoded(t, []slack.Block{block})[0]; got != want || shown != 2 {
		t.Errorf("%d rows: %s", shown, got)
	}
}
