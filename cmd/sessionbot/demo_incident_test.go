package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/superduperai/sessionbot/internal/browsertest"
)

// The messages of the incident, as JavaScript.
var (
	incidentAlert = about("Repair all…", "paid sessions have had no video since") // twelve, and one more after some seconds
	incidentPlan  = about("", "Replay the webhook for 8 sessions?")
	incidentEnd   = about("", "Finished: 8 videos ready")
	demoDigest    = about("Digest of", "not informed yet")
)

// TestDemoIncident: the demo's incident of twelve is repaired from its alert, once with
// the mouse and once with the keyboard alone, with two presses. The digest comes, too.
func TestDemoIncident(t *testing.T) { // not parallel: the demo is a whole site in one process
	for name, press := range map[string]func(p *player, message, action string){
		"mouse": func(p *player, message, action string) {
			p.Do(chromedp.Click(buttonIn(message, action), chromedp.ByJSPath))
		},
		"keyboard": func(p *player, message, action string) {
			p.TabTo("document.activeElement === "+buttonIn(message, action), true)
			p.Do(browsertest.Enter())
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &incidentPlayer{player: player{t: t, Browser: browsertest.Open(t)}, press: press, looks: name == "mouse"}
			process := run(t, nil, "demo", "--addr", "127.0.0.1:0")
			p.url = process.awaitOutput(demoAddress)
			p.Do(chromedp.Navigate(p.url+"/?user=U0ONCALL&channel=C0ALERTS"), chromedp.WaitReady(`body[data-user="U0ONCALL"]`))
			p.known()
			p.menu()
			p.pressed(incidentAlert, "alert.repair")
			p.pressed(incidentPlan, "confirm.approve")
			progress, repairing := about("Replaying: ", " running"), about("Repair all…", "being made, approved by")
			p.still(func() { p.shots("progress", progress); p.shots("repairing", repairing) }, progress, repairing)
			if p.presses != 2 {
				t.Errorf("from the alert to the running repair it took %d presses", p.presses)
			}
			p.ends()
			p.look("digest", demoDigest)
		})
	}
}

// TestDemoIncidentIncluded: what Stripe still delivers takes a choice, which counts as the
// first of the two presses that it needs.
func TestDemoIncidentIncluded(t *testing.T) { // not parallel: the demo is a whole site in one process
	p := &incidentPlayer{player: player{t: t, Browser: browsertest.Open(t)}, press: func(p *player, message, action string) {
		p.Do(chromedp.Evaluate(buttonIn(message, action)+".click()", nil)) // at once: an update may replace the button
	}}
	process := run(t, nil, "demo", "--addr", "127.0.0.1:0")
	p.url = process.awaitOutput(demoAddress)
	p.Do(chromedp.Navigate(p.url+"/?user=U0ONCALL&channel=C0ALERTS"), chromedp.WaitReady(`body[data-user="U0ONCALL"]`))
	p.known()
	p.pressed(incidentAlert, "alert.repair")
	p.pressed(incidentPlan, "confirm.include")
	p.Until(about("Replay the webhook for 9 sessions?", "the events of 1 of these sessions") + " !== undefined")
	p.Until(about("", "pressed once") + " !== undefined")
	p.Do(chromedp.Evaluate(`window.pressed = Date.now()`, nil))
	p.Until(`Date.now() - window.pressed > 2000`) // a second press before is a double click
	p.pressed(about("", "pressed once"), "confirm.approve")
	p.Until(about("", "Replaying: ") + " !== undefined")
	if p.presses != 3 {
		t.Errorf("from the alert to the running repair it took %d presses", p.presses)
	}
}

// incidentPlayer repairs the incident, and counts what is pressed.
type incidentPlayer struct {
	player
	press   func(p *player, message, action string)
	presses int
	looks   bool // takes the screenshots that people look at
}

// pressed presses a button of a message once that is there.
func (p *incidentPlayer) pressed(message, action string) {
	p.t.Helper()
	p.look(map[string]string{"alert.repair": "alert", "confirm.approve": "plan"}[action], message)
	p.press(&p.player, message, action)
	p.presses++
}

// known awaits that the watch has seen all twelve at Stripe: what can be replayed is
// known then.
func (p *incidentPlayer) known() {
	p.t.Helper()
	p.Until(incidentAlert + `?.querySelectorAll('[data-value^="replay:"]').length === 8`)
}

// menu takes the screenshots of the first session's menu.
func (p *incidentPlayer) menu() {
	p.t.Helper()
	if !p.looks {
		return
	}
	p.Until(incidentAlert + " !== undefined")
	p.Do(chromedp.Evaluate(incidentAlert+`.scrollIntoView({block: "start"})`, nil))
	opener := incidentAlert + `.querySelector(".opener.overflow")`
	p.Do(chromedp.Click(opener, chromedp.ByJSPath), chromedp.WaitReady(".message :popover-open"))
	p.Shot("incident-menu-light")
	p.Do(chromedp.KeyEvent(kb.Escape), chromedp.WaitNotPresent(".message :popover-open"))
}

// ends awaits the end: in the message, in its thread with a mention, and in the alert.
func (p *incidentPlayer) ends() {
	p.t.Helper()
	p.Until(incidentEnd + " !== undefined")
	p.look("repaired", about("paid sessions have had no video since", "8 replayed"))
	p.Until(incidentEnd + `.querySelector("a.replies") !== null`)
	p.Do(chromedp.Evaluate(incidentEnd+`.querySelector("a.replies").click()`, nil)) // at once: messages above may move it
	p.Until(`document.querySelector("#panel").innerText.includes("@ona Finished: 8 videos ready")`)
	p.look("end", incidentEnd)
	p.Do(chromedp.Click(`#panel .bar a[data-nav]`), chromedp.WaitNotVisible("#panel"))
	p.types("/session list orphaned")
	p.look("list", about("", "orphaned sessions"))
}

// buttonIn is a button of a message, as JavaScript.
func buttonIn(message, action string) string {
	return fmt.Sprintf(`%s.querySelector('[data-action=%q]')`, message, action)
}

// look awaits a message, and takes its screenshots as it is then.
func (p *incidentPlayer) look(name, message string) {
	p.t.Helper()
	p.still(func() { p.shots(name, message) }, message)
}

// still awaits messages and has their screenshots taken: the page takes no change before
// that is done, so that on a slow machine they show no later state.
func (p *incidentPlayer) still(look func(), messages ...string) {
	p.t.Helper()
	here := strings.Join(messages, " !== undefined && ") + " !== undefined"
	if !p.looks {
		p.Until(here)
		return
	}
	p.Until(here + ` && (() => {
		window.parse = DOMParser.prototype.parseFromString;
		DOMParser.prototype.parseFromString = () => new Document();
		return true;
	})()`)
	look()
	p.Do(chromedp.Evaluate(`DOMParser.prototype.parseFromString = window.parse;
		document.dispatchEvent(new Event("visibilitychange"))`, nil))
}

func (p *incidentPlayer) shots(name, message string) {
	p.t.Helper()
	p.Looks("incident-"+name, message+`.scrollIntoView({block: "start"})`)
}
