package rdb

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// keepAlive detects within a few minutes that the peer is gone.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: 15 * time.Second, Count: 3}

// dialer connects to the servers of one Redis: those that the URL names, and those
// that a cluster or a Sentinel announces.
type dialer struct {
	net.Dialer
	secure *tls.Config // nil = not encrypted; its name is that of the URL's first host
	named  map[string]bool

	mu      sync.Mutex
	reached map[string]bool // announced ones
}

// newDialer returns a dialer for the addresses that the URL names.
func newDialer(timeout time.Duration, secure *tls.Config, named ...string) *dialer {
	d := &dialer{Dialer: net.Dialer{Timeout: timeout, KeepAliveConfig: keepAlive}, secure: secure,
		named: map[string]bool{}, reached: map[string]bool{}}
	for _, addr := range named {
		d.named[addr] = true
	}
	return d
}

// dial connects, and limits the replies.
func (d *dialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if d.Timeout > 0 {
		var done context.CancelFunc
		ctx, done = context.WithTimeout(ctx, d.Timeout)
		defer done()
	}
	conn, err := d.connect(ctx, network, addr)
	if err = d.announced(addr, err); err != nil {
		return nil, err
	}
	return limitReplies(conn), nil
}

// connect expects a certificate for each server's own name. For announced addresses
// that no certificate is for, one for the URL's host is accepted.
func (d *dialer) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	if d.secure == nil {
		return d.DialContext(ctx, network, addr)
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	conn, err := d.encrypted(ctx, network, addr, host)
	var wrong x509.HostnameError
	if errors.As(err, &wrong) && d.secure.ServerName != host && !d.named[addr] {
		if other, otherErr := d.encrypted(ctx, network, addr, d.secure.ServerName); otherErr == nil {
			return other, nil
		}
	}
	return conn, err
}

func (d *dialer) encrypted(ctx context.Context, network, addr, name string) (net.Conn, error) {
	secure := d.secure.Clone()
	secure.ServerName = name
	dialer := tls.Dialer{NetDialer: &d.Dialer, Config: secure}
	conn, err := dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err // not a nil *tls.Conn
	}
	return conn, nil
}

// announced marks an error of an address that the URL does not name and that was
// never reached: one that was reached before is merely down.
func (d *dialer) announced(addr string, err error) error {
	if d.named[addr] {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case err == nil:
		d.reached[addr] = true
	case !d.reached[addr] && !errors.Is(err, context.Canceled) && errors.Is(wireKind(err), ErrNoAnswer):
		return fmt.Errorf("%w: %w", ErrAnnounced, err)
	}
	return err
}
