package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
)

// TestBulkNotStoppedInATerminal: Ctrl-C while Redis is away cannot stop the plan, which
// bots would continue. The terminal says so, with the last figures that it has.
func TestBulkNotStoppedInATerminal(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	server := redistest.Start(t)
	s.client, s.env["REDIS_URL"] = server.Client(), server.URL()
	o := outage(s, 9) // a video takes a minute
	p := run(t, s.env, "session", "bulk", "generate", "--yes", "--json")
	testenv.Until(t, "four are being made", func() bool { return o.count() == 4 })
	server.Kill(t)
	p.interrupt()
	code := p.exitCode()
	var report message.BulkReport
	for line := range strings.Lines(p.log.String()) {
		if strings.HasPrefix(line, `{"plan"`) {
			testenv.Must(t, json.Unmarshal([]byte(line), &report))
		}
	}
	log := p.log.String()
	if code != 1 || report.Plan == "" || report.Left != 9 || !strings.Contains(log, "Could not stop it") || strings.Contains(log, "no more sessions will start") {
		t.Errorf("exit code %d, %+v:\n%s", code, report, log)
	}
}
