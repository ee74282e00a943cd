package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/superduperai/sessionbot/internal/browsertest"
)

// TestDemoStory follows the demo's suggested clicks, one after the other: from a customer's
// complaint to the finished video, and to the alert, which is repaired in bulk.
func TestDemoStory(t *testing.T) { // not parallel: the demo is a whole site in one process
	p := &player{t: t, Browser: browsertest.Open(t)}
	process := run(t, nil, "demo", "--addr", "127.0.0.1:0")
	p.url = process.awaitOutput(demoAddress)
	p.Do(chromedp.Navigate(p.url), chromedp.WaitReady("#composer-text"))
	p.awaits("", "A customer wrote to us")
	p.Looks("story-complaint", "")
	var session string
	p.Do(chromedp.Evaluate(`[...document.querySelectorAll("#scroll .message")].find(m => m.textContent.includes("A customer wrote to us")).textContent.match(/cs_live_\w+/)[0]`, &session))

	p.chip("1 Debug the session", `document.activeElement.id === "composer-text"`)
	p.awaits(session, "Orphaned: paid")
	p.cheapestFirst(session)
	p.Looks("story-debug", about(session, "Orphaned: paid")+`.scrollIntoView({block: "start"})`)
	p.chip("2 Replay the webhook", focused("session.replay"))
	p.awaits(session, "Replay the webhook for")
	p.chip("3 Approve the plan", focused("confirm.approve"))
	p.Until(`document.querySelector(".picture.shown img")?.naturalWidth > 0`)
	p.Looks("story-video", `document.querySelector(".picture.shown").scrollIntoView({block: "center"})`)
	p.press("4 See the video")
	p.Until(`document.activeElement.matches(".picture.shown")`)

	p.press("5 Open the alert")
	p.Do(chromedp.WaitReady(`body[data-channel="C0ALERTS"]`))
	p.Until(about("Repair all…", "had no video") + `?.querySelectorAll('[data-value^="replay:"]').length > 1`)
	p.chip("6 Repair all", focused("alert.repair"))
	p.awaits("Replay the webhook for", "sessions?")
	p.chip("7 Approve the plan", focused("confirm.approve"))
	p.awaits("Finished: ", "videos ready")
	if code := process.stop(); code != 0 {
		t.Errorf("asked to stop, it exited with %d", code)
	}
}

// press presses a suggested click, which is the one that stands out, once it leads
// somewhere.
func (p *player) press(label string) {
	p.t.Helper()
	chip := fmt.Sprintf(`[...document.querySelectorAll(".chip")].find(c => c.textContent === %q)`, label)
	p.Until(chip + `?.matches(".next")`)
	p.Do(chromedp.Click(chip, chromedp.ByJSPath))
}

// chip presses a suggested click, and Enter where that leads.
func (p *player) chip(label, leads string) {
	p.t.Helper()
	p.press(label)
	p.Until(leads)
	p.Until(fmt.Sprintf(`[...document.querySelectorAll(".chip.tried")].some(c => c.textContent === %q)`, label))
	p.Do(browsertest.Enter())
}

// focused is a JavaScript condition: the focus is on a button of this action.
func focused(action string) string {
	return fmt.Sprintf("document.activeElement.dataset.action === %q", action)
}

// cheapestFirst: the first repair that the answer offers is the first that it advises.
func (p *player) cheapestFirst(session string) {
	p.t.Helper()
	var buttons []string
	p.Do(chromedp.Evaluate(`[...`+about(session, "Orphaned: paid")+`.querySelectorAll("button[data-action^='session.']")].map(b => b.dataset.action)`, &buttons))
	buttons = slices.DeleteFunc(buttons, func(action string) bool { return action == "session.debug" || action == "session.share" })
	if want := []string{"session.replay", "session.generate", "session.fix"}; !slices.Equal(buttons, want) {
		p.t.Errorf("the repairs offered are %s, want %s", strings.Join(buttons, ", "), strings.Join(want, ", "))
	}
}
