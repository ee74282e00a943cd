package bot_test

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
)

// burst has somebody type so many commands at once, and returns how long the
// slowest ack took. A command that was not acked fails the test.
func (s *stage) burst(t *testing.T, user, channel string, n int) time.Duration {
	t.Helper()
	var typing sync.WaitGroup
	var mu sync.Mutex
	var slowest time.Duration
	for range n {
		typing.Go(func() {
			typed := time.Now()
			if _, err := s.server.Command(user, channel, "/session", "debug "+session); err != nil {
				t.Errorf("%s in %s: %v", user, channel, err)
			}
			mu.Lock()
			defer mu.Unlock()
			slowest = max(slowest, time.Since(typed))
		})
	}
	typing.Wait()
	return slowest
}

// hanging lets these people's commands hang until goOn is called, and tells as
// they begin to.
func (s *stage) hanging(people ...string) (begun <-chan struct{}, goOn func()) {
	hang, begin := make(chan struct{}), make(chan struct{}, 1000)
	s.commands.run = func(ctx context.Context, req commands.Request) commands.Answer {
		if slices.Contains(people, req.User) {
			begin <- struct{}{}
			select {
			case <-hang:
			case <-ctx.Done():
			}
		}
		return aboutSession("Orphaned")
	}
	return begin, func() { close(hang) }
}

func TestAThousandCommandsAtOnce(t *testing.T) {
	s := play(t)
	s.awaitSockets(t, 2)
	_, goOn := s.hanging("U0SUPPORT", "U0ONCALL", "U0LEAD")
	before := heap()
	people := []string{"U0SUPPORT", "U0ONCALL", "U0LEAD", "U0SUPPORT"}
	var typing sync.WaitGroup
	for i, user := range people {
		typing.Go(func() {
			channel := "C0SUPPORT"
			if i == 3 {
				channel = "C0ALERTS"
			}
			took := s.burst(t, user, channel, 250)
			t.Logf("the slowest ack of %s took %v", user, took)
			if took > time.Second {
				t.Errorf("an ack took %v", took)
			}
		})
	}
	typing.Wait()
	if grown := heap() - before; grown > 32<<20 {
		t.Errorf("the process grew by %d bytes", grown)
	}
	goOn()
	answered, busy := 0, 0
	for i, user := range people {
		channel := "C0SUPPORT"
		if i == 3 {
			channel = "C0ALERTS"
		}
		for range 250 {
			m := s.As(user).In(channel).ExpectMessage(nil)
			switch {
			case wstest.Saying("Orphaned")(m):
				answered++
			case wstest.Saying("Busy: try again in a moment.")(m) && m.Ephemeral:
				busy++
			default:
				t.Errorf("got %s", m)
			}
		}
	}
	s.ExpectNothingElse()
	if answered+busy != 1000 || answered < 200 || busy < 500 {
		t.Errorf("%d answered, %d told to try again", answered, busy)
	}
	sam := s.As("U0SUPPORT").In("C0SUPPORT")
	sam.Type("/session debug " + session)
	sam.ExpectMessage(wstest.Saying("Orphaned"))
	if n := len(s.metrics.sockets); n != 0 {
		t.Errorf("the number of connections changed %d times", n)
	}
	s.ExpectNothingElse()
}

// Slack moves both connections while people type: the next ones hear before the
// old ones are gone.
func TestRefreshOfBothConnectionsLosesNothing(t *testing.T) {
	s := play(t)
	s.awaitSockets(t, 2)
	s.commands.run = func(context.Context, commands.Request) commands.Answer { return aboutSession("Orphaned") }
	var over atomic.Bool
	var typing sync.WaitGroup
	var typed atomic.Int32
	for range 4 {
		typing.Go(func() {
			for !over.Load() {
				s.burst(t, "U0SUPPORT", "C0SUPPORT", 1)
				typed.Add(1)
			}
		})
	}
	s.Fault("disconnect_warning", 4, "")
	for _, want := range []int{3, 4} {
		if up := await(t, s.metrics.sockets); up != want {
			t.Errorf("%d connections are up, want %d", up, want)
		}
	}
	over.Store(true)
	typing.Wait()
	s.awaitSockets(t, 2) // the old ones are gone
	s.burst(t, "U0SUPPORT", "C0SUPPORT", 50)
	sam := s.As("U0SUPPORT").In("C0SUPPORT")
	for range typed.Load() + 50 {
		sam.ExpectMessage(wstest.Saying("Orphaned"))
	}
	s.ExpectNothingElse()
}

func TestABurstHoldsUpNobodyElse(t *testing.T) {
	s := play(t)
	begun, goOn := s.hanging("U0SUPPORT")
	const running, waiting, busy = 32 / 4, 256 / 2, 150
	s.burst(t, "U0SUPPORT", "C0SUPPORT", running)
	for range running {
		await(t, begun)
	}
	s.burst(t, "U0SUPPORT", "C0SUPPORT", waiting+busy)
	for _, channel := range []string{"C0RANDOM", "C0SUPPORT"} {
		lea := s.As("U0LEAD").In(channel)
		lea.Type("/session debug " + session)
		lea.ExpectMessage(wstest.Saying("Orphaned"))
	}
	sam := s.As("U0SUPPORT").In("C0SUPPORT")
	for range busy {
		sam.ExpectMessage(wstest.Saying("Busy"))
	}
	goOn()
	for range running + waiting {
		sam.ExpectMessage(wstest.Saying("Orphaned"))
	}
	s.ExpectNothingElse()
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
