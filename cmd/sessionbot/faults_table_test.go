package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/superduperai/sessionbot/internal/demo"
)

// promise is a property that holds during a fault.
type promise string

// The promises, as the columns of the document.
const (
	promiseAcked    promise = "acked"
	promiseAnswered promise = "answered"
	promiseSaid     promise = "explained"
	promiseOnce     promise = "one video"
	promiseClaim    promise = "no repair lost"
	promiseAlert    promise = "no alert lost"
	promiseReady    promise = "ready"
	promiseBack     promise = "recovers"
	promiseQuiet    promise = "no secrets"
)

var promises = []struct {
	name  promise
	means string
}{
	{promiseAcked, "every envelope is acked"},
	{promiseAnswered, "everything typed or pressed during the fault is answered, each command once"},
	{promiseSaid, "answers name what is missing and give the rest; refusals say why, and what to do"},
	{promiseOnce, "a repair approved before or during the fault starts at most one video"},
	{promiseClaim, "both repairs end with a message, and the one approved before the fault with a finished video"},
	{promiseAlert, "a session that gets into trouble during the fault is alerted, in one message"},
	{promiseReady, "`/readyz` of both replicas is red if the bot cannot receive events, answer or watch, and names the cause; otherwise it is green"},
	{promiseBack, "after the fault answers become complete and `/readyz` green without intervention"},
	{promiseQuiet, "neither replica logs a token, a prompt or a customer's name"},
}

// fault is one way in which a service fails.
type fault struct {
	name string
	does string // how it is made
	// blames is the check of /readyz that turns red, "" = none does.
	blames string
	// says is what an answer about a session says in the fault, refuses what an
	// answer to a repair says; "" = as usual, or it depends on the moment.
	says, refuses string
	stores        bool // the site can still store sessions
	deaf          bool // Slack does not bring what is typed just then
	everyday      bool // made every day, and not only at night
	begin, end    func(*fleet)
}

// place is the setup that faults share.
type place struct {
	name   string
	with   string
	start  func(*testing.T) *fleet
	faults []fault
}

var places = []place{
	{"One Redis server", "two replicas of the bot, one redis-server", besideServer, redisFaults},
	{"Redis with Sentinels", "a master, its replica and three Sentinels", besideSentinels, []fault{
		{name: "the master is killed", does: "SIGKILL; the Sentinels promote the replica, which then gets a replica of its own", blames: "redis",
			begin: killMaster, end: awaitMaster},
	}},
	{"Redis Cluster", "three masters, one of which has a replica", besideCluster, []fault{
		{name: "a master is killed", does: "SIGKILL of the one that holds the approved repairs; its replica is promoted, and the killed one returns as its replica", blames: "redis",
			begin: killNode, end: awaitNode},
	}},
	{"Stripe", "a fake of it, one redis-server", besideServer, httpFaults(func(f *fleet) breakable { return f.stripe }, "hangs", map[string]string{
		"hangs": "Stripe did not answer", "429": "Stripe's rate limit was reached", "500": "Stripe answered with an internal error",
		"cut": "Stripe did not answer", "10 MB": "Stripe answered with an internal error"})},
	{"SuperDuperAI", "a fake of it, one redis-server", besideServer, httpFaults(func(f *fleet) breakable { return f.files }, "500", map[string]string{
		"hangs": "SuperDuperAI did not answer", "429": "SuperDuperAI's rate limit was reached", "500": "SuperDuperAI answered HTTP 500",
		"cut": "SuperDuperAI did not answer", "10 MB": "SuperDuperAI's answer could not be read"})},
	{"The site", "a fake of it, one redis-server", besideServer, httpFaults(func(f *fleet) breakable { return f.site }, "", map[string]string{
		"hangs": "the site did not answer", "429": "the site answered HTTP 429", "500": "the site answered HTTP 500",
		"cut": "the site did not answer", "10 MB": "the site's answer could not be read"})},
	{"Slack", "the local workspace, one redis-server", besideServer, slackFaults},
}

var redisFaults = []fault{
	{name: "frozen", does: "SIGSTOP, then SIGCONT", blames: "redis", says: "Redis could not be read", refuses: "Redis",
		begin: func(f *fleet) { f.redis.Freeze(f.t) }, end: func(f *fleet) { f.redis.Thaw(f.t) }},
	{name: "a read-only replica", does: "REPLICAOF a server that does not exist", blames: "alerts", refuses: "it is a read-only replica", begin: demote, end: promote},
	{name: "full", does: "maxmemory, noeviction", blames: "alerts", refuses: "Redis is full and accepts no writes",
		begin: func(f *fleet) { f.set("maxmemory", "1") }, end: func(f *fleet) { f.set("maxmemory", "0") }},
	{name: "wants a password", does: "the user's password is changed, and its connections are closed", blames: "redis", says: "Redis could not be read",
		refuses: "Redis requires a password", begin: lockOut, end: letIn},
	{name: "refuses connections", does: "SIGKILL; later it restarts with what it saved", blames: "redis", says: "Redis could not be read",
		refuses: "Redis", everyday: true, begin: crash, end: func(f *fleet) { f.redis.Restart(f.t) }},
	{name: "loads its data", does: "restarted, with an artificially slow load of 2000 keys", blames: "redis", says: "Redis could not be read",
		refuses: "Redis is not ready", begin: loadSlowly, end: awaitLoaded},
}

