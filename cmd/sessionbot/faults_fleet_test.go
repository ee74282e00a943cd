package main

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store/lease"
)

// fleet is a stage with two replicas of the bot.
type fleet struct {
	*stage
	failover *redistest.Failover
	cluster  *redistest.Cluster
	bots     []*process
	addrs    []string     // of their health
	ahead    atomic.Int64 // how far the clock of the video maker is ahead
}

func besideServer(t *testing.T) *fleet {
	t.Helper()
	server := redistest.Start(t)
	s := crashStage(t, server.URL(), server.Client())
	s.redis = server
	return startReplicas(&fleet{stage: s})
}

func besideSentinels(t *testing.T) *fleet {
	t.Helper()
	f := redistest.StartFailover(t)
	return startReplicas(&fleet{stage: crashStage(t, f.URL(), f.Client()), failover: f})
}

// jobsKey lies where approved repairs are kept.
const jobsKey = "sessionbot:{jobs}:"

func besideCluster(t *testing.T) *fleet {
	t.Helper()
	c := redistest.StartCluster(t)
	c.AddReplica(t, c.NodeOf(t, jobsKey))
	return startReplicas(&fleet{stage: crashStage(t, c.URL(), c.Client()), cluster: c})
}

// startReplicas starts the two replicas.
func startReplicas(f *fleet) *fleet {
	f.t.Helper()
	watched(f.stage)
	f.files = demo.NewSuperDuper(func() time.Time { return time.Now().Add(time.Duration(f.ahead.Load())) }, 30*time.Minute)
	f.env["SUPERDUPERAI_URL"] = f.serve(f.files)
	for tries := 0; len(f.bots) < 2; tries++ {
		f.env["HTTP_ADDR"] = freeAddr(f.t)
		bot := start(f.t, f.env, "run")
		if f.alive(bot) {
			f.addrs, f.bots = append(f.addrs, f.env["HTTP_ADDR"]), append(f.bots, bot)
		} else if tries == 5 {
			f.t.Fatal("no replica starts")
		}
	}
	f.workspace.AwaitConnections(4)
	return f
}

// alive waits until a replica is alive. Another process may have taken its address in
// between, and then it ends.
func (f *fleet) alive(bot *process) bool {
	f.t.Helper()
	ended := false
	return poll(patience, func() bool {
		select {
		case <-bot.done:
			ended = true
		default:
		}
		return ended || f.page(f.env["HTTP_ADDR"], "/healthz") == ""
	}) && !ended
}

// finish has all videos made that were started by now.
func (f *fleet) finish() { f.ahead.Add(int64(time.Hour)) }

// page is what a replica serves there.
func (f *fleet) page(addr, path string) string {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return fetched(req)
}

// ready reports whether both replicas say that they are ready, or where a check is
// named that both blame it.
func (f *fleet) ready(blamed string) bool {
	says := `"ready":true`
	if blamed != "" {
		says = `"` + blamed + `":`
	}
	return !slices.ContainsFunc(f.addrs, func(addr string) bool { return !strings.Contains(f.page(addr, "/readyz"), says) })
}

// acks counts, over both replicas, all acks and those within 100 ms.
func (f *fleet) acks() (all, within int) {
	f.t.Helper()
	for _, addr := range f.addrs {
		for line := range strings.Lines(f.page(addr, "/metrics")) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
			n, err := strconv.Atoi(value)
			if err != nil {
				continue // another metric's
			}
			switch name {
			case "sessionbot_ack_duration_seconds_count":
				all += n
			case `sessionbot_ack_duration_seconds_bucket{le="0.1"}`:
				within += n
			}
		}
	}
	return all, within
}

// poll asks every now and then until it is so; false = it never was within that
// time.
func poll(within time.Duration, is func() bool) bool {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	late := time.After(within)
	for !is() {
		select {
		case <-tick.C:
		case <-late:
			return false
		}
	}
	return true
}

// answersTo are the bot's messages to one person alone, by now.
func (f *fleet) answersTo(user string) []wstest.Message {
	f.t.Helper()
	return slices.DeleteFunc(f.workspace.As(user).In("C0SUPPORT").All(), func(m wstest.Message) bool {
		return !m.Ephemeral || m.VisibleTo != user || m.User == "USLACKBOT"
	})
}

// current is the message as it is now.
func (f *fleet) current(m wstest.Message) wstest.Message {
	f.t.Helper()
	for _, now := range f.workspace.As("U0LEAD").In(m.Channel).All() {
		if now.TS == m.TS {
			return now
		}
	}
	return m
}

