// Package probe tries what a Redis user may do, without an effect.
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

// Use is what a Redis holds for us.
type Use int

// The uses. They can be joined: one Redis may hold both.
const (
	ForProduct Use = 1 << iota // the customers' sessions
	ForState                   // the bot's own keys
)

// Access is what our user may do, told by effect: a user with the least rights
// may not ask about itself.
type Access struct {
	Denied   []string // what is needed and refused, such as "HSET sessionbot:*"
	Missing  []string // what is needed and the server does not have, likewise
	ReadOnly string   // the word with which Redis refuses all writes, such as READONLY; "" = it takes them
}

const (
	// probePrefix is that of the keys with which Redis is tried.
	probePrefix = "sessionbot:doctor:"
	probeLife   = 10 * time.Second
)

// TryAccess tries what is needed. Nothing of the product's is read or changed: its
// keys are asked for under an id that nobody has, and written only if they
// exist. Of our own there is one key for some seconds, and what would change it
// meets a value of another type.
func TryAccess(ctx context.Context, r *rdb.Redis, use Use) (Access, error) {
	client, err := r.Client(ctx)
	if err != nil {
		return Access{}, err
	}
	t := accessTrial{client: client, key: probePrefix + rand.Text(), id: "cs_test_sessionbot" + rand.Text()}
	err = t.try(ctx, []attempt{{args: []any{"PING"}}, {args: []any{"INFO", "server"}}})
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

// accessTrial is one look at what a user may do.
type accessTrial struct {
	Access
	client redis.UniversalClient
	key    string // of our own, a string
	id     string // of a session that does not exist
}

// note takes down what an attempt came to. It reports true for an answer that
// tells nothing of our rights.
func (t *accessTrial) note(label string, err error) bool {
	var answered redis.Error
	kind := rdb.Trouble(rdb.Classify(err))
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

// attempt is one command. Its first word, and the key family, name it.
type attempt struct {
	family string // "" = the command has no key
	args   []any
}

func (t *accessTrial) try(ctx context.Context, attempts []attempt) error {
	pipe := t.client.Pipeline()
	cmds := make([]*redis.Cmd, len(attempts))
	for i, a := range attempts {
		cmds[i] = pipe.Do(ctx, a.args...)
	}
	_, _ = pipe.Exec(ctx) // each is looked at below
	for i, a := range attempts {
		if err := cmds[i].Err(); t.note(a.label(), err) {
			return err
		}
	}
	return nil
}

func (a attempt) label() string {
	name, _ := a.args[0].(string)
	return strings.TrimSpace(name + " " + a.family)
}

func (t *accessTrial) product(ctx context.Context) error {
	attempts := []attempt{{args: []any{"DBSIZE"}}, {args: []any{"SCAN", 0, "COUNT", 1}}}
	for _, prefix := range store.KeyPrefixes {
		key, family := prefix+t.id, prefix+"*"
		attempts = append(attempts, attempt{family, []any{"STRLEN", key}}, attempt{family, []any{"GETRANGE", key, 0, 0}},
			attempt{family, []any{"PTTL", key}}, attempt{family, []any{"MEMORY", "USAGE", key}},
			attempt{family, []any{"EVAL_RO", "return redis.call('GET', KEYS[1])", 1, key}})
		if prefix != store.PromptPrefix { // prompts are never written
			attempts = append(attempts, attempt{family, []any{"GET", key}}, attempt{family, []any{"SET", key, "", "XX", "PX", 1}})
		}
	}
	if err := t.try(ctx, attempts); err != nil {
		return err
	}
	var inner error
	err := t.client.Watch(ctx, func(tx *redis.Tx) error {
		inner = t.transaction(ctx, tx, store.WebhookPrefix+t.id)
		return nil
	}, store.WebhookPrefix+t.id)
	if t.note("WATCH webhook:*", err) {
		return err
	}
	return inner
}

// transaction tries one that reads a key. Who may not end it is told that it was
// given up.
func (t *accessTrial) transaction(ctx context.Context, on redis.Cmdable, key string) error {
	_, err := on.TxPipelined(ctx, func(pipe redis.Pipeliner) error { return pipe.Get(ctx, key).Err() })
	label := "MULTI, EXEC"
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
	on := func(args ...any) attempt { return attempt{family, slices.Insert(args, 1, any(t.key))} }
	attempts := []attempt{
		{args: []any{"WAIT", 0, 1}}, {family, []any{"EVAL", "return redis.call('GET', KEYS[1])", 1, t.key}},
		{family, []any{"EVALSHA", strings.Repeat("0", 40), 1, t.key}},
		on("EXISTS"), on("GET"), on("MGET"), on("HGET", "f"), on("HGETALL"), on("HMGET", "f"), on("XREVRANGE", "+", "-", "COUNT", 1),
		on("ZCARD"), on("ZRANGE", 0, 0), on("ZRANGEBYSCORE", 0, 0), on("ZSCORE", "m"), on("ZREM", "m"), on("ZREMRANGEBYSCORE", 0, 0),
	}
	if set == nil { // on what is no string they would make a key without an end
		attempts = append(attempts, on("HSET", "f", "v"), on("HSETNX", "f", "v"), on("INCR"),
			on("XADD", "*", "f", "v"), on("ZADD", 1, "m"), on("PEXPIRE", probeLife.Milliseconds()), on("EXPIRE", 10))
	}
	if _, ok := t.client.(*redis.ClusterClient); ok {
		attempts = append(attempts, attempt{"NODES", []any{"CLUSTER", "NODES"}})
	}
	if err := t.transaction(ctx, t.client, t.key); err != nil {
		return err
	}
	return t.try(ctx, append(attempts, on("DEL"), on("UNLINK")))
}

// ExcessAccess lists what our user may do and does not need to. It tries calls that
// change nothing: a command for administrators says that others are open, too.
// What is refused Redis notes in its ACL LOG.
func ExcessAccess(ctx context.Context, r *rdb.Redis, use Use) (open []string, err error) {
	client, err := r.Client(ctx)
	if err != nil {
		return nil, err
	}
	foreign := "balance:sessionbot" + rand.Text()
	attempts := []attempt{{args: []any{"CONFIG", "GET", "maxmemory"}}, {args: []any{"SLOWLOG", "LEN"}},
		{"of foreign keys", []any{"GET", foreign}}, {"of foreign keys", []any{"SET", foreign, "", "XX", "PX", 1}}}
	if use&ForProduct == 0 {
		attempts = append(attempts, attempt{"of sessions", []any{"GET", store.LookupPrefix + rand.Text()}})
	}
	t := accessTrial{client: client}
	if err := t.try(ctx, attempts); err != nil {
		return nil, rdb.Classify(err)
	}
	for _, a := range attempts {
		if !slices.Contains(t.Denied, a.label()) {
			open = append(open, a.label())
		}
	}
	return open, nil
}
