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

// How long a connection may take, and how many there may be: whoever can reach
// the address could else use up the process's file descriptors, and with them
// its connections to Slack and Redis.
const (
	headerFor  = 5 * time.Second
	requestFor = 10 * time.Second
	idleFor    = time.Minute

	maxConnections = 64

	// AnswerFor is for answers that are there at once, ProfileFor for those that
	// are measured for as long as they are asked for.
	AnswerFor  = 10 * time.Second
	ProfileFor = 2 * time.Minute
)

// Serve serves until ctx ends. An answer has to be written within answerFor.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, answerFor time.Duration, log *slog.Logger) error {
	server := &http.Server{
		Handler: handler, ConnState: new(bound).changed, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: headerFor, ReadTimeout: requestFor, WriteTimeout: answerFor, IdleTimeout: idleFor,
		MaxHeaderBytes: 16 << 10,
	}
	context.AfterFunc(ctx, func() { _ = server.Close() }) // nobody waits for figures
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// bound keeps a server to maxConnections. The one that has waited longest for a
// request makes room for the next, so that whoever asks is answered.
type bound struct {
	mu              sync.Mutex
	waiting, active []net.Conn // the oldest first
}

func (b *bound) changed(conn net.Conn, state http.ConnState) {
	b.mu.Lock()
	defer b.mu.Unlock()
	same := func(c net.Conn) bool { return c == conn }
	b.waiting, b.active = slices.DeleteFunc(b.waiting, same), slices.DeleteFunc(b.active, same)
	switch state {
	case http.StateNew, http.StateIdle:
		b.waiting = append(b.waiting, conn)
	case http.StateActive:
		b.active = append(b.active, conn)
	}
	if len(b.waiting)+len(b.active) > maxConnections && len(b.waiting) > 0 {
		_ = b.waiting[0].Close() // the server notices
		b.waiting = slices.Delete(b.waiting, 0, 1)
	}
}
