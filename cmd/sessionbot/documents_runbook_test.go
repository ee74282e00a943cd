package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/store/diagnosis"
)

// checkName is how the doctor's checks are named in its source; those of a Redis
// have the Redis' own name before the point.
var checkName = regexp.MustCompile(`check\{(?:x\.name \+ )?"([a-z_.]+)"`)

// TestRunbook: every alert, and every metric or log message of a fault, has
// its place in docs/operating.md.
func TestRunbook(t *testing.T) {
	t.Parallel()
	text := textOf(t, "docs/operating.md")
	d, _ := readDocument("docs/operating.md", text)
	for _, verdict := range []string{"orphaned", "stalled", "lost", "failed"} { // alerted by default
		if !anchors(d)[verdict] {
			t.Errorf("there is no section for %s", verdict)
		}
	}
	for _, verdict := range diagnosis.Verdicts {
		if !anchors(d)[string(verdict)] && !strings.Contains(text, "`"+string(verdict)+"`") {
			t.Errorf("nothing is said of the verdict %s", verdict)
		}
	}
	for _, source := range mustRead(t, "internal/doctor", ".go") {
		for _, match := range checkName.FindAllStringSubmatch(source, -1) {
			name := match[1]
			if strings.HasPrefix(name, ".") {
				name = "redis" + name
			}
			if !strings.Contains(text, "`"+name+"`") {
				t.Errorf("nothing is said of the doctor's check %s", name)
			}
		}
	}
}

// TestScopesAreExplained: a scope or an event without a documented reason is
// one too many.
func TestScopesAreExplained(t *testing.T) {
	t.Parallel()
	scopes := regexp.MustCompile(`(?m)^      - ([a-z_:.]+)`).FindAllStringSubmatch(textOf(t, "manifest.yml"), -1)
	if len(scopes) == 0 {
		t.Fatal("no scope was found in the manifest")
	}
	for _, scope := range scopes {
		if !strings.Contains(textOf(t, "docs/threat-model.md"), "`"+scope[1]+"`") {
			t.Errorf("docs/threat-model.md does not explain %s", scope[1])
		}
	}
}
