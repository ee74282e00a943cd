package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/superduperai/sessionbot/internal/browsertest"
	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// TestDemoModals uses the bot's modals with the keyboard alone: from a message's menu,
// from the global shortcut, and to enter a lost prompt.
func TestDemoModals(t *testing.T) { // not parallel: the demo is a whole site in one process
	examples := demo.Examples(time.Now())
	lost := examples[slices.IndexFunc(examples, func(e demo.Example) bool {
		return e.Verdict == diagnosis.VerdictLost && !uncounted(e)
	})].ID
	p := &modalPlayer{player: player{t: t, Browser: browsertest.Open(t)}, axe: browsertest.Axe(t)}
	process := run(t, nil, "demo", "--addr", "127.0.0.1:0")
	p.url = process.awaitOutput(demoAddress)
	p.be("U0SUPPORT")
	p.debugs(exampleWith(t, store.EventDelivered, 0))
	p.finds()
	p.restores(lost)
	if code := process.stop(); code != 0 {
		t.Errorf("asked to stop, it exited with %d", code)
	}
}

// modalPlayer uses modals.
type modalPlayer struct {
	player
	axe string
}

// modal is the dialog, as JavaScript, where it shows a text.
func modal(text string) string {
	return fmt.Sprintf(`document.querySelector("#modal[open]")?.innerText.includes(%q)`, text)
}

// within brings the focus to what matches a selector in the modal.
func (p *modalPlayer) within(selector string) {
	p.t.Helper()
	p.TabTo(fmt.Sprintf(`document.activeElement.matches("#modal " + %q)`, selector), false)
}

// shortcut opens the menu that has the focus, and takes its only shortcut.
func (p *modalPlayer) shortcut(name string) {
	p.t.Helper()
	p.Do(browsertest.Enter(), chromedp.WaitReady(":popover-open"))
	p.Until(fmt.Sprintf(`document.activeElement.textContent.includes(%q)`, name))
	p.Do(browsertest.Enter())
}

// escapes closes the modal on top, and the focus is where it was.
func (p *modalPlayer) escapes(then string) {
	p.t.Helper()
	p.Do(chromedp.KeyEvent(kb.Escape))
	p.Until(then)
}

const (
	noModal    = `document.querySelector("#modal[open]") === null`
	withinOpen = `document.querySelector("#modal").contains(document.activeElement)`
)

// debugs debugs the session that a message names, and requests a repair.
func (p *modalPlayer) debugs(session string) {
	p.t.Helper()
	p.types("No video for " + session)
	opener := about(session, "No video for") + `.querySelector("[data-shortcuts] .opener")`
	p.Until(about(session, "No video for") + " !== undefined")
	p.TabTo("document.activeElement === "+opener, true)
	p.shortcut("Debug this session")
	p.Until(modal("Orphaned: paid, but no video was started."))
	p.Until(withinOpen)
	p.looks("debug")
	p.within(`[data-action="session.share"]`)
	p.Do(browsertest.Enter())
	p.Until(modal("Shared, without the customer's address, in"))
	p.escapes(modal("Orphaned: paid"))
	p.Until(about(session, "shared by @sam") + " !== undefined && " + withinOpen)
	p.within(`[data-action="session.generate"]`)
	p.Do(browsertest.Enter())
	p.Until(modal("The plan is shown in"))
	p.looks("plan")
	p.escapes(modal("Orphaned: paid") + " && " + withinOpen)
	p.escapes(noModal + " && document.activeElement === " + opener)
	p.awaits(session, "Generate a video for")
}

// finds finds a customer's session with the global shortcut, and debugs it.
func (p *modalPlayer) finds() {
	p.t.Helper()
	opener := `document.querySelector(".composer [data-shortcuts] .opener")`
	p.TabTo("document.activeElement === "+opener, false)
	p.shortcut("Find a session")
	p.Until(modal("Find a session") + ` && document.activeElement.matches("#modal input, #modal textarea")`)
	p.Do(chromedp.KeyEvent("nothing"), browsertest.Enter())
	p.Until(modal("There is no session id, e-mail address or payment") + ` && document.activeElement.value === "nothing"`)
	p.looks("find")
	p.Do(chromedp.Evaluate(`document.activeElement.select()`, nil), chromedp.KeyEvent("ann@example.com"), browsertest.Enter())
	p.Until(modal("of ann@example.com"))
	p.looks("found")
	p.within(`[data-action="session.debug"]`)
	p.Do(browsertest.Enter())
	p.Until(modal("For the customer"))
	p.escapes(modal("of ann@example.com"))
	p.escapes(noModal + " && document.activeElement === " + opener)
}

// restores enters a lost prompt, a wrong size first.
func (p *modalPlayer) restores(session string) {
	p.t.Helper()
	p.types("/session restore " + session)
	p.Until(modal("The prompt of this session is lost.") + ` && document.activeElement.matches("#modal textarea")`)
	p.looks("restore")
	p.Do(chromedp.KeyEvent("A fox runs through fresh snow"))
	p.within(`[data-block="session_restore.size"] input`)
	p.Do(chromedp.Evaluate(`document.activeElement.select()`, nil), chromedp.KeyEvent("large"))
	p.within(`[type=submit]`)
	p.Do(browsertest.Enter())
	p.Until(modal("Enter width and height in pixels") + ` && document.activeElement.value === "large"`)
	p.looks("restore-wrong")
	p.Do(chromedp.Evaluate(`document.activeElement.select()`, nil), chromedp.KeyEvent("720x1280"))
	p.within(`[type=submit]`)
	p.Do(browsertest.Enter())
	p.Until(modal("The plan is shown in"))
	p.escapes(noModal + ` && document.activeElement.id === "composer-text"`)
	p.awaits(session, "A fox runs through fresh snow")
}

// looks has axe-core look at the modal, and takes the screenshots that people look at.
func (p *modalPlayer) looks(name string) {
	p.t.Helper()
	p.Looks("modal-"+name, "", func(view string) { p.CheckAccessible(p.axe, view) })
}
