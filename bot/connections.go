package bot

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/gorilla/websocket"
	"golang.org/x/sync/errgroup"

	"github.com/superduperai/sessionbot/internal/retryafter"
)

const dialFor = 10 * time.Second // the handshake of one connection

// listen keeps two connections up until ctx ends or a fault is permanent, so
// that one hears while the other is gone. It returns once both are closed and
// what they carried has been handed over.
//
// The library could run them, but closes a connection as soon as Slack warns
// and opens the next one second: what Slack sends in between is lost, and where
// Slack warns both at once nobody hears at all. Here the next one comes first.
func (b *Bot) listen(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return b.keep(ctx) })
	group.Go(func() error { return b.watchToken(ctx) })
	group.Go(func() error {
		select {
		case <-b.greeted:
		case <-ctx.Done():
			return nil
		}
		if pauseFor(ctx, b.timings.Stagger) != nil {
			return nil
		}
		return b.keep(ctx)
	})
	err := group.Wait()
	b.reading.Wait()
	return err
}

// watchToken looks whether the bot token still holds: connections stand without
// it, but with a revoked one nobody could be answered any more.
func (b *Bot) watchToken(ctx context.Context) error {
	for pauseFor(ctx, b.timings.Token) == nil {
		_, err := b.api.AuthTestContext(ctx)
		if err == nil {
			continue
		}
		if fault := FaultOf(err); fault.Code != "" && fault.permanent() {
			return permanentError("SLACK_BOT_TOKEN", fault)
		}
	}
	return nil
}

// keep has one connection after the other. Beside it there is the one before at
// most, which Slack is read on until it ends: so that a process never has more than
// four of the ten that Slack allows an app, however fast Slack wants them replaced.
func (b *Bot) keep(ctx context.Context) error {
	retry := b.newBackoff()
	var before *socket // nil = there is none
	for {
		s, err := b.connect(ctx)
		if err == nil {
			err = s.use(ctx)
		}
		if ctx.Err() != nil {
			return nil
		}
		fault := FaultOf(err)
		settled := s != nil && s.age() >= b.timings.Settled
		if settled {
			retry.Reset()
		}
		switch {
		case fault.permanent():
			return permanentError("SLACK_APP_TOKEN", fault)
		case errors.Is(err, errReplace):
			if b.waitToReplace(ctx, retry, s) != nil {
				return nil
			}
			if before != nil {
				before.hangUp()
			}
			before = s
		case settled:
			b.log.Warn("a connection to Slack ended; the next one is being opened", "error", fault, "up", b.sockets.Load())
		case b.waitForSlack(ctx, retry, fault) != nil:
			return nil
		}
	}
}

// waitToReplace waits until the successor of a connection may be opened: at once,
// and ever longer where Slack wants each one replaced as soon as it stands.
func (b *Bot) waitToReplace(ctx context.Context, retry *backoff.ExponentialBackOff, s *socket) error {
	wait := time.Duration(0)
	if s.age() < b.timings.Settled {
		wait = max(retry.NextBackOff(), b.timings.Replace-s.age())
	}
	b.log.Info("Slack moves a connection; the next one is opened first", "in_ms", wait.Milliseconds(), "up", b.sockets.Load())
	return pauseFor(ctx, wait)
}

// newBackoff spreads the replicas' attempts and stays under half a minute: who
// backs off is deaf.
func (b *Bot) newBackoff() *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{
		InitialInterval: b.timings.Backoff, Multiplier: 2, RandomizationFactor: 0.5, MaxInterval: 100 * b.timings.Backoff,
	}
}

func (b *Bot) waitForSlack(ctx context.Context, retry *backoff.ExponentialBackOff, fault *Fault) error {
	wait := max(retry.NextBackOff(), fault.RetryAfter)
	b.log.Warn("no connection to Slack could be had or held", "error", fault, "advice", fault.Advice(),
		"next_try_in_ms", wait.Milliseconds(), "up", b.sockets.Load())
	return pauseFor(ctx, wait)
}

// newDialer opens connections; Slack is reached as for the Web API.
func newDialer(p patience) *websocket.Dialer {
	return &websocket.Dialer{Proxy: http.ProxyFromEnvironment, HandshakeTimeout: p.times(dialFor)}
}

// connect asks Slack for an address, which is good for one connection, and
// opens it. What goes wrong is told without that address.
func (b *Bot) connect(ctx context.Context) (*socket, error) {
	_, address, err := b.api.StartSocketModeContext(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := dial(ctx, b.dialer, address)
	if err != nil {
		return nil, err
	}
	return newSocket(b, conn), nil
}

func dial(ctx context.Context, d *websocket.Dialer, address string) (*websocket.Conn, error) {
	conn, res, err := open(ctx, d, address) //nolint:bodyclose // the connection's, or read already
	if err != nil && res != nil {
		return nil, &Fault{err: fmt.Errorf("%w: HTTP %d", err, res.StatusCode), RetryAfter: retryafter.Read(res.Header, longestPause)}
	}
	if err != nil {
		return nil, FaultOf(err)
	}
	return conn, nil
}

// TryConnection opens a connection at an address of Slack's and closes it at once,
// before Slack sends anything over it. The error is a *Fault.
func TryConnection(ctx context.Context, address string) error {
	conn, err := dial(ctx, newDialer(1), address)
	if err != nil {
		return err
	}
	_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(writeFor)) // closed below
	_ = conn.Close()                                                                                                                        // it could be opened
	return nil
}
