package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// sample is what was seen of the sessions.
type sample = store.Sample

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
	if x.use&store.ForProduct != 0 {
		checks = append(checks, check{x.name + ".notifications", x.notifications})
	}
	if !e.cheap {
		checks = append(checks, check{x.name + ".clock", func(ctx context.Context) Result { return x.clock(ctx, e.Now) }})
		if x.use&store.ForProduct != 0 {
			checks = append(checks, check{x.name + ".sessions", func(ctx context.Context) Result { return e.sessions(ctx, x.redis) }})
		}
	}
	return append(results, sideBySide(ctx, checks...)...)
}

// silent is the result where Redis did not do what it was asked.
func (x redisExam) silent(err error) Result {
	switch {
	case errors.Is(err, store.ErrClusterDatabase):
		return broken("a database number on a cluster", "take the number out of "+x.variable)
	case errors.Is(err, store.ErrRefused):
		return broken("Redis refuses the user or the password of "+x.variable, "check both, and the user's rules (docs/configuration.md shows which it needs)")
	case certificate(err) != "":
		return broken("Redis cannot be reached: "+certificate(err), "check the host of "+x.variable+" and whether it is redis:// or rediss://")
	}
	if !errors.Is(err, store.ErrSilent) {
		return broken("Redis answers with a fault", "look into its log")
	}
	return broken("Redis cannot be reached: "+reason(err),
		"check the host and port of "+x.variable+", whether it is redis:// or rediss://, that Redis runs, and the network between")
}

func (x *redisExam) reach(ctx context.Context) Result {
	topology, err := x.redis.Topology(ctx)
	if err != nil {
		return x.silent(err)
	}
	x.topology = topology
	server, err := x.redis.Server(ctx)
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

// judgeTLS warns of passwords and customers' data that cross a network as they
// are.
func judgeTLS(rawURL string) Result {
	u, err := url.Parse(rawURL)
	if err != nil {
		return broken("the URL cannot be read", "write it like rediss://user:password@host:6379")
	}
	if u.Scheme == "rediss" {
		return fine("encrypted")
	}
	for _, host := range append(hostsOf(u.Query()["addr"]), u.Hostname()) {
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return warn("the password and customers' prompts go to "+host+" unencrypted", "use rediss://, if that is not a network of your own")
		}
	}
	return fine("it stays on this machine")
}

func hostsOf(addrs []string) []string {
	var hosts []string
	for _, addr := range addrs {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			host = addr
		}
		hosts = append(hosts, host)
	}
	return hosts
}

func (x *redisExam) permissions(ctx context.Context) Result {
	access, err := x.redis.Access(ctx, x.use)
	if err != nil {
		return x.silent(err)
	}
	var beyond []string
	if !x.cheap { // what is tried in vain would stand in Redis' log at each start
		if beyond, err = x.redis.Beyond(ctx, x.use); err != nil {
			return x.silent(err)
		}
	}
	return judgeAccess(access, beyond)
}

// judgeAccess tells whether a user may do what is needed and no more.
func judgeAccess(a store.Access, beyond []string) Result {
	const rules = "give it the rules in docs/configuration.md"
	switch {
	case a.ReadOnly != "":
		return broken("Redis takes no writes ("+a.ReadOnly+")", writeRemedy[a.ReadOnly])
	case len(a.Denied) > 0:
		return broken("the user may not: "+list(a.Denied), rules)
	case len(beyond) > 0:
		return warn("the user may do more than is needed: "+list(beyond), "make a user for the bot alone and "+rules)
	}
	return fine("the user may do what is needed, and no more")
}

var writeRemedy = map[string]string{
	"READONLY":   "this is a replica: write the master's address, or a Sentinel's with master_name=",
	"OOM":        "its memory is full: raise maxmemory, or take out what nobody needs",
	"MISCONF":    "it cannot save to its disk: look into its log",
	"NOREPLICAS": "it misses replicas that min-replicas-to-write asks for",
}

func (x *redisExam) eviction(ctx context.Context) Result {
	server, err := x.redis.Server(ctx)
	if err != nil {
		return x.silent(err)
	}
	return judgeEviction(server, x.use)
}

