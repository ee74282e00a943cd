package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrNotAllowed means that our user may not do this much of what would be good
// to have.
var ErrNotAllowed = errors.New("not allowed to this user")

// notifyWithin is how long a notification may take. It comes with the write.
const notifyWithin = 500 * time.Millisecond

// Notifies tells on how many of the masters keyspace notifications are on, as a
// key of our own shows, and how many masters there are. ErrNotAllowed where we
// may not listen.
func (r *Redis) Notifies(ctx context.Context) (on, of int, err error) {
	var mu sync.Mutex
	err = r.masters(ctx, func(ctx context.Context, master *redis.Client) error {
		heard, err := notifies(ctx, master)
		mu.Lock()
		defer mu.Unlock()
		of++
		if heard {
			on++
		}
		return err
	})
	if err != nil && refusedTo(err) {
		return 0, 0, ErrNotAllowed
	}
	return on, of, silence(err)
}

// notifies listens to one key of our own and writes it. In a cluster it takes
// some names until one belongs to this master.
func notifies(ctx context.Context, master *redis.Client) (bool, error) {
	space := fmt.Sprintf("__keyspace@%d__:", master.Options().DB)
	sessions := master.PSubscribe(ctx, space+prefixPrompt+"*") // as the watch does
	_, err := sessions.Receive(ctx)
	_ = sessions.Close() // nothing hangs on it any more
	if err != nil {
		return false, err
	}
	key := probePrefix + rand.Text()
	for redis.HasErrorPrefix(master.Set(ctx, key, "", probeLife).Err(), "MOVED") {
		key = probePrefix + rand.Text()
	}
	subscription := master.Subscribe(ctx, space+key)
	defer func() { _ = subscription.Close() }() // nothing hangs on it any more
	if _, err := subscription.Receive(ctx); err != nil {
		return false, err
	}
	if err := master.Set(ctx, key, "", probeLife).Err(); err != nil {
		return false, err
	}
	defer master.Unlink(ctx, key) // it expires anyway
	waiting, cancel := context.WithTimeout(ctx, notifyWithin)
	defer cancel()
	_, err = subscription.ReceiveMessage(waiting)
	if err != nil && ctx.Err() == nil && timedOut(waiting, err) {
		return false, nil
	}
	return err == nil, err
}
