package storybook

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/workspace/blockcheck"
)

var update = flag.Bool("update", false, "update the golden file")

// TestTexts compares every message with the golden file and with Slack's limits.
func TestTexts(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	for _, s := range Stories() {
		checked(t, s)
		fmt.Fprintf(&out, "== %s: %s\n%s\n%s\n", s.Chapter, s.Title, blockkit.Text(s.Blocks), buttons(s))
	}
	const path = "testdata/storybook.golden"
	if *update {
		if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(out.String(), "\n")); diff != "" {
		t.Errorf("differs from %s (-want +got); -update accepts it:\n%s", path, diff)
	}
}

// checked checks a message against Slack's limits and returns its blocks.
func checked(t *testing.T, s Story) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(s.Blocks)
	if err != nil {
		t.Fatal(err)
	}
	violations := blockcheck.Check(raw)
	if s.Home {
		violations = blockcheck.CheckView([]byte(`{"type": "home", "blocks": ` + string(raw) + `}`))
	}
	for _, violation := range violations {
		t.Errorf("%s: Slack would refuse it: %v", s.Title, violation)
	}
	return raw
}

// buttons are the labels of all buttons and menus, with what they ask first.
func buttons(s Story) string {
	var labels []string
	for _, block := range s.Blocks {
		switch b := block.(type) {
		case *slack.ActionBlock:
			for _, element := range b.Elements.ElementSet {
				switch e := element.(type) {
				case *slack.ButtonBlockElement:
					labels = append(labels, buttonLabel(e))
				case *slack.SelectBlockElement:
					labels = append(labels, e.Placeholder.Text+" "+choices(e.Options))
				}
			}
		case *slack.SectionBlock:
			switch {
			case b.Accessory == nil:
			case b.Accessory.ButtonElement != nil:
				labels = append(labels, buttonLabel(b.Accessory.ButtonElement))
			default:
				labels = append(labels, choices(b.Accessory.OverflowElement.Options))
			}
		}
	}
	return strings.Join(labels, " ")
}

func choices(options []*slack.OptionBlockObject) string {
	var labels []string
	for _, option := range options {
		labels = append(labels, option.Text.Text)
	}
	return "{" + strings.Join(labels, " | ") + "}"
}

func buttonLabel(b *slack.ButtonBlockElement) string {
	label := "[" + b.Text.Text + "]"
	if b.Confirm != nil {
		label += "(" + b.Confirm.Text.Text + ")"
	}
	return label
}

// TestEveryConstantIsCovered by a message.
func TestEveryConstantIsCovered(t *testing.T) {
	t.Parallel()
	covered := map[string]bool{}
	for _, s := range Stories() {
		for _, kind := range s.Of {
			covered[kind] = true
		}
	}
	for folder, types := range map[string][]string{
		"../../store":            {"Action", "Outcome", "PaymentState", "FileState", "EventState", "Unverified"},
		"../../store/diagnosis":  {"Verdict"},
		"../../store/repair":     {"Cause", "ClaimVerdict"},
		"../../store/incident":   {"Kind", "Ending"},
		"../../store/audit":      {"Event"},
		"../../store/follow":     {"End"},
		"../watch":               {"Reason"},
		"../../commands":         {"Outcome"},
		"../../commands/message": {"Notice"},
	} {
		found := constants(t, folder, types)
		for _, name := range types {
			if !slices.ContainsFunc(found, func(kind string) bool { return strings.HasPrefix(kind, name+" ") }) {
				t.Errorf("%s has no constant of type %s", folder, name)
			}
		}
		for _, kind := range found {
			if strings.HasPrefix(folder, "../../commands") {
				kind = "commands." + kind
			}
			if !covered[kind] && !uncovered[kind] {
				t.Errorf("no message is of %s", kind)
			}
		}
	}
	for _, command := range registryOf(&world{}).Commands() {
		if kind := "Command " + command.Group + " " + command.Name; !covered[kind] {
			t.Errorf("no message is of %s", kind)
		}
	}
}

// uncovered are constants that have no message of their own.
var uncovered = map[string]bool{
	"ClaimVerdict claimed": true, "ClaimVerdict cancelled": true, // the plan's message changes instead
	"Reason nothing": true, "End ": true,
	"Verdict unchecked": true, "FileState unchecked": true, // only in figures: an examination asks for the file
}

// constants lists the string constants of the types, as "Type value".
func constants(t *testing.T, folder string, types []string) []string {
	t.Helper()
	packages, err := parser.ParseDir(token.NewFileSet(), folder, nil, 0) //nolint:staticcheck // no build tags here
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, p := range packages {
		ast.Inspect(p, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			name, ok := spec.Type.(*ast.Ident)
			value, literal := spec.Values[0].(*ast.BasicLit)
			if ok && literal && value.Kind == token.STRING && slices.Contains(types, name.Name) {
				text, err := strconv.Unquote(value.Value)
				if err != nil {
					t.Fatal(err)
				}
				found = append(found, name.Name+" "+text)
			}
			return true
		})
	}
	if len(found) < len(types) {
		t.Fatalf("%s has only %v", folder, found)
	}
	return found
}
