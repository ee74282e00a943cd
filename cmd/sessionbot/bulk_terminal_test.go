package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/testenv"
)

// TestBulkInATerminal: the same plan, with the sums as JSON, and exit codes.
func TestBulkInATerminal(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.files = demo.NewSuperDuper(time.Now, 0)
	o := outage(s, 6)
	bulk := func(answer string, args ...string) (report message.BulkReport, log string, code int) {
		t.Helper()
		p := runWith(t, strings.NewReader(answer), false, s.env, append([]string{"session", "bulk"}, args...)...)
		code = p.exitCode()
		log = p.log.String()
		for line := range strings.Lines(log) {
			if strings.HasPrefix(line, `{"plan"`) {
				testenv.Must(t, json.Unmarshal([]byte(line), &report))
			}
		}
		return report, log, code
	}
	for _, c := range []struct {
		answer string
		args   []string
		code   int
		says   string
	}{
		{"", []string{}, 2, "Which repair?"},
		{"", []string{"refund"}, 2, "generate, replay or fix"},
		{"", []string{"generate", "sideways"}, 2, "verdict"},
		{"", []string{"generate", "--limit", "0"}, 2, "--limit"},
		{"n\n", []string{"generate"}, 3, "Generate 6 videos?"},
		{"", []string{"generate", "stalled"}, 0, "Nothing to generate now: no open session needs it."},
		{"", []string{"generate", "--limit", "60"}, 3, "too many for one plan"},
	} {
		if _, log, code := bulk(c.answer, c.args...); code != c.code || !strings.Contains(log, c.says) {
			t.Errorf("%v: exit code %d, want %d saying %q:\n%s", c.args, code, c.code, c.says, log)
		}
	}
	if o.count() != 0 {
		t.Errorf("%d were requested before anybody agreed", o.count())
	}
	report, log, code := bulk("y\n", "generate", "--limit", "2", "--json")
	if code != 0 || report.Done != 2 || report.Left != 0 || len(report.Sessions) != 2 || report.Sessions[0].ID != bulkID(0) || report.Sessions[0].Outcome != "done" {
		t.Errorf("exit code %d, %+v:\n%s", code, report, log)
	}
	o.mu.Lock()
	o.refuse[bulkPrompt(3)] = http.StatusUnprocessableEntity
	o.allowed = 100
	o.mu.Unlock()
	report, log, code = bulk("", "generate", "--yes", "--json")
	if code != 1 || report.Done != 3 || report.Failed != 1 || report.Sessions[1].Outcome != "failed" || report.Sessions[1].Reason == "" {
		t.Errorf("exit code %d, %+v:\n%s", code, report, log)
	}
	o.once(t)
}

// TestBulkStoppedInATerminal: after Ctrl-C no more sessions are begun, nor after a pause,
// which has no button there.
func TestBulkStoppedInATerminal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		sessions int
		status   int // of all requests
		most     int // requests
		says     string
		paused   bool
	}{
		{"interrupted", 9, 0, 4, "no more sessions will start", false},
		{"paused", 9, http.StatusPaymentRequired, 7, "does not have enough balance: no. Fix that first", true},
		{"paused after the canary", 12, http.StatusPaymentRequired, 1, "does not have enough balance: no. Fix that first", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			o := outage(s, c.sessions) // a video takes a minute
			o.refuse[""] = c.status
			p := run(t, s.env, "session", "bulk", "generate", "--yes", "--json")
			if c.status == 0 {
				testenv.Until(t, "four are being made", func() bool { return o.count() == 4 })
				p.interrupt()
			}
			code := p.exitCode()
			var report message.BulkReport
			for line := range strings.Lines(p.log.String()) {
				if strings.HasPrefix(line, `{"plan"`) {
					testenv.Must(t, json.Unmarshal([]byte(line), &report))
				}
			}
			if code != 1 || report.Paused != c.paused || report.Left == 0 || report.Done+report.Failed+report.Skipped+report.Left != c.sessions || !strings.Contains(p.log.String(), c.says) {
				t.Errorf("exit code %d, %+v", code, report)
			}
			if requested := len(o.once(t)); requested > c.most {
				t.Errorf("%d were requested", requested)
			}
		})
	}
}
