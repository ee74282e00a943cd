package health_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/health"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/stats"
	"github.com/superduperai/sessionbot/store/watchstate"
)

func TestReadiness(t *testing.T) {
	t.Parallel()
	var fault error
	handler := health.Handler(health.NewMetrics(), health.Check{Name: "slack", Run: func(context.Context) error { return fault }})
	for _, c := range []struct {
		name   string
		path   string
		fault  error
		status int
		says   string
	}{
		{"alive", "/healthz", errors.New("deaf"), http.StatusOK, ""},
		{"ready", "/readyz", nil, http.StatusOK, `{"faults":{},"ready":true}`},
		{"deaf", "/readyz", errors.New("no connection"), http.StatusServiceUnavailable, `{"faults":{"slack":"no connection"},"ready":false}`},
		{"elsewhere", "/", nil, http.StatusNotFound, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			fault = c.fault
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, c.path, nil))
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
				t.Errorf("HTTP %d %s, want %d %s", w.Code, w.Body, c.status, c.says)
			}
		})
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	m := health.NewMetrics()
	m.Acked(2 * time.Millisecond)
	m.Answered("session debug", "done", 40*time.Millisecond)
	m.Answered("", "usage", time.Millisecond)
	m.Sockets(1)
	m.Repaired("generate", "done")
	m.Jobs(3, 1)
	w := httptest.NewRecorder()
	health.Handler(m).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	for _, line := range []string{
		"sessionbot_ack_duration_seconds_count 1",
		`sessionbot_command_duration_seconds_count{command="session debug",outcome="done"} 1`,
		`sessionbot_command_duration_seconds_count{command="none",outcome="usage"} 1`,
		"sessionbot_socket_connections 1",
		`sessionbot_repairs_total{action="generate",outcome="done"} 1`,
		`sessionbot_jobs{state="running"} 3`,
		`sessionbot_jobs{state="unclear"} 1`,
	} {
		if !strings.Contains(w.Body.String(), line+"\n") {
			t.Errorf("the metrics do not say %s", line)
		}
	}
}

func TestServeStopsWithContext(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- health.Serve(ctx, listener, health.Profiles(), health.ProfileTimeout, slog.New(slog.DiscardHandler))
	}()
	res, err := http.Get("http://" + listener.Addr().String() + "/debug/pprof/")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil || !strings.Contains(string(body), "goroutine") {
		t.Errorf("no profiles: %v", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestNotesKeepReadiness(t *testing.T) {
	t.Parallel()
	handler := health.Handler(health.NewMetrics(), health.Check{Name: "alert_channel", Note: true,
		Run: func(context.Context) error { return errors.New("not invited") }})
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil))
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"notes":{"alert_channel":"not invited"}`) {
		t.Errorf("HTTP %d %s", w.Code, w.Body)
	}
}

func TestWatchMetrics(t *testing.T) {
	t.Parallel()
	m := health.NewMetrics()
	m.Swept(true, true, time.Second)
	m.Swept(false, false, time.Second)
	m.Watched(watchstate.State{Swept: time.UnixMilli(1500), Pause: time.Minute, Unreachable: "not invited"})
	rate := 0.5
	m.Counted(&stats.Rollup{Count: stats.Count{Verdicts: map[diagnosis.Verdict]int{diagnosis.VerdictOrphaned: 2}, WebhookSuccessRate: &rate},
		Server: &rdb.Server{UsedMemoryBytes: 7}})
	m.Alerted("first")
	m.PendingAlerts(1)
	ready := httptest.NewRecorder()
	health.Handler(m).ServeHTTP(ready, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil))
	if !regexp.MustCompile(`"watch":{"sweep_age_seconds":\d+,"stripe_age_seconds":null,"notification_age_seconds":null}`).MatchString(ready.Body.String()) {
		t.Errorf("/readyz does not tell the ages: %s", ready.Body)
	}
	w := httptest.NewRecorder()
	health.Handler(m).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	for _, line := range []string{
		`sessionbot_sweep_duration_seconds_count{kind="full"} 1`, `sessionbot_sweep_duration_seconds_count{kind="incremental"} 0`, "sessionbot_sweep_pause_seconds 60", `sessionbot_sweeps_total{outcome="done"} 1`, `sessionbot_sweeps_total{outcome="failed"} 1`,
		"sessionbot_sweep_last_success_timestamp_seconds 1.5", "sessionbot_stripe_last_success_timestamp_seconds 0",
		`sessionbot_sessions{verdict="orphaned"} 2`, `sessionbot_sessions{verdict="lost"} 0`, `sessionbot_alerts_total{reason="first"} 1`,
		"sessionbot_alerts_untold 1", `sessionbot_success_ratio{of="webhook"} 0.5`, `sessionbot_redis{figure="used_memory_bytes"} 7`, "sessionbot_alert_channel_unreachable 1",
	} {
		if !strings.Contains(w.Body.String(), line+"\n") {
			t.Errorf("%q is not exported", line)
		}
	}
	m.Counted(nil)
	w = httptest.NewRecorder()
	health.Handler(m).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	for _, name := range []string{"sessionbot_sessions", "sessionbot_success_ratio", "sessionbot_redis"} {
		if strings.Contains(w.Body.String(), name+"{") {
			t.Errorf("%s is exported although another replica counts", name)
		}
	}
}
