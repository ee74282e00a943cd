package main

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
)

// TestStopWhateverHangs: a process that is stopped ends without an error, whatever the
// services do and whatever it is doing.
func TestStopWhateverHangs(t *testing.T) {
	t.Parallel()
	redis := func(s *stage) { s.redis.Freeze(s.t) }
	slack := func(s *stage) { s.workspace.Fault("slow", 60, "") }
	sending := func(s *stage) { // the one request of a generation is on its way
		s.files.BreakFor("generate-video", demo.Fault{Hang: true})
		lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
		lead.Click(s.planned(lead, "generate"), "confirm.approve")
		await(s.t, func() string { return fmt.Sprint(s.files.Calls() > 0) }, "true")
	}
	making := func(s *stage) {
		s.started(s.workspace.As("U0LEAD").In("C0SUPPORT"))
	}
	for name, c := range map[string]struct {
		hang     []func(*stage)
		answered bool // what was asked before the stop
	}{
		"nothing":                  {[]func(*stage){making}, true},
		"Redis":                    {[]func(*stage){making, redis}, true},
		"Slack":                    {[]func(*stage){making, slack}, false},
		"Redis and Slack":          {[]func(*stage){making, redis, slack}, false},
		"SuperDuperAI":             {[]func(*stage){sending}, true},
		"SuperDuperAI, then Redis": {[]func(*stage){sending, redis}, true},
		"everybody":                {[]func(*stage){sending, redis, slack}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := watched(orphan(ownStage(t)))
			s.env["SWEEP_INTERVAL"], s.env["ALERT_ON"] = "1m", "lost" // nothing is alerted
			s.holdVideos()
			s.startInTime()
			for _, hang := range c.hang {
				hang(s)
			}
			support := s.workspace.As("U0SUPPORT").In("C0SUPPORT")
			support.Type("/session debug " + repairID)
			s.expectCleanStop()
			if c.answered {
				support.ExpectMessage(nil)
			}
			s.workspace.Fault("clear", 0, "")
			s.drain(func(wstest.Message) {}) // what else was on its way may come
		})
	}
}

func (s *stage) expectCleanStop() {
	s.t.Helper()
	if code := s.bot.stop(); code != 0 {
		s.t.Errorf("asked to stop, it exited with %d", code)
	}
}

// TestStopWhileItStarts: a process can be stopped before it is ready.
func TestStopWhileItStarts(t *testing.T) {
	t.Parallel()
	for name, hang := range map[string]func(*stage){
		"Redis is frozen":       func(s *stage) { s.redis.Freeze(s.t) },
		"Slack hangs":           func(s *stage) { s.workspace.Fault("slow", 60, "") },
		"Slack takes no socket": func(s *stage) { s.workspace.Fault("drop_connections", 600, "") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := watched(ownStage(t))
			hang(s)
			s.bot = runWith(t, strings.NewReader(""), true, s.env, "run")
			s.bot.awaitOutput(startingLine)
			s.expectCleanStop()
		})
	}
}

var startingLine = regexp.MustCompile(`"starting"`)

// TestRunningJobIsHandedOver: a process that is stopped hands its job
// over, and another one continues it at once, in the same message.
func TestRunningJobIsHandedOver(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	finish := s.holdVideos()
	s.startBot()
	first := s.bot
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	plan := s.planned(lead, "generate")
	lead.Click(plan, "confirm.approve")
	running := lead.ExpectUpdate(plan, withText("being made"))
	lease := "sessionbot:{jobs}:lease:" + planID(t, plan)
	owner := s.client.Get(t.Context(), lease).Val()
	s.startBot()
	s.workspace.AwaitConnections(3)
	if code := first.stop(); code != 0 {
		t.Errorf("asked to stop, it exited with %d", code)
	}
	if now := s.client.Get(t.Context(), lease).Val(); owner == "" || now == owner {
		t.Errorf("the job was %q's, and is %q's", owner, now)
	}
	finish()
	s.expectEnd(lead, running, withText("Done: video ready"))
	if n := s.files.Started(); n != 1 {
		t.Errorf("%d started, want 1", n)
	}
	s.workspace.ExpectNothingElse()
}

// TestRollingRestart: two replicas are restarted one after the other, while
// people type: each command is received and answered once. What was on its way
// when a process said goodbye to Slack can no longer be acked.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	d := redistest.NewDatabase(t)
	s := crashStage(t, d.URL(), d.Client())
	s.startBot()
	replicas := []*process{s.bot, run(t, s.env, "run")}
	s.workspace.AwaitConnections(4)
	var over atomic.Bool
	var acked, late atomic.Int32
	var typing sync.WaitGroup
	people := []string{"U0SUPPORT", "U0ONCALL", "U0LEAD"}
	for i := range 6 {
		typing.Go(func() {
			by := s.workspace.As(people[i%3]).In("C0SUPPORT")
			for !over.Load() {
				switch err := by.TryType("/session debug " + repairID); {
				case err == nil:
					acked.Add(1)
				case err.Error() == "operation_timeout":
					late.Add(1)
				default:
					t.Error(err) // one of them always receives it
				}
			}
		})
	}
	for i := range replicas {
		if code := replicas[i].stop(); code != 0 {
			t.Errorf("asked to stop, it exited with %d", code)
		}
		replicas[i] = run(t, s.env, "run")
		s.workspace.AwaitConnections(4)
	}
	over.Store(true)
	typing.Wait()
	answers, want := 0, int(acked.Load()+late.Load())
	s.until(func() bool { return answers >= want }, func(m wstest.Message) {
		switch {
		case m.User == "USLACKBOT":
		case withText("Not found: ")(m), withText("Busy: try again in a moment.")(m):
			answers++
		default:
			t.Errorf("got %s", m)
		}
	})
	t.Logf("%d commands were acked, %d were too late to be; %d answers", acked.Load(), late.Load(), answers)
	if answers != want || acked.Load() == 0 {
		t.Errorf("%d answers to %d commands", answers, want)
	}
}

// until hands over what is said until that is enough, and then until nothing more
// is said.
func (s *stage) until(enough func() bool, take func(wstest.Message)) {
	s.t.Helper()
	for !enough() {
		news := s.workspace.News(patience)
		if len(news) == 0 {
			s.t.Fatal("too little was said")
		}
		for _, m := range news {
			take(m)
		}
	}
	s.drain(take)
}

// drain hands over what is said until nothing has been for a second.
func (s *stage) drain(take func(wstest.Message)) {
	s.t.Helper()
	for {
		news := s.workspace.News(time.Second)
		if len(news) == 0 {
			return
		}
		for _, m := range news {
			take(m)
		}
	}
}

// TestStopCountsTheSitesAnswers: no answer waits for their count, but the end of
// the process does.
func TestStopCountsTheSitesAnswers(t *testing.T) {
	t.Parallel()
	s := repairStage(t)
	s.startBot()
	s.ask("/session debug " + repairID)
	s.expectCleanStop()
	if code := run(t, s.env, "session", "debug", repairID).exitCode(); code != 0 {
		t.Errorf("in a terminal it exited with %d", code)
	}
	agreed := 0 // in the hour, and in the next one where it has begun
	for field, value := range s.client.HGetAll(t.Context(), "sessionbot:{watch}:series").Val() {
		var hour, good, bad int
		if _, err := fmt.Sscan(value, &hour, &good, &bad); err == nil && strings.HasSuffix(field, ":lookups") {
			agreed += good
		}
	}
	if agreed != 2 {
		t.Errorf("%d of the site's answers are counted", agreed)
	}
}