// typed types a command, and again while Slack says that the app did not respond.
func (f *fleet) typed(by wstest.Place, text string) bool {
	f.t.Helper()
	return poll(patience, func() bool { return by.TryType(text) == nil })
}

// plan requests a generation and returns its plan. If Slack could not look the requester up,
// it requests it again.
func (f *fleet) plan(id string) wstest.Message {
	f.t.Helper()
	lead := f.workspace.As("U0LEAD").In("C0SUPPORT")
	var plan wstest.Message
	shown := poll(patience, func() bool {
		lead.Type("/session generate " + id)
		plan = lead.ExpectMessage(func(m wstest.Message) bool {
			return m.Ephemeral || strings.Contains(m.Text, "Expires ") && strings.Contains(m.Text, id)
		})
		return !plan.Ephemeral
	})
	if !shown {
		f.t.Fatalf("no plan is shown: %s", plan.Text)
	}
	return plan
}

// approved approves a plan, and returns its message after the execution.
func (f *fleet) approved(plan wstest.Message) wstest.Message {
	f.t.Helper()
	var now wstest.Message
	began := poll(patience, func() bool {
		_ = f.workspace.As("U0ONCALL").In("C0SUPPORT").TryClick(plan, "confirm.approve", "") // it may be gone by now
		return poll(2*time.Second, func() bool {
			now = f.current(plan)
			return withText("being made")(now)
		})
	})
	if !began {
		f.t.Fatalf("nothing is being made: %s", now.Text)
	}
	return now
}

// set changes the configuration of the one server.
func (f *fleet) set(name, value string) {
	f.t.Helper()
	if err := f.redis.Client().ConfigSet(f.t.Context(), name, value).Err(); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fleet) do(client *redis.Client, command ...any) {
	f.t.Helper()
	if err := client.Do(f.t.Context(), command...).Err(); err != nil {
		f.t.Fatalf("%v: %v", command, err)
	}
}

func demote(f *fleet)  { f.do(f.redis.Client(), "REPLICAOF", "127.0.0.1", "1") }
func promote(f *fleet) { f.do(f.redis.Client(), "REPLICAOF", "NO", "ONE") }

const otherPassword = "another-password"

func lockOut(f *fleet) {
	f.set("requirepass", otherPassword)
	f.do(f.redis.Client(), "CLIENT", "KILL", "TYPE", "normal")
}

func letIn(f *fleet) {
	admin := redis.NewClient(&redis.Options{Addr: f.redis.Addr(), Password: otherPassword})
	defer func() { _ = admin.Close() }() // nothing hangs on it any more
	f.do(admin, "CONFIG", "SET", "requirepass", "")
}

func crash(f *fleet) {
	f.do(f.redis.Client(), "SAVE")
	f.redis.Kill(f.t)
}

func loadSlowly(f *fleet) {
	pipe := f.redis.Client().Pipeline()
	for n := range 2000 {
		pipe.Set(f.t.Context(), fmt.Sprintf("load:%d", n), strings.Repeat("x", 100), time.Minute)
	}
	if _, err := pipe.Exec(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	crash(f)
	f.redis.Restart(f.t, "--key-load-delay", "3000", "--loading-process-events-interval-bytes", "1024")
}

func awaitLoaded(f *fleet) {
	if !poll(patience, func() bool { return f.redis.Client().Ping(f.t.Context()).Err() == nil }) {
		f.t.Fatal("it loads for ever")
	}
}

func killMaster(f *fleet) {
	f.do(f.failover.Master.Client(), "WAIT", 1, 5000) // what the replica lacks is lost, as with every Redis
	f.failover.Master.Kill(f.t)
}

// awaitMaster gives the new master a replica: generations wait for one.
func awaitMaster(f *fleet) {
	f.awaitWrites("probe")
	redistest.StartReplica(f.t, f.failover.Replica)
}

func killNode(f *fleet) {
	node := f.cluster.NodeOf(f.t, jobsKey)
	f.do(node.Client(), "WAIT", 1, 5000)
	node.Kill(f.t)
}

// awaitNode has the old master follow the new one.
func awaitNode(f *fleet) {
	f.awaitWrites("{jobs}probe")
	f.cluster.NodeOf(f.t, jobsKey).Restart(f.t)
}

// awaitWrites waits until Redis takes writes again.
func (f *fleet) awaitWrites(key string) {
	f.t.Helper()
	if !poll(patience, func() bool { return f.client.Set(f.t.Context(), key, "", lease.Leadership.Life).Err() == nil }) {
		f.t.Fatal("nobody takes over")
	}
}
