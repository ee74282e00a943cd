package page

import (
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/superduperai/sessionbot/internal/browsertest"
)

// TestMenusByKeyboard: menus open, move, close and choose as menus do, ask where
// they have a question, and a select shows what was chosen.
func TestMenusByKeyboard(t *testing.T) {
	t.Parallel()
	b, _, w := openPage(t)
	const message = `document.querySelector("[data-ts='2.5']")`
	const focused = `document.activeElement.textContent.trim().startsWith`
	overflow := `[data-ts="2.5"] [data-block="s1"] .opener`
	b.Do(chromedp.Focus(overflow, chromedp.ByQuery), chromedp.KeyEvent(kb.ArrowDown), chromedp.WaitReady(":popover-open"))
	b.Until(focused + `("Debug")`)
	b.Do(chromedp.KeyEvent(kb.ArrowUp))
	b.Until(focused + `("Handled outside")`)
	b.Do(chromedp.KeyEvent("g"))
	b.Until(focused + `("Generate")`)
	b.Do(chromedp.KeyEvent(kb.Escape), chromedp.WaitNotPresent(":popover-open"))
	b.Until(`document.activeElement.matches('` + overflow + `')`)
	b.Do(browsertest.Enter(), chromedp.WaitReady(":popover-open"), chromedp.KeyEvent(kb.End), browsertest.Enter(), chromedp.WaitNotPresent(":popover-open"))
	b.Until(`document.activeElement.matches('` + overflow + `')`)

	// The second menu asks first.
	b.Do(chromedp.Focus(`[data-ts="2.5"] [data-block="s2"] .opener`, chromedp.ByQuery), browsertest.Enter(), browsertest.Enter(), chromedp.WaitVisible("#confirm[open]"))
	b.Do(chromedp.KeyEvent(kb.Escape), chromedp.WaitNotPresent("#confirm[open]"))

	// A select shows what was chosen, and opens there next time.
	b.Do(chromedp.Focus(`[data-ts="2.5"] [data-action="alert.snooze"] .opener`, chromedp.ByQuery), browsertest.Enter(), chromedp.KeyEvent(kb.ArrowDown), browsertest.Enter())
	b.Until(message + `.querySelector("[data-action='alert.snooze'] .opener").innerText === "1 hour"`)
	b.Until(`document.activeElement.matches("[data-action='alert.snooze'] .opener")`)
	b.Do(browsertest.Enter(), chromedp.WaitReady(`:popover-open [aria-checked="true"]`))
	b.Until(focused + `("1 hour")`)

	// A click elsewhere closes it.
	b.Do(chromedp.Click("#channel h1", chromedp.ByQuery), chromedp.WaitNotPresent(":popover-open"))
	_, clicks := w.done()
	want := []string{
		"fill U0SUPPORT C0SUPPORT 2.5 s1 session.menu dismiss:cs_live_a1B20001",
		"fill U0SUPPORT C0SUPPORT 2.5 a alert.snooze 1h",
	}
	if !slices.Equal(clicks, want) {
		t.Errorf("did %q, want %q", clicks, want)
	}
}

// TestMenuStaysOpen: a message that changes while its menu is open waits for the
// choice, other messages do not, and the focus is back at the menu's opener in the new one.
func TestMenuStaysOpen(t *testing.T) {
	t.Parallel()
	b, _, w := openPage(t)
	const opener = `[data-ts="2.5"] [data-block="s1"] .opener`
	for _, choose := range []chromedp.Action{chromedp.KeyEvent(kb.Escape), browsertest.Enter()} {
		b.Do(chromedp.Focus(opener, chromedp.ByQuery), browsertest.Enter(), chromedp.WaitReady(":popover-open"), chromedp.KeyEvent(kb.ArrowDown))
		edited := func(is bool) {
			w.change("C0SUPPORT", "2.5", func(m *Message) { m.Edited = is })
			w.change("C0SUPPORT", "2.3", func(m *Message) { m.Edited = is })
		}
		edited(true)
		b.Until(`document.querySelector("[data-ts='2.3']").innerText.includes("(edited)")`)
		b.Until(`document.activeElement.matches("[data-ts='2.5'] :popover-open [role=menuitem]:nth-child(2)")`)
		b.Until(`!document.querySelector("[data-ts='2.5']").innerText.includes("(edited)")`)
		b.Do(choose)
		b.Until(`document.querySelector("[data-ts='2.5']").innerText.includes("(edited)")`)
		b.Until(`document.querySelector(":popover-open") === null && document.activeElement.matches('` + opener + `')`)
		edited(false)
		b.Until(`!document.querySelector("[data-ts='2.5']").innerText.includes("(edited)")`)
	}
	if _, clicks := w.done(); len(clicks) != 1 {
		t.Errorf("did %q", clicks)
	}
}

// TestMenusLook takes the screenshots of menus, and has axe-core look at them.
func TestMenusLook(t *testing.T) {
	t.Parallel()
	axe := browsertest.Axe(t)
	for _, scheme := range []string{"light", "dark"} {
		for name, width := range map[string]int64{"wide": 1280, "narrow": 390} {
			t.Run(scheme+", "+name, func(t *testing.T) {
				t.Parallel()
				b, url, _ := openPage(t)
				b.Do(browsertest.Colours(scheme), chromedp.EmulateViewport(width, 844), chromedp.Navigate(url), chromedp.WaitReady("#composer-text"))
				for _, action := range []string{"session.menu", "alert.snooze"} {
					b.Do(chromedp.Focus(`[data-action="`+action+`"] .opener`, chromedp.ByQuery), browsertest.Enter(), chromedp.WaitReady(":popover-open"))
					b.Until(`(box => box.left >= 0 && box.right <= innerWidth && box.top >= 0 && box.bottom <= innerHeight)(document.querySelector(":popover-open").getBoundingClientRect())`)
					b.Shot("menu-" + scheme + "-" + name + "-" + action)
					b.CheckAccessible(axe, scheme+", "+name+", "+action)
					b.Do(chromedp.KeyEvent(kb.Escape))
				}
			})
		}
	}
}
