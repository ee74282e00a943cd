package main

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/superduperai/sessionbot/internal/browsertest"
)

// TestDemoThread: a thread with a question is answered when the video is ready, and
// that the customer was informed is ticked there.
func TestDemoThread(t *testing.T) { // not parallel: the demo is a whole site in one process
	p := &player{t: t, Browser: browsertest.Open(t)}
	process := run(t, nil, "demo", "--addr", "127.0.0.1:0")
	p.url = process.awaitOutput(demoAddress)
	asked := about("", "Another customer asks")
	p.Do(chromedp.Navigate(p.url+"/?user=U0SUPPORT&channel=C0SUPPORT"), chromedp.WaitReady(`body[data-user="U0SUPPORT"]`))
	p.Until(asked + `?.querySelector("a.replies") != null`)
	p.Do(chromedp.Click(asked+`.querySelector("a.replies")`, chromedp.ByJSPath))
	p.Until(`document.querySelector("#panel").innerText.includes("Video ready: ")`)
	p.Looks("thread", "")
	p.Do(chromedp.Click(`#panel [data-action="customer.informed"]`))
	p.Until(`document.querySelector("#panel").innerText.includes("Customer informed by @sam")`)
	p.Shot("thread-informed")
}
