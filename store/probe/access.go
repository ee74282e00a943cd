// Package probe checks the permissions of a Redis user by trying, without an effect.
package probe

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
)

// Use is the purpose of a Redis.
type Use int

// The uses, a bit set: one Redis may hold both.
const (
	ForProduct Use = 1 << iota // the customers' sessions
	ForState                   // the bot's own keys
)

// Access is the permissions of our user. They are found by trying, since a user with the
// least permissions may not read its own ACL.
type Access struct {
	Denied   []string // required commands that are refused, such as "HSET sessionbot:*"
	Missing  []string // required commands that the server does not have, likewise
	ReadOnly string   // the code with which Redis refuses all writes, such as READONLY; "" = it accepts them
}

const (
	// probePrefix is the prefix of the keys that are written.
	probePrefix = "sessionbot:doctor:"
	probeLife   = 10 * time.Second
)

// TryAccess tries the required commands. No key of the product is read or changed: its keys
// are read under an id that does not exist, and written only if they exist. One key of our
// own exists for some seconds, and commands that would change it fail on its type.
func TryAccess(ctx context.Context, r *rdb.Redis, use Use) (Access, error) {
	client, err := r.Client(ctx)
	if err != nil {
		return Access{}, err
	}
	t := accessTrial{client: client, key: probePrefix + rand.Text(), id: "cs_test_sessionbot" + rand.Text()}
	err = t.try(ctx, []attempt{{"PING", []any{"PING"}}, {"INFO", []any{"INFO", "server"}}})
	if err == nil && use&ForProduct != 0 {
		err = t.product(ctx)
	}
	if err == nil && use&ForState != 0 {
		err = t.state(ctx)
	}
	for _, list := range []*[]string{&t.Denied, &t.Missing} {
		*list = slices.Compact(slices.Sorted(slices.Values(*list)))
	}
	return t.Access, rdb.Classify(err)
}

// accessTrial is one run of TryAccess or ExcessAccess.
type accessTrial struct {
	Access
	client redis.UniversalClient
	key    string // of our own, a string
	id     string // of a session that does not exist
}

// note records the result of an attempt, and reports whether it failed for a reason other
// than permissions.
func (t *accessTrial) note(label string, err error) bool {
	var answered redis.Error
	kind := rdb.Kind(rdb.Classify(err))
	switch {
	case err == nil, errors.Is(err, redis.Nil):
	case errors.Is(kind, rdb.ErrNoPermission):
		t.Denied = append(t.Denied, label)
	case errors.Is(kind, rdb.ErrNoCommand):
		t.Missing = append(t.Missing, label)
	case !errors.As(err, &answered):
		return true
	default:
		for _, word := range []string{"READONLY", "OOM", "MISCONF", "NOREPLICAS"} {
			if redis.HasErrorPrefix(err, word) {
				t.ReadOnly = word
			}
		}
	}
	return false
}

// attempt is one command, with the label by which Access and ExcessAccess name it.
type attempt struct {
	label string
	args  []any
}

// onFamily is an attempt on a key, which is named by the family of the key.
func onFamily(family, command string, args ...any) attempt {
	return attempt{command + " " + family, slices.Insert(args, 0, any(command))}
}

func (t *accessTrial) try(ctx context.Context, attempts []attempt) error {
	pipe := t.client.Pipeline()
	cmds := make([]*redis.Cmd, len(attempts))
	for i, a := range attempts {
		cmds[i] = pipe.Do(ctx, a.args...)
	}
	_, _ = pipe.Exec(ctx) // each error is checked below
	for i, a := range attempts {
		if err := cmds[i].Err(); t.note(a.label, err) {
			return err
		}
	}
	return nil
}

func (t *accessTrial) product(ctx context.Context) error {
	attempts := []attempt{{"DBSIZE", []any{"DBSIZE"}}, {"SCAN", []any{"SCAN", 0, "COUNT", 1}}}
	for _, prefix := range store.KeyPrefixes {
		key, family := prefix+t.id, prefix+"*"
		attempts = append(attempts, onFamily(family, "STRLEN", key), onFamily(family, "GETRANGE", key, 0, 0),
			onFamily(family, "PTTL", key), onFamily(family, "MEMORY", "USAGE", key),
			onFamily(family, "EVAL_RO", "return redis.call('GET', KEYS[1])", 1, key),
			onFamily(family, "GET", key), onFamily(family, "SET", key, "", "XX", "PX", 1))
	}
	if err := t.try(ctx, attempts); err != nil {
		return err
	}
	for _, prefix := range store.KeyPrefixes {
		var inner error
		err := t.client.Watch(ctx, func(tx *redis.Tx) error {
			inner = t.transaction(ctx, tx, prefix+t.id)
			return nil
		}, prefix+t.id)
		if t.note("WATCH "+prefix+"*", err) {
			return err
		}
		if inner != nil {
			return inner
		}
	}
	return nil
}

