package workspace

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"

	"github.com/superduperai/sessionbot/internal/workspace/page"
)

// TestAckInTime: three seconds are enough and not a moment more.
func TestAckInTime(t *testing.T) {
	t.Parallel()
	for after, want := range map[time.Duration]error{
		2999 * time.Millisecond: nil, 3001 * time.Millisecond: ErrOperationTimeout,
	} {
		inBubble(t, func(t *testing.T, s *Server, m *memory) {
			g := newGoClient(s, m, nil)
			g.run(t, func(ctx context.Context, e socketmode.Event) {
				if e.Type == socketmode.EventTypeSlashCommand {
					time.Sleep(after)
				}
				g.acking(ctx, e)
			})
			synctest.Wait()
			if err := typed(s); !errors.Is(err, want) {
				t.Errorf("acknowledged after %v: %v, want %v", after, err, want)
			}
			synctest.Wait()
		})
	}
}

// TestPingsEveryTenSeconds, and nothing else while nothing happens.
func TestPingsEveryTenSeconds(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *Server, m *memory) {
		since := elapsed()
		var mu sync.Mutex
		var pings []time.Duration
		m.served = func(l *line) {
			l.wrote = func(first byte) {
				if first == 0x80|9 {
					mu.Lock()
					defer mu.Unlock()
					pings = append(pings, since())
				}
			}
		}
		g := newGoClient(s, m, nil)
		g.run(t, g.acking)
		time.Sleep(35 * time.Second)
		mu.Lock()
		defer mu.Unlock()
		if want := []time.Duration{10 * time.Second, 20 * time.Second, 30 * time.Second}; !slices.Equal(pings, want) {
			t.Errorf("PINGs after %v, want %v", pings, want)
		}
	})
}

// TestWhenEventsComeAgain: what is not acknowledged within 3 s comes again at
// once, a minute and five minutes later, and then no more.
func TestWhenEventsComeAgain(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *Server, m *memory) {
		g := newGoClient(s, m, nil)
		since := elapsed()
		came := make(chan time.Duration, 10)
		g.run(t, func(_ context.Context, e socketmode.Event) {
			if _, ok := e.Data.(slackevents.EventsAPIEvent); ok {
				came <- since()
			}
		})
		synctest.Wait()
		if _, err := s.Write("U0SUPPORT", "C0SUPPORT", "", "hello"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		var got []time.Duration
		for len(came) > 0 {
			got = append(got, <-came)
		}
		ack := 3 * time.Second
		want := []time.Duration{0, ack, 2*ack + time.Minute, 3*ack + 6*time.Minute}
		if !slices.Equal(got, want) {
			t.Errorf("it came after %v, want %v", got, want)
		}
	})
}

// TestConnectionsGrowOld: after five hours a connection is warned, and ended ten
// seconds later.
func TestConnectionsGrowOld(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *Server, m *memory) {
		g := newGoClient(s, m, nil)
		g.run(t, g.acking)
		time.Sleep(18_049 * time.Second)
		if n := len(g.events(socketmode.EventTypeConnected)); n != 1 {
			t.Errorf("connected %d times before the warning", n)
		}
		time.Sleep(2 * time.Second)
		if n := len(g.events(socketmode.EventTypeConnected)); n != 2 {
			t.Errorf("connected %d times after the warning", n)
		}
		time.Sleep(time.Minute)
		if n, _ := s.sockets.count(); n != 1 || len(g.events(socketmode.EventTypeConnected)) != 2 {
			t.Errorf("%d connections; the new one was ended with the old one", n)
		}
		disconnects := slices.DeleteFunc(s.frames.recent(), func(f page.Frame) bool { return f.Title != "disconnect" })
		if len(disconnects) != 1 {
			t.Errorf("a client that left at the warning got another disconnect: %+v", disconnects)
		}
	})
}

// TestSilentAppsAreGivenUp: who answers no PING for forty seconds is gone.
func TestSilentAppsAreGivenUp(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *Server, m *memory) {
		ws := m.socket(t, s)
		ws.SetPingHandler(func(string) error { return nil })
		since := elapsed()
		var err error
		for err == nil {
			_, _, err = ws.ReadMessage()
		}
		took := since()
		synctest.Wait()
		if n, _ := s.sockets.count(); n != 0 || took != 40*time.Second {
			t.Errorf("%d connections after %v", n, took)
		}
	})
}
