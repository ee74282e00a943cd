package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
)

// called collects the commands that servers receive from clients other than the test.
type called struct {
	mu       sync.Mutex
	own      map[string]bool // addresses of the test's own connections
	commands map[string]bool
}

// dial connects the test itself.
func (c *called) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.own[conn.LocalAddr().String()] = true
	}
	return conn, err
}

var monitored = regexp.MustCompile(`\[\d+ (\S+)\] "([^"]+)"(?: "([^"]+)")?`)

// listen reads the output of MONITOR until the test ends.
func (c *called) listen(t *testing.T, server *redistest.Server) {
	t.Helper()
	conn, err := c.dial(t.Context(), "tcp", server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	t.Cleanup(func() {
		_ = conn.Close() // ends the reading
		<-read
	})
	if _, err := io.WriteString(conn, "MONITOR\r\n"); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(conn)
	lines.Buffer(nil, 1<<20)
	if !lines.Scan() { // its OK
		t.Fatal(lines.Err())
	}
	go func() {
		defer close(read)
		for lines.Scan() {
			c.note(lines.Text())
		}
	}()
}

func (c *called) note(line string) {
	found := monitored.FindStringSubmatch(line)
	c.mu.Lock()
	defer c.mu.Unlock()
	if found == nil || c.own[found[1]] {
		return
	}
	command := strings.ToLower(found[2])
	if command == "cluster" || command == "memory" || command == "xinfo" {
		command += "|" + strings.ToLower(found[3])
	}
	if command != "hello" { // the greeting, for which nobody needs a permission
		c.commands[command] = true
	}
}

// sorted are the commands so far.
func (c *called) sorted() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.commands))
}

// commandsOf are the commands that rules allow.
func commandsOf(rules ...string) []string {
	all := map[string]bool{}
	for _, command := range regexp.MustCompile(`\+\S+[^\s)]`).FindAllString(strings.Join(rules, " "), -1) {
		all[command[1:]] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// TestNoPermissionTooFew: the whole bot works with what the document allows, is
// never refused anything, and uses all of it; every day on one server.
func TestNoPermissionTooFew(t *testing.T) {
	t.Parallel()
	product, state, cluster := aclRules(t, aclProduct), aclRules(t, aclState), aclRules(t, aclCluster)
	configured := func(t *testing.T, servers map[*redistest.Server][]string, url, stateURL string, client func(*called) redis.UniversalClient) []string {
		c := &called{own: map[string]bool{}, commands: map[string]bool{}}
		for server, rules := range servers {
			allow(t, server, "sessionbot", rules...)
			c.listen(t, server)
		}
		admin := client(c)
		t.Cleanup(func() { _ = admin.Close() }) // nothing hangs on it any more
		s := orphan(watched(stageOn(t, as("sessionbot", url), admin)))
		if stateURL != "" {
			s.env["STATE_REDIS_URL"] = as("sessionbot", stateURL)
		}
		findEverything(t, s)
		for server := range servers {
			denied, err := server.Client().ACLLog(t.Context(), 100).Result()
			for _, entry := range denied {
				t.Errorf("Redis refused %s %s", entry.Reason, entry.Object)
			}
			if err != nil {
				t.Error(err)
			}
		}
		return c.sorted()
	}
	same := func(t *testing.T, got, want []string) {
		t.Helper()
		// These are not called in every run: UNWATCH only if a key that is watched turns
		// out to have been written by somebody else, WAIT only while a replica is
		// connected, EVAL_RO only to shorten long values, and TIME and XINFO STREAM only
		// by sessionbot doctor. TestNoPermissionTooMany calls them.
		seldom := func(c string) bool {
			return slices.Contains([]string{"unwatch", "wait", "eval_ro", "time", "xinfo|stream"}, c)
		}
		got, want = slices.DeleteFunc(got, seldom), slices.DeleteFunc(want, seldom)
		if !slices.Equal(got, want) {
			t.Errorf("commands called and commands allowed differ:\n%q\n%q", got, want)
		}
	}
	alone := func(s *redistest.Server) func(*called) redis.UniversalClient {
		return func(c *called) redis.UniversalClient {
			return redis.NewClient(&redis.Options{Addr: s.Addr(), Dialer: c.dial})
		}
	}
	t.Run("a server", func(t *testing.T) {
		t.Parallel()
		server := redistest.Start(t, "--notify-keyspace-events", "KA")
		redistest.StartReplica(t, server)
		both := slices.Concat(product, state)
		same(t, configured(t, map[*redistest.Server][]string{server: both}, server.URL(), "", alone(server)), commandsOf(both...))
	})
	if !testenv.Nightly {
		return
	}
	t.Run("two servers", func(t *testing.T) {
		t.Parallel()
		one, other := redistest.Start(t, "--notify-keyspace-events", "KA"), redistest.Start(t)
		redistest.StartReplica(t, other)
		rules := map[*redistest.Server][]string{one: product, other: state}
		same(t, configured(t, rules, one.URL(), other.URL(), alone(one)), commandsOf(slices.Concat(product, state)...))
	})
	t.Run("three masters", func(t *testing.T) {
		t.Parallel()
		nodes := redistest.StartCluster(t)
		all := slices.Concat(product, state, cluster)
		rules := map[*redistest.Server][]string{}
		for _, node := range nodes.Nodes {
			rules[node] = all
			if err := node.Client().ConfigSet(t.Context(), "notify-keyspace-events", "KA").Err(); err != nil {
				t.Fatal(err)
			}
		}
		got := configured(t, rules, nodes.URL(), "", func(c *called) redis.UniversalClient {
			return redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{nodes.Nodes[0].Addr()}, Dialer: c.dial})
		})
		// Slots do not move here, and there is no replica to be waited for.
		want := slices.DeleteFunc(commandsOf(all...), func(c string) bool { return c == "asking" })
		same(t, got, want)
	})
}

