package main

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/superduperai/sessionbot/internal/browsertest"
)

// The messages of the incident, as JavaScript.
var (
	incidentAlert = about("Repair all…", "12 paid sessions have had no video")
	incidentPlan  = about("", "Replay the webhook for 8 sessions?")
	incidentEnd   = about("", "Finished: 8 videos ready")
)

// TestDemoIncident: the demo's incident of twelve is repaired from its alert, once with
// the mouse and once with the keyboard alone, with two presses.
func TestDemoIncident(t *testing.T) {
	t.Parallel()
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
			p := &player{t: t, Browser: browsertest.Open(t)}
			process := run(t, nil, "demo", "--addr", "127.0.0.1:0")
			p.url = process.awaitOutput(demoAddress)
			p.Do(chromedp.Navigate(p.url+"/?user=U0ONCALL&channel=C0ALERTS"), chromedp.WaitReady(`body[data-user="U0ONCALL"]`))
			presses := 0
			counted := func(message, action string) {
				t.Helper()
				p.Until(message + " !== undefined")
				press(p, message, action)
				presses++
			}
			p.Until(incidentAlert + " !== undefined")
			p.portrait(name+"-alert", incidentAlert)
			counted(incidentAlert, "alert.repair")
			p.Until(incidentPlan + " !== undefined")
			for _, text := range []string{"8 videos, about $192; the customers paid $7.00", "Left out: 1 that Stripe will still deliver", "Left out: 3 that only generate can repair"} {
				p.Until(about("Replay the webhook for 8 sessions?", text) + " !== undefined")
			}
			p.portrait(name+"-plan", incidentPlan)
			counted(incidentPlan, "confirm.approve")
			p.Until(about("", "Replaying: ") + " !== undefined")
			if presses != 2 {
				t.Errorf("from the alert to the running repair it took %d presses", presses)
			}
			p.Until(about("", "being made, approved by") + " !== undefined")
			p.portrait(name+"-progress", about("", "Replaying: "))
			p.portrait(name+"-repairing", about("Repair all…", "being made, approved by"))
			p.Until(incidentEnd + " !== undefined")
			p.portrait(name+"-end", incidentEnd)
		})
	}
}

// buttonIn is a button of a message, as JavaScript.
func buttonIn(message, action string) string {
	return fmt.Sprintf(`%s.querySelector('[data-action=%q]')`, message, action)
}

// portrait takes the screenshots of a message.
func (p *player) portrait(name, message string) {
	p.t.Helper()
	p.Do(chromedp.Evaluate(message+`.scrollIntoView({block: "start"})`, nil))
	p.Shot("incident-" + name)
}
