package main

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/superduperai/sessionbot/internal/browsertest"
)

// TestDemoCanary: a large plan of the demo begins with one session alone. It comes to what
// the plan predicted, and the others follow.
func TestDemoCanary(t *testing.T) { // not parallel: the demo is a whole site in one process
	p := &incidentPlayer{player: player{t: t, Browser: browsertest.Open(t)}, looks: true, press: func(p *player, message, action string) {
		p.Do(chromedp.Click(buttonIn(message, action), chromedp.ByJSPath))
	}}
	process := run(t, nil, "demo", "--addr", "127.0.0.1:0")
	p.url = process.awaitOutput(demoAddress)
	p.be("U0LEAD")
	p.types("/session bulk generate")
	p.pressed(about("(canary): ", "Expected: its video is finished and the customer's page shows it"), "confirm.approve")
	p.look("canary", about("(canary)", "1 running"))
	p.look("canary-passed", about("as expected: its video is finished", "3 running"))
}
