package socketmode

import (
	"context"
	"crypto/rand"
	"slices"
	"sync"
	"time"
)

const (
	announceTimeout = time.Second

	// closedGrace is how long Slack may count a connection of ours that was closed.
	closedGrace = time.Minute
)

// Processes knows which processes of the bot are alive; see presence.Processes.
type Processes interface {
	Announce(ctx context.Context, id string, now time.Time) (living int, err error)
	Leave(ctx context.Context, id string) error
}

// audit compares the connections that Slack counts with those that the
// bot's processes explain. Slack sends each payload to any one connection of the
// app, so a forgotten process with the same token takes a part of what people type.
type audit struct {
	cfg    Config
	id     string // of this process
	counts chan hello
	warned bool // since the count was last explained

	mu       sync.Mutex
	closedAt []time.Time // connections of the last minute
}

// hello is what was known at a hello: the app's connections, and how
// many of them this process explains.
type hello struct{ counted, own int }

func newAudit(cfg Config) *audit {
	return &audit{cfg: cfg, id: rand.Text(), counts: make(chan hello, 16)}
}

// opened notes how many connections Slack counts, and how many of this process
// are up. It does not block.
func (a *audit) opened(counted, up int) {
	a.mu.Lock()
	a.closedAt = slices.DeleteFunc(a.closedAt, func(at time.Time) bool { return a.cfg.Now().Sub(at) >= closedGrace })
	own := up + len(a.closedAt)
	a.mu.Unlock()
	select {
	case a.counts <- hello{counted: counted, own: own}:
	default: // there will be another
	}
}

// closed notes that a connection of ours ended.
func (a *audit) closed() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closedAt = append(a.closedAt, a.cfg.Now())
}

// run announces this process until ctx ends, and checks what the hellos count.
func (a *audit) run(ctx context.Context) {
	ticker := time.NewTicker(a.cfg.Timings.Announce)
	defer ticker.Stop()
	var count hello
	for ctx.Err() == nil {
		a.check(ctx, count)
		count = hello{}
		select {
		case <-ticker.C:
		case count = <-a.counts:
		case <-ctx.Done():
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), announceTimeout)
	defer cancel()
	if err := a.cfg.Processes.Leave(ctx, a.id); err != nil {
		a.cfg.Log.Debug("process not removed", "error", err)
	}
}

// check announces this process, and warns of connections that no process explains.
func (a *audit) check(ctx context.Context, count hello) {
	ctx, cancel := context.WithTimeout(ctx, announceTimeout)
	defer cancel()
	processes, err := a.cfg.Processes.Announce(ctx, a.id, a.cfg.Now())
	if err != nil {
		a.cfg.Log.Debug("process not announced", "error", err)
		return
	}
	if processes == 0 || count.counted == 0 {
		return
	}
	unknown := unknownConnections(count, processes)
	if unknown > 0 && !a.warned {
		a.cfg.Log.Warn("unknown connections of this app",
			"counted", count.counted, "processes", processes, "unknown", unknown,
			"advice", "Find and stop the process that uses the same SLACK_APP_TOKEN, or give it its own app. Replicas must share STATE_REDIS_URL.")
	}
	a.warned = unknown > 0
}

// unknownConnections is how many connections no process explains. Every other
// process has two, and a third while one is being replaced.
func unknownConnections(c hello, processes int) int {
	return max(0, c.counted-c.own-3*(processes-1))
}
