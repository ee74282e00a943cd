package bot

import (
	"fmt"
	"io"
	"net"
	"strings"
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

func TestEndedConnectionIsReplacedWhileTheOtherIsUp(t *testing.T) {
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

func TestStopHandlesLastFramesOfBothConnections(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(s *bubble) {
		first, second := s.both()
		s.stop()
		for i, l := range []*line{first, second} {
			time.Sleep(ackGrace / 3)
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
		if first.code != websocket.CloseNormalClosure || second.code != websocket.CloseNormalClosure || time.Since(stopped) > 3*ackGrace {
			t.Errorf("closed with codes %d and %d after %v", first.code, second.code, time.Since(stopped))
		}
		s.quiet()
	})
}

// TestBotOutlivesAProxyThatRefuses: the dial is repeated until it succeeds, and
// the log names the proxy.
func TestBotOutlivesAProxyThatRefuses(t *testing.T) {
	t.Parallel()
	refusals := 0
	inBubble(t, func(s *bubble) {
		s.proxy = func(conn net.Conn) {
			if refusals < 5 {
				refusals++
				_, _ = io.WriteString(conn, "HTTP/1.1 403\r\n\r\n")
				_ = conn.Close()
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 200\r\n\r\n")
			s.waiting <- conn
		}
	}, func(s *bubble) {
		first, _ := s.both()
		first.types(t, "e1", "x")
		s.answered(first, "e1", "x")
		log := s.log.String()
		if n := strings.Count(log, "the proxy proxy.test:3128 answered CONNECT with HTTP 403"); n < 5 || !strings.Contains(log, "NO_PROXY") {
			t.Errorf("logged %d times: %s", n, log)
		}
	})
}
