package commands_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
)

func TestSubjects(t *testing.T) {
	t.Parallel()
	const pi = "pi_3NqXaB2eZvKYlo2C"
	for text, want := range map[string][]string{
		"":                     nil,
		"Where is my video?":   nil,
		"`" + id + "`\n" + id:  {"debug " + id},
		"debug:" + id:          {"debug " + id},
		id + " cs_live_a1…zz9": {"debug " + id, "debug cs_live_a1…zz9"},
		"Ann <mailto:ann@example.com|ann@example.com>":                              {"find ann@example.com"},
		"https://dashboard.stripe.com/payments/" + pi:                               {"find " + pi},
		"ann@example.com paid " + pi + ": https://superduperai.co/en/session/" + id: {"debug " + id, "find ann@example.com", "find " + pi},
	} {
		var got []string
		for _, s := range commands.Subjects(text) {
			got = append(got, s.Request())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q names %q, want %q", text, got, want)
		}
	}
}

// TestMeant: who paid for the one session makes no choice of it.
func TestMeant(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                "",
		id:                                "debug " + id,
		"ann@example.com: " + id:          "debug " + id,
		"cs_live_a1…zz9 pi_3NqXaB2eZv":    "debug cs_live_a1…zz9",
		"ann@example.com":                 "find ann@example.com",
		"ann@example.com bob@example.com": "",
		id + " cs_live_b2":                "",
	} {
		meant, ok := commands.Meant(commands.Subjects(text))
		if ok != (want != "") || ok && meant.Request() != want {
			t.Errorf("%q means %+v, want %q", text, meant, want)
		}
	}
}

// TestChoiceOfMany stays within what a view holds, and says that there are more.
func TestChoiceOfMany(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for n := range 30 {
		text.WriteString(id + strings.Repeat("x", n) + "\n")
	}
	answer := commands.ChoiceAnswer(commands.Subjects(text.String()))
	if shown := blockkit.Text(answer.Blocks); len(answer.Blocks) != 22 || !strings.Contains(shown, "names 30 sessions") || !strings.Contains(shown, "And 10 more") {
		t.Errorf("%d blocks:\n%s", len(answer.Blocks), shown)
	}
}
