package commands

import "testing"

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"debug", "find", "fix", "generate", "history", "help"}
	for word, want := range map[string]string{
		"debgu": "debug", "degub": "debug", "gen": "generate", "hlep": "help", "fnd": "find", "xyzzy": "", "": "",
	} {
		if got := nearest(word, names); got != want {
			t.Errorf("nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
