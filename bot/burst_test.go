package bot_test

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
)

// burst types many commands at once. A command that is not acked fails the test.
func (s *stage) burst(t *testing.T, user, channel string, n int) {
	t.Helper()
	var typing sync.WaitGroup
	for range n {
		typing.Go(func() {
			if _, err := s.server.Command(user, channel, "/session", "debug "+session); err != nil {
				t.Errorf("%s in %s: %v", user, channel, err)
			}
		})
	}
	typing.Wait()
}

// countMessages counts messages by their text and visibility.
func (s *stage) countMessages(t *testing.T, n int) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for taken := 0; taken < n; {
		news := s.News(patience)
		if len(news) == 0 {
			t.Fatalf("%d of %d messages came: %v", taken, n, counts)
		}
		for _, m := range news {
			counts[m.VisibleTo+" in "+m.Channel+": "+m.Text]++
		}
		taken += len(news)
	}
	return counts
}

// hanging lets these people's commands hang until goOn is called, and signals as
// they begin to.
func (s *stage) hanging(people ...string) (begun <-chan struct{}, goOn func()) {
	hang, begin := make(chan struct{}), make(chan struct{}, 1000)
	s.commands.run = func(_ context.Context, req commands.Request) commands.Answer {
		if slices.Contains(people, req.User) {
			begin <- struct{}{}
			<-hang
		}
		return aboutSession("Orphaned")
	}
	return begin, func() { close(hang) }
}

func TestAThousandCommandsAtOnce(t *testing.T) { // alone: it weighs the memory of the process
	s := play(t)
	s.awaitSockets(t, 2)
	_, goOn := s.hanging("U0SUPPORT", "U0ONCALL", "U0LEAD")
	before := heap()
	people := [][2]string{{"U0SUPPORT", "C0SUPPORT"}, {"U0ONCALL", "C0SUPPORT"}, {"U0LEAD", "C0SUPPORT"}, {"U0SUPPORT", "C0ALERTS"}}
	var typing sync.WaitGroup
	for _, p := range people {
		typing.Go(func() { s.burst(t, p[0], p[1], 250) }) // acked, while nothing is answered yet
	}
	typing.Wait()
	if grown := heap() - before; grown > 32<<20 {
		t.Errorf("the process grew by %d bytes", grown)
	}
	goOn()
	counts := s.countMessages(t, 1000)
	s.ExpectNothingElse()
	answered, busy := 0, 0
	for _, p := range people {
		to := p[0] + " in " + p[1] + ": "
		mine := counts[to+"Orphaned"]
		turnedAway := counts[to+"Busy: try again in a moment."]
		if mine+turnedAway != 250 {
			t.Errorf("%d answers to %s", mine+turnedAway, to)
		}
		answered, busy = answered+mine, busy+turnedAway
	}
	if answered < 200 || busy < 500 {
		t.Errorf("%d answered, %d refused as busy: %v", answered, busy, counts)
	}
	sam := s.As("U0SUPPORT").In("C0SUPPORT")
	sam.Type("/session debug " + session)
	sam.ExpectMessage(wstest.Saying("Orphaned"))
	if n := len(s.metrics.sockets); n != 0 {
		t.Errorf("the number of connections changed %d times", n)
	}
	s.ExpectNothingElse()
}

// Slack moves both connections while people type: the next ones receive before the
// old ones are gone.
func TestRefreshOfBothConnectionsLosesNothing(t *testing.T) {
	t.Parallel()
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
	s.Fault("disconnect_warning", 600, "") // longer than the test takes, which ends them itself
	for _, want := range []int{3, 4} {
		if up := await(t, s.metrics.sockets); up != want {
			t.Errorf("%d connections are up, want %d", up, want)
		}
	}
	over.Store(true)
	typing.Wait()
	for _, want := range []int{3, 2} {
		s.Fault("disconnect", 0, "") // the oldest
		if up := await(t, s.metrics.sockets); up != want {
			t.Errorf("%d connections are up, want %d", up, want)
		}
	}
	s.burst(t, "U0SUPPORT", "C0SUPPORT", 50)
	all := int(typed.Load()) + 50
	const orphaned, busy = "U0SUPPORT in C0SUPPORT: Orphaned", "U0SUPPORT in C0SUPPORT: Busy: try again in a moment."
	// On a busy machine they may type faster than is answered.
	if counts := s.countMessages(t, all); counts[orphaned] == 0 || counts[orphaned]+counts[busy] != all {
		t.Errorf("got %v, want %d answers", counts, all)
	}
	s.ExpectNothingElse()
}

func TestABurstHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
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
	if counts := s.countMessages(t, busy); counts["U0SUPPORT in C0SUPPORT: Busy: try again in a moment."] != busy {
		t.Errorf("got %v, want that it is busy %d times", counts, busy)
	}
	goOn()
	if counts := s.countMessages(t, running+waiting); counts["U0SUPPORT in C0SUPPORT: Orphaned"] != running+waiting {
		t.Errorf("got %v, want %d answers", counts, running+waiting)
	}
	s.ExpectNothingElse()
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
