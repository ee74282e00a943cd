package bot

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestReconnectBacksOff(t *testing.T) {
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
		if took := time.Since(lost); took > 4*time.Second { // the back-off was reset
			t.Errorf("the next connection came after %v", took)
		}
	})
}

// TestRetryAfterIsHonored in every form, for five minutes at most.
func TestRetryAfterIsHonored(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string]time.Duration{
		"45": 45 * time.Second, "1.5": 2 * time.Second, "86400": 5 * time.Minute, "99999999999": 5 * time.Minute,
		"Sat, 01 Jan 2000 00:01:30 GMT": 90 * time.Second, // the bubble's clock begins with the year
		"Sun, 02 Jan 2000 00:00:00 GMT": 5 * time.Minute,
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

func TestTooManyWebSocketsBackOff(t *testing.T) {
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
		if !strings.Contains(s.log.String(), "Slack allows ten connections per app") {
			t.Errorf("the log does not say what helps: %s", s.log)
		}
	})
}

// Likewise where no connection is up.
func TestShortLivedConnectionsBackOff(t *testing.T) {
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

// TestEndlessReplacementsBackOff: nor does it get more than four
// connections at a time, where it leaves the old ones open.
func TestEndlessReplacementsBackOff(t *testing.T) {
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

// TestRareRefreshesAreNotDelayed: each with a successor before the
// connection ends, and never more than four.
func TestRareRefreshesAreNotDelayed(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(s *bubble) {
		first, second := s.both()
		now, all := []*line{first, second}, []*line{first, second}
		for range 20 {
			time.Sleep(timings.StableAfter)
			for i, l := range now {
				asked := time.Now()
				l.send(t, `{"type":"disconnect","reason":"refresh_requested"}`)
				now[i] = s.connected()
				if took := time.Since(asked); took > 2*ackGrace {
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
