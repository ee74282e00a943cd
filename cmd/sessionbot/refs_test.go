package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/internal/demo"
)

// withoutRequest are lines of the log that concern no request.
var withoutRequest = regexp.MustCompile(`^(starting|alerts are off|connected to Slack|connection to Slack|process not|check warns)`)

// TestEveryLineCarriesTheRef: every log line about a request carries its ref, from the
// envelope to the end of the repair that it requested, in whichever process; and people
// see the same ref.
func TestEveryLineCarriesTheRef(t *testing.T) {
	s := repairStage(t)
	s.stripe.BreakFor(repairID, demo.Fault{Status: 500})
	s.site.Break(demo.Fault{Status: 503})
	s.startBot()
	s.ask("/session debug " + repairID) // Stripe and the site are broken: both are logged
	s.stripe.Heal()
	s.ask("/redis stats")
	support, lead := s.workspace.As("U0SUPPORT").In("C0SUPPORT"), s.workspace.As("U0LEAD").In("C0SUPPORT")
	s.files.Break(demo.Fault{Status: 500}) // the generation is refused, which is logged by the job
	support.Type("/session generate " + repairID)
	plan := support.ExpectMessage(withText("Generate a video for"))
	lead.Click(plan, "confirm.approve")
	s.expectEnd(support, plan, withText("Failed: no video"))
	s.bot.stop()
	lines := map[string][]string{} // by ref
	for line := range strings.Lines(s.bot.log.String()) {
		var l struct{ Msg, Ref, Asked string }
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Errorf("not JSON: %s", line)
			continue
		}
		if l.Ref == "" && !withoutRequest.MatchString(l.Msg) {
			t.Errorf("no ref: %s", line)
		}
		if l.Ref != "" {
			lines[l.Ref] = append(lines[l.Ref], l.Msg)
		}
	}
	for _, together := range [][]string{
		{"Stripe request failed", "source unavailable", "answered"},
		{"answered", "generation not started"}, // the request, and what its job came to
	} {
		if !sameRef(lines, together) {
			t.Errorf("no ref has all of %q: %q", together, lines)
		}
	}
}

// sameRef reports whether lines that begin so carry the same ref.
func sameRef(lines map[string][]string, begin []string) bool {
	for _, of := range lines {
		all := strings.Join(of, "\n") + "\n"
		found := 0
		for _, words := range begin {
			if strings.HasPrefix(all, words) || strings.Contains(all, "\n"+words) {
				found++
			}
		}
		if found == len(begin) {
			return true
		}
	}
	return false
}
