package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/ledger"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/sessions"
)

// The lines of the document, in its order.
const (
	aclProduct = iota
	aclState
	aclCluster
)

var aclLine = regexp.MustCompile(`(?m)^ACL SETUSER sessionbot (.*)$`)

// aclRules are the rules of one of the document's lines. A selector is one rule.
func aclRules(t testing.TB, line int) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := aclLine.FindAllStringSubmatch(string(text), -1)
	if len(lines) != 3 {
		t.Fatalf("the document has %d lines for Redis, want 3", len(lines))
	}
	return regexp.MustCompile(`\([^)]*\)|\S+`).FindAllString(lines[line][1], -1)
}

// allow gives a user these rules on a server.
func allow(t testing.TB, server *redistest.Server, user string, rules ...string) {
	t.Helper()
	command := []any{"ACL", "SETUSER", user}
	for _, rule := range rules {
		command = append(command, rule)
	}
	if err := server.Client().Do(t.Context(), command...).Err(); err != nil {
		t.Fatalf("%v: %v", command, err)
	}
}

// admit gives the bot's user these rules alone, and has the bot be that user.
func (s *stage) admit(server *redistest.Server, rules ...string) {
	s.t.Helper()
	allow(s.t, server, "sessionbot", slices.Concat([]string{"reset"}, rules, []string{"resetpass", ">" + redisMark})...)
	s.env["REDIS_URL"] = "redis://sessionbot:" + redisMark + "@" + server.Addr()
}

// redisMark is the password of that user.
const redisMark = "MARKEDpassword"

// as names a user in a URL, with the document's password.
func as(user, url string) string {
	return strings.Replace(url, "://", "://"+user+":PASSWORD@", 1)
}

// withoutEach returns the rules without one permission each, those within selectors as
// well, by the name of what is left out.
func withoutEach(rules []string) map[string][]string {
	all := map[string][]string{}
	for n, rule := range rules {
		inner := strings.Fields(strings.Trim(rule, "()"))
		for m, permission := range inner {
			if permission == "on" || permission == ">PASSWORD" {
				continue
			}
			rest := slices.Clone(rules)
			name := permission
			if strings.HasPrefix(rule, "(") {
				name = rule + " without " + permission
				rest[n] = "(" + strings.Join(slices.Delete(slices.Clone(inner), m, m+1), " ") + ")"
			} else {
				rest = slices.Delete(rest, n, n+1)
			}
			all[name] = rest
		}
	}
	return all
}

// sampled are permissions of each kind, which are left out in every test run: a channel,
// a right to keys, commands within a selector and without, in a transaction and in a
// script. The nightly tests leave out all permissions in turn.
var sampled = []string{
	"&__keyspace@0__:webhook:*", "+unwatch", "(%W~prompt:* %W~webhook:* %W~session:* +set) without %W~session:*", "(%W~prompt:* %W~webhook:* %W~session:* +set) without %W~prompt:*",
	"(%R~prompt:* %R~webhook:* %R~session:* +getrange +get +eval_ro +pttl +strlen +memory|usage) without +eval_ro",
	"~sessionbot:*", "+wait", "+hsetnx", "+xadd", "+zrangebyscore",
	"+cluster|nodes", "+asking",
}

// TestNoPermissionTooMany: the document lists no permission that is not needed. Without
// any one of them at least one of the named steps fails, and because of that permission.
func TestNoPermissionTooMany(t *testing.T) {
	t.Parallel()
	product, state, cluster := aclRules(t, aclProduct), aclRules(t, aclState), aclRules(t, aclCluster)
	options := []string{"--notify-keyspace-events", "KA", "--enable-debug-command", "yes"}
	server, other := redistest.Start(t, options...), redistest.Start(t, options...)
	redistest.StartReplica(t, server)
	nodes := redistest.StartCluster(t)
	omitted := 0
	for _, c := range []struct {
		name          string
		rules, others []string // of the rules one is left out
		client        redis.UniversalClient
		servers       []*redistest.Server
		product       string // "" = the user's own
		state         string
		extraStep     func(product, state *rdb.Redis) aclStep
	}{
		{name: "product", rules: product, client: server.Client(), servers: []*redistest.Server{server}, state: other.URL()},
		{name: "state", rules: state, client: other.Client(), servers: []*redistest.Server{server}, product: other.URL(),
			extraStep: func(_, state *rdb.Redis) aclStep { return awaited(t, server, state) }},
		{name: "cluster", rules: cluster, others: slices.Concat(product, state), client: nodes.Client(), servers: nodes.Nodes,
			extraStep: func(product, _ *rdb.Redis) aclStep { return onTheMove(t, nodes, product) }},
	} {
		try := func(t *testing.T, user string, rules []string) []string {
			t.Helper()
			for _, s := range c.servers {
				allow(t, s, user, slices.Concat(c.others, rules)...)
			}
			empty(t, slices.Concat(c.servers, []*redistest.Server{other}))
			own := as(user, c.servers[0].URL())
			return failing(t, c.client, cmp.Or(c.product, own), cmp.Or(c.state, own), c.extraStep)
		}
		t.Run(c.name, func(t *testing.T) {
			if failed := try(t, c.name, c.rules); len(failed) > 0 {
				t.Fatalf("with all permissions there fail: %q", failed)
			}
			n := 0
			for permission, rest := range withoutEach(c.rules) {
				if !testenv.Nightly && !slices.Contains(sampled, permission) {
					continue
				}
				n++
				failed := try(t, fmt.Sprintf("%s%d", c.name, n), rest)
				if len(failed) == 0 {
					t.Errorf("nothing fails without %s", permission)
				}
				t.Logf("without %s: %s", permission, strings.Join(failed, ", "))
			}
			omitted += n
		})
	}
	if !testenv.Nightly && omitted < len(sampled) {
		t.Errorf("%d permissions were left out, of %q", omitted, sampled)
	}
}

