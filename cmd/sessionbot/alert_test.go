package main

import (
	"strings"
	"testing"
)

// TestTestAlert: it is posted in the alert channel, mentions the same person, and says both;
// if it cannot be posted, it says what to do.
func TestTestAlert(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env     map[string]string
		code    int
		prints  []string
		message string // "" = none
	}{
		"a user":         {nil, 0, []string{"The test alert arrived in C0ALERTS: http", "It mentions @ona."}, "<@U0ONCALL>"},
		"a user group":   {map[string]string{"ONCALL_MENTION": "S0OPS"}, 0, []string{"It mentions the user group S0OPS (members: 3)."}, "<!subteam^S0OPS>"},
		"nobody":         {map[string]string{"ONCALL_MENTION": ""}, 0, []string{"It mentions nobody. Set ONCALL_MENTION"}, "alerts mention nobody"},
		"a stranger":     {map[string]string{"ONCALL_MENTION": "U0NOBODY"}, 1, []string{"arrived", "ONCALL_MENTION U0NOBODY", "user_not_found", "check the id"}, "<@U0NOBODY>"},
		"public channel": {map[string]string{"ALERT_CHANNEL": "C0RANDOM"}, 0, []string{"arrived in C0RANDOM"}, "<@U0ONCALL>"},
		"not invited":    {map[string]string{"ALERT_CHANNEL": "C0LEADS"}, 1, []string{"did not arrive in C0LEADS: slack: channel_not_found: ", "/invite @sessionbot"}, ""},
		"no channel":     {map[string]string{"ALERT_CHANNEL": ""}, 2, []string{"ALERT_CHANNEL is missing: set it to"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := watched(newStage(t))
			for name, value := range c.env {
				s.env[name] = value
			}
			p := run(t, s.env, "alert", "test")
			if code := p.exitCode(); code != c.code {
				t.Errorf("it exits with %d", code)
			}
			for _, part := range c.prints {
				if !strings.Contains(p.log.String(), part) {
					t.Errorf("it does not print %q:\n%s", part, p.log)
				}
			}
			if c.message != "" {
				s.workspace.As("U0LEAD").In(s.env["ALERT_CHANNEL"]).ExpectMessage(containing("Test alert: no session is in trouble.", c.message))
			}
			s.workspace.ExpectNothingElse()
		})
	}
}
