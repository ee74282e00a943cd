package bot

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

func TestSecondConnectionFollowsTheFirst(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(s *bubble) {
		first := s.connected()
		greeted := time.Now()
		second := s.connected()
		if after := time.Since(greeted); after != timings.Stagger {
			t.Errorf("the second connection came after %v", after)
		}
		time.Sleep(6 * time.Hour)
		s.quiet() // Slack's PINGs are enough
		if !first.isUp() || !second.isUp() || s.gauge.now.Load() != 2 {
			t.Errorf("%d connections are up", s.gauge.now.Load())
		}
	})
}

// A refresh never leaves a gap, even where Slack moves both connections at once.
func TestRefreshOpensTheNextConnectionFirst(t *testing.T) {
	t.Parallel()
	for _, reason := range []string{"warning", "refresh_requested", "of tomorrow"} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, func(s *bubble) {
				first, second := s.both()
				for _, l := range []*line{first, second} {
					l.send(t, fmt.Sprintf(`{"type":"disconnect","reason":%q}`, reason))
				}
				third, fourth := s.connected(), s.connected()
				for i, l := range []*line{first, second, third, fourth} {
					id := fmt.Sprint("e", i)
					l.types(t, id, id)
					s.answered(l, id, id)
				}
				_ = first.Close() // Slack ends one, and forgets the other
				<-second.gone
				if second.code != websocket.CloseNormalClosure {
					t.Errorf("closed with code %d", second.code)
				}
				synctest.Wait()
				if s.gauge.least.Load() != 2 || s.gauge.now.Load() != 2 || !third.isUp() || !fourth.isUp() {
					t.Errorf("%d connections are up, %d at least", s.gauge.now.Load(), s.gauge.least.Load())
				}
				time.Sleep(time.Hour)
				s.quiet()
			})
		})
	}
}

func TestConnectionThatEndsIsReplacedWhileTheOtherStands(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(s *bubble) {
		first, second := s.both()
		ended := time.Now()
		_ = first.Close()
		s.connected()
		if after := time.Since(ended); after != 0 {
			t.Errorf("the next connection came after %v", after)
		}
		second.types(t, "e1", "x")
		s.answered(second, "e1", "x")
		if s.gauge.least.Load() != 1 {
			t.Errorf("%d connections were up at least", s.gauge.least.Load())
		}
	})
}

func TestSlackAwayIsAskedEverMoreSeldom(t *testing.T) {
	t.Parallel()
	var away atomic.Bool
	away.Store(true)
	inBubble(t, func(s *bubble) {
		s.opening = func(int) (int, string, string) {
			if away.Load() {
				return http.StatusInternalServerError, "", "x"
			}
			return http.StatusOK, "", ""
		}
	}, func(s *bubble) {
		time.Sleep(10 * time.Minute)
		before := time.Duration(0)
		attempts := s.attempts()
		for i, at := range attempts[1:] {
			gap := at - before
			if gap > 30*time.Second || i < 5 && gap > (300*time.Millisecond)<<i || i > 7 && gap < 10*time.Second {
				t.Errorf("attempt %d came %v after the one before", i+2, gap)
			}
			before = at
		}
		if n := len(attempts); n < 25 || n > 70 {
			t.Errorf("%d attempts in ten minutes", n)
		}
		away.Store(false)
		first, _ := s.both()
		lost := time.Now()
		away.Store(true)
		_ = first.Close()
		time.Sleep(time.Second)
		away.Store(false)
		s.connected()
		if took := time.Since(lost); took > 4*time.Second { // the back-off began anew
			t.Errorf("the next connection came after %v", took)
		}
	})
}

// TestSlacksPauseIsKept in whatever form it is asked for, for five minutes at most.
func TestSlacksPauseIsKept(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string]time.Duration{
		"45": 45 * time.Second, "1.5": 2 * time.Second, "86400": longestPause, "99999999999": longestPause,
		"Sat, 01 Jan 2000 00:01:30 GMT": 90 * time.Second, // the bubble's clock begins with the year
		"Sun, 02 Jan 2000 00:00:00 GMT": longestPause,
	} {
		for _, at := range []string{"the Web API", "the socket"} {
			t.Run(asked+" at "+at, func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(s *bubble) {
					s.opening = func(n int) (int, string, string) {
						switch {
						case n == 1 && at == "the Web API":
							return http.StatusTooManyRequests, asked, "x"
						case n == 1:
							return http.StatusOK, asked, `{"ok":true,"url":"ws://slack.test/refused"}`
						}
						return http.StatusOK, "", ""
					}
					s.pause = asked
				}, func(s *bubble) {
					s.connected()
					if attempts := s.attempts(); len(attempts) != 2 || (attempts[1]+time.Second-1).Truncate(time.Second) != want {
						t.Errorf("asked at %v", attempts)
					}
				})
			})
		}
	}
}