// empty takes away all keys and scripts.
func empty(t *testing.T, servers []*redistest.Server) {
	t.Helper()
	for _, s := range servers {
		if err := errors.Join(s.Client().FlushAll(t.Context()).Err(), s.Client().ScriptFlush(t.Context()).Err()); err != nil {
			t.Fatal(err)
		}
	}
}

// failing names the steps that fail with these two URLs.
func failing(t *testing.T, admin redis.UniversalClient, productURL, stateURL string, extraStep func(product, state *rdb.Redis) aclStep) []string {
	t.Helper()
	var both []*rdb.Redis
	for _, url := range []string{productURL, stateURL} {
		r, err := rdb.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Close() }() // the next user has its own
		both = append(both, r)
	}
	steps := aclSteps(admin, both[0], both[1])
	if extraStep != nil {
		steps = append(steps, extraStep(both[0], both[1]))
	}
	var failed []string
	for _, step := range steps {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		err := step.do(ctx)
		cancel()
		if err == nil {
			continue
		}
		failed = append(failed, step.name)
		followed := slices.ContainsFunc([]error{rdb.ErrNotAllowed, repair.ErrUnknownPlan, incident.ErrUnknownIncident, lease.ErrLost, lease.ErrNoRecord, errStep},
			func(follows error) bool { return errors.Is(err, follows) })
		if !errors.Is(err, rdb.ErrNoPermission) && !followed {
			t.Errorf("%s failed for another reason: %v", step.name, err)
		}
	}
	return failed
}

// awaited sees that the replica of a server is waited for.
func awaited(t *testing.T, server *redistest.Server, state *rdb.Redis) aclStep {
	return aclStep{"wait for the replica", func(ctx context.Context) error {
		if err := server.Client().ConfigResetStat(ctx).Err(); err != nil {
			t.Fatal(err)
		}
		err := ledger.New(state).AwaitReplicas(ctx, lease.Lease{Record: "sessionbot:{jobs}:job:"}, repair.Job{})
		if errors.Is(err, lease.ErrLost) { // there is no such job
			err = nil
		}
		stats, statsErr := server.Client().Info(ctx, "commandstats").Result()
		return errors.Join(err, statsErr, has(strings.Contains(stats, "cmdstat_wait:calls=1,")))
	}}
}

// onTheMove looks at a session one of whose keys is on its way to another node.
func onTheMove(t *testing.T, nodes *redistest.Cluster, r *rdb.Redis) aclStep {
	const key = "prompt:" + repairID
	return aclStep{"read a session while slots move", func(ctx context.Context) error {
		slot, err := nodes.Client().ClusterKeySlot(ctx, key).Result()
		if err != nil {
			return err
		}
		from := nodes.NodeOf(t, key)
		to := nodes.Nodes[0]
		if to == from {
			to = nodes.Nodes[1]
		}
		for _, s := range []struct {
			node, other *redistest.Server
			how         string
		}{{to, from, "IMPORTING"}, {from, to, "MIGRATING"}} {
			id, err := s.other.Client().ClusterMyID(ctx).Result()
			if err == nil {
				err = s.node.Client().Do(ctx, "CLUSTER", "SETSLOT", slot, s.how, id).Err()
			}
			if err != nil {
				return err
			}
			defer s.node.Client().Do(context.WithoutCancel(ctx), "CLUSTER", "SETSLOT", slot, "STABLE")
		}
		if err := nodes.Client().Del(ctx, key).Err(); err != nil {
			return err
		}
		if _, err = (sessions.Reader{Redis: r}).Session(ctx, repairID); redis.HasErrorPrefix(err, "MOVED") {
			err = errStep // the client does not say where we were redirected
		}
		return err
	}}
}
