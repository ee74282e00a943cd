// Package keyspace receives Redis' keyspace notifications of sessions.
package keyspace

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
)

// Listener receives keyspace notifications of sessions that were written. Redis
// sends none unless its owner has enabled them.
type Listener struct {
	redis  *rdb.Redis
	onKey  func(session string)
	onLoss func()
}

// NewListener returns a Listener that calls onKey with the session of each write,
// and onLoss when writes may have been missed: when listening begins, and after each
// lost connection. Both may be called concurrently.
func NewListener(r *rdb.Redis, onKey func(session string), onLoss func()) *Listener {
	return &Listener{redis: r, onKey: onKey, onLoss: onLoss}
}

// Listen listens to every master until ctx ends.
func (l *Listener) Listen(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	err := l.redis.Masters(ctx, func(ctx context.Context, master *redis.Client) error {
		defer stop() // the first failure ends all: they are subscribed to again together
		return l.listen(ctx, master)
	})
	return rdb.Classify(err)
}

// channelPrefix is that of a server's notification channels.
func channelPrefix(master *redis.Client) string {
	return fmt.Sprintf("__keyspace@%d__:", master.Options().DB)
}

func (l *Listener) listen(ctx context.Context, master *redis.Client) error {
	channels := channelPrefix(master)
	var patterns []string
	for _, prefix := range store.KeyPrefixes {
		patterns = append(patterns, channels+prefix+"*")
	}
	subscription, err := subscribe(ctx, master, patterns...)
	if err != nil {
		return err
	}
	defer func() { _ = subscription.Close() }() // the context has ended
	l.onLoss()
	confirmed := 1 // of the patterns
	// It pings, and reconnects by itself.
	messages := subscription.ChannelWithSubscriptions(redis.WithChannelSize(10_000))
	for {
		select {
		case <-ctx.Done():
			return nil
		case m, ok := <-messages:
			if !ok {
				return nil
			}
			switch m := m.(type) {
			case *redis.Subscription:
				if confirmed++; confirmed > len(patterns) {
					l.onLoss()
				}
			case *redis.Message:
				if id, ok := store.SessionOf(strings.TrimPrefix(m.Channel, channels)); ok {
					l.onKey(id)
				}
			}
		}
	}
}

// subscribe subscribes to the patterns, and returns once the first is confirmed. The
// subscription ends with ctx, for which the library does not wake who waits for an answer.
func subscribe(ctx context.Context, master *redis.Client, patterns ...string) (*redis.PubSub, error) {
	subscription := master.PSubscribe(ctx, patterns...)
	context.AfterFunc(ctx, func() { _ = subscription.Close() })
	if _, err := subscription.ReceiveTimeout(ctx, master.Options().ReadTimeout); err != nil {
		_ = subscription.Close() // the connection is of no use
		return nil, cmp.Or(ctx.Err(), err)
	}
	return subscription, nil
}

// Notifications is on how many masters keyspace notifications of sessions are
// enabled and disabled; the settings of the others may not be read.
type Notifications struct{ On, Off, Masters int }

// Settings reads the settings of every master. It returns rdb.ErrNotAllowed if we
// may not subscribe.
func Settings(ctx context.Context, r *rdb.Redis) (Notifications, error) {
	const option = "notify-keyspace-events"
	masters, err := rdb.EachMaster(ctx, r, func(ctx context.Context, master *redis.Client) (map[string]string, error) {
		subscription, err := subscribe(ctx, master, channelPrefix(master)+store.PromptPrefix+"*") // as the watch does
		if err != nil {
			return nil, err
		}
		_ = subscription.Close() // it was only a test
		settings, err := master.ConfigGet(ctx, option).Result()
		if rdb.Permanent(rdb.Classify(err)) {
			return nil, nil
		}
		return settings, err
	})
	if rdb.Permanent(err) {
		return Notifications{}, rdb.ErrNotAllowed
	}
	n := Notifications{Masters: len(masters)}
	for _, settings := range masters {
		events, known := settings[option]
		switch {
		case !known:
		case strings.Contains(events, "K") && strings.ContainsAny(events, "A$"):
			n.On++
		default:
			n.Off++
		}
	}
	return n, err
}
