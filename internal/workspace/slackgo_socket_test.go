package workspace

import (
	"errors"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// TestClientLeavesAGap: at every disconnect frame the Go library closes first
// and opens second, reports neither the frame nor the reason to its consumer, and
// takes none for final. What is typed in between is not delivered.
func TestClientLeavesAGap(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		fault Fault
	}{
		{"warning", Fault{Kind: DisconnectWarning}},
		{"refresh_requested", Fault{Kind: Disconnect}},
		{"too_many_websockets", Fault{Kind: Disconnect, Reason: "too_many_websockets"}},
		{"link_disabled", Fault{Kind: Disconnect, Reason: linkDisabled}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *Server, m *memory) {
				g := newGoClient(s, m, nil)
				g.run(t, g.acking)
				synctest.Wait()
				release := g.hold()
				fault(t, s, c.fault)
				synctest.Wait()
				if did := strings.Join(g.did(), " "); did != "open dial close open" {
					t.Errorf("it did: %s", did)
				}
				if err := typed(s); !errors.Is(err, ErrDispatchFailed) {
					t.Errorf("typed in the gap: %v", err)
				}
				release()
				synctest.Wait()
				if err := typed(s); err != nil {
					t.Errorf("typed after the gap: %v", err)
				}
				if did := strings.Join(g.did(), " "); did != "open dial close open dial" {
					t.Errorf("it did: %s", did)
				}
				if kinds := strings.Join(g.kinds(), " "); kinds != "connecting connected hello connecting connected hello slash_commands" {
					t.Errorf("its consumer saw: %s", kinds)
				}
				if err := g.outcome(); !errors.Is(err, errNotYet) {
					t.Errorf("it ended: %v", err)
				}
			})
		})
	}
}

// TestTwoClientsCloseTheGap: of two connections one is enough, so refreshing
// one after the other loses nothing.
func TestTwoClientsCloseTheGap(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *Server, m *memory) {
		first, second := newGoClient(s, m, nil), newGoClient(s, m, nil)
		first.run(t, first.acking)
		synctest.Wait()
		second.run(t, second.acking)
		synctest.Wait()
		release := first.hold()
		fault(t, s, Fault{Kind: Disconnect}) // the oldest
		synctest.Wait()
		for range 10 {
			if err := typed(s); err != nil {
				t.Errorf("typed in one's gap: %v", err)
			}
		}
		release()
		synctest.Wait()
		if n, _ := s.sockets.count(); n != 2 || len(second.did()) != 2 {
			t.Errorf("%d connections, the second client did %v", n, second.did())
		}
		fault(t, s, Fault{Kind: Disconnect, Reason: linkDisabled}) // hits both
		synctest.Wait()
		if one, two := len(first.did()), len(second.did()); one != 8 || two != 5 {
			t.Errorf("the clients did %v and %v", first.did(), second.did())
		}
	})
}

// TestClientsLeakNothing: a hundred and fifty drops leave nothing behind.
func TestClientsLeakNothing(t *testing.T) { // alone: it counts the goroutines of the process
	inBubble(t, func(t *testing.T, s *Server, m *memory) {
		g := newGoClient(s, m, nil)
		g.run(t, g.acking)
		synctest.Wait()
		before := runtime.NumGoroutine()
		for range 150 {
			fault(t, s, Fault{Kind: DropConnections})
			synctest.Wait()
		}
		time.Sleep(2 * lingers)
		if n, _ := s.sockets.count(); n != 1 {
			t.Fatalf("%d connections", n)
		}
		if opened := len(g.events(socketmode.EventTypeConnected)); opened != 151 {
			t.Errorf("connected %d times", opened)
		}
		if after := runtime.NumGoroutine(); after > before+5 { // those of the process are counted too
			t.Errorf("%d goroutines, %d before", after, before)
		}
	})
}

// TestClientBacksOff: 100 ms, doubling to five minutes, without jitter; after an
// outage of 30 s the client stays deaf for 21 s more.
func TestClientBacksOff(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *Server, m *memory) {
		fault(t, s, Fault{Kind: Refuse, Method: "apps.connections.open", Error: "internal_error"})
		g := newGoClient(s, m, nil)
		g.run(t, g.acking)
		time.Sleep(time.Hour)
		var waits []time.Duration
		for _, e := range g.events(socketmode.EventTypeConnectionError) {
			waits = append(waits, e.Data.(*slack.ConnectionErrorEvent).Backoff)
		}
		want := 100 * time.Millisecond
		for i, wait := range waits {
			if wait != want {
				t.Errorf("wait %d: %v, want %v", i, wait, want)
			}
			want = min(2*want, 5*time.Minute)
		}
		if len(waits) < 15 || waits[len(waits)-1] != 5*time.Minute {
			t.Errorf("%d waits in an hour: %v", len(waits), waits)
		}
	})
	inBubble(t, func(t *testing.T, s *Server, m *memory) {
		g := newGoClient(s, m, nil)
		g.run(t, g.acking)
		synctest.Wait()
		since := elapsed()
		fault(t, s, Fault{Kind: DropConnections, Seconds: 30})
		for n := 0; n == 0; {
			var changed <-chan struct{}
			synctest.Wait()
			if n, changed = s.sockets.count(); n == 0 {
				<-changed
			}
		}
		if deaf := since() - 30*time.Second; deaf.Round(100*time.Millisecond) != 21100*time.Millisecond {
			t.Errorf("deaf for %v beyond the outage", deaf)
		}
	})
}

