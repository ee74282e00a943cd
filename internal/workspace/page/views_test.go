package page

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/superduperai/sessionbot/internal/browsertest"
	"github.com/superduperai/sessionbot/internal/testenv"
)

const inModal = `document.querySelector("#modal").contains(document.activeElement)`

// TestModalByKeyboard: a shortcut opens a modal, which is filled, found wrong,
// submitted and closed by keyboard; the focus stays in it, and goes back after.
func TestModalByKeyboard(t *testing.T) {
	t.Parallel()
	b, _, w := openPage(t)
	opener := `[data-ts="2.1"] [data-shortcuts] .opener`
	b.Do(chromedp.Focus(opener, chromedp.ByQuery), browsertest.Enter(), chromedp.WaitReady(":popover-open", chromedp.ByQuery))
	b.Until(`document.activeElement.textContent.includes("Debug this session")`)
	b.Do(browsertest.Enter(), chromedp.WaitVisible("#modal[open]", chromedp.ByQuery))
	b.Until(inModal + ` && document.activeElement.tagName === "TEXTAREA"`)

	// Tab goes round within the modal, both ways.
	for range 30 {
		b.Do(chromedp.KeyEvent(kb.Tab))
		b.Until(inModal)
	}
	b.TabTo(`document.activeElement.matches('[data-block="prompt"] textarea')`, true)
	b.Do(chromedp.KeyEvent("fox"))
	b.TabTo(`document.activeElement.matches('[data-block="size"] .opener')`, false)
	b.Do(browsertest.Enter(), chromedp.WaitReady("#modal :popover-open", chromedp.ByQuery), chromedp.KeyEvent(kb.Escape))
	b.Until(`document.querySelector("#modal[open]") !== null && document.querySelector(":popover-open") === null && document.activeElement.matches('[data-block="size"] .opener')`)
	b.Do(browsertest.Enter(), chromedp.KeyEvent(kb.ArrowDown), browsertest.Enter())
	b.Until(`document.activeElement.matches('[data-block="size"] .opener') && document.activeElement.textContent === "1920×1080"`)
	b.TabTo(`document.activeElement.value === "customer"`, false)
	b.Do(chromedp.KeyEvent(" "))
	b.TabTo(`document.activeElement.matches('[data-block="session"] input')`, false)
	b.Do(chromedp.KeyEvent("1"))
	b.Until(`document.querySelector('[data-block="session"] [role=option]') !== null`)
	b.Do(browsertest.Enter())
	b.Until(`document.activeElement.value === "cs_live_1"`)

	// Several can be chosen, and taken away again.
	const also = `document.querySelector('[data-block="also"]')`
	b.TabTo(`document.activeElement.matches('[data-block="also"] input')`, false)
	for i, keys := range []string{"", kb.ArrowDown} {
		b.Do(chromedp.KeyEvent("1"))
		b.Until(also + `.querySelector(":popover-open [role=option]") !== null`)
		b.Do(chromedp.KeyEvent(keys), browsertest.Enter())
		b.Until(fmt.Sprintf(`%s.querySelectorAll(".chip").length === %d`, also, i+1))
	}
	b.TabTo(`document.activeElement.textContent === "cs_live_1 ✕"`, true)
	b.Do(browsertest.Enter())
	b.Until(also + `.querySelectorAll(".chip").length === 1 && document.activeElement === ` + also + `.querySelector("input")`)

	// What is wrong shows below the field, which gets the focus.
	b.TabTo(`document.activeElement.textContent === "Save"`, false)
	b.Do(browsertest.Enter())
	b.Until(`document.activeElement.matches('[data-block="prompt"] textarea') && document.querySelector("#modal .wrong").innerText === "The prompt is too short."`)
	b.Until(`document.activeElement.value === "fox" && document.querySelector('#modal [value="customer"]').checked`)
	b.Do(chromedp.KeyEvent(" in the deep snow at dawn"))
	b.TabTo(`document.activeElement.textContent === "Save"`, false)
	b.Do(browsertest.Enter(), chromedp.WaitNotPresent("#modal[open]", chromedp.ByQuery))
	b.Until(`document.activeElement.matches('` + opener + `')`)

	_, did := w.done()
	for _, want := range []string{
		"shortcut U0SUPPORT C0SUPPORT 2.1 debug",
		"fill U0SUPPORT V1 size size 1080", "fill U0SUPPORT V1 notify notify customer", "fill U0SUPPORT V1 session session 1",
		"fill U0SUPPORT V1 also also 1", "fill U0SUPPORT V1 also also 1,12", "fill U0SUPPORT V1 also also 12",
		"fill U0SUPPORT V1 prompt text fox", "fill U0SUPPORT V1 prompt text fox in the deep snow at dawn", "submit U0SUPPORT V1",
	} {
		if !slices.Contains(did, want) {
			t.Errorf("%q is not among %q", want, did)
		}
	}
}

