// Package socketmode keeps the app connected to Slack, and acknowledges and deduplicates
// the envelopes that it receives.
package socketmode

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"golang.org/x/sync/errgroup"

	"github.com/superduperai/sessionbot/bot/slackapi"
)

// Handler handles a frame and its envelope: neither hello nor disconnect, empty if
// unreadable. It does not block. An error ends the connection.
type Handler func(s *Socket, frame []byte, e Envelope) error

// Metrics counts; see health.Metrics.
type Metrics interface {
	Acked(took time.Duration)
	Sockets(up int)
}

// Config configures Connections. Everything is required.
type Config struct {
	API       *slack.Client
	Dialer    *websocket.Dialer
	Handle    Handler
	Processes Processes
	Timings   Timings
	Deadlines Deadlines
	Log       *slog.Logger
	Metrics   Metrics
	Now       func() time.Time
}

// Connections keep the app connected to Slack.
//
// The library closes a connection when Slack announces its end, and then opens the
// next: what Slack sends in between is lost. Here the next one is opened first.
type Connections struct {
	Config
	audit *audit

	up      atomic.Int32
	mu      sync.Mutex     // keeps the metric in step with up
	reading sync.WaitGroup // sockets that are read
	greeted chan struct{}  // closed at the first hello
	once    sync.Once      // closes it
}

// New returns Connections of which none is up.
func New(cfg Config) *Connections {
	return &Connections{Config: cfg, audit: newAudit(cfg), greeted: make(chan struct{})}
}

// Up returns how many connections are up.
func (c *Connections) Up() int { return int(c.up.Load()) }

// Audit announces this process to the others, and warns of connections of the app that
// belong to none of them, until ctx ends.
func (c *Connections) Audit(ctx context.Context) { c.audit.run(ctx) }

// Run keeps two connections up, so that one receives while the other is replaced,
// until ctx ends or a fault is permanent. It returns once both are drained.
func (c *Connections) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return c.maintain(ctx) })
	group.Go(func() error { return c.watchToken(ctx) })
	group.Go(func() error {
		select {
		case <-c.greeted:
		case <-ctx.Done():
			return nil
		}
		if slackapi.Sleep(ctx, c.Timings.Stagger) != nil {
			return nil
		}
		return c.maintain(ctx)
	})
	err := group.Wait()
	c.reading.Wait()
	return err
}

// Identify asks Slack who the bot token belongs to, until it answers. The error is a
// *slackapi.PermanentError, or that of ctx.
func (c *Connections) Identify(ctx context.Context) (*slack.AuthTestResponse, error) {
	retry := c.newBackoff()
	for {
		me, err := c.API.AuthTestContext(ctx)
		if err == nil {
			if fault := slackapi.OrgWide(me); fault != nil {
				return nil, slackapi.NewPermanentError("SLACK_BOT_TOKEN", fault)
			}
			return me, nil
		}
		fault := slackapi.FaultOf(err)
		if fault.Permanent() {
			return nil, slackapi.NewPermanentError("SLACK_BOT_TOKEN", fault)
		}
		if err := c.waitToRetry(ctx, retry, fault); err != nil {
			return nil, err
		}
	}
}

// watchToken checks the bot token: connections outlive a revoked one, but nobody
// could be answered.
func (c *Connections) watchToken(ctx context.Context) error {
	for slackapi.Sleep(ctx, c.Timings.Token) == nil {
		_, err := c.API.AuthTestContext(ctx)
		if err == nil {
			continue
		}
		if fault := slackapi.FaultOf(err); fault.Code != "" && fault.Permanent() {
			return slackapi.NewPermanentError("SLACK_BOT_TOKEN", fault)
		}
	}
	return nil
}

// maintain opens one connection after the other. At most its predecessor is still
// read, so a process has no more than four of the ten that Slack allows an app.
func (c *Connections) maintain(ctx context.Context) error {
	retry := c.newBackoff()
	var predecessor *Socket
	for {
		s, err := c.connect(ctx)
		if err == nil {
			err = s.run(ctx)
		}
		if ctx.Err() != nil {
			return nil
		}
		fault := slackapi.FaultOf(err)
		stable := s != nil && s.age() >= c.Timings.StableAfter
		if stable {
			retry.Reset()
		}
		switch {
		case fault.Permanent():
			return slackapi.NewPermanentError("SLACK_APP_TOKEN", fault)
		case errors.Is(err, errReplace):
			if c.waitToReplace(ctx, retry, s) != nil {
				return nil
			}
			if predecessor != nil {
				predecessor.hangUp()
			}
			predecessor = s
		case stable:
			c.Log.Warn("connection to Slack ended, opening the next", "error", fault, "up", c.Up())
		case c.waitToRetry(ctx, retry, fault) != nil:
			return nil
		}
	}
}

// waitToReplace waits before the successor of a connection is opened, with backoff
// if connections are replaced as soon as they are up.
func (c *Connections) waitToReplace(ctx context.Context, retry *backoff.ExponentialBackOff, s *Socket) error {
	wait := time.Duration(0)
	if s.age() < c.Timings.StableAfter {
		wait = max(retry.NextBackOff(), c.Timings.Replace-s.age())
	}
	c.Log.Info("connection to Slack to be replaced, opening the next first", "in_ms", wait.Milliseconds(), "up", c.Up())
	return slackapi.Sleep(ctx, wait)
}

// newBackoff spreads the replicas' attempts and stays under half a minute: a
// replica that backs off receives nothing.
func (c *Connections) newBackoff() *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{
		InitialInterval: c.Timings.Backoff, Multiplier: 2, RandomizationFactor: 0.5, MaxInterval: 100 * c.Timings.Backoff,
	}
}

func (c *Connections) waitToRetry(ctx context.Context, retry *backoff.ExponentialBackOff, fault *slackapi.Fault) error {
	wait := max(retry.NextBackOff(), fault.RetryAfter)
	c.Log.Warn("connection to Slack failed, will retry", "error", fault, "advice", fault.Advice(), "in_ms", wait.Milliseconds(), "up", c.Up())
	return slackapi.Sleep(ctx, wait)
}

// connect asks Slack for an address, which is good for one connection, and
// opens it. No error holds the address.
func (c *Connections) connect(ctx context.Context) (*Socket, error) {
	_, address, err := c.API.StartSocketModeContext(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := slackapi.Dial(ctx, c.Dialer, address)
	if err != nil {
		return nil, err
	}
	return newSocket(c, conn), nil
}

// opened counts a connection whose hello says how many the app has.
func (c *Connections) opened(counted int) {
	up := c.count(1)
	c.once.Do(func() { close(c.greeted) })
	c.audit.opened(counted, up)
	c.Log.Info("connected to Slack", "up", up, "connections_of_the_app", counted)
}

func (c *Connections) closed() {
	c.audit.closed()
	c.count(-1)
}

func (c *Connections) count(change int32) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	up := int(c.up.Add(change))
	c.Metrics.Sockets(up)
	return up
}