// TestDeadSocket: the Go library sends no PING of its own. A socket that died
// without a word is noticed once no PING has come for OptionPingInterval, 30 s
// by default, which takes up to twice as long.
func TestDeadSocket(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		options     []socketmode.Option
		least, most time.Duration
	}{
		{"by default", nil, 30 * time.Second, time.Minute},
		{"with a small interval", []socketmode.Option{socketmode.OptionPingInterval(15 * time.Second)}, 15 * time.Second, 30 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *Server, m *memory) {
				g := newGoClient(s, m, nil, c.options...)
				g.run(t, g.acking)
				time.Sleep(5*time.Minute + time.Second) // quiet, but alive: a PING was a second ago
				if n := len(g.events(socketmode.EventTypeConnected)); n != 1 {
					t.Fatalf("connected %d times while all was well", n)
				}
				since := elapsed()
				fault(t, s, Fault{Kind: HalfOpen})
				if err := typed(s); !errors.Is(err, ErrOperationTimeout) {
					t.Errorf("typed into a dead socket: %v", err)
				}
				for len(g.events(socketmode.EventTypeConnected)) == 1 && since() < time.Hour {
					time.Sleep(time.Second)
				}
				if took := since(); took < c.least-2*time.Second || took > c.most {
					t.Errorf("noticed after %v, expected %v to %v", took, c.least, c.most)
				}
				const ping, pong = 0x80 | 9, 0x80 | 10
				if pings, pongs := g.wrote(ping), g.wrote(pong); pings != 0 || pongs < 30 {
					t.Errorf("it sent %d PINGs and %d PONGs", pings, pongs)
				}
				if err := typed(s); err != nil {
					t.Errorf("typed after that: %v", err)
				}
			})
		})
	}
}

// TestURLsOfConnections: each connection has a URL of its own, which lets in
// once; ws:// will do.
func TestURLsOfConnections(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *Server, m *memory) {
		g := newGoClient(s, m, nil)
		g.run(t, g.acking)
		synctest.Wait()
		fault(t, s, Fault{Kind: DropConnections})
		synctest.Wait()
		var urls []string
		for _, e := range g.events(socketmode.EventTypeConnected) {
			url := e.Data.(*socketmode.ConnectedEvent).Info.URL
			if !strings.HasPrefix(url, "ws://") || slices.Contains(urls, url) {
				t.Errorf("URL %s after %v", url, urls)
			}
			urls = append(urls, url)
		}
		if len(urls) != 2 {
			t.Fatalf("URLs %v", urls)
		}
		res, err := over(m).RoundTrip(upgrade(t, urls[1]))
		if err != nil {
			t.Fatal(err)
		}
		if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusForbidden {
			t.Errorf("a used URL: HTTP %d, %v", res.StatusCode, err)
		}
	})
}

// TestDebugShortensConnections: OptionDebug asks for connections of 360 s, and
// logs what people write.
func TestDebugShortensConnections(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *Server, m *memory) {
		var plain, debug notebook
		quiet := newGoClient(s, m, nil, socketmode.OptionLog(plain.logger()))
		quiet.run(t, quiet.acking)
		loud := newGoClient(s, m, []slack.Option{slack.OptionDebug(true), slack.OptionLog(debug.logger())},
			socketmode.OptionDebug(true), socketmode.OptionLog(debug.logger()))
		loud.run(t, loud.acking)
		synctest.Wait()
		for range 20 {
			if _, err := s.Command("U0SUPPORT", "C0SUPPORT", "/x", "a-secret"); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(349 * time.Second)
		if n := len(loud.events(socketmode.EventTypeConnected)); n != 1 {
			t.Errorf("connected %d times before the warning", n)
		}
		time.Sleep(2 * time.Second)
		if n := len(loud.events(socketmode.EventTypeConnected)); n != 2 {
			t.Errorf("connected %d times after the warning", n)
		}
		if n := len(quiet.events(socketmode.EventTypeConnected)); n != 1 {
			t.Errorf("without debugging connected %d times", n)
		}
		if !debug.says("a-secret") || plain.says("a-secret") {
			t.Errorf("what people write is logged: with debugging %v, without %v", debug.says("a-secret"), plain.says("a-secret"))
		}
	})
}