// TestModalStack: a button opens a second modal, Escape goes back by one, and
// what was typed is still there.
func TestModalStack(t *testing.T) {
	t.Parallel()
	b, _, w := openPage(t)
	b.Do(chromedp.Click(".composer [data-shortcuts] .opener", chromedp.ByQuery), chromedp.Click(".composer [data-shortcuts] .option", chromedp.ByQuery))
	b.Do(chromedp.WaitVisible("#modal[open]", chromedp.ByQuery), chromedp.SendKeys(`#modal textarea`, "half a word", chromedp.ByQuery))
	b.Do(chromedp.Click(`#modal [data-action="form.more"]`, chromedp.ByQuery))
	b.Until(`document.querySelector("#modal-title").innerText === "One more"`)
	b.Do(chromedp.KeyEvent(kb.Escape))
	b.Until(`document.querySelector("#modal-title").innerText === "Restore a prompt" && document.querySelector("#modal textarea").value === "half a word"`)
	b.Until(inModal)
	// News below leave the modal as it is.
	b.Do(chromedp.SendKeys(`#modal textarea`, ", and more", chromedp.ByQuery))
	w.post("C0SUPPORT", Message{User: "U0LEAD", Name: "Chloé Lead", Text: "Any news?"})
	b.Until(`document.querySelector(".timeline").innerText.includes("Any news?")`)
	b.Until(`document.activeElement.value === "half a word, and more"`)
	b.Do(chromedp.Click(`#modal [data-close="all"]`, chromedp.ByQuery), chromedp.WaitNotPresent("#modal[open]", chromedp.ByQuery))
	_, did := w.done()
	if list := strings.Join(did, "; "); !strings.Contains(list, "shortcut U0SUPPORT C0SUPPORT  find") ||
		!strings.Contains(list, "close U0SUPPORT V2 false") || !strings.Contains(list, "close U0SUPPORT V1 true") {
		t.Errorf("did %q", did)
	}
	// A fault shows where the person looks.
	w.open([]byte(`[{"type":"divider"}]`), "Empty")
	b.Do(chromedp.WaitVisible("#modal[open]", chromedp.ByQuery))
	w.fail("operation_timeout")
	b.TabTo(`document.activeElement.textContent === "Save"`, false)
	b.Do(browsertest.Enter(), chromedp.WaitVisible("#modal .toast", chromedp.ByQuery))
}

