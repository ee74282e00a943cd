package main

import (
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/internal/testenv"
)

// TestShortIDStory: a session is debugged, repaired and looked up by the short id that
// messages show, until another one has the same, and still after Redis forgot it.
func TestShortIDStory(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *stage) {
		short := repairID[:12] + "…" + repairID[len(repairID)-4:]
		typed := strings.ReplaceAll(short, "…", "...")
		s.startBot()
		if m := s.ask("/session what is wrong with `" + short + "`?"); !strings.Contains(m.Text, "Orphaned") || !strings.Contains(m.Text, "Understood as /session debug "+repairID) {
			t.Errorf("debug: %s", m.Text)
		}
		twin := strings.Replace(repairID, "c3D4", "twin", 1)
		s.put("prompt:"+twin, `{"prompt":"Another"}`)
		for _, text := range []string{"/session " + typed, "/session generate " + short} {
			if m := s.ask(text); !strings.Contains(m.Text, "2 sessions have the short id "+short) || !strings.Contains(m.Text, repairID) || !strings.Contains(m.Text, twin) {
				t.Errorf("%s, with a twin: %s", text, m.Text)
			}
		}
		terminal := run(t, s.env, "session", "fix", "--yes", short)
		if code := terminal.exitCode(); code != 2 || !strings.Contains(terminal.log.String(), "2 sessions have the short id") {
			t.Errorf("the terminal, with a twin, exits with %d", code)
		}
		testenv.Must(t, s.client.Del(t.Context(), "prompt:"+twin).Err())

		support, lead := s.workspace.As("U0SUPPORT").In("C0SUPPORT"), s.workspace.As("U0LEAD").In("C0SUPPORT")
		support.Type("/session generate " + typed)
		plan := support.ExpectMessage(withText("Session  " + repairID))
		lead.Click(plan, "confirm.approve")
		s.expectEnd(lead, plan, withText("Done: video ready for "+short))

		for _, kind := range []string{"prompt:", "webhook:", "session:"} { // three slots
			testenv.Must(t, s.client.Del(t.Context(), kind+repairID).Err())
		}
		if m := s.ask("/session history " + short); !strings.Contains(m.Text, " for "+repairID) {
			t.Errorf("history, when Redis has forgotten it: %s", m.Text)
		}
		if terminal := run(t, s.env, "session", "history", typed); terminal.exitCode() != 0 || !strings.Contains(terminal.log.String(), repairID) {
			t.Errorf("the terminal's history: %s", terminal.log)
		}
		if m := s.ask("/session debug cs_live_zzzz…zzzz"); !strings.Contains(m.Text, "No session is known with the short id cs_live_zzzz…zzzz") {
			t.Errorf("an unknown one: %s", m.Text)
		}
	})
}
