package jobs_test

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// group is a Redis whose master can be killed.
type group struct {
	*bench
	master, replica *redistest.Server
	follow          func(t *testing.T) // gives the promoted one a replica
}

// groups are the setups in which a replica takes over by itself.
var groups = map[string]func(*testing.T) *group{
	"Sentinel": func(t *testing.T) *group {
		f := redistest.StartFailover(t)
		return &group{benchOn(t, f.URL(), f.Client()), f.Master, f.Replica, func(t *testing.T) { redistest.StartReplica(t, f.Replica) }}
	},
	"cluster": func(t *testing.T) *group {
		c := redistest.StartCluster(t)
		master := c.NodeOf(t, inJobs)
		replica := c.AddReplica(t, master)
		return &group{benchOn(t, c.URL(), c.Client()), master, replica, func(t *testing.T) { master.Restart(t) }}
	},
}

const inJobs = "sessionbot:{jobs}:probe" // a key in the slot of the jobs

// cutOff disconnects the replica: what is written from now on is lost by a failover.
func (g *group) cutOff() {
	g.t.Helper()
	testenv.Until(g.t, "the replica follows", func() bool {
		pipe := g.master.Client().Pipeline()
		pipe.Set(g.t.Context(), inJobs, "", time.Minute)
		acked := pipe.Do(g.t.Context(), "WAIT", 1, 1000)
		_, err := pipe.Exec(g.t.Context())
		return err == nil && acked.Val() == int64(1)
	})
	g.leaves(g.master, g.replica)
}

// failOver kills the master, and waits until the replica has taken over.
func (g *group) failOver() {
	g.t.Helper()
	g.master.Kill(g.t)
	g.replica.Thaw(g.t)
	testenv.Until(g.t, "the replica takes over", func() bool { return g.client.Set(g.t.Context(), inJobs, "", time.Minute).Err() == nil })
}

// sentOrWaits: the request was sent, or its job waits.
func (g *group) sentOrWaits(id string) {
	g.t.Helper()
	testenv.Until(g.t, "it was sent or waits", func() bool {
		job, err := g.ledger.LoadJob(g.t.Context(), id)
		return err == nil && job.Cancellable() || g.files.Started() > 0
	})
}

// TestFailoverLosesTheClaim: the replica knows the plan, and nothing of its
// approval. Approved again after the failover, it is executed once, although
// the process that claimed it first still runs.
func TestFailoverLosesTheClaim(t *testing.T) {
	t.Parallel()
	for name, start := range groups {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := start(t)
			id := g.planned(store.ActionGenerate, g.examined())
			g.cutOff()
			g.approved(id)
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- jobs.New(g.config()).Run(ctx) }()
			g.sentOrWaits(id)
			g.failOver()
			testenv.Until(g.t, "the plan is claimed once more", func() bool {
				answer, err := g.ledger.Claim(t.Context(), id, "", store.Actor{ID: "U3"}, time.Now())
				return err == nil && answer.Verdict == repair.Claimed
			})
			g.follow(t)
			g.endedWell(id, g.config())
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

func (b *bench) approved(id string) {
	b.t.Helper()
	answer, err := b.ledger.Claim(b.t.Context(), id, "", store.Actor{ID: "U2"}, time.Now())
	if err != nil || answer.Verdict != repair.Claimed {
		b.t.Fatalf("%s, %v", answer.Verdict, err)
	}
}

// TestFailoverLosesTheRequest: the replica knows the claimed job, and nothing
// of its progress when master and bot were killed. Another process starts again.
func TestFailoverLosesTheRequest(t *testing.T) {
	t.Parallel()
	for name, start := range groups {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := start(t)
			id := g.claimed(store.ActionGenerate)
			g.cutOff()
			bot := exec.Command(os.Args[0], "-test.run=^TestChild$")
			bot.Env = append(os.Environ(), "JOBS_CHILD=never", "JOBS_NTH=1", "JOBS_REDIS="+g.redisURL, "JOBS_API="+g.apiURL)
			if err := bot.Start(); err != nil {
				t.Fatal(err)
			}
			killed := sync.OnceFunc(func() {
				_ = bot.Process.Kill() // it runs until then
				_ = bot.Wait()         // which says that it was killed
			})
			defer killed()
			g.sentOrWaits(id)
			killed()
			g.failOver()
			g.follow(t)
			g.endedWell(id, g.config())
		})
	}
}
