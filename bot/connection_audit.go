package bot

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

// Processes knows which processes of the bot are alive; see store.Processes.
type Processes interface {
	Announce(ctx context.Context, id string, now time.Time) (living int, err error)
	Leave(ctx context.Context, id string) error
}

// connectionAudit compares the connections that Slack counts with those that the
// bot's processes explain. Slack hands each payload to any one connection of the
// app, so a forgotten process with the same token takes a part of what people type.
type connectionAudit struct {
	cfg    Config
	id     string // of this process
	counts chan connectionCount
	warned bool // since the count was last explained

	mu       sync.Mutex
	closedAt []time.Time // connections of the last minute
}

// connectionCount is what was known at a hello: the app's connections, and how
// many of them this process explains.
type connectionCount struct{ counted, own int }

func newConnectionAudit(cfg Config) *connectionAudit {
	return &connectionAudit{cfg: cfg, id: rand.Text(), counts: make(chan connectionCount, 16)}
}

// hello notes how many connections Slack counts, and how many of this process are
// up. It does not block.
func (a *connectionAudit) hello(counted, up int) {
	a.mu.Lock()
	a.closedAt = slices.DeleteFunc(a.closedAt, func(at time.Time) bool { return a.cfg.Now().Sub(at) >= closedGrace })
	own := up + len(a.closedAt)
	a.mu.Unlock()
	select {
	case a.counts <- connectionCount{counted: counted, own: own}:
	default: // there will be another
	}
}

// closed notes that a connection of ours ended.
func (a *connectionAudit) closed() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closedAt = append(a.closedAt, a.cfg.Now())
}

// run announces this process until ctx ends, and checks what the hellos count.
func (a *connectionAudit) run(ctx context.Context) {
	defer a.leave(ctx)
	ticker := time.NewTicker(a.cfg.Timings.Announce)
	defer ticker.Stop()
	var count connectionCount
	for {
		if living := a.announce(ctx); living > 0 && count.counted > 0 {
			a.check(count, living)
		}
		count = connectionCount{}
		select {
		case <-ticker.C:
		case count = <-a.counts:
		case <-ctx.Done():
			return
		}
	}
}

// announce returns how many processes are alive, 0 = Redis does not say.
func (a *connectionAudit) announce(ctx context.Context) int {
	ctx, cancel := context.WithTimeout(ctx, announceTimeout)
	defer cancel()
	living, err := a.cfg.Processes.Announce(ctx, a.id, a.cfg.Now())
	if err != nil {
		a.cfg.Log.Debug("process not announced", "error", err)
		return 0
	}
	return living
}

func (a *connectionAudit) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), announceTimeout)
	defer cancel()
	if err := a.cfg.Processes.Leave(ctx, a.id); err != nil {
		a.cfg.Log.Debug("process not signed off", "error", err)
	}
}

func (a *connectionAudit) check(count connectionCount, living int) {
	unknown := unknownConnections(count, living)
	if unknown > 0 && !a.warned {
		a.cfg.Log.Warn("unknown connections of this app: a second process with the same token receives a part of what people type",
			"counted", count.counted, "processes", living, "unknown", unknown,
			"advice", "Find and stop the process that uses the same SLACK_APP_TOKEN, or give it an app of its own. Replicas have to share STATE_REDIS_URL.")
	}
	a.warned = unknown > 0
}

// unknownConnections is how many connections no process of ours explains. Every
// other process has two, and a third while one is being replaced.
func unknownConnections(c connectionCount, living int) int {
	return max(0, c.counted-c.own-3*(living-1))
}
