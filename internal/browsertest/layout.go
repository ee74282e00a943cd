package browsertest

import (
	"strings"

	"github.com/chromedp/chromedp"
)

// misplaced lists what is not where it belongs: a page, channel or modal that scrolls
// sideways; content that reaches out of its table cell; cells that cover each other; and
// what is wider than the message that it is in, unless it scrolls by itself.
const misplaced = `(() => {
	const found = [];
	const say = (what, e) => found.push(what + ": " + e.className + " " + (e.textContent ?? "").trim().slice(0, 60));
	const apart = 1.5; // pixels, for borders and rounding
	for (const e of [document.documentElement, ...document.querySelectorAll("#scroll, .modal-body, #panel .scroll")])
		if (e.scrollWidth > e.clientWidth + 1) say("scrolls sideways", e);
	const box = (e) => e.getBoundingClientRect();
	const visible = (r) => r.width > 0 && r.height > 0;
	for (const table of document.querySelectorAll(".table table")) {
		const cells = [...table.querySelectorAll("th, td")].map((cell) => ({cell, at: box(cell)}));
		for (const {cell, at} of cells) {
			const content = document.createRange();
			content.selectNodeContents(cell);
			for (const r of content.getClientRects())
				if (visible(r) && (r.left < at.left - apart || r.right > at.right + apart)) { say("reaches out of its cell", cell); break; }
		}
		cells.forEach(({cell, at: a}, i) => cells.slice(i + 1).forEach(({at: b}) => {
			if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > apart && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > apart)
				say("covers another cell", cell);
		}));
	}
	for (const body of document.querySelectorAll(".body")) {
		const edge = box(body);
		const scrolls = (e) => e !== body && (getComputedStyle(e).overflowX !== "visible" || scrolls(e.parentElement));
		for (const e of body.querySelectorAll("*")) {
			const r = box(e);
			if (e.closest("svg, .options, .hidden") || !e.checkVisibility() || scrolls(e.parentElement)) continue;
			if (visible(r) && (r.left < edge.left - apart || r.right > edge.right + apart)) say("wider than its message", e);
		}
	}
	return found;
})()`

// CheckLayout fails the test where what is open is not laid out as it should be.
func (b *Browser) CheckLayout(view string) {
	b.t.Helper()
	var found []string
	b.Do(chromedp.Evaluate(misplaced, &found))
	if len(found) > 0 {
		b.Shot("misplaced-" + strings.NewReplacer(" ", "-", ",", "").Replace(view))
		b.t.Errorf("%s:\n%s", view, strings.Join(found[:min(len(found), 20)], "\n"))
	}
}

// Looks shows what is open by night, on a phone, and by day: of each it takes a screenshot
// and checks the layout, and whatever else check does. prepare is JavaScript that brings
// what matters into view.
func (b *Browser) Looks(name, prepare string, check ...func(view string)) {
	b.t.Helper()
	for _, look := range []struct {
		name, scheme  string
		width, height int64
	}{{"dark", "dark", 1280, 800}, {"narrow", "light", 360, 780}, {"light", "light", 1280, 800}} {
		b.Do(Colours(look.scheme), chromedp.EmulateViewport(look.width, look.height), chromedp.Evaluate(prepare, nil))
		b.Until(`document.getAnimations().length === 0`)
		b.Shot(name + "-" + look.name)
		for _, check := range append(check, b.CheckLayout) {
			check(name + ", " + look.name)
		}
	}
}
