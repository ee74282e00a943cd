package main

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/workspace"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
)

// TestBurst: of a thousand commands in a burst each is acked and answered, some with "busy". The process stays small and connected.
func TestBurst(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.env["HTTP_ADDR"] = freeAddr(t)
	s.startProcess()
	s.workspace.AwaitConnections(2)
	long := strings.Repeat("x", 15_000) // as much as may wait
	people := []string{"U0SUPPORT", "U0ONCALL", "U0LEAD"}
	for _, user := range people { // they have asked before
		by := s.workspace.As(user).In("C0SUPPORT")
		by.Type("/session debug " + repairID)
		by.ExpectMessage(withText("Not found: "))
	}
	before := peakOf(t, s.bot)
	var typing sync.WaitGroup
	for i := range 200 { // people who type as fast as they can
		typing.Go(func() {
			for k := range 5 {
				text := []string{"debug " + repairID, "debug " + long}[k%2]
				_, err := s.server.Command(people[i%3], []string{"C0SUPPORT", "C0ALERTS", "C0RANDOM"}[i/3%3], "/session", text)
				if err != nil && !errors.Is(err, workspace.ErrOperationTimeout) { // which a starved machine makes of it
					t.Error(err)
				}
			}
		})
	}
	typing.Wait()
	answered, busy, late := 0, 0, 0
	s.until(func() bool { return answered+busy >= 1000 }, func(m wstest.Message) {
		switch {
		case m.User == "USLACKBOT":
			late++
		case withText("Session  " + repairID)(m), withText("The session id is missing")(m):
			answered++
		case withText("Busy: try again in a moment.")(m):
			busy++
		default:
			t.Errorf("got %s", m)
		}
	})
	t.Logf("%d answered, %d refused as busy, %d acked too late; %.1f MB before, %.1f MB at most", answered, busy, late, before, peakOf(t, s.bot))
	log := s.bot.log.String()
	// On a starved machine Slack takes so long for an answer that it is given with
	// the bot's own voice, too.
	again := strings.Count(log, "could not be sent through its response_url")
	if n := answered + busy; n < 1000-again || n > 1000+again || answered < 100 {
		t.Errorf("%d answered, %d refused as busy", answered, busy)
	}
	if grown := peakOf(t, s.bot) - before; grown > 64 && !raced() { // which takes several times as much
		t.Errorf("the process grew by %.1f MB", grown)
	}
	s.awaitServed("/metrics", "sessionbot_ack_duration_seconds_count 1003", "sessionbot_socket_connections 2")
	s.workspace.AwaitConnections(2)
}

// BenchmarkAcks measures how long acks take at two hundred commands a second,
// from the command being typed: with all well, and while Redis is frozen and
// Stripe hangs.
func BenchmarkAcks(b *testing.B) {
	for _, frozen := range []bool{false, true} {
		b.Run(fmt.Sprintf("frozen=%v", frozen), func(b *testing.B) {
			s := ownStage(b)
			s.startBot()
			s.workspace.AwaitConnections(2)
			if frozen {
				s.redis.Freeze(b)
				s.stripe.Break(demo.Fault{Hang: true})
			}
			http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = 100 // of the people who type
			var mu sync.Mutex
			var took []time.Duration
			var typing sync.WaitGroup
			tick := time.NewTicker(time.Second / 200)
			defer tick.Stop()
			b.ResetTimer()
			for i := range max(b.N, 2000) {
				<-tick.C
				typing.Go(func() {
					by := s.workspace.As([]string{"U0SUPPORT", "U0ONCALL", "U0LEAD"}[i%3]).In("C0SUPPORT")
					typed := time.Now()
					if err := by.TryType("/session debug " + repairID); err != nil {
						b.Error(err)
					}
					mu.Lock()
					defer mu.Unlock()
					took = append(took, time.Since(typed))
				})
			}
			typing.Wait()
			b.StopTimer()
			slices.Sort(took)
			for name, share := range map[string]float64{"p50-ms": .5, "p99-ms": .99, "max-ms": 1} {
				b.ReportMetric(took[int(share*float64(len(took)-1))].Seconds()*1000, name)
			}
			b.ReportMetric(0, "ns/op")
			s.redis.Thaw(b)
			s.drain(func(wstest.Message) {})
		})
	}
}
