// Package keyspace listens to Redis' notifications of sessions that were written.
package keyspace

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
)

// Listener receives keyspace notifications of sessions that were written. Redis
// sends them only where its owner has switched them on; else nothing ever comes.
type Listener struct {
	redis  *rdb.Redis
	onKey  func(session string)
	onLoss func()
}

// NewListener returns a Listener that calls onKey with the session of each write,
// and onLoss where writes may have been missed: when listening begins, and after
// each broken connection. Both may be called from several goroutines.
func NewListener(r *rdb.Redis, onKey func(session string), onLoss func()) *Listener {
	return &Listener{redis: r, onKey: onKey, onLoss: onLoss}
}

// Listen listens to every master until ctx ends.
func (l *Listener) Listen(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	err := l.redis.Masters(ctx, func(ctx context.Context, master *redis.Client) error {
		defer stop() // the first to fail ends all: they are listened to again together
		return l.listen(ctx, master)
	})
	return rdb.Classify(err)
}

// keyspace is the channel prefix of a server's notifications.
func keyspace(master *redis.Client) string {
	return fmt.Sprintf("__keyspace@%d__:", master.Options().DB)
}

func (l *Listener) listen(ctx context.Context, master *redis.Client) error {
	space := keyspace(master)
	var patterns []string
	for _, prefix := range store.KeyPrefixes {
		patterns = append(patterns, space+prefix+"*")
	}
	subscription := master.PSubscribe(ctx, patterns...)
	defer func() { _ = subscription.Close() }() // nothing hangs on it any more
	if _, err := subscription.Receive(ctx); err != nil {
		return err
	}
	l.onLoss()
	confirmed := 1 // of the patterns
	// Pings, and connects again by itself.
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
				if id, ok := store.SessionOf(strings.TrimPrefix(m.Channel, space)); ok {
					l.onKey(id)
				}
			}
		}
	}
}

// Notifications tells on how many masters keyspace notifications of sessions are
// switched on and off. Of the others it is not known: their settings may not be read.
type Notifications struct{ On, Off, Masters int }

// Settings reads the settings of every master. ErrNotAllowed where we may not
// listen.
func Settings(ctx context.Context, r *rdb.Redis) (Notifications, error) {
	var mu sync.Mutex
	var n Notifications
	err := r.Masters(ctx, func(ctx context.Context, master *redis.Client) error {
		listening := master.PSubscribe(ctx, keyspace(master)+store.PromptPrefix+"*") // as the watch does
		_, err := listening.Receive(ctx)
		_ = listening.Close() // nothing hangs on it any more
		if err != nil {
			return err
		}
		settings, err := master.ConfigGet(ctx, "notify-keyspace-events").Result()
		if err != nil && !rdb.Permanent(rdb.Classify(err)) {
			return err
		}
		events, known := settings["notify-keyspace-events"]
		mu.Lock()
		defer mu.Unlock()
		n.Masters++
		switch {
		case !known:
		case strings.Contains(events, "K") && strings.ContainsAny(events, "A$"):
			n.On++
		default:
			n.Off++
		}
		return nil
	})
	if err != nil && rdb.Permanent(rdb.Classify(err)) {
		return Notifications{}, rdb.ErrNotAllowed
	}
	return n, rdb.Classify(err)
}
