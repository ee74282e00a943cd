package main

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
)

// TestAlertChannelIsJoined, where it is a public one.
func TestAlertChannelIsJoined(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.env["ALERT_CHANNEL"] = "C0RANDOM"
	s.pays(watchID(1), pastGrace(), store.EventFailed)
	s.startBot()
	s.workspace.As("U0ONCALL").In("C0RANDOM").ExpectMessage(containing("A paid session got no video.", "<@U0ONCALL>"))
	s.workspace.ExpectNothingElse()
}

// TestAlertChannelOutOfReach is loud: in the log, in a metric and as a note of
// /readyz, while the bot still receives and answers.
func TestAlertChannelOutOfReach(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.env["ALERT_CHANNEL"], s.env["HTTP_ADDR"] = "C0LEADS", freeAddr(t)
	s.pays(watchID(1), pastGrace(), store.EventFailed)
	s.startBot()
	s.awaitServed("/metrics", "sessionbot_alert_channel_unreachable 1", "sessionbot_alerts_untold 1",
		`sessionbot_sessions{verdict="orphaned"} 1`, `sessionbot_sweeps_total{outcome="done"}`, "sessionbot_sweep_last_success_timestamp_seconds 1.")
	s.awaitServed("/readyz", `"ready":true`, `"alert_channel":"alerts do not reach it: `)
	if log := s.bot.log.String(); !strings.Contains(log, `"level":"ERROR"`) || !strings.Contains(log, "channel_not_found") {
		t.Error("the log does not say it aloud")
	}
	m := s.ask("/redis stats")
	for _, part := range []string{"Last sweep", "Last Stripe check", "Last Redis event", "Alerts do not arrive"} {
		if !strings.Contains(m.Text, part) {
			t.Errorf("the figures do not tell %q:\n%s", part, m.Text)
		}
	}
	s.workspace.ExpectNothingElse()
}

// TestReadinessHangsOnSweeps: a frozen Redis turns /readyz red, and its return
// makes it ready again.
func TestReadinessHangsOnSweeps(t *testing.T) {
	t.Parallel()
	s := watched(ownStage(t))
	s.env["HTTP_ADDR"] = freeAddr(t)
	s.startBot()
	s.awaitServed("/readyz", `"ready":true`)
	s.redis.Freeze(t)
	s.awaitServed("/readyz", `"ready":false`, `"alerts":`)
	s.redis.Thaw(t)
	s.awaitServed("/readyz", `"ready":true`)
}

// TestAlertsAreOff where no channel is set, and the log says so.
func TestAlertsAreOff(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.pays(watchID(1), pastGrace(), store.EventFailed)
	s.startBot()
	if !strings.Contains(s.bot.log.String(), "set ALERT_CHANNEL") {
		t.Error("the log does not say that alerts are off")
	}
	s.workspace.ExpectNothingElse()
}

// freeAddr is an address that was free a moment ago.
func freeAddr(t testing.TB) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", testenv.FreePort(t))
}

// awaitServed waits until the page says all of this.
func (s *stage) awaitServed(path string, parts ...string) {
	s.t.Helper()
	await(s.t, func() string {
		req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+s.env["HTTP_ADDR"]+path, nil)
		if err != nil {
			s.t.Fatal(err)
		}
		return fetched(req)
	}, parts...)
}

// await repeats a request until the answer contains all of this.
func await(t testing.TB, ask func() string, parts ...string) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for {
		body := ask()
		if !lacks(body, parts) {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("never said %q:\n%s", parts, body)
		}
	}
}

func lacks(body string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(body, part) {
			return true
		}
	}
	return false
}

// fetched is a page, or why it could not be had.
func fetched(req *http.Request) string {
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = res.Body.Close() }() // read as far as it matters
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}

var printedKey = regexp.MustCompile(`X-Control-Key: (\S+)`)

// TestDemoAlerts: the demo shows an orphan alert soon after its start, from which
// one can act.
func TestDemoAlerts(t *testing.T) { // not parallel: the demo is a whole site in one process
	demo := run(t, nil, "demo", "--addr", "127.0.0.1:0")
	url := demo.awaitOutput(demoAddress)
	key := printedKey.FindStringSubmatch(demo.awaitOutput(printedKey))[1]
	await(t, func() string {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/control/messages?channel=C0ALERTS&user=U0ONCALL", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Control-Key", key)
		return fetched(req)
	}, "paid sessions have had no video", "S0OPS", "session.menu", "alert.ack", "From before monitoring started")
	if code := demo.stop(); code != 0 {
		t.Errorf("asked to stop, it exited with %d", code)
	}
}
