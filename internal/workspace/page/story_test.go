package page

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/superduperai/sessionbot/internal/browsertest"
)

// TestByKeyboard: a person completes a command, sends it, recalls it, and
// answers a confirm dialog, without a mouse.
func TestByKeyboard(t *testing.T) {
	t.Parallel()
	b, _, w := openPage(t)
	b.Do(chromedp.SendKeys("#composer-text", "/ses"+kb.Tab))
	b.Until(`document.querySelector("#composer-text").value === "/session "`)
	b.Do(chromedp.KeyEvent("debug cs_live_x1"), browsertest.Enter())
	b.Until(`document.querySelector("#composer-text").value === ""`)
	b.Until(`[...document.querySelectorAll(".message")].at(-1).innerText.includes("debug cs_live_x1")`)
	b.Do(chromedp.KeyEvent(kb.ArrowUp))
	b.Until(`document.querySelector("#composer-text").value === "/session debug cs_live_x1"`)
	b.Do(chromedp.Focus(`[data-action="confirm.approve"]`), browsertest.Enter(), chromedp.WaitVisible("#confirm[open]"),
		chromedp.KeyEvent(kb.Escape), chromedp.WaitNotPresent("#confirm[open]"))
	if _, clicks := w.done(); len(clicks) != 0 {
		t.Errorf("Escape is no, but it clicked %q", clicks)
	}
	b.Do(chromedp.Focus(`[data-action="confirm.approve"]`), browsertest.Enter(), chromedp.WaitVisible("#confirm[open]"),
		chromedp.Focus(`#confirm button[value="yes"]`), browsertest.Enter())
	b.Until(`document.querySelector("[data-ts='2.3']").innerText.includes("approved by @Ann Support")`)
	typed, clicks := w.done()
	if want := []string{"U0SUPPORT C0SUPPORT  /session debug cs_live_x1"}; !slices.Equal(typed, want) {
		t.Errorf("typed %q, want %q", typed, want)
	}
	if len(clicks) != 1 || !strings.HasSuffix(clicks[0], " confirm.approve k3f9") {
		t.Errorf("clicked %q, want one approval", clicks)
	}
}

// TestByMouse: a person takes a hint, presses a button, becomes somebody else,
// who sees no ephemeral messages, and is shown what did not work.
func TestByMouse(t *testing.T) {
	t.Parallel()
	b, _, w := openPage(t)
	b.Do(chromedp.Click(`[data-hint^="/redis"]`))
	b.Until(`document.querySelector("#composer-text").value === "/redis stats"`)
	b.Do(chromedp.Click(".send"))
	b.Until(`document.querySelector("#composer-text").value === ""`)
	b.Until(`document.querySelector("[data-ts='2.2']").innerText.includes("Only visible to you")`)
	b.Do(chromedp.Click(`[data-ts="2.2"] [data-action="session.debug"]`))
	w.fail("operation_timeout")
	b.Do(chromedp.SendKeys("#composer-text", "/session help"), browsertest.Enter(), chromedp.WaitVisible(".toast"))
	b.Until(`document.querySelector(".toasts").innerText.includes("operation_timeout")`)
	b.Until(`document.querySelector("#composer-text").value === "/session help"`)
	b.Do(chromedp.Click(".you-button"), chromedp.WaitVisible("#people"), chromedp.Click(`#people [href*="U0GUEST"]`))
	b.Do(chromedp.WaitReady(`body[data-user="U0GUEST"]`))
	b.Until(`document.querySelector("[data-ts='2.2']") === null && document.querySelector("[data-ts='2.1']") !== null`)
	typed, clicks := w.done()
	if len(typed) != 2 || typed[0] != "U0SUPPORT C0SUPPORT  /redis stats" {
		t.Errorf("typed %q", typed)
	}
	if len(clicks) != 1 || !strings.HasSuffix(clicks[0], " session.debug cs_live_a1B20001") {
		t.Errorf("clicked %q", clicks)
	}
}

// TestHints: a hint leads to the last element that it looks for, or to a channel; what was
// tried is marked, and the next one stands out.
func TestHints(t *testing.T) {
	t.Parallel()
	b, _, _ := openPage(t)
	const chip = `[...document.querySelectorAll(".chip")].find(c => c.textContent === "%s")`
	press := func(label string) {
		b.Until(fmt.Sprintf(chip, label) + ` !== undefined`)
		b.Do(chromedp.Click(fmt.Sprintf(chip, label), chromedp.ByJSPath))
	}
	b.Until(`document.querySelector(".chip.next").textContent === "An orphaned session" && document.querySelectorAll(".chip").length === 5`)
	press("Nowhere")
	b.Until(`document.querySelector(".toasts").innerText.includes("It is not there yet") && document.querySelector(".chip.tried") === null`)
	press("Approve")
	b.Until(`document.activeElement.dataset.action === "confirm.approve" && document.querySelectorAll(".chip.tried").length === 1`)
	press("An orphaned session")
	b.Until(`document.querySelector("#composer-text").value === "/session debug cs_live_a1B20001"`)
	b.Until(`document.querySelector(".chip.next").textContent === "Statistics"`)
	b.Do(chromedp.Evaluate(`document.querySelector("#composer-text").select()`, nil), chromedp.KeyEvent(kb.Backspace))
	press("The gallery")
	b.Do(chromedp.WaitReady(`body[data-channel="C0OTHER"]`))
	b.Until(`[...document.querySelectorAll(".chip.tried")].some(c => c.textContent === "The gallery")`)
}

// TestOnlyThePageMayCall: requests that do not come from the page are refused.
func TestOnlyThePageMayCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := httptest.NewServer(New(w, Options{}))
	t.Cleanup(server.Close)
	index, err := http.Get(server.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	if err := index.Body.Close(); err != nil {
		t.Fatal(err)
	}
	pass := index.Cookies()[0]
	body := url.Values{"user": {"U0SUPPORT"}, "channel": {"C0SUPPORT"}, "text": {"hello"}}
	for _, c := range []struct {
		name   string
		cookie *http.Cookie
		origin string
		user   string
		status int
	}{
		{"the page", pass, server.URL, "U0SUPPORT", http.StatusNoContent},
		{"no cookie", nil, server.URL, "U0SUPPORT", http.StatusForbidden},
		{"another start's cookie", &http.Cookie{Name: pass.Name, Value: "x"}, server.URL, "U0SUPPORT", http.StatusForbidden},
		{"no origin", pass, "", "U0SUPPORT", http.StatusForbidden},
		{"a foreign origin", pass, "http://evil.example", "U0SUPPORT", http.StatusForbidden},
		{"nobody", pass, server.URL, "U0NOBODY", http.StatusNotFound},
		{"the bot", pass, server.URL, "U0BOT", http.StatusNotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			body.Set("user", c.user)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/ui/type", strings.NewReader(body.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.Header.Set("Origin", c.origin)
			if c.cookie != nil {
				req.AddCookie(c.cookie)
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			if err := res.Body.Close(); err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != c.status {
				t.Errorf("HTTP %d, want %d", res.StatusCode, c.status)
			}
		})
	}
	if typed, _ := w.done(); len(typed) != 1 {
		t.Errorf("typed %q, want once", typed)
	}
}
