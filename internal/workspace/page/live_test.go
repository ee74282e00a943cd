package page

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/superduperai/sessionbot/internal/browsertest"
)

// TestLive: what others do appears without a reload, is said to screen readers,
// and moves neither the scroll position nor the focus of who is busy elsewhere.
func TestLive(t *testing.T) {
	t.Parallel()
	b, _, w := openPage(t)
	const atEnd = `(s => s.scrollHeight - s.scrollTop - s.clientHeight < 2)(document.querySelector("#scroll"))`

	// At the end, one stays at the end, and has read what comes.
	b.Until(atEnd)
	w.mu.Lock()
	w.unread["C0SUPPORT"] = 1
	w.mu.Unlock()
	w.post("C0SUPPORT", Message{User: "U0LEAD", Name: "Chloé Lead", Text: "Any news?"})
	b.Until(`document.querySelector(".timeline").innerText.includes("Any news?") && ` + atEnd)
	b.Until(`document.querySelector(".line.new, .channels [aria-current] .count") === null`)
	b.Until(`document.querySelector("#announcer").textContent.includes("Chloé Lead: Any news?")`)

	// Further up, one stays there and sees the notice.
	b.Do(chromedp.Evaluate(`document.querySelector("#scroll").scrollTop = 0`, nil))
	w.post("C0SUPPORT", Message{User: "U0LEAD", Name: "Chloé Lead", Text: "Hello?"})
	b.Do(chromedp.WaitVisible("#jump"))
	b.Until(`document.querySelector("#scroll").scrollTop === 0`)
	b.Do(chromedp.Click("#jump"), chromedp.WaitNotVisible("#jump"))

	// A half-typed text and its focus survive, and so does the focus on a
	// button whose message is rendered again.
	b.Do(chromedp.SendKeys("#composer-text", "half a"))
	w.change("C0SUPPORT", "2.1", func(m *Message) { m.Text, m.Edited = "Solved.", true })
	b.Until(`document.querySelector("[data-ts='2.1']").innerText.includes("(edited)")`)
	b.Do(chromedp.KeyEvent(" word"))
	b.Until(`document.activeElement.value === "half a word"`)
	b.Do(chromedp.Focus(`[data-ts="2.3"] [data-action="confirm.cancel"]`))
	w.change("C0SUPPORT", "2.3", func(m *Message) { m.Edited = true })
	b.Until(`document.querySelector("[data-ts='2.3']").innerText.includes("(edited)")`)
	b.Until(`document.activeElement.dataset.action === "confirm.cancel"`)
	w.change("C0SUPPORT", "2.3", func(m *Message) { m.Blocks, m.Text = nil, "Cancelled." })
	b.Until(`document.activeElement === document.querySelector("[data-ts='2.3']")`)

	// What goes away goes away.
	w.change("C0SUPPORT", "2.2", func(m *Message) { m.Deleted = true })
	b.Until(`document.querySelector("[data-ts='2.2']") === null`)
}

// TestThread: a thread is opened, answered and closed by keyboard, and the
// focus goes back to where it came from.
func TestThread(t *testing.T) {
	t.Parallel()
	b, _, w := openPage(t)
	b.Do(chromedp.Focus("a.replies"), browsertest.Enter(), chromedp.WaitVisible("#reply-text"))
	b.Until(`document.activeElement.id === "reply-text"`)
	b.Do(chromedp.KeyEvent("Thanks!"), browsertest.Enter())
	b.Until(`document.querySelector("#panel").innerText.includes("3 replies")`)
	b.Until(`document.querySelector("#panel .timeline").innerText.includes("Thanks!")`)
	b.Do(chromedp.KeyEvent(kb.Escape), chromedp.WaitNotVisible("#panel"))
	b.Until(`document.activeElement.matches("a.replies") && document.activeElement.innerText.includes("3 replies")`)
	if typed, _ := w.done(); len(typed) != 1 || typed[0] != "U0SUPPORT C0SUPPORT 2.1 Thanks!" {
		t.Errorf("typed %q", typed)
	}
}

// TestUnread: a channel with news is marked, the news stand below a line, and
// reading takes the mark away and leaves the line.
func TestUnread(t *testing.T) {
	t.Parallel()
	b, _, w := openPage(t)
	w.mu.Lock()
	w.messages["C0ALERTS"] = []Message{
		{TS: "5.1", User: "U0LEAD", Text: "old", At: noon}, {TS: "5.2", User: "U0BOT", Text: "one", At: noon}, {TS: "5.3", User: "U0BOT", Text: "two", At: noon},
	}
	w.mu.Unlock()
	b.Until(`document.querySelector(".channels .unread .count").innerText.startsWith("2")`)
	b.Do(chromedp.Click(`.channels a.unread`), chromedp.WaitReady(`body[data-channel="C0ALERTS"]`))
	b.Until(`document.querySelector(".channels .unread") === null`)
	b.Until(`document.querySelector(".line.new + [data-ts='5.2']") !== null`)
}

// TestFrames: the panel of frames opens, is filtered, and keeps what was opened
// in it while more comes.
func TestFrames(t *testing.T) {
	t.Parallel()
	b, _, w := openPage(t)
	b.Do(chromedp.Click("a.tool"), chromedp.WaitVisible(".frame"), chromedp.Click(".frames li:nth-child(2) summary"))
	w.mu.Lock()
	w.frames = append(w.frames, Frame{At: noon, Direction: "in", Kind: "call", Title: "chat.update", Body: `{"ok":true}`})
	w.wake()
	w.mu.Unlock()
	b.Until(`document.querySelectorAll(".frame").length === 4 && document.querySelector(".frame[open]").innerText.includes("envelope_id")`)
	b.Do(chromedp.SendKeys("#filter", "UPDATE"))
	b.Until(`[...document.querySelectorAll(".frames > li")].filter(li => !li.hidden).length === 1`)
}

// TestRestart: the workspace restarts below an open page, which gets itself
// a new pass and keeps the half-typed text.
func TestRestart(t *testing.T) {
	t.Parallel()
	b := browsertest.Open(t)
	w := newWorld(t)
	var page atomic.Pointer[http.Handler]
	start := func(h http.Handler) { page.Store(&h) }
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { (*page.Load()).ServeHTTP(rw, r) }))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	start(New(w, Options{}))
	b.Do(chromedp.Navigate(server.URL), chromedp.WaitReady("#composer-text"), chromedp.SendKeys("#composer-text", "half a word"))

	// The new page listens once it is set up.
	var loaded atomic.Bool
	listens := make(chan struct{}, 1)
	second := New(w, Options{})
	start(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/":
			loaded.Store(true)
		case r.URL.Path == "/ui/events" && loaded.Load():
			listens <- struct{}{}
		}
		second.ServeHTTP(rw, r)
	}))
	server.CloseClientConnections()
	select {
	case <-listens:
	case <-time.After(2 * time.Minute):
		b.Shot("failed")
		t.Fatal("the page did not come back")
	}
	b.Until(`document.querySelector("#composer-text").value === "half a word" && document.querySelector("#offline").hidden`)
}
