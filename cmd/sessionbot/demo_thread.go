package main

import (
	"context"
	"fmt"
	"time"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/workspace"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
)

// askInThread writes a message of support about an order whose video is being made, and
// follows it as if the shortcut had been used on it: the bot answers in its thread.
func (s *sandbox) askInThread(ctx context.Context, server *workspace.Server) error {
	now := time.Now()
	order := demo.BeingMade(now)
	if err := demo.Load(ctx, s.client, []demo.Example{order}); err != nil {
		return err
	}
	demo.Put(s.stripe, s.files, []demo.Example{order})
	text := "Another customer asks where the video is: " + order.ID + "\nI used “Debug this session”: it is still being made."
	ts, err := server.Write("U0SUPPORT", "C0SUPPORT", "", text)
	if err != nil {
		return fmt.Errorf("ask in a thread: %w", err)
	}
	state, err := rdb.Open(ctx, "redis://"+s.redis.Addr())
	if err != nil {
		return fmt.Errorf("open the demo's Redis: %w", err)
	}
	defer func() { _ = state.Close() }() // all is written
	return demo.Asked(ctx, state, order, store.Message{Channel: "C0SUPPORT", TS: ts}, now)
}
