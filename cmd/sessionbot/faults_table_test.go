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

// promise is what is kept under a fault.
type promise string

// The promises, as the columns of the document.
const (
	promiseAcked    promise = "acked"
	promiseAnswered promise = "answered"
	promiseQuick    promise = "quick"
	promiseSaid     promise = "said"
	promiseOnce     promise = "one video"
	promiseClaim    promise = "no repair lost"
	promiseAlert    promise = "no alert lost"
	promiseReady    promise = "ready"
	promiseBack     promise = "back"
	promiseQuiet    promise = "quiet"
)

var promises = []struct {
	name  promise
	means string
}{
	{promiseAcked, "every envelope is acked within a second; over all faults together 99 of 100 within 100 ms"},
	{promiseAnswered, "whatever is typed or pressed while the fault lasts is answered, each command once"},
	{promiseQuick, "after a few failures in a row nobody waits for the neighbour any more: answers come within 700 ms, but for one question in 10 s (in a second for Redis) that finds out whether it is back"},
	{promiseSaid, "the answers say what is missing, in words, and give the rest; what is refused says why, and what to do"},
	{promiseOnce, "a repair that was approved before or during the fault starts one video at most"},
	{promiseClaim, "both repairs come to an end that is told, and the one approved before the fault to a finished video"},
	{promiseAlert, "a session that got into trouble during the fault is alerted, in one message"},
	{promiseReady, "`/readyz` of both replicas is red where the bot cannot hear or answer or watch, names what it is, and else is green"},
	{promiseBack, "once the fault is over answers are whole and `/readyz` is green by themselves, within this time"},
	{promiseQuiet, "no token, prompt or customer's name is in the logs of either replica"},
}

// fault is one way in which a neighbour fails.
type fault struct {
	name string
	does string // how it is made
	// blames is the check of /readyz that turns red, "" = none does.
	blames string
	// says is what an answer about a session says in the fault, refuses what an
	// answer to a repair says; "" = as ever, or it depends on the moment.
	says, refuses string
	within        time.Duration // back after the fault
	stores        bool          // the site can still store sessions
	deaf          bool          // Slack does not bring what is typed just then
	everyday      bool          // made every day, and not only at night
	begin, end    func(*fleet)
}

// place is what faults have in common: what the bot runs with.
type place struct {
	name   string
	with   string
	start  func(*testing.T) *fleet
	faults []fault
}

var places = []place{
	{"One Redis server", "two replicas of the bot, one redis-server", besideServer, redisFaults},
	{"Redis with Sentinels", "a master, its replica and three Sentinels", besideSentinels, []fault{
		{name: "the master is killed", does: "SIGKILL; the Sentinels make the replica the master, and it gets one of its own", blames: "redis", within: 20 * time.Second,
			begin: killMaster, end: awaitMaster},
	}},
	{"Redis Cluster", "three masters, one of which has a replica", besideCluster, []fault{
		{name: "a master is killed", does: "SIGKILL of the one that keeps approved repairs; its replica takes over, and it comes back as that one's", blames: "redis", within: 20 * time.Second,
			begin: killNode, end: awaitNode},
	}},
	{"Stripe", "its stand-in, one redis-server", besideServer, httpFaults(func(f *fleet) breakable { return f.stripe }, "hangs", map[string]string{
		"hangs": "Stripe did not answer", "429": "Stripe asked us to slow down", "500": "Stripe answered with a fault of its own",
		"cut": "Stripe did not answer", "10 MB": "Stripe answered with a fault of its own"})},
	{"SuperDuperAI", "its stand-in, one redis-server", besideServer, httpFaults(func(f *fleet) breakable { return f.files }, "500", map[string]string{
		"hangs": "SuperDuperAI did not answer", "429": "SuperDuperAI asked us to slow down", "500": "SuperDuperAI answered HTTP 500",
		"cut": "SuperDuperAI did not answer", "10 MB": "SuperDuperAI's answer could not be read"})},
	{"The site", "its stand-in, one redis-server", besideServer, httpFaults(func(f *fleet) breakable { return f.site }, "", map[string]string{
		"hangs": "the site did not answer", "429": "the site answered HTTP 429", "500": "the site answered HTTP 500",
		"cut": "the site did not answer", "10 MB": "the site's answer could not be read"})},
	{"Slack", "the local workspace, one redis-server", besideServer, slackFaults},
}

// keeps reports whether a promise can be kept there: a slow Slack shows answers
// late.
func (p place) keeps(what promise) bool { return p.name != "Slack" || what != promiseQuick }

