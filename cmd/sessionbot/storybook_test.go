package main

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/superduperai/sessionbot/internal/browsertest"
	"github.com/superduperai/sessionbot/internal/storybook"
)

// TestStorybook looks at every message there is, in the demo, by day, by night
// and on a phone: all are there, and nothing is wider than its message or covers a
// neighbour.
func TestStorybook(t *testing.T) {
	t.Parallel()
	b := browsertest.Open(t)
	demo := run(t, nil, "demo", "--addr", "127.0.0.1:0")
	url := demo.awaitOutput(demoAddress)
	all := fmt.Sprintf(`document.querySelectorAll(".storybook article .body").length === %d`, len(storybook.Stories()))
	const drawn = `![...document.querySelectorAll(".body")].some(b => b.textContent.trim() === "" || b.querySelector(".unknown"))`
	for _, look := range []struct {
		name, scheme  string
		width, height int64
	}{{"light", "light", 1000, 900}, {"dark", "dark", 1000, 900}, {"tablet", "light", 720, 900}, {"narrow", "light", 360, 780}} {
		b.Do(browsertest.Colours(look.scheme), chromedp.EmulateViewport(look.width, look.height), chromedp.Navigate(url+"/storybook"))
		b.Until(all)
		b.Until(drawn)
		b.CheckLayout("storybook, " + look.name)
		b.Shot("storybook-" + look.name)
	}
}
