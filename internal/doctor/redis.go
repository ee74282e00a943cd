package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// product checks the Redis that holds the customers' sessions.
func (e *exam) product(ctx context.Context) []Result {
	defer close(e.sampled)
	use := store.ForProduct
	if e.StateURL == "" && !e.Unusable["STATE_REDIS_URL"] {
		use |= store.ForState
	}
	return e.redis(ctx, redisExam{variable: "REDIS_URL", name: "redis", url: e.RedisURL, use: use})
}

// state checks the one that holds the bot's own keys, where it is another.
func (e *exam) state(ctx context.Context) []Result {
	return e.redis(ctx, redisExam{variable: "STATE_REDIS_URL", name: "state_redis", url: e.StateURL, use: store.ForState})
}

// redisExam is one Redis that is looked at.
type redisExam struct {
	variable, name, url string
	use                 store.Use
	cheap               bool
	redis               *store.Redis
	topology            store.Topology
}

func (e *exam) redis(ctx context.Context, x redisExam) []Result {
	if x.url == "" {
		return nil
	}
	redis, err := store.Open(ctx, x.url)
	if err != nil {
		return sideBySide(ctx, check{x.name, func(context.Context) Result { return broken(x.variable+" cannot be used", err.Error()) }})
	}
	defer func() { _ = redis.Close() }() // the look is over
	x.redis, x.cheap = redis, e.cheap
	results := sideBySide(ctx, check{x.name, x.reach})
	if results[0].Level == Failed {
		return results
	}
	checks := []check{
		{x.name + ".tls", func(context.Context) Result { return judgeTLS(x.url) }},
		{x.name + ".permissions", x.permissions},
		{x.name + ".eviction", x.eviction},
	}
	if !e.cheap { // what is refused would stand in Redis' log at each start
		if x.use&store.ForProduct != 0 {
			checks = append(checks, check{x.name + ".notifications", x.notifications})
		}
		if x.use&store.ForState != 0 {
			checks = append(checks, check{x.name + ".replicas", x.replicas})
		}
		checks = append(checks, check{x.name + ".clock", func(ctx context.Context) Result { return x.clock(ctx, e.Now) }})
		if x.use&store.ForProduct != 0 {
			checks = append(checks, check{x.name + ".sessions", func(ctx context.Context) Result { return e.sessions(ctx, x.redis) }})
		}
	}
	return append(results, sideBySide(ctx, checks...)...)
}

func (x *redisExam) reach(ctx context.Context) Result {
	topology, err := x.redis.Topology(ctx)
	if err != nil {
		return x.silent(err)
	}
	x.topology = topology
	server, err := x.redis.Server(ctx)
	if store.Impossible(err) { // the check of permissions names all that is refused
		return fine("Redis, " + string(topology))
	}
	if err != nil {
		return x.silent(err)
	}
	version := "Redis"
	if server.Version != "" {
		version += " " + server.Version
	}
	where := string(topology)
	if server.Nodes > 1 {
		where += fmt.Sprintf(" of %d masters", server.Nodes)
	}
	return fine(fmt.Sprintf("%s, %s, %s, %.1f ms", version, where, plural(int(server.Keys), "key"), server.PingMS))
}

func (x *redisExam) permissions(ctx context.Context) Result {
	access, err := store.Try(ctx, x.redis, x.use)
	if err != nil {
		return x.silent(err)
	}
	var beyond []string
	if !x.cheap { // what is tried in vain would stand in Redis' log at each start
		if beyond, err = store.Beyond(ctx, x.redis, x.use); err != nil {
			return x.silent(err)
		}
	}
	return judgeAccess(access, beyond)
}

func (x *redisExam) eviction(ctx context.Context) Result {
	server, err := x.redis.Server(ctx)
	switch {
	case store.Impossible(err):
		return Result{} // another check names it
	case err != nil:
		return x.silent(err)
	}
	return judgeEviction(server, x.use)
}

func (x *redisExam) replicas(ctx context.Context) Result {
	r, err := store.NewLedger(x.redis).Replication(ctx)
	switch {
	case store.Impossible(err):
		return Result{} // another check names it
	case err != nil:
		return x.silent(err)
	}
	return judgeReplicas(r)
}

func (x *redisExam) notifications(ctx context.Context) Result {
	n, err := store.Settings(ctx, x.redis)
	const remedy = "to see changes sooner, have Redis' owner set notify-keyspace-events to KA"
	switch {
	case errors.Is(err, store.ErrNotAllowed):
		return warn("the user may not listen: sessions are found by the sweep alone", "give it the rules in docs/security.md")
	case errors.Is(err, store.ErrSilent):
		return x.silent(err)
	case err != nil:
		return Result{} // another check names it
	case n.Off == n.Masters:
		return warn("off: sessions are found by the sweep alone", remedy)
	case n.Off > 0:
		return warn(fmt.Sprintf("off at %d of %d masters", n.Off, n.Masters), remedy+" at all masters")
	case n.On < n.Masters:
		return fine("not known: the user may not read the server's settings")
	}
	return fine("on")
}

func (x *redisExam) clock(ctx context.Context, now func() time.Time) Result {
	ahead, err := x.redis.Clock(ctx, now)
	if errors.Is(err, store.ErrNotAllowed) {
		return warn("the user may not ask for the time", "give it the rules in docs/security.md")
	}
	if err != nil {
		return x.silent(err)
	}
	return judgeClock("Redis'", ahead, redisDrift)
}

// sessions looks at some of them.
func (e *exam) sessions(ctx context.Context, redis *store.Redis) Result {
	limited, cancel := context.WithTimeout(ctx, sampleWithin)
	defer cancel()
	seen, err := sampleOf(limited, redis)
	if errors.Is(err, store.ErrSilent) {
		return broken("the sessions cannot be read: "+reason(err), "try again, and see /redis ping")
	}
	if err != nil {
		return Result{} // the user may not, which is told as such
	}
	e.sample = &seen
	return judgeSample(seen)
}
