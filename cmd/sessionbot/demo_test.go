package main

import (
	"context"
	"io"
	"regexp"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/superduperai/sessionbot/internal/browsertest"
	"github.com/superduperai/sessionbot/internal/workspace"
)

var demoAddress = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// TestDemo is what a newcomer does with the built binary and nothing else, in a
// browser, by keyboard and by mouse.
func TestDemo(t *testing.T) {
	t.Parallel()
	b := browsertest.Open(t)
	demo := start(t, nil, "demo", "--addr", "127.0.0.1:0")
	url := demo.awaitOutput(demoAddress)
	last := func(text string) string {
		return `[...document.querySelectorAll("#scroll .message")].at(-1)?.innerText.includes("` + text + `")`
	}
	b.Do(chromedp.Navigate(url), chromedp.WaitReady("#composer-text"), chromedp.Click(`[data-hint^="/session debug"]`))
	b.Do(browsertest.Enter())
	b.Until(last("Orphaned: paid, but no video was started."))
	b.Until(last("Only visible to you"))
	b.Shot("demo-debug")
	b.Do(chromedp.Click(`[data-action="session.debug"]`))
	b.Until(last("(edited)"))
	b.Do(chromedp.Click(`[data-action="session.share"]`))
	b.Until(last("shared by @sam"))
	for _, table := range []struct{ name, command, shows string }{
		{"prompts", "/redis prompts", "newest first"}, {"stats", "/redis stats", "Last 7 days, in percent"},
		{"list", "/session list", "longest waiting"}, {"find", "/session find ann@example.com", "of ann@example.com"},
	} {
		b.Do(chromedp.SendKeys("#composer-text", table.command), browsertest.Enter())
		b.Until(last(table.shows))
		b.Looks("demo-"+table.name, `[...document.querySelectorAll("#scroll .message")].at(-1).scrollIntoView({block: "start"})`)
	}
	b.Do(chromedp.Click(`.message:last-child [data-action="session.debug"]`))
	b.Until(last("For the customer"))
	b.Do(chromedp.Navigate(url+"/?user=U0ONCALL&channel=C0ALERTS"), chromedp.WaitReady(`[data-action="alert.ack"]`))
	b.Looks("demo-alert", `[...document.querySelectorAll("#scroll .message")].find(m => m.innerText.includes("had no video")).scrollIntoView()`)
	b.Do(chromedp.Navigate(url+"/?user=U0GUEST"), chromedp.WaitReady(`body[data-user="U0GUEST"]`))
	b.Until(last("shared by @sam")) // what was shared is for everybody, the rest was not
	b.Do(chromedp.SendKeys("#composer-text", "/redis ping"), browsertest.Enter())
	b.Until(last("Only full members of this workspace may use this bot"))
	if code := demo.stop(); code != 0 {
		t.Errorf("asked to stop, it exited with %d", code)
	}
}

// TestDemoStoppedWhileItStarts: that is no failure.
func TestDemoStoppedWhileItStarts(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := (program{out: io.Discard, errs: io.Discard}).runDemo(ctx, workspace.Config{Addr: "127.0.0.1:0"}); err != nil {
		t.Error(err)
	}
}
