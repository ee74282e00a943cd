package browsertest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/superduperai/sessionbot/internal/testenv"
)

// axeVersion is the version of axe-core, which checks accessibility.
const axeVersion = "4.10.3"

// Axe is the source of axe-core, which runs in the page.
func Axe(t testing.TB) string {
	t.Helper()
	modules := testenv.NodeModules(t, []byte(`{"private": true, "dependencies": {"axe-core": "`+axeVersion+`"}}`))
	axe, err := os.ReadFile(filepath.Join(modules, "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	return string(axe)
}

// CheckAccessible fails the test where axe-core finds something serious in what is open.
func (b *Browser) CheckAccessible(axe, view string) {
	b.t.Helper()
	var result struct {
		Passed int
		Found  []string
	}
	b.Do(chromedp.Evaluate(axe, nil), chromedp.Evaluate(`axe.run({resultTypes: ["violations"]}).then(r => ({passed: r.passes.length, found: r.violations
		.filter(v => v.impact === "serious" || v.impact === "critical")
		.map(v => v.id + ": " + v.help + " at " + v.nodes.map(n => n.target.join(" ")).join(", "))}))`,
		&result, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	if result.Passed < 10 || len(result.Found) > 0 {
		b.t.Errorf("%s: %d rules hold, broken are:\n%s", view, result.Passed, strings.Join(result.Found, "\n"))
	}
}
