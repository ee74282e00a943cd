package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Listener hears which sessions Redis says were written. Redis says so only where
// its owner has switched keyspace notifications on; else nothing is ever heard.
type Listener struct {
	redis *Redis
	token string
	heard func(session string)
	lost  func()

	mu    sync.Mutex
	wait  map[string]bool // probes of which nothing was heard yet
	empty chan struct{}   // closed when that is none
}

// NewListener prepares to listen. heard is called with the session of each write,
// and lost where writes may have been missed: when listening begins, and after
// each broken connection. Both may be called from several goroutines.
func NewListener(r *Redis, heard func(session string), lost func()) *Listener {
	return &Listener{redis: r, token: rand.Text(), heard: heard, lost: lost}
}

// Listen listens to every master until ctx ends.
func (l *Listener) Listen(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	err := l.redis.masters(ctx, func(ctx context.Context, master *redis.Client) error {
		defer stop() // the first to fail ends all: they are listened to anew together
		return l.listen(ctx, master)
	})
	return silence(err)
}

func (l *Listener) listen(ctx context.Context, master *redis.Client) error {
	space := fmt.Sprintf("__keyspace@%d__:", master.Options().DB)
	patterns := []string{space + probePrefix + "*"}
	for _, prefix := range prefixes {
		patterns = append(patterns, space+prefix+"*")
	}
	subscription := master.PSubscribe(ctx, patterns...)
	defer func() { _ = subscription.Close() }() // nothing hangs on it any more
	if _, err := subscription.Receive(ctx); err != nil {
		return err
	}
	l.lost()
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
					l.lost()
				}
			case *redis.Message:
				l.told(strings.TrimPrefix(m.Channel, space))
			}
		}
	}
}

// told takes a key that was written.
func (l *Listener) told(key string) {
	if id := sessionOf([]byte(key)); len(id) > 0 {
		l.heard(string(id))
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.wait[key] {
		if delete(l.wait, key); len(l.wait) == 0 {
			close(l.empty)
		}
	}
}

// Prove writes a key of ours that lives a minute to every master, and tells whether Redis told of
// each in time. Where we may not write nothing is proven.
func (l *Listener) Prove(ctx context.Context, within time.Duration) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	keys, err := l.probes(ctx)
	if err != nil {
		return false, silence(err)
	}
	client, err := l.redis.client(ctx)
	if err != nil {
		return false, silence(err)
	}
	empty := make(chan struct{})
	l.mu.Lock()
	l.wait, l.empty = maps.Clone(keys), empty
	l.mu.Unlock()
	pipe := client.Pipeline()
	for key := range keys {
		pipe.Set(ctx, key, "", time.Minute)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return false, silence(err)
	}
	select {
	case <-empty:
		return true, nil
	case <-ctx.Done():
		return false, nil
	}
}

// probes is one key for each master.
func (l *Listener) probes(ctx context.Context) (map[string]bool, error) {
	client, err := l.redis.client(ctx)
	if err != nil {
		return nil, err
	}
	cluster, ok := client.(*redis.ClusterClient)
	if !ok {
		return map[string]bool{probePrefix + l.token: true}, nil
	}
	var mu sync.Mutex
	missing := map[string]bool{}
	err = cluster.ForEachMaster(ctx, func(_ context.Context, master *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		missing[master.Options().Addr] = true
		return nil
	})
	keys := map[string]bool{}
	for n := 0; err == nil && len(missing) > 0; n++ {
		key := fmt.Sprint(probePrefix, l.token, n)
		var master *redis.Client
		if master, err = cluster.MasterForKey(ctx, key); err == nil && missing[master.Options().Addr] {
			delete(missing, master.Options().Addr)
			keys[key] = true
		}
		if n == 100_000 {
			return nil, fmt.Errorf("%d masters have no slots", len(missing))
		}
	}
	return keys, err
}
