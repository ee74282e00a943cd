package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/keyspace"
	"github.com/superduperai/sessionbot/store/ledger"
	"github.com/superduperai/sessionbot/store/probe"
	"github.com/superduperai/sessionbot/store/rdb"
)

// redisChecker checks one Redis.
type redisChecker struct {
	*checker
	variable, name string
	use            probe.Use
	redis          *rdb.Redis
}

// product checks the Redis that holds the customers' sessions.
func (e *checker) product(ctx context.Context) []Result {
	defer close(e.sampled)
	use := probe.ForProduct
	if e.StateURL == "" && !e.Unusable["STATE_REDIS_URL"] {
		use |= probe.ForState
	}
	return redisChecker{checker: e, variable: "REDIS_URL", name: "redis", use: use}.run(ctx, e.RedisURL)
}

// state checks the one that holds the bot's own keys, where it is another.
func (e *checker) state(ctx context.Context) []Result {
	return redisChecker{checker: e, variable: "STATE_REDIS_URL", name: "state_redis", use: probe.ForState}.run(ctx, e.StateURL)
}

func (x redisChecker) run(ctx context.Context, url string) []Result {
	if url == "" {
		return nil
	}
	redis, err := rdb.Open(ctx, url)
	if err != nil {
		return x.runChecks(ctx, known(x.name, fail(x.variable+" cannot be used", err.Error())))
	}
	defer func() { _ = redis.Close() }() // nothing was written
	x.redis = redis
	results := x.runChecks(ctx, check{x.name, x.reach})
	if results[0].Level == Failed {
		return results
	}
	checks := []check{
		known(x.name+".tls", judgeTLS(url)),
		{x.name + ".permissions", x.permissions},
		{x.name + ".eviction", x.eviction},
	}
	add := func(wanted bool, name string, run func(context.Context) Result) {
		if wanted && !x.quick { // a command that is refused adds to Redis' log at each start
			checks = append(checks, check{x.name + name, run})
		}
	}
	product, state := x.use&probe.ForProduct != 0, x.use&probe.ForState != 0
	add(product, ".notifications", x.notifications)
	add(state, ".replicas", x.replicas)
	add(state, ".audit", x.audit)
	add(true, ".clock", x.clock)
	add(product, ".sessions", x.sessions)
	return append(results, x.runChecks(ctx, checks...)...)
}

func (x redisChecker) reach(ctx context.Context) Result {
	topology, err := x.redis.Topology(ctx)
	if err != nil {
		return x.failure(err)
	}
	server, err := x.redis.Server(ctx)
	if rdb.Permanent(err) { // the check of permissions reports it
		return pass("Redis, " + string(topology))
	}
	if err != nil {
		return x.failure(err)
	}
	version := strings.TrimSpace("Redis " + server.Version)
	where := string(topology)
	if server.Nodes > 1 {
		where += fmt.Sprintf(" of %d masters", server.Nodes)
	}
	return pass(fmt.Sprintf("%s, %s, %s, %.1f ms", version, where, plural(int(server.Keys), "key"), server.PingMS))
}

func (x redisChecker) permissions(ctx context.Context) Result {
	access, err := probe.TryAccess(ctx, x.redis, x.use)
	if err != nil {
		return x.failure(err)
	}
	var beyond []string
	if !x.quick { // a command that is refused adds to Redis' log at each start
		if beyond, err = probe.ExcessAccess(ctx, x.redis, x.use); err != nil {
			return x.failure(err)
		}
	}
	return judgeAccess(access, beyond)
}

func (x redisChecker) eviction(ctx context.Context) Result {
	server, err := x.redis.Server(ctx)
	if err != nil {
		return x.unlessRefused(err)
	}
	return judgeEviction(server, x.use)
}

func (x redisChecker) replicas(ctx context.Context) Result {
	r, err := ledger.New(x.redis).Replication(ctx)
	if err != nil {
		return x.unlessRefused(err)
	}
	return judgeReplicas(r)
}

// audit says how far the audit trail goes back.
func (x redisChecker) audit(ctx context.Context) Result {
	extent, err := audit.NewTrail(x.redis).Extent(ctx)
	if err != nil {
		return x.unlessRefused(err)
	}
	return judgeTrail(extent)
}

func (x redisChecker) notifications(ctx context.Context) Result {
	n, err := keyspace.Settings(ctx, x.redis)
	const remedy = "to notice changes sooner, have Redis' owner set notify-keyspace-events to KA"
	switch {
	case errors.Is(err, rdb.ErrNotAllowed):
		return warn("the user may not subscribe: changes are noticed about a minute later", "give it the rules in docs/security.md")
	case errors.Is(err, rdb.ErrNoAnswer):
		return x.failure(err)
	case err != nil:
		return Result{} // the check of permissions reports it
	case n.Off == n.Masters:
		return warn("off: changes are noticed about a minute later", remedy)
	case n.Off > 0:
		return warn(fmt.Sprintf("off at %d of %d masters", n.Off, n.Masters), remedy+" at all masters")
	case n.On < n.Masters:
		return pass("unknown: the user may not read the server's settings")
	}
	return pass("on")
}

func (x redisChecker) clock(ctx context.Context) Result {
	ahead, err := x.redis.Clock(ctx, x.Now)
	if errors.Is(err, rdb.ErrNotAllowed) {
		return warn("the user may not call TIME", "give it the rules in docs/security.md")
	}
	if err != nil {
		return x.failure(err)
	}
	return judgeClock("Redis'", ahead, redisDrift)
}

// sessions takes the sample that other checks need.
func (x redisChecker) sessions(ctx context.Context) Result {
	limited, cancel := context.WithTimeout(ctx, x.within(sampleTimeout))
	defer cancel()
	seen, err := takeSample(limited, x.redis)
	if errors.Is(err, rdb.ErrNoAnswer) {
		return fail("the sessions cannot be read: "+reason(err), "try again, and check /redis ping")
	}
	if err != nil {
		return Result{} // the check of permissions reports it
	}
	x.sample = &seen
	return judgeSample(seen)
}
