package main

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/superduperai/sessionbot/internal/browsertest"
	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// TestDemoRepairs is the demo's whole story: from the question to the finished
// video, by keyboard and by mouse, and what a guest meets.
func TestDemoRepairs(t *testing.T) { // not parallel: the demo is a whole site in one process
	p := &player{t: t, Browser: browsertest.Open(t)}
	process := run(t, nil, "demo", "--addr", "127.0.0.1:0")
	p.url = process.awaitOutput(demoAddress)
	undelivered := exampleWith(t, store.EventFailed, 0)
	delivered := exampleWith(t, store.EventDelivered, 0)
	fixed := exampleWith(t, store.EventDelivered, 1)

	p.be("U0SUPPORT")
	p.askByKeyboard(undelivered)
	p.approveByMouse(delivered)
	p.cancelByKeyboard(fixed)
	p.pressAgain(undelivered)

	p.types("/session fix " + fixed)
	p.awaits(fixed, "Mark as error: ")
	p.be("U0GUEST")
	p.types("/session debug " + fixed)
	p.last("Only full members of this workspace may use this bot")
	p.Do(p.click(fixed, "confirm.approve"))
	p.last("Only operators may do this")
	p.awaits(fixed, "Mark as error: ")
	p.Shot("demo-guest")

	p.be("U0LEAD")
	p.finished(delivered)
	p.finished(undelivered)
	p.Looks("demo-done", about("", "Done: video ready for")+`.scrollIntoView({block: "center"})`)
	if code := process.stop(); code != 0 {
		t.Errorf("asked to stop, it exited with %d", code)
	}
}

// exampleWith finds the nth orphaned example whose event at Stripe is in this state.
func exampleWith(t *testing.T, event store.EventState, n int) string {
	t.Helper()
	for _, e := range demo.Examples(time.Now()) {
		if e.Verdict == diagnosis.VerdictOrphaned && e.Payment != nil && e.Payment.Event == event {
			if n--; n < 0 {
				return e.ID
			}
		}
	}
	t.Fatalf("no such example with event %s", event)
	return ""
}

// player uses the demo's page as a person does.
type player struct {
	*browsertest.Browser
	t   *testing.T
	url string
}

// about is the last message, as JavaScript, that names a session and says
// something.
func about(session, text string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("#scroll .message")].findLast(m => m.innerText.includes(%q) && m.innerText.includes(%q))`, session, text)
}

// buttonOf is a button in the last message about a session that has it.
func buttonOf(session, action string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("#scroll .message")].filter(m => m.innerText.includes(%q))
		.map(m => m.querySelector('[data-action=%q]')).findLast(Boolean)`, session, action)
}

func (p *player) be(user string) {
	p.t.Helper()
	p.Do(chromedp.Navigate(p.url+"/?user="+user), chromedp.WaitReady(`body[data-user="`+user+`"]`), chromedp.WaitReady("#composer-text"))
}

func (p *player) types(text string) {
	p.t.Helper()
	p.Do(chromedp.Focus("#composer-text"), chromedp.KeyEvent(text), browsertest.Enter())
}

func (p *player) awaits(session, text string) {
	p.t.Helper()
	p.Until(about(session, text) + " !== undefined")
}

func (p *player) last(text string) {
	p.t.Helper()
	p.Until(fmt.Sprintf(`[...document.querySelectorAll("#scroll .message")].at(-1)?.innerText.includes(%q)`, text))
}

func (p *player) click(session, action string) chromedp.Action {
	return chromedp.Click(buttonOf(session, action), chromedp.ByJSPath)
}

// tabTo brings the focus to a button with the Tab key alone.
func (p *player) tabTo(session, action string, back bool) {
	p.t.Helper()
	p.TabTo("document.activeElement === "+buttonOf(session, action), back)
}

// askByKeyboard: debug, Generate, the plan, and a press. Stripe still delivers the
// event of this one, so one press is not enough.
func (p *player) askByKeyboard(session string) {
	p.t.Helper()
	p.types("/session debug " + session)
	p.awaits(session, "Orphaned: paid")
	p.tabTo(session, "session.generate", true)
	p.Do(browsertest.Enter())
	p.awaits(session, "Approve must be pressed twice")
	p.Shot("demo-plan")
	p.tabTo(session, "confirm.approve", false)
	p.Do(browsertest.Enter())
	p.awaits(session, "Approve anyway, about $")
	p.Shot("demo-pressed")
}

func (p *player) approveByMouse(session string) {
	p.t.Helper()
	p.types("/session generate " + session)
	p.awaits(session, "Generate a video for")
	p.Do(p.click(session, "confirm.approve"))
	p.awaits(session, "Running: ")
	p.Shot("demo-running")
}

func (p *player) cancelByKeyboard(session string) {
	p.t.Helper()
	p.types("/session fix " + session)
	p.awaits(session, "Mark as error: ")
	p.tabTo(session, "confirm.cancel", true)
	p.Do(browsertest.Enter())
	p.last("Cancelled, nothing was changed")
}

// pressAgain: the second press counts once two seconds have gone by.
func (p *player) pressAgain(session string) {
	p.t.Helper()
	for range 20 {
		p.tabTo(session, "confirm.approve", true)
		p.Do(browsertest.Enter(), chromedp.Evaluate(`window.pressed = Date.now()`, nil))
		var running bool
		p.Until(about(session, "Running: ") + " !== undefined || Date.now() - window.pressed > 500")
		p.Do(chromedp.Evaluate(about(session, "Running: ")+" !== undefined", &running))
		if running {
			return
		}
	}
	p.t.Fatal("no second press counted")
}

// finished: the message of the plan says so, and leads to the video and to the
// session in its current state.
func (p *player) finished(session string) {
	p.t.Helper()
	p.Until(about(session, "Done: video ready for") + " !== undefined")
	var link string
	p.Do(chromedp.Evaluate(`[...`+about(session, "Done: video ready for")+`.querySelectorAll("a")].find(a => a.innerText === "open the video").href`, &link))
	res, err := http.Get(link)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusOK {
		p.t.Errorf("the link %s leads to HTTP %d, %v", link, res.StatusCode, err)
	}
	p.Do(p.click(session, "session.debug"))
	p.awaits(session, "Completed: the video is ready.")
}
