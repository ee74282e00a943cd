package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Writes calls heard with the id of each session of which Redis says that one of
// its keys was written, until ctx ends. Redis says so only where its owner has
// switched keyspace notifications on; else nothing is ever heard. Every master
// is listened to. heard may be called from several goroutines.
//
// What is said while a connection breaks is lost: the sweep finds it.
func (r *Redis) Writes(ctx context.Context, heard func(session string)) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	err := r.masters(ctx, func(ctx context.Context, master *redis.Client) error {
		defer stop() // the first to fail ends all: they are listened to anew together
		return listen(ctx, master, heard)
	})
	return silence(err)
}

func listen(ctx context.Context, master *redis.Client, heard func(session string)) error {
	space := fmt.Sprintf("__keyspace@%d__:", master.Options().DB)
	var patterns []string
	for _, prefix := range prefixes {
		patterns = append(patterns, space+prefix+"*")
	}
	subscription := master.PSubscribe(ctx, patterns...)
	defer func() { _ = subscription.Close() }() // nothing hangs on it any more
	if _, err := subscription.Receive(ctx); err != nil {
		return err
	}
	messages := subscription.Channel() // pings, and connects again by itself
	for {
		select {
		case <-ctx.Done():
			return nil
		case m, ok := <-messages:
			if !ok {
				return nil
			}
			if _, id := sessionKey([]byte(strings.TrimPrefix(m.Channel, space))); len(id) > 0 {
				heard(string(id))
			}
		}
	}
}
