package doctor

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/probe"
	"github.com/superduperai/sessionbot/store/rdb"
)

// judgeTLS warns of passwords and customers' data that cross a network unencrypted.
func judgeTLS(rawURL string) Result {
	u, err := url.Parse(rawURL)
	if err != nil {
		return fail("the URL cannot be read", "write it like rediss://user:password@host:6379")
	}
	if u.Scheme == "rediss" {
		return pass("encrypted")
	}
	for _, addr := range append(u.Query()["addr"], u.Host) {
		host := (&url.URL{Host: addr}).Hostname()
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return warn("the password and customers' prompts go to "+host+" unencrypted", "use rediss://, unless that is a private network")
		}
	}
	return pass("it stays on this machine")
}

// judgeAccess judges whether a user may do what is needed, and no more.
func judgeAccess(a probe.Access, beyond []string) Result {
	const rules = "give it the rules in docs/security.md"
	const enable = "have them enabled (rename-command in redis.conf, or the service's settings)"
	switch {
	case slices.Equal(slices.Concat(a.Missing, a.Denied), []string{"INFO"}) && a.ReadOnly == "":
		return warn("INFO is refused: memory, version and eviction are unknown", "allow the user to call it, if the service has it")
	case len(a.Missing) > 0 && len(a.Denied) > 0:
		return fail("Redis lacks: "+list(a.Missing)+"; and the user may not: "+list(a.Denied), enable+"; for the user, "+rules)
	case len(a.Missing) > 0:
		return fail("Redis lacks: "+list(a.Missing), enable)
	case a.ReadOnly != "":
		return fail("Redis accepts no writes ("+a.ReadOnly+")", writeRemedy[a.ReadOnly])
	case len(a.Denied) > 0:
		return fail("the user may not: "+list(a.Denied), rules)
	case len(beyond) > 0:
		return warn("the user may do more than needed: "+list(beyond), "create a user for the bot alone and "+rules)
	}
	return pass("the user has exactly the permissions needed")
}

var writeRemedy = map[string]string{
	"READONLY":   "this is a replica: use the master's address, or a Sentinel's with master_name=",
	"OOM":        "its memory is full: raise maxmemory, or delete what is not needed",
	"MISCONF":    "it cannot save to its disk: check its log",
	"NOREPLICAS": "it lacks replicas that min-replicas-to-write requires",
}

// judgeEviction warns of a Redis that may evict sessions: all of them have a TTL,
// so that any policy but noeviction can.
func judgeEviction(s rdb.Server, use probe.Use) Result {
	lost := "customers' prompts"
	if use&probe.ForProduct == 0 {
		lost = "plans and incidents"
	}
	const remedy = "set maxmemory-policy to noeviction, and monitor the memory"
	switch {
	case s.MaxMemoryPolicy == "":
		return warn("the eviction policy is unknown", "check that maxmemory-policy is noeviction")
	case s.MaxMemoryPolicy == "noeviction":
		return pass("noeviction")
	case s.EvictedKeys > 0:
		return warn(fmt.Sprintf("%s has already evicted %s: %s may be lost", s.MaxMemoryPolicy, plural(int(s.EvictedKeys), "key"), lost), remedy)
	case s.MaxMemoryBytes > 0:
		return warn(s.MaxMemoryPolicy+" evicts "+lost+" when the memory is full", remedy)
	}
	return pass(s.MaxMemoryPolicy + ", but without a memory limit")
}

// judgeReplicas judges what is lost with the master. A job's record has to outlive
// it, or a plan that was executed can be approved again.
func judgeReplicas(r rdb.Replication) Result {
	switch {
	case r.Connected > 0:
		return pass(plural(r.Connected, "replica") + " connected")
	case r.Needed && r.Reported:
		return fail("no replica is connected, although one may become the master: generations wait for it", "check why it does not follow; "+
			"one that was removed for good is forgotten after a day")
	case r.Needed:
		return warn("unknown: the server does not list its replicas", "check that one is connected: generations wait for it")
	case !r.Reported:
		return warn("unknown: the server does not list its replicas", "allow the user to call INFO")
	}
	return warn("none: if Redis fails and comes back without its last writes, one approved plan can be sent twice",
		"add a replica, or set appendonly to yes and appendfsync to always")
}

func judgeSample(s sample) Result {
	if s.Sessions == 0 {
		seen := "it is empty"
		if s.Keys > 0 {
			seen = "none among " + plural(s.Keys, "key")
		}
		return warn(seen, "check that REDIS_URL is the product's Redis, with the right database number")
	}
	var parts []string
	for _, layout := range []store.Layout{store.LayoutThreeKey, store.LayoutOneKey} {
		if n := s.Layouts[layout]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, layout))
		}
	}
	return pass(fmt.Sprintf("of %s in a sample: %s", plural(s.Sessions, "session"), strings.Join(parts, ", ")))
}

// judgeTrail says how far the audit trail goes back: dropping old entries is not a fault.
func judgeTrail(x audit.Extent) Result {
	if x.Entries == 0 {
		return pass("nothing recorded yet")
	}
	seen := plural(int(x.Entries), "record") + ", the oldest of " + x.Oldest.Format(time.RFC3339)
	if dropped := x.DroppedText(); dropped != "" {
		seen += "; " + dropped
	}
	return pass(seen)
}
