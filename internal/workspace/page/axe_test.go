package page

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/superduperai/sessionbot/internal/browsertest"
	"github.com/superduperai/sessionbot/internal/testenv"
)

// axeVersion is the version of axe-core, which looks for what shuts people out.
const axeVersion = "4.10.3"

// TestAccessible: axe-core finds nothing serious, whatever is open.
func TestAccessible(t *testing.T) {
	t.Parallel()
	modules := testenv.NodeModules(t, []byte(`{"private": true, "dependencies": {"axe-core": "`+axeVersion+`"}}`))
	axe, err := os.ReadFile(filepath.Join(modules, "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	check := func(t *testing.T, b *browsertest.Browser, view string) {
		t.Helper()
		var result struct {
			Passed int
			Found  []string
		}
		b.Do(chromedp.Evaluate(string(axe), nil), chromedp.Evaluate(`axe.run().then(r => ({passed: r.passes.length, found: r.violations
			.filter(v => v.impact === "serious" || v.impact === "critical")
			.map(v => v.id + ": " + v.help + " at " + v.nodes.map(n => n.target.join(" ")).join(", "))}))`,
			&result, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
		if result.Passed < 10 || len(result.Found) > 0 {
			t.Errorf("%s: %d rules hold, broken are:\n%s", view, result.Passed, strings.Join(result.Found, "\n"))
		}
	}
	for _, scheme := range []string{"light", "dark"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			b, url, _ := openPage(t)
			b.Do(browsertest.Colours(scheme), chromedp.EmulateViewport(1280, 860), chromedp.Navigate(url), chromedp.WaitReady("#composer-text"))
			check(t, b, scheme)
			b.Do(chromedp.Click("a.replies"), chromedp.WaitVisible("#reply-text"))
			check(t, b, scheme+", thread")
			b.Do(chromedp.Click("a.tool"), chromedp.WaitVisible(".frame"))
			check(t, b, scheme+", frames")
			b.Do(chromedp.Click(`[data-action="confirm.approve"]`), chromedp.WaitVisible("#confirm[open]"))
			check(t, b, scheme+", dialog")
			b.Do(chromedp.EmulateViewport(390, 844), chromedp.Navigate(url), chromedp.WaitReady("#composer-text"))
			check(t, b, scheme+", narrow")
			b.Do(chromedp.Navigate(url+"/?channel=C0OTHER"), chromedp.WaitReady("#composer-text"))
			check(t, b, scheme+", gallery")
		})
	}
}
