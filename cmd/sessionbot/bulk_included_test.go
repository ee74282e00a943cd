package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
)

// TestBulkIncludedInATerminal: where Stripe will still deliver all of them, nothing is
// planned: --json lists the sessions left out, and the person can include them.
func TestBulkIncludedInATerminal(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.files = demo.NewSuperDuper(time.Now, 0)
	o := outage(s, 5)
	o.allowed = 100
	for k := range 5 {
		s.stripe.Put(paid(bulkID(k), time.Now().Add(-2*time.Hour+time.Duration(k)*time.Minute), store.EventFailed))
	}
	for _, c := range []struct {
		answer              string
		args                []string
		code, leftOut, done int
		says                string
	}{
		{"", []string{"--yes"}, 3, 5, 0, "5 that Stripe is still retrying"},
		{"n\n", nil, 3, 5, 0, "Also include the 5 whose events Stripe"},
		{"y\ny\nn\n", nil, 3, -1, 0, "Generate 5 videos?"},
		{"y\ny\ny\n", nil, 0, 0, 5, "Go on anyway?"},
	} {
		p := runWith(t, strings.NewReader(c.answer), false, s.env, append([]string{"session", "bulk", "generate", "--json"}, c.args...)...)
		code := p.exitCode()
		log, report := p.log.String(), message.BulkReport{}
		_, line, printed := strings.Cut(log, `{"plan"`) // it may follow a question, which ends no line
		if printed {
			testenv.Must(t, json.NewDecoder(strings.NewReader(`{"plan"`+line)).Decode(&report))
		}
		if code != c.code || printed != (c.leftOut >= 0) || printed && (len(report.LeftOut) != c.leftOut || report.Done != c.done) || !strings.Contains(log, c.says) || strings.Contains(log, "below") {
			t.Errorf("%q %v: exit code %d, %+v:\n%s", c.answer, c.args, code, report, log)
		}
	}
	if n := len(o.once(t)); n != 5 {
		t.Errorf("%d were requested", n)
	}
}