// judgeEviction warns of a Redis that may throw sessions away: all of them have
// a TTL, so every policy but noeviction takes them.
func judgeEviction(s store.Server, use store.Use) Result {
	lost := "customers' prompts"
	if use&store.ForProduct == 0 {
		lost = "plans and incidents"
	}
	const remedy = "set maxmemory-policy to noeviction, and watch the memory"
	switch {
	case s.MaxMemoryPolicy == "":
		return warn("the eviction policy cannot be seen", "see that maxmemory-policy is noeviction")
	case s.MaxMemoryPolicy == "noeviction":
		return fine("noeviction")
	case s.EvictedKeys > 0:
		return warn(fmt.Sprintf("%s has thrown %s away already: %s may be lost", s.MaxMemoryPolicy, plural(int(s.EvictedKeys), "key"), lost), remedy)
	case s.MaxMemoryBytes > 0:
		return warn(s.MaxMemoryPolicy+" throws "+lost+" away when the memory is full", remedy)
	}
	return fine(s.MaxMemoryPolicy + ", but without a limit of memory")
}

func (x *redisExam) notifications(ctx context.Context) Result {
	on, of, err := x.redis.Notifies(ctx)
	const remedy = "to be told of sessions sooner, have Redis' owner set notify-keyspace-events to KA"
	switch {
	case errors.Is(err, store.ErrNotAllowed):
		return warn("the user may not listen: sessions are found by the sweep alone", "give it the rules in docs/configuration.md")
	case errors.Is(err, store.ErrSilent):
		return x.silent(err)
	case err != nil:
		return Result{} // it takes no writes, which is told as such
	case on == 0:
		return warn("off: sessions are found by the sweep alone", remedy)
	case on < of:
		return warn(fmt.Sprintf("on at %d of %d masters", on, of), remedy+" at all masters")
	}
	return fine("on")
}

func (x *redisExam) clock(ctx context.Context, now func() time.Time) Result {
	ahead, err := x.redis.Clock(ctx, now)
	if errors.Is(err, store.ErrNotAllowed) {
		return warn("the user may not ask for the time", "give it the rules in docs/configuration.md")
	}
	if err != nil {
		return x.silent(err)
	}
	return judgeClock("Redis'", ahead, true)
}

// judgeClock compares another's clock with ours: ages, and with them verdicts,
// are only as right as that.
func judgeClock(whose string, ahead time.Duration, known bool) Result {
	const remedy = "set the clocks by NTP"
	switch off := ahead.Abs(); {
	case !known:
		return warn(whose+" time is not known", remedy)
	case off >= 2*time.Minute:
		return broken(fmt.Sprintf("%s clock and this machine's differ by %s", whose, off.Round(time.Second)), remedy)
	case off >= 10*time.Second:
		return warn(fmt.Sprintf("%s clock and this machine's differ by %s", whose, off.Round(time.Second)), remedy)
	}
	return fine("in step with this machine's")
}

// sessions looks at some of them.
func (e *exam) sessions(ctx context.Context, redis *store.Redis) Result {
	seen, err := redis.Sample(ctx)
	if errors.Is(err, store.ErrSilent) {
		return broken("the sessions cannot be read: "+reason(err), "try again, and see /redis ping")
	}
	if err != nil {
		return Result{} // the user may not, which is told as such
	}
	e.sample = &seen
	return judgeSample(seen)
}

func judgeSample(s sample) Result {
	if s.Sessions == 0 {
		if s.Keys == 0 {
			return warn("it is empty", "check that REDIS_URL names the product's Redis and its database")
		}
		return warn(fmt.Sprintf("none among %s", plural(s.Keys, "key")), "check that REDIS_URL names the product's Redis and its database")
	}
	var parts []string
	for _, layout := range []store.Layout{store.LayoutThreeKey, store.LayoutOneKey} {
		if n := s.Layouts[layout]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, layout))
		}
	}
	return fine(fmt.Sprintf("of %s in a sample: %s", plural(s.Sessions, "session"), strings.Join(parts, ", ")))
}