// A fault that only a person can mend ends the process, whichever connection
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
	t.Run("link_disabled told on one connection", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, func(s *bubble) {
			first, second := s.both()
			second.send(t, `{"type":"disconnect","reason":"link_disabled"}`)
			s.endsWith("Socket Mode is switched off", "SLACK_APP_TOKEN")
			<-first.gone
		})
	})
}

// The bot token is revoked while everything stands.
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
	var permanent *PermanentError
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

func TestTooManyConnectionsAreNotHammered(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(s *bubble) {
		first, second := s.both()
		for deadline := time.Now().Add(10 * time.Minute); time.Now().Before(deadline); {
			second.send(t, `{"type":"disconnect","reason":"too_many_websockets"}`)
			second = s.connected()
		}
		if n := len(s.attempts()); n > 75 {
			t.Errorf("%d attempts in ten minutes", n)
		}
		first.types(t, "e1", "x")
		s.answered(first, "e1", "x")
		if !strings.Contains(s.log.String(), "Slack allows an app ten connections") {
			t.Errorf("the log does not say what helps: %s", s.log)
		}
	})
}

// Likewise where none stands.
func TestConnectionsThatEndAtOnceAreNotHammered(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(s *bubble) {
		for deadline := time.Now().Add(10 * time.Minute); time.Now().Before(deadline); {
			s.connected().send(t, `{"type":"disconnect","reason":"too_many_websockets"}`)
		}
		if n := len(s.attempts()); n > 2*75 || n < 2*25 {
			t.Errorf("%d attempts in ten minutes", n)
		}
	})
}

// TestSlackThatAlwaysWantsAnotherIsNotHammered: nor does it get more than four
// connections at a time, where it leaves the old ones open.
func TestSlackThatAlwaysWantsAnotherIsNotHammered(t *testing.T) {
	t.Parallel()
	for _, reason := range []string{"warning", "refresh_requested", "of tomorrow"} {
		for name, hello := range map[string]bool{"after its hello": true, "instead of a hello": false} {
			t.Run(reason+" "+name, func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(s *bubble) { s.hello = hello }, func(s *bubble) {
					began := time.Now()
					var all []*line
					for time.Since(began) < 10*time.Minute {
						next := s.connected()
						next.send(t, fmt.Sprintf(`{"type":"disconnect","reason":%q}`, reason))
						all = append(all, next)
						synctest.Wait()
						if up := up(all); up > 4 {
							t.Fatalf("%d connections at a time", up)
						}
						if since := time.Since(began); since < 25*time.Second && len(all) > 20 || len(all) > 110 {
							t.Fatalf("%d connections in %v", len(all), since)
						}
					}
					if len(all) < 20 {
						t.Errorf("%d connections in ten minutes", len(all))
					}
				})
			})
		}
	}
}

func up(lines []*line) (n int) {
	for _, l := range lines {
		if l.isUp() {
			n++
		}
	}
	return n
}

// TestRefreshesThatComeSeldomAreServedAtOnce: each with a successor before the
// connection ends, and never more than four.
func TestRefreshesThatComeSeldomAreServedAtOnce(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(s *bubble) {
		first, second := s.both()
		now, all := []*line{first, second}, []*line{first, second}
		for range 20 {
			time.Sleep(timings.Settled)
			for i, l := range now {
				asked := time.Now()
				l.send(t, `{"type":"disconnect","reason":"refresh_requested"}`)
				now[i] = s.connected()
				if took := time.Since(asked); took > 2*ackFor {
					t.Errorf("the successor came after %v", took)
				}
				all = append(all, now[i])
				synctest.Wait()
				if up := up(all); up > 4 {
					t.Fatalf("%d connections at a time", up)
				}
			}
		}
		now[0].types(t, "e1", "x")
		s.answered(now[0], "e1", "x")
	})
}

func TestStopTakesALastCallOnBothConnections(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(s *bubble) {
		first, second := s.both()
		s.stop()
		for i, l := range []*line{first, second} {
			time.Sleep(ackFor / 3)
			id := fmt.Sprint("e", i)
			l.types(t, id, id)
			s.answered(l, id, id)
		}
		stopped := time.Now()
		if err := within(t, time.Second, "end of the bot", s.ended); err != nil {
			t.Errorf("Run: %v", err)
		}
		<-first.gone
		<-second.gone
		if first.code != websocket.CloseNormalClosure || second.code != websocket.CloseNormalClosure || time.Since(stopped) > 3*ackFor {
			t.Errorf("closed with codes %d and %d after %v", first.code, second.code, time.Since(stopped))
		}
		s.quiet()
	})
}