// TestHomeTab: the app's home opens from its messages, and its fields and
// buttons work.
func TestHomeTab(t *testing.T) {
	t.Parallel()
	b, url, w := openPage(t)
	b.Do(chromedp.Navigate(url+"/?channel=D0BOT"), chromedp.WaitReady("#composer-text"))
	b.TabTo(`document.activeElement.textContent === "Home"`, false)
	b.Do(browsertest.Enter(), chromedp.WaitVisible(".home .body", chromedp.ByQuery))
	b.Until(`document.querySelector(".home").innerText.includes("Open incidents") && document.querySelector("#composer-text") === null`)
	b.Do(chromedp.SendKeys(".home input", "ann@example.com", chromedp.ByQuery), browsertest.Enter())
	b.Do(chromedp.Click(`.home [data-action="open"]`, chromedp.ByQuery))
	b.Do(chromedp.Click(".tabs a:not([aria-current])", chromedp.ByQuery), chromedp.WaitReady("#composer-text"))
	_, did := w.done()
	want := []string{"home U0SUPPORT", "fill U0SUPPORT VHOME q search ann@example.com", "U0SUPPORT VHOMED0BOT  i open "}
	for _, line := range want {
		if !slices.Contains(did, line) {
			t.Errorf("%q is not among %q", line, did)
		}
	}
}

// TestUpdateKeepsWhatIsTyped: the app publishes its home again while somebody types, who
// goes on where they were.
func TestUpdateKeepsWhatIsTyped(t *testing.T) {
	t.Parallel()
	b, url, w := openPage(t)
	b.Do(chromedp.Navigate(url+"/?channel=D0BOT&tab=home"), chromedp.WaitVisible(".home .body", chromedp.ByQuery))
	b.TabTo(`document.activeElement.matches(".home input")`, false)
	updated := func() {
		t.Helper()
		b.Do(chromedp.Evaluate(`old = document.activeElement`, nil))
		if err := w.OpenHome("U0SUPPORT"); err != nil {
			t.Fatal(err)
		}
		b.Until("!old.isConnected")
	}
	b.Do(chromedp.KeyEvent("nn"), chromedp.KeyEvent(kb.Home))
	updated()
	b.Do(chromedp.KeyEvent("a"))
	updated()
	b.Do(browsertest.Enter())
	b.Until(`document.activeElement.value === "ann"`)
	b.Do(chromedp.Evaluate(`document.activeElement.blur()`, nil)) // which sends it no second time
	var filled []string
	testenv.Until(t, "filled", func() bool {
		_, did := w.done()
		filled = slices.DeleteFunc(did, func(did string) bool { return !strings.HasPrefix(did, "fill ") })
		return len(filled) > 0
	})
	if want := []string{"fill U0SUPPORT VHOME q search ann"}; !slices.Equal(filled, want) {
		t.Errorf("did %q, want %q", filled, want)
	}
}

