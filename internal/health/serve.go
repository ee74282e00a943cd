package health

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// maxConnections bounds the connections of one server: otherwise a client could exhaust the
// process's file descriptors.
const maxConnections = 64

// The write timeouts of Handler, and of Profiles, which take as long as requested.
const (
	HandlerTimeout = 10 * time.Second
	ProfileTimeout = 2 * time.Minute
)

// Serve serves HTTP until ctx ends.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, writeTimeout time.Duration, log *slog.Logger) error {
	server := &http.Server{
		Handler: handler, ConnState: new(connections).changed, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: writeTimeout, IdleTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10,
	}
	context.AfterFunc(ctx, func() { _ = server.Close() }) // it waits for no request
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// connections are those of a server. Above maxConnections it closes the one that
// has waited longest for a request, so that a new one is served; where no other
// waits, the one whose request is the oldest, as its answer is hardly read.
type connections struct {
	mu              sync.Mutex
	waiting, active []net.Conn // the oldest first
	closing         []net.Conn // closed here, which the server has not noticed
}

func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	same := func(other net.Conn) bool { return other == conn }
	c.waiting, c.active = slices.DeleteFunc(c.waiting, same), slices.DeleteFunc(c.active, same)
	switch {
	case state == http.StateClosed:
		c.closing = slices.DeleteFunc(c.closing, same)
	case slices.ContainsFunc(c.closing, same): // counting it again would close another in its place
	case state == http.StateNew, state == http.StateIdle:
		c.waiting = append(c.waiting, conn)
	case state == http.StateActive:
		c.active = append(c.active, conn)
	}
	if len(c.waiting)+len(c.active) <= maxConnections || len(c.waiting) == 0 {
		return
	}
	longest := &c.waiting
	if len(c.waiting) == 1 && c.waiting[0] == conn {
		longest = &c.active
	}
	oldest := (*longest)[0]
	c.closing = append(c.closing, oldest)
	_ = oldest.Close()
	*longest = slices.Delete(*longest, 0, 1)
}