var redisFaults = []fault{
	{name: "frozen", does: "SIGSTOP, then SIGCONT", blames: "redis", says: "Redis could not be read", refuses: "Redis", within: 15 * time.Second,
		begin: func(f *fleet) { f.redis.Freeze(f.t) }, end: func(f *fleet) { f.redis.Thaw(f.t) }},
	{name: "a read-only replica", does: "REPLICAOF a server that is not there", blames: "alerts", refuses: "because it is a read-only replica",
		within: 15 * time.Second, begin: demote, end: promote},
	{name: "full", does: "maxmemory, noeviction", blames: "alerts", refuses: "Redis is full and takes no writes", within: 15 * time.Second,
		begin: func(f *fleet) { f.set("maxmemory", "1") }, end: func(f *fleet) { f.set("maxmemory", "0") }},
	{name: "wants a password", does: "the user's password is changed, and its connections are ended", blames: "redis", says: "Redis could not be read",
		refuses: "Redis wants a password", within: 15 * time.Second, begin: lockOut, end: letIn},
	{name: "refuses connections", does: "SIGKILL; later it runs again with what it saved", blames: "redis", says: "Redis could not be read",
		refuses: "Redis", within: 15 * time.Second, everyday: true, begin: crash, end: func(f *fleet) { f.redis.Restart(f.t) }},
	{name: "loads its data", does: "run again with a slowed load of 2000 keys", blames: "redis", says: "Redis could not be read",
		refuses: "Redis cannot serve just now", within: 15 * time.Second, begin: loadSlowly, end: awaitLoaded},
}

// breakable is a stand-in that can be made to misbehave.
type breakable interface {
	Break(demo.Fault)
	Heal()
}

// httpFaults are those of a service, with what answers say of each. One of them
// may be made every day.
func httpFaults(of func(*fleet) breakable, everyday string, says map[string]string) []fault {
	var all []fault
	for _, c := range []struct {
		name, does string
		fault      demo.Fault
	}{
		{"hangs", "takes requests, never answers", demo.Fault{Hang: true}},
		{"429", "HTTP 429 with Retry-After", demo.Fault{Status: 429, Body: "{}", RetryAfter: 2 * time.Second}},
		{"500", "HTTP 500", demo.Fault{Status: 500, Body: "<html>"}},
		{"cut", "hangs up without an answer", demo.Fault{Cut: true}},
		{"10 MB", "HTTP 200 with 10 MB", demo.Fault{Status: 200, Body: `{"id":"` + strings.Repeat("x", 10<<20) + `"}`}},
	} {
		all = append(all, fault{name: c.name, does: c.does, says: says[c.name], stores: true, within: 15 * time.Second, everyday: c.name == everyday,
			begin: func(f *fleet) { of(f).Break(c.fault) }, end: func(f *fleet) { of(f).Heal() }})
	}
	return all
}

var slackFaults = []fault{
	{name: "429", does: "HTTP 429 with Retry-After, for 3 s", stores: true, within: 10 * time.Second,
		begin: func(f *fleet) { f.workspace.Fault("rate_limit", 3, "") }, end: func(f *fleet) { f.workspace.Fault("clear", 0, "") }},
	{name: "500", does: "HTTP 500, for 3 s", stores: true, within: 10 * time.Second,
		begin: func(f *fleet) { f.workspace.Fault("server_error", 3, "") }, end: func(f *fleet) { f.workspace.Fault("clear", 0, "") }},
	{name: "slow", does: "3 s for each call", stores: true, within: 10 * time.Second,
		begin: func(f *fleet) { f.workspace.Fault("slow", 3, "") }, end: func(f *fleet) { f.workspace.Fault("clear", 0, "") }},
	{name: "cuts its sockets", does: "and takes no new ones for 3 s", blames: "slack", stores: true, deaf: true, within: 10 * time.Second, everyday: true,
		begin: func(f *fleet) { f.workspace.Fault("drop_connections", 3, "") }, end: func(f *fleet) { f.workspace.Fault("clear", 0, "") }},
}

// kept tells of each fault's promises whether they were kept.
type kept map[string]map[promise]bool

// reliability is the document. It differs from run to run only where a promise
// is not kept.
func reliability(k kept) string {
	var b strings.Builder
	b.WriteString("# Reliability\n\n" +
		"Written by `make faults`, which runs two replicas of the built bot against real Redis servers, the local workspace and stand-ins for the other services, breaks one of them at a time, and looks whether these promises are kept:\n\n")
	for _, p := range promises {
		fmt.Fprintf(&b, "- **%s**: %s\n", p.name, p.means)
	}
	b.WriteString("\nEach time a video is being made, a second repair waits for its approval, which comes during the fault, five commands are typed by each of two people, and another customer's video gets lost. " +
		"● kept, ○ not kept, – not promised.\n")
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
				case !place.keeps(p.name):
					mark = "–"
				case k[place.name+f.name][p.name]:
					mark = "●"
				}
				if p.name == promiseBack {
					mark += fmt.Sprintf(" %.0f s", f.within.Seconds())
				}
				fmt.Fprintf(&b, " %s |", mark)
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

const reliabilityFile = "../../docs/reliability.md"

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
	document, err := os.ReadFile(reliabilityFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(document), "\n"), strings.Split(reliability(all), "\n")); diff != "" {
		t.Errorf("the document is not that of the suite (-document +suite); make faults writes it anew:\n%s", diff)
	}
}
