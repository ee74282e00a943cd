package bot

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"golang.org/x/sync/errgroup"

	"github.com/superduperai/sessionbot/bot/slackapi"
)

// handler handles a frame and its envelope: neither hello nor disconnect, empty if
// unreadable. It does not block. An error ends the connection.
type handler func(s *socket, frame []byte, e envelope) error

// connections keeps the app connected to Slack.
//
// The library closes a connection when Slack announces its end, and then opens the
// next: what Slack sends in between is lost. Here the next one is opened first.
type connections struct {
	cfg    Config
	api    *slack.Client
	dialer *websocket.Dialer
	audit  *connectionAudit
	handle handler

	up      atomic.Int32
	mu      sync.Mutex     // keeps the metric in step with up
	reading sync.WaitGroup // sockets that are read
	greeted chan struct{}  // closed at the first hello
	once    sync.Once      // closes it
}

func newConnections(cfg Config, api *slack.Client, handle handler) *connections {
	return &connections{cfg: cfg, api: api, dialer: slackapi.NewDialer(cfg.Deadlines.Handshake), audit: newConnectionAudit(cfg), handle: handle, greeted: make(chan struct{})}
}

// run keeps two connections up, so that one receives while the other is replaced,
// until ctx ends or a fault is permanent. It returns once both are drained.
func (c *connections) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return c.maintain(ctx) })
	group.Go(func() error { return c.watchToken(ctx) })
	group.Go(func() error {
		select {
		case <-c.greeted:
		case <-ctx.Done():
			return nil
		}
		if sleep(ctx, c.cfg.Timings.Stagger) != nil {
			return nil
		}
		return c.maintain(ctx)
	})
	err := group.Wait()
	c.reading.Wait()
	return err
}

// watchToken checks the bot token: connections outlive a revoked one, but nobody
// could be answered.
func (c *connections) watchToken(ctx context.Context) error {
	for sleep(ctx, c.cfg.Timings.Token) == nil {
		_, err := c.api.AuthTestContext(ctx)
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
func (c *connections) maintain(ctx context.Context) error {
	retry := c.newBackoff()
	var predecessor *socket
	for {
		s, err := c.connect(ctx)
		if err == nil {
			err = s.run(ctx)
		}
		if ctx.Err() != nil {
			return nil
		}
		fault := slackapi.FaultOf(err)
		settled := s != nil && s.age() >= c.cfg.Timings.Settled
		if settled {
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
		case settled:
			c.cfg.Log.Warn("connection to Slack ended, opening the next", "error", fault, "up", c.up.Load())
		case c.waitToRetry(ctx, retry, fault) != nil:
			return nil
		}
	}
}

// waitToReplace waits before the successor of a connection is opened, with backoff
// if connections are replaced as soon as they are up.
func (c *connections) waitToReplace(ctx context.Context, retry *backoff.ExponentialBackOff, s *socket) error {
	wait := time.Duration(0)
	if s.age() < c.cfg.Timings.Settled {
		wait = max(retry.NextBackOff(), c.cfg.Timings.Replace-s.age())
	}
	c.cfg.Log.Info("connection to Slack to be replaced, opening the next first", "in_ms", wait.Milliseconds(), "up", c.up.Load())
	return sleep(ctx, wait)
}

// newBackoff spreads the replicas' attempts and stays under half a minute: a
// replica that backs off receives nothing.
func (c *connections) newBackoff() *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{
		InitialInterval: c.cfg.Timings.Backoff, Multiplier: 2, RandomizationFactor: 0.5, MaxInterval: 100 * c.cfg.Timings.Backoff,
	}
}

func (c *connections) waitToRetry(ctx context.Context, retry *backoff.ExponentialBackOff, fault *slackapi.Fault) error {
	wait := max(retry.NextBackOff(), fault.RetryAfter)
	c.cfg.Log.Warn("connection to Slack failed, will retry", "error", fault, "advice", fault.Advice(), "in_ms", wait.Milliseconds(), "up", c.up.Load())
	return sleep(ctx, wait)
}

// connect asks Slack for an address, which is good for one connection, and
// opens it. No error holds the address.
func (c *connections) connect(ctx context.Context) (*socket, error) {
	_, address, err := c.api.StartSocketModeContext(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := slackapi.Dial(ctx, c.dialer, address)
	if err != nil {
		return nil, err
	}
	return newSocket(c, conn), nil
}

// opened counts a connection whose hello says how many the app has.
func (c *connections) opened(counted int) {
	up := c.count(1)
	c.once.Do(func() { close(c.greeted) })
	c.audit.opened(counted, up)
	c.cfg.Log.Info("connected to Slack", "up", up, "connections_of_the_app", counted)
}

func (c *connections) closed() {
	c.audit.closed()
	c.count(-1)
}

func (c *connections) count(change int32) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	up := int(c.up.Add(change))
	c.cfg.Metrics.Sockets(up)
	return up
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