// TestPressOutlivesAnUpdate: a button that the app draws again while it is pressed is
// clicked all the same.
func TestPressOutlivesAnUpdate(t *testing.T) {
	t.Parallel()
	b, url, w := openPage(t)
	b.Do(chromedp.Navigate(url+"/?channel=D0BOT&tab=home"), chromedp.WaitVisible(".home .body", chromedp.ByQuery))
	var at struct{ X, Y float64 }
	b.Do(chromedp.ScrollIntoView(`.home [data-action="open"]`, chromedp.ByQuery),
		chromedp.Evaluate(`(({x, y}) => ({X: x + 5, Y: y + 5}))(document.querySelector('.home [data-action="open"]').getBoundingClientRect())`, &at))
	b.Do(chromedp.MouseEvent(input.MousePressed, at.X, at.Y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	if err := w.OpenHome("U0SUPPORT"); err != nil {
		t.Fatal(err)
	}
	b.Until(`document.querySelector("[data-stale]") !== null`)
	b.Do(chromedp.MouseEvent(input.MouseReleased, at.X, at.Y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	testenv.Until(t, "clicked", func() bool {
		_, did := w.done()
		return slices.Contains(did, "U0SUPPORT VHOMED0BOT  i open ")
	})
	b.Until(`document.querySelector("[data-stale]") === null`)
}

// TestViewsLook takes the screenshots of modals and the home tab, and has axe-core
// look at them.
func TestViewsLook(t *testing.T) {
	t.Parallel()
	axe := browsertest.Axe(t)
	for _, scheme := range []string{"light", "dark"} {
		for name, width := range map[string]int64{"wide": 1280, "narrow": 390} {
			t.Run(scheme+", "+name, func(t *testing.T) {
				t.Parallel()
				b, url, w := openPage(t)
				b.Do(browsertest.Colours(scheme), chromedp.EmulateViewport(width, 844), chromedp.Navigate(url+"/?channel=D0BOT&tab=home"))
				b.Do(chromedp.WaitVisible(".home .body", chromedp.ByQuery))
				b.Shot("home-" + scheme + "-" + name)
				b.CheckAccessible(axe, scheme+", "+name+", home")
				if err := w.UseShortcut("U0SUPPORT", "", "", "find"); err != nil {
					t.Fatal(err)
				}
				b.Do(chromedp.WaitVisible("#modal[open]", chromedp.ByQuery))
				b.Until(inModal)
				if err := w.Submit("U0SUPPORT", "V1"); err != nil {
					t.Fatal(err)
				}
				b.Do(chromedp.WaitVisible("#modal .wrong", chromedp.ByQuery))
				b.Shot("modal-" + scheme + "-" + name)
				b.CheckAccessible(axe, scheme+", "+name+", modal")
			})
		}
	}
}

// TestUpload: files are uploaded when they are chosen, and their names stand below the
// field, after another modal was on top as well.
func TestUpload(t *testing.T) {
	t.Parallel()
	b, _, w := openPage(t)
	picture := filepath.Join(t.TempDir(), "a.png")
	if err := os.WriteFile(picture, []byte("a picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.open([]byte(`[{"type":"input","block_id":"p","label":{"type":"plain_text","text":"Picture"},"element":{"type":"file_input","action_id":"f","filetypes":["png"]}}]`), "Send a picture")
	b.Do(chromedp.WaitVisible("#modal[open]", chromedp.ByQuery), chromedp.SetUploadFiles(`#modal input[accept=".png"][multiple]`, []string{picture}, chromedp.ByQuery))
	const shown = `document.querySelector("#modal .chosen")?.innerText === "a.png"`
	b.Until(shown)
	b.Shot("upload")
	w.open([]byte(`[{"type":"divider"}]`), "One more")
	b.Until(`document.querySelector("#modal-title").innerText === "One more"`)
	b.Do(chromedp.KeyEvent(kb.Escape))
	b.Until(shown)
	_, did := w.done()
	for _, want := range []string{"upload U0SUPPORT a.png a picture", "fill U0SUPPORT V1 p f a.png"} {
		if !slices.Contains(did, want) {
			t.Errorf("%q is not among %q", want, did)
		}
	}
}

// TestFocusStaysWhereSomebodyTypes: closing a panel takes a moment, and focus that moved
// to the message field meanwhile stays there.
func TestFocusStaysWhereSomebodyTypes(t *testing.T) {
	t.Parallel()
	b, _, w := openPage(t)
	b.Do(chromedp.Click("a.replies", chromedp.ByQuery), chromedp.WaitVisible("#reply-text"))
	b.Until(`document.activeElement.id === "reply-text"`)
	// At once, as a person may whose machine is busy: the answer comes after it.
	b.Do(chromedp.Evaluate(`document.querySelector("#panel .bar a[data-nav]").click(); document.querySelector("#composer-text").focus()`, nil))
	b.Until(`document.querySelector("#panel").hidden`)
	b.Do(chromedp.KeyEvent("/session list"), browsertest.Enter())
	b.Until(`document.querySelector("#composer-text").value === "" && document.querySelector("#panel").hidden`)
	b.Until(`[...document.querySelectorAll(".message")].at(-1).innerText.includes("/session list")`)
	if typed, _ := w.done(); !slices.Equal(typed, []string{"U0SUPPORT C0SUPPORT  /session list"}) {
		t.Errorf("typed %q", typed)
	}

	// Otherwise the focus returns to the link.
	b.Do(chromedp.Click("a.replies", chromedp.ByQuery), chromedp.WaitVisible("#reply-text"), chromedp.KeyEvent(kb.Escape))
	b.Until(`document.activeElement.matches("a.replies")`)
}