// alertsOf are the messages in the alert channel that name a session, by now;
// they name it shortened.
func (s *stage) alertsOf(id string) []wstest.Message {
	s.t.Helper()
	id = id[:12] + "…" + id[len(id)-4:]
	return slices.DeleteFunc(s.workspace.As("U0ONCALL").In("C0ALERTS").All(), func(m wstest.Message) bool { return !containing(id)(m) })
}

// findEverything has the bot use every command of Redis that it needs.
func findEverything(t *testing.T, s *stage) {
	s.startBot()
	lead, oncall := s.workspace.As("U0LEAD").In("C0SUPPORT"), s.workspace.As("U0ONCALL").In("C0ALERTS")
	alert := oncall.ExpectMessage(containing("A paid session got no video."))
	oncall.Choose(alert, "alert.snooze", "15m")
	alert = oncall.ExpectUpdate(alert, containing("Snoozed until"))
	oncall.Click(alert, "alert.ack")
	alert = oncall.ExpectUpdate(alert, containing("Acknowledged by"))
	for text, says := range map[string]string{
		"/session debug " + repairID: "Orphaned: ", "/session find ann@example.com": "No checkout session", "/redis prompts": "A fox runs",
		"/redis ping": "Redis answers", "/redis memory": "Redis uses", "/session history " + repairID: " for " + repairID,
	} {
		if m := s.ask(text); !strings.Contains(m.Text, says) {
			t.Errorf("%s is answered with: %s", text, m.Text)
		}
	}
	figures := s.ask("/redis stats")
	if !strings.Contains(figures.Text, "1 session") {
		t.Errorf("the figures: %s", figures.Text)
	}
	s.workspace.As("U0SUPPORT").In("C0SUPPORT").Click(figures, "session.share")
	lead.ExpectMessage(containing("shared by"))

	plan := s.planned(lead, "fix")
	lead.Click(plan, "confirm.cancel")
	lead.ExpectUpdate(plan, withText("Cancelled, nothing was changed"))
	s.files.BreakFor("generate-video", demo.Fault{Cut: true, Late: true})
	unclear := s.approved(lead, "generate", withText("Unclear: a video was requested for"))
	s.files.Heal()
	lead.Click(unclear, "confirm.not_made")
	lead.ExpectMessage(withText("Settled: nothing was made"))
	s.expectEnd(lead, unclear, withText("Failed: no video"))
	s.approved(lead, "generate", withText("Done: video ready"))
	oncall.ExpectUpdate(alert, containing("Resolved after"))

	s.stored(watchID(1), time.Now().Add(-time.Hour)) // Redis notifies of it; it is left unpaid
	s.stripe.Put(demo.CheckoutSession{ID: watchID(1), Status: "open", PaymentStatus: "unpaid", Amount: 100, Currency: "usd", Created: time.Now()})
	s.pays(watchID(2), pastGrace(), store.EventDelivered)
	await(t, func() string { return fmt.Sprint(len(s.alertsOf(watchID(2)))) }, "1")
	s.webhook(watchID(2), store.StatusCompleted)
	await(t, func() string { return s.alertsOf(watchID(2))[0].Text }, "Resolved after")
	await(t, func() string { // until Redis is listened to; the sweeps alone may have seen all so far
		s.webhook(watchID(2), store.StatusCompleted)
		return strings.ReplaceAll(s.ask("/redis stats").Text, "Last Redis event  never", "")
	}, "Last Redis event")
	if code := s.bot.stop(); code != 0 {
		t.Errorf("asked to stop, it exited with %d", code)
	}
	oncall.All() // other tests count the alerts
	s.workspace.ExpectNothingElse()
	s.expectCleanLog("A fox runs")
}
