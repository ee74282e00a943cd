package bot

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/bot/slackapi"
)

// A fault that only a person can fix ends the process, whichever connection
// meets it and whenever.
func TestPermanentFaultsEndTheBot(t *testing.T) {
	t.Parallel()
	refused := func(code string) string { return `{"ok":false,"error":"` + code + `"}` }
	for code, words := range map[string]string{
		"invalid_auth": "token", "account_inactive": "reinstall", "not_authed": "token", "token_revoked": "reinstall",
		"token_expired": "rotation", "missing_scope": "scope", "not_allowed_token_type": "xapp-", "link_disabled": "Socket Mode",
		"team_access_not_granted": "admins", "access_denied": "admins",
	} {
		for name, n := range map[string]int{"at the start": 1, "second connection": 2, "hours later": 3} {
			t.Run(code+" "+name, func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(s *bubble) {
					s.opening = func(call int) (int, string, string) {
						if call == n {
							return http.StatusOK, "", refused(code)
						}
						return http.StatusOK, "", ""
					}
				}, func(s *bubble) {
					if n == 3 {
						first, second := s.both()
						time.Sleep(5 * time.Hour)
						_ = first.Close()
						defer func() { <-second.gone }()
					}
					s.endsWith(words, "SLACK_APP_TOKEN")
				})
			})
		}
	}
	t.Run("link_disabled sent on one connection", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, func(s *bubble) {
			first, second := s.both()
			second.send(t, `{"type":"disconnect","reason":"link_disabled"}`)
			s.endsWith("Socket Mode is switched off", "SLACK_APP_TOKEN")
			<-first.gone
		})
	})
}

// The bot token is revoked while both connections are up.
func TestRevokedBotTokenEndsTheBot(t *testing.T) {
	t.Parallel()
	for code, words := range map[string]string{"token_revoked": "reinstall", "account_inactive": "reinstall", "invalid_auth": "token", "token_expired": "rotation"} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, func(s *bubble) {
				s.both()
				s.refusal.Store("internal_error") // which passes
				time.Sleep(time.Hour)
				s.quiet()
				s.refusal.Store(code)
				time.Sleep(timings.Token)
				s.endsWith(words, "SLACK_BOT_TOKEN")
			})
		})
	}
}

func (s *bubble) endsWith(words ...string) {
	s.t.Helper()
	err := within(s.t, time.Minute, "end of the bot", s.ended)
	var permanent *slackapi.PermanentError
	if !errors.As(err, &permanent) {
		s.t.Fatalf("Run: %v", err)
	}
	for _, part := range words {
		if !strings.Contains(err.Error(), part) {
			s.t.Errorf("Run: %v, want %q in it", err, part)
		}
	}
	if s.bot.Connected() || strings.Contains(err.Error()+s.log.String(), "secret") {
		s.t.Errorf("connected %v; log: %s", s.bot.Connected(), s.log)
	}
}
