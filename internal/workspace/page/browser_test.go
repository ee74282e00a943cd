package page

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/superduperai/sessionbot/internal/browsertest"
)

// openPage serves the canned world and opens it in a browser.
func openPage(t *testing.T) (*browsertest.Browser, string, *world) {
	t.Helper()
	b := browsertest.Open(t)
	w := newWorld(t)
	hints := []Hint{
		{Label: "An orphaned session", Text: "/session debug cs_live_a1B20001"}, {Label: "Statistics", Text: "/redis stats"},
		{Label: "Approve", Find: `[data-action="confirm.approve"]`}, {Label: "The gallery", Open: "C0OTHER"},
		{Label: "Nowhere", Find: `[data-action="confirm.approve"]`, Within: "no such text"}, {Label: "Elsewhere", Channel: "C0ALERTS", Text: "/x"},
	}
	server := httptest.NewServer(New(w, Options{Hints: hints, Now: func() time.Time { return noon }}))
	t.Cleanup(func() {
		server.CloseClientConnections() // the event stream never ends by itself
		server.Close()
	})
	b.Do(chromedp.Navigate(server.URL), chromedp.WaitReady("#composer-text"))
	return b, server.URL, w
}

// TestPageLooks: axe-core finds nothing serious, whatever is open. On the way it takes
// the screenshots that people look at.
func TestPageLooks(t *testing.T) {
	t.Parallel()
	axe := browsertest.Axe(t)
	for _, scheme := range []string{"light", "dark"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			b, url, _ := openPage(t)
			b.Do(browsertest.Colours(scheme), chromedp.EmulateViewport(1280, 860), chromedp.Navigate(url), chromedp.WaitReady("#composer-text"))
			b.Until(`document.querySelector("#scroll").scrollTop > 0`)
			b.Shot(scheme)
			b.CheckAccessible(axe, scheme)
			b.Do(chromedp.Evaluate(`document.querySelector("[data-ts='2.2']").scrollIntoView({block: "center"})`, nil))
			b.Shot(scheme + "-answer")
			b.Do(chromedp.Evaluate(`document.querySelector("[data-ts='1.2']").scrollIntoView({block: "center"})`, nil))
			b.Shot(scheme + "-attachment")
			b.Do(chromedp.SendKeys("#composer-text", "/session"))
			b.Until(`!document.querySelector("#completions").hidden`)
			b.Shot(scheme + "-completion")
			b.Do(chromedp.SendKeys("#composer-text", kb.Escape), chromedp.Click("a.replies"), chromedp.WaitVisible("#reply-text"))
			b.Shot(scheme + "-thread")
			b.CheckAccessible(axe, scheme+", thread")
			b.Do(chromedp.Click("a.tool"), chromedp.WaitVisible(".frame"), chromedp.Click(".frames li:nth-child(2) summary"))
			b.Shot(scheme + "-frames")
			b.CheckAccessible(axe, scheme+", frames")
			b.Do(chromedp.Click(`[data-action="confirm.approve"]`, chromedp.ByQuery), chromedp.WaitVisible("#confirm[open]"))
			b.Shot(scheme + "-confirm")
			b.CheckAccessible(axe, scheme+", dialog")
			b.Do(chromedp.KeyEvent(kb.Escape), chromedp.Click(".you-button"), chromedp.WaitVisible("#people"))
			b.Shot(scheme + "-people")
			b.Do(chromedp.EmulateViewport(1000, 3600), chromedp.Navigate(url+"/?channel=C0OTHER"), chromedp.WaitReady("#composer-text"))
			b.Shot(scheme + "-gallery")
			b.Do(chromedp.EmulateViewport(390, 4600))
			b.Until(`document.getAnimations().length === 0`)
			b.Shot(scheme + "-gallery-narrow")
			b.CheckAccessible(axe, scheme+", gallery")
			b.CheckLayout(scheme + ", gallery")
			b.Do(chromedp.EmulateViewport(390, 844), chromedp.Navigate(url+"/?channel=C0SUPPORT"), chromedp.WaitReady("#composer-text"))
			b.Shot(scheme + "-narrow")
			b.CheckAccessible(axe, scheme+", narrow")
			b.Do(chromedp.Click("#menu"), chromedp.WaitVisible(".channels a"))
			b.Until(`document.getAnimations().length === 0`)
			b.Shot(scheme + "-narrow-drawer")
			b.Do(chromedp.Navigate(url+"/?panel=thread&ts=2.1"), chromedp.WaitVisible("#reply-text"))
			b.Shot(scheme + "-narrow-thread")
		})
	}
}
