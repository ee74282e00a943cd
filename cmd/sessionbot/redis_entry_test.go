package main

import (
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/internal/redistest"
)

// TestRedisWithTLS: with the file of its CA all works over rediss://; without
// it nothing is sent, and the remedy is shown everywhere.
func TestRedisWithTLS(t *testing.T) {
	t.Parallel()
	server, url, caFile := startTLS(t)
	s := orphan(watched(stageOn(t, url, server.Client())))
	s.env["HTTP_ADDR"] = freeAddr(t)
	s.startBot()
	if m := s.ask("/redis ping"); !strings.Contains(m.Text, "Set SSL_CERT_FILE to the file with its CA") {
		t.Errorf("an unknown CA is reported as: %s", m.Text)
	}
	s.awaitServed("/readyz", `"ready":false`, `"redis":"the certificate of Redis is not trusted: its authority is not known"`)
	terminal := run(t, s.env, "redis", "ping")
	if code := terminal.exitCode(); code != 1 || !strings.Contains(terminal.log.String(), "SSL_CERT_FILE") {
		t.Errorf("the terminal exits with %d", code)
	}
	if code := s.bot.stop(); code != 0 {
		t.Errorf("asked to stop, it exited with %d", code)
	}

	s.env["SSL_CERT_FILE"] = caFile
	s.startProcess() // this one has read its CAs
	alerts := s.workspace.As("U0ONCALL").In("C0ALERTS")
	alert := alerts.ExpectMessage(containing("A paid session got no video."))
	if m := s.ask("/redis stats"); !strings.Contains(m.Text, "1 session") {
		t.Errorf("with its CA: %s", m.Text)
	}
	s.approved(s.workspace.As("U0LEAD").In("C0SUPPORT"), "generate", withText("Done: video ready"))
	s.awaitServed("/readyz", `"ready":true`)
	alerts.ExpectUpdate(alert, containing("Resolved after"))
}

// TestRedisRefuses: a fault of user, password or ACL is reported with the remedy and without
// the secret.
func TestRedisRefuses(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	allow(t, server, "bare", "on", ">PASSWORD")
	s := stageOn(t, server.URL(), server.Client())
	if err := server.Client().ConfigSet(t.Context(), "requirepass", "hunter2").Err(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, url, says string
	}{
		{"no password", server.URL(), "Redis requires a password. Write user and password into REDIS_URL"},
		{"a wrong one", as("default", server.URL()), "Redis rejected the bot's user or password"},
		{"an unknown user", as("nobody", server.URL()), "Redis rejected the bot's user or password"},
		{"a user without permissions", as("bare", server.URL()), "all permissions listed in docs/security.md"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.env["REDIS_URL"] = c.url
			for _, command := range [][]string{{"redis", "ping"}, {"redis", "stats"}, {"session", "history", repairID}, {"session", "fix", "--yes", repairID}} {
				terminal := run(t, s.env, command...)
				code, log := terminal.exitCode(), terminal.log.String()
				if code != 1 || !strings.Contains(log, c.says) || strings.Contains(log, "hunter") || strings.Contains(log, "PASSWORD") {
					t.Errorf("%q exits with %d and says: %s", command, code, log)
				}
			}
		})
	}
}
