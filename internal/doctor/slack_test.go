package doctor

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestAppTokenOpensSocket: Slack's Web API may answer where its sockets cannot be
// reached, such as behind a proxy.
func TestAppTokenOpensSocket(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		socket http.HandlerFunc
		says   string
	}{
		{"refused", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, "cannot be opened: websocket: bad handshake: HTTP 403"},
		{"no WebSocket", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "canary") }, "cannot be opened: websocket: bad handshake: HTTP 200"},
		{"cut", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "cannot be opened: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			mux := http.NewServeMux()
			server := httptest.NewServer(mux)
			defer server.Close()
			mux.HandleFunc("/socket", c.socket)
			mux.HandleFunc("/api/apps.connections.open", func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, `{"ok":true,"url":"`+strings.Replace(server.URL, "http", "ws", 1)+`/socket?ticket=canary"}`) // the asker notices
			})
			e := &checker{Config: Config{SlackAppToken: "xapp-1-A1-1-canary", SlackURL: server.URL + "/api/", Now: time.Now}}
			results := e.slack(t.Context())
			i := slices.IndexFunc(results, func(r Result) bool { return r.Check == "slack.app_token" })
			if i < 0 || results[i].Level != Failed || !strings.Contains(results[i].Seen, c.says) || results[i].Remedy == "" {
				t.Errorf("got %+v", results)
			}
			if i >= 0 && strings.Contains(results[i].Seen+results[i].Remedy, "canary") {
				t.Errorf("told too much: %+v", results[i])
			}
		})
	}
}
