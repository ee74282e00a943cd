package main

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/superduperai/sessionbot/internal/browsertest"
	"github.com/superduperai/sessionbot/store"
)

// homeSays is a JavaScript condition: the App Home says something.
func homeSays(text string) string {
	return fmt.Sprintf(`document.querySelector(".home")?.innerText.includes(%q)`, text)
}

func modalSays(text string) string {
	return fmt.Sprintf(`document.querySelector("#modal[open]")?.innerText.includes(%q)`, text)
}

// inHome is a JavaScript condition: the focus is on what matches within the App Home.
func inHome(selector string) string {
	return fmt.Sprintf(`document.activeElement.matches(%q)`, ".home "+selector)
}

// TestDemoHome is what an operator does in the App Home by keyboard alone: look, search,
// request a repair, and approve it; axe-core finds nothing serious on the way.
func TestDemoHome(t *testing.T) { // not parallel: the demo is a whole site in one process
	axe := browsertest.Axe(t)
	b := browsertest.Open(t)
	process := run(t, nil, "demo", "--addr", "127.0.0.1:0")
	url := process.awaitOutput(demoAddress)
	open := func(user string) {
		b.Do(chromedp.Navigate(url+"/?user="+user+"&channel=D"+user[1:]+"&tab=home"), chromedp.WaitReady(`body[data-user="`+user+`"]`), chromedp.WaitVisible(".home .body"))
	}
	open("U0GUEST")
	b.Until(homeSays("Only full members of this workspace may use this bot"))

	open("U0LEAD")
	b.Until(homeSays("paid sessions have had no video") + " && " + homeSays("Webhook success"))
	b.Looks("home", "", func(view string) { b.CheckAccessible(axe, "App Home, "+view) })

	b.TabTo(inHome("input"), false)
	b.Do(chromedp.KeyEvent(exampleWith(t, store.EventFailed, 0)), browsertest.Enter())
	b.Until(modalSays("Orphaned: paid"))
	b.Shot("home-search")
	b.CheckAccessible(axe, "the answer to a search")
	b.Do(chromedp.KeyEvent(kb.Escape))
	b.Until(`document.querySelector("#modal[open]") === null`)

	b.TabTo(inHome(`[data-action="alert.repair"]`), false)
	b.Do(browsertest.Enter())
	b.Until(modalSays("where operators see it"))
	b.Do(chromedp.KeyEvent(kb.Escape))
	b.Until(homeSays("1 plan to approve"))
	b.Shot("home-plan")
	b.CheckAccessible(axe, "App Home with a plan")
	b.TabTo(inHome(`[data-action="confirm.approve"]`), false)
	b.Do(browsertest.Enter())
	b.Until("!" + homeSays("to approve") + " && " + homeSays("being made, approved by"))
	b.Shot("home-approved")
	if code := process.stop(); code != 0 {
		t.Errorf("asked to stop, it exited with %d", code)
	}
}
