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
				t.Errorf("says too much: %+v", results[i])
			}
		})
	}
}

// TestOrgWideInstallation: its token works, but cannot tell whose workspace it is.
func TestOrgWideInstallation(t *testing.T) {
	t.Parallel()
	for team, orgWide := range map[string]bool{
		`"team_id":"E1","enterprise_id":"E1","is_enterprise_install":true`:     true,
		`"team_id":"E1","is_enterprise_install":"true"`:                        true,
		`"enterprise_id":"E1","is_enterprise_install":true`:                    true,
		`"team_id":null,"enterprise_id":"E1"`:                                  true,
		`"team_id":"T1","enterprise_id":"E1","is_enterprise_install":"true"`:   false, // the workspace is known
		`"team_id":"T1","enterprise_id":null,"is_enterprise_install":{"x":[]}`: false,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"ok":true,`+team+`,"user_id":"U9","bot_id":"B1"}`) // the caller notices
		}))
		e := &checker{Config: Config{SlackBotToken: "xoxb-canary", SlackURL: server.URL + "/", Now: time.Now}}
		results := e.slack(t.Context())
		refused := len(results) == 1 && results[0].Level == Failed && strings.Contains(results[0].Seen, "org-wide") && strings.Contains(results[0].Remedy, "install it in that one workspace")
		if refused != orgWide {
			t.Errorf("%s: %+v", team, results)
		}
		server.Close()
	}
}