// transaction tries one that reads a key. Without the permission for EXEC it is aborted.
func (t *accessTrial) transaction(ctx context.Context, on redis.Cmdable, key string) error {
	_, err := on.TxPipelined(ctx, func(pipe redis.Pipeliner) error { return pipe.Get(ctx, key).Err() })
	label := "MULTI, EXEC"
	if slices.Contains(t.Denied, label) || slices.Contains(t.Missing, label) {
		return nil // it is noted already
	}
	if redis.HasErrorPrefix(err, "EXECABORT") {
		t.Denied = append(t.Denied, label)
		return nil
	}
	if t.note(label, err) {
		return err
	}
	return nil
}

func (t *accessTrial) state(ctx context.Context) error {
	const family = "sessionbot:*"
	set := t.client.Set(ctx, t.key, "tried by sessionbot doctor", probeLife).Err()
	if t.note("SET "+family, set) {
		return set
	}
	on := func(command string, args ...any) attempt {
		return onFamily(family, command, slices.Insert(args, 0, any(t.key))...)
	}
	attempts := []attempt{
		{"WAIT", []any{"WAIT", 0, 1}}, onFamily(family, "EVAL", "return redis.call('GET', KEYS[1])", 1, t.key),
		onFamily(family, "EVALSHA", strings.Repeat("0", 40), 1, t.key),
		on("EXISTS"), on("GET"), on("MGET"), on("HGET", "f"), on("HGETALL"), on("HMGET", "f"), on("XREVRANGE", "+", "-", "COUNT", 1),
		onFamily(family, "XINFO", "STREAM", t.key),
		on("ZCARD"), on("ZRANGE", 0, 0), on("ZRANGEBYSCORE", 0, 0), on("ZSCORE", "m"), on("ZREM", "m"), on("ZREMRANGEBYSCORE", 0, 0),
	}
	if set == nil { // without the string they would create a key that never expires
		attempts = append(attempts, on("HSET", "f", "v"), on("HSETNX", "f", "v"), on("INCR"),
			on("XADD", "*", "f", "v"), on("ZADD", 1, "m"), on("PEXPIRE", probeLife.Milliseconds()), on("EXPIRE", 10))
	}
	if _, ok := t.client.(*redis.ClusterClient); ok {
		attempts = append(attempts, attempt{"CLUSTER NODES", []any{"CLUSTER", "NODES"}})
	}
	if err := t.transaction(ctx, t.client, t.key); err != nil {
		return err
	}
	return t.try(ctx, append(attempts, on("DEL"), on("UNLINK")))
}

// ExcessAccess returns permissions that our user has and does not need. It tries commands
// that change nothing: one for administrators implies that others are allowed, too. Redis logs
// refusals in its ACL LOG.
func ExcessAccess(ctx context.Context, r *rdb.Redis, use Use) (open []string, err error) {
	client, err := r.Client(ctx)
	if err != nil {
		return nil, err
	}
	foreign := "balance:sessionbot" + rand.Text()
	attempts := []attempt{{"CONFIG", []any{"CONFIG", "GET", "maxmemory"}}, {"SLOWLOG", []any{"SLOWLOG", "LEN"}},
		{"GET of foreign keys", []any{"GET", foreign}}, {"SET of foreign keys", []any{"SET", foreign, "", "XX", "PX", 1}}}
	if use&ForProduct == 0 {
		attempts = append(attempts, attempt{"GET of sessions", []any{"GET", store.LookupPrefix + rand.Text()}})
	}
	t := accessTrial{client: client}
	if err := t.try(ctx, attempts); err != nil {
		return nil, rdb.Classify(err)
	}
	for _, a := range attempts {
		if !slices.Contains(t.Denied, a.label) {
			open = append(open, a.label)
		}
	}
	return open, nil
}
