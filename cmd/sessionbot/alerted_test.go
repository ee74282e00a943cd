package main

import (
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/store"
)

// TestDebugNamesTheAlert, with a link, in Slack and in a terminal.
func TestDebugNamesTheAlert(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.startBot()
	s.pays(watchID(1), pastGrace(), store.EventFailed)
	s.workspace.As("U0ONCALL").In("C0ALERTS").ExpectMessage(containing("A paid session got no video."))
	await(t, func() string { return s.ask("/session debug " + watchID(1)).Text }, "open the alert")
	p := run(t, s.env, "session", "debug", watchID(1), "--json")
	if code := p.exitCode(); code != 0 {
		t.Errorf("it ends with %d", code)
	}
	for _, part := range []string{`"alert":{"state":"alerted","at":"`, `"permalink":"` + s.server.URL() + `/archives/C0ALERTS/p`} {
		if !strings.Contains(p.log.String(), part) {
			t.Errorf("no %s in %s", part, p.log)
		}
	}
}
