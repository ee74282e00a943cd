package bot

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"time"
)

const (
	announceFor = time.Second

	// Slack may count a connection of ours for so long after we gave it up.
	ghostsFor = time.Minute
)

// Processes knows which processes of the bot live; see store.Processes.
type Processes interface {
	Announce(ctx context.Context, id string, now time.Time) (living int, err error)
	Leave(ctx context.Context, id string) error
}

// census compares the connections that Slack counts with those that the bot's
// processes explain. Slack hands each payload to any one connection of the app,
// so a forgotten process with the same token takes a part of what people type.
type census struct {
	processes Processes
	every     time.Duration // between two announcements
	id        string        // of this process
	log       *slog.Logger
	now       func() time.Time
	hellos    chan greeting
	warned    bool // since the count was last explained

	mu     sync.Mutex
	gaveUp []time.Time // connections of the last minute
}

// greeting is what was known at a hello.
type greeting struct{ counted, own int }

func newCensus(processes Processes, every time.Duration, log *slog.Logger, now func() time.Time) *census {
	return &census{processes: processes, every: every, id: rand.Text(), log: log, now: now, hellos: make(chan greeting, 16)}
}

// greet notes a hello and how many connections of this process are up. It does
// not wait.
func (c *census) greet(counted, up int) {
	select {
	case c.hellos <- greeting{counted: counted, own: up + c.ghosts()}:
	default: // there will be another
	}
}

// gone notes that a connection of ours ended.
func (c *census) gone() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gaveUp = append(c.gaveUp, c.now())
}

func (c *census) ghosts() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.gaveUp) > 0 && c.now().Sub(c.gaveUp[0]) >= ghostsFor {
		c.gaveUp = c.gaveUp[1:]
	}
	return len(c.gaveUp)
}

// run announces this process until ctx ends, and judges the hellos.
func (c *census) run(ctx context.Context) {
	defer c.leave(ctx)
	ticker := time.NewTicker(c.every)
	defer ticker.Stop()
	c.announce(ctx)
	for {
		select {
		case <-ticker.C:
			c.announce(ctx)
		case hello := <-c.hellos:
			if living := c.announce(ctx); living > 0 {
				c.judge(hello, living)
			}
		case <-ctx.Done():
			return
		}
	}
}

// announce returns how many processes live, 0 = Redis does not say.
func (c *census) announce(ctx context.Context) int {
	ctx, cancel := context.WithTimeout(ctx, announceFor)
	defer cancel()
	living, err := c.processes.Announce(ctx, c.id, c.now())
	if err != nil {
		c.log.Debug("this process could not be announced to the others", "error", err)
		return 0
	}
	return living
}

func (c *census) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), announceFor)
	defer cancel()
	if err := c.processes.Leave(ctx, c.id); err != nil {
		c.log.Debug("this process could not take leave of the others", "error", err)
	}
}

func (c *census) judge(hello greeting, living int) {
	strangers := strangers(hello, living)
	if strangers == 0 {
		c.warned = false
		return
	}
	if c.warned {
		return
	}
	c.warned = true
	c.log.Warn("Slack counts more connections of this app than its processes have: a second process with the same token takes a part of what people type",
		"counted", hello.counted, "processes", living, "unexplained", strangers,
		"advice", "Find and stop the process that uses the same SLACK_APP_TOKEN, or give it an app of its own. Replicas have to share STATE_REDIS_URL.")
}

// strangers is how many connections nobody of ours explains. Every other
// process has two, and a third while one is being replaced.
func strangers(hello greeting, living int) int {
	return max(0, hello.counted-hello.own-3*(living-1))
}