// breakable is a fake that can be made to misbehave.
type breakable interface {
	Break(demo.Fault)
	Heal()
}

// large stands for a body of 10 MB, which is made only where it is sent: the variables of this
// package are initialized in each process that the tests start.
const large = "10 MB"

// httpFaults are those of a service, with what answers say of each. One of them
// may be made every day.
func httpFaults(of func(*fleet) breakable, everyday string, says map[string]string) []fault {
	var all []fault
	for _, c := range []struct {
		name, does string
		fault      demo.Fault
	}{
		{"hangs", "accepts requests, never responds", demo.Fault{Hang: true}},
		{"429", "HTTP 429 with Retry-After", demo.Fault{Status: 429, Body: "{}", RetryAfter: 2 * time.Second}},
		{"500", "HTTP 500", demo.Fault{Status: 500, Body: "<html>"}},
		{"cut", "closes the connection without a response", demo.Fault{Cut: true}},
		{"10 MB", "HTTP 200 with 10 MB", demo.Fault{Status: 200, Body: large}},
	} {
		all = append(all, fault{name: c.name, does: c.does, says: says[c.name], stores: true, everyday: c.name == everyday,
			begin: func(f *fleet) {
				if c.fault.Body == large {
					c.fault.Body = `{"id":"` + strings.Repeat("x", 10<<20) + `"}`
				}
				of(f).Break(c.fault)
			}, end: func(f *fleet) { of(f).Heal() }})
	}
	return all
}

var slackFaults = []fault{
	{name: "429", does: "HTTP 429 with Retry-After, for 3 s", stores: true,
		begin: func(f *fleet) { f.workspace.Fault("rate_limit", 3, "") }, end: func(f *fleet) { f.workspace.Fault("clear", 0, "") }},
	{name: "500", does: "HTTP 500, for 3 s", stores: true,
		begin: func(f *fleet) { f.workspace.Fault("server_error", 3, "") }, end: func(f *fleet) { f.workspace.Fault("clear", 0, "") }},
	{name: "slow", does: "3 s for each call", stores: true,
		begin: func(f *fleet) { f.workspace.Fault("slow", 3, "") }, end: func(f *fleet) { f.workspace.Fault("clear", 0, "") }},
	{name: "cuts its sockets", does: "and accepts no new ones for 3 s", blames: "slack", stores: true, deaf: true, everyday: true,
		begin: func(f *fleet) { f.workspace.Fault("drop_connections", 3, "") }, end: func(f *fleet) { f.workspace.Fault("clear", 0, "") }},
}

// kept holds, for each fault, which promises were kept.
type kept map[string]map[promise]bool

// reliability is the document. It differs from run to run only where a promise
// is not kept.
func reliability(k kept) string {
	var b strings.Builder
	b.WriteString("# Reliability\n\n" +
		"Generated by `make faults`, except for the [track record](#track-record). It runs two replicas of the built bot against real Redis servers, the local workspace and fakes of the other services, injects faults into one of them at a time, and checks these promises:\n\n")
	for _, p := range promises {
		fmt.Fprintf(&b, "- **%s**: %s\n", p.name, p.means)
	}
	b.WriteString("\nDuring each fault a video is in progress, a second repair is approved, two users type five commands each, and another customer's video gets lost. " +
		"● kept, ○ not kept.\n")
	for _, place := range places {
		fmt.Fprintf(&b, "\n## %s\n\nWith %s.\n\n| fault | made by |", place.name, place.with)
		for _, p := range promises {
			fmt.Fprintf(&b, " %s |", p.name)
		}
		b.WriteString("\n|" + strings.Repeat("---|", len(promises)+2) + "\n")
		for _, f := range place.faults {
			fmt.Fprintf(&b, "| %s | %s |", f.name, f.does)
			for _, p := range promises {
				mark := "○"
				switch {
				case k[place.name+f.name][p.name]:
					mark = "●"
				}
				fmt.Fprintf(&b, " %s |", mark)
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

const reliabilityFile = "../../docs/reliability.md"

// trackRecord is where the part of the document begins that is written by hand.
const trackRecord = "\n## Track record\n"

// readReliability splits the document into the generated part and the rest.
func readReliability(t *testing.T) (generated, kept string) {
	t.Helper()
	document, err := os.ReadFile(reliabilityFile)
	if err != nil {
		t.Fatal(err)
	}
	generated, record, ok := strings.Cut(string(document), trackRecord)
	if !ok {
		t.Fatal("docs/reliability.md has no track record")
	}
	return generated, trackRecord + record
}

// TestReliabilityDocument: the document has the suite's own cells, all of them
// kept.
func TestReliabilityDocument(t *testing.T) {
	all := kept{}
	for _, place := range places {
		for _, f := range place.faults {
			cells := map[promise]bool{}
			for _, p := range promises {
				cells[p.name] = true
			}
			all[place.name+f.name] = cells
		}
	}
	generated, _ := readReliability(t)
	if diff := cmp.Diff(strings.Split(generated, "\n"), strings.Split(reliability(all), "\n")); diff != "" {
		t.Errorf("docs/reliability.md does not match the suite (-document +suite); run make faults:\n%s", diff)
	}
}
