package ledger

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/storetest"
)

// running is a job that was claimed and is being executed.
func running(t *testing.T, l *Ledger, session string) (lease.Lease, repair.Job) {
	t.Helper()
	job := claimed(t, l, session)
	return leased(t, l, job.ID, "one"), job
}

// leaves disconnects a server's replicas and freezes them, so that none reconnects.
func leaves(t *testing.T, master, replica *redistest.Server) {
	t.Helper()
	replica.Freeze(t)
	testenv.Must(t, master.Client().ClientKillByFilter(t.Context(), "TYPE", "replica").Err())
	testenv.Until(t, "the replica leaves", func() bool {
		info, err := master.Client().Info(t.Context(), "replication").Result()
		return err == nil && strings.Contains(info, "connected_slaves:0")
	})
}

// replicates waits until a replica has the job's record: on a busy machine one
// that follows may be behind at first.
func replicates(t *testing.T, l *Ledger, held lease.Lease, job repair.Job) {
	t.Helper()
	testenv.Until(t, "the replica has the record", func() bool {
		err := l.AwaitReplicas(t.Context(), held, job)
		if err != nil && !errors.Is(err, rdb.ErrNotReplicated) {
			t.Fatal(err)
		}
		return err == nil
	})
}

// TestReplicated: a replica that was connected within a day has to have the record, even if
// it is disconnected now; without one there is no wait.
func TestReplicated(t *testing.T) {
	t.Parallel()
	master := redistest.Start(t)
	l := New(rdbtest.Open(t, master.URL()))
	held, job := running(t, l, "cs_live_replica")
	check := func(when string, want error) {
		t.Helper()
		if err := l.AwaitReplicas(t.Context(), held, job); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", when, err, want)
		}
	}
	check("without a replica", nil)
	replica := redistest.StartReplica(t, master)
	job.Step = repair.StepSending
	replicates(t, l, held, job)
	if n := replica.Client().Exists(t.Context(), jobOfKey("cs_live_replica")).Val(); n != 1 {
		t.Error("the replica does not have the claim")
	}
	if got, err := New(rdbtest.Open(t, replica.URL())).LoadJob(t.Context(), job.ID); err != nil || got.Step != repair.StepSending {
		t.Errorf("the replica has the job at %s, %v", got.Step, err)
	}
	replica.Freeze(t)
	check("with a replica that stands still", rdb.ErrNotReplicated)
	if err := incident.NewRecords(rdbtest.Open(t, master.URL())).AwaitReplicas(t.Context()); !errors.Is(err, rdb.ErrNotReplicated) {
		t.Errorf("the watch with a replica that stands still: %v", err)
	}
	leaves(t, master, replica)
	check("with a replica that left", rdb.ErrNotReplicated)
	if ttl := master.Client().TTL(t.Context(), replicaKey).Val(); ttl <= rdb.ReplicaLife-time.Minute || ttl > rdb.ReplicaLife {
		t.Errorf("it is remembered for %s", ttl)
	}
	testenv.Must(t, master.Client().Del(t.Context(), replicaKey).Err()) // as if a day went by
	check("a day after the replica left", nil)
	replica.Thaw(t)
}

// TestNoteReplicas: a replica that no job saw counts, too.
func TestNoteReplicas(t *testing.T) {
	t.Parallel()
	master := redistest.Start(t)
	l := New(rdbtest.Open(t, master.URL()))
	held, job := running(t, l, "cs_live_noted")
	noted := func(want rdb.Replication) {
		t.Helper()
		testenv.Must(t, l.NoteReplicas(t.Context()))
		if got, err := l.Replication(t.Context()); err != nil || got != want {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
	}
	noted(rdb.Replication{Reported: true})
	replica := redistest.StartReplica(t, master)
	noted(rdb.Replication{Connected: 1, Reported: true, Needed: true})
	leaves(t, master, replica)
	noted(rdb.Replication{Reported: true, Needed: true})
	if err := l.AwaitReplicas(t.Context(), held, job); !errors.Is(err, rdb.ErrNotReplicated) {
		t.Errorf("with a replica that left: %v", err)
	}
	replica.Thaw(t)
}

// TestReplicatedElsewhere: the record has to be on the master that answers, and
// a promoted one may lack it.
func TestReplicatedElsewhere(t *testing.T) {
	t.Parallel()
	master := redistest.Start(t)
	redistest.StartReplica(t, master)
	l := New(rdbtest.Open(t, master.URL()))
	held, job := running(t, l, "cs_live_elsewhere")
	testenv.Must(t, master.Client().FlushAll(t.Context()).Err())
	if err := l.AwaitReplicas(t.Context(), held, job); !errors.Is(err, lease.ErrLost) {
		t.Errorf("where nobody knows of the job: %v", err)
	}
	testenv.Must(t, l.SavePlan(t.Context(), job.Plan))
	if a := click(t, approve(l), job.ID, bob, storetest.At); a.Verdict != repair.Claimed {
		t.Fatalf("claimed again: %s", a.Verdict)
	}
	leased(t, l, job.ID, "another")
	if err := l.AwaitReplicas(t.Context(), held, job); !errors.Is(err, lease.ErrLost) {
		t.Errorf("where the plan was claimed again: %v", err)
	}
}

// TestReplicatedWithoutInfo: a replica that the server does not report is recognised by its
// acknowledgements, and counts like any other from then on.
func TestReplicatedWithoutInfo(t *testing.T) {
	t.Parallel()
	master := redistest.Start(t)
	l := New(rdbtest.As(t, master, "~* &* +@all -info"))
	held, job := running(t, l, "cs_live_silent")
	check := func(when string, want error, noted int64) {
		t.Helper()
		if err := l.AwaitReplicas(t.Context(), held, job); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", when, err, want)
		}
		if n := master.Client().Exists(t.Context(), replicaKey).Val(); n != noted {
			t.Errorf("%s: noted %d, want %d", when, n, noted)
		}
	}
	check("without a replica", nil, 0)
	replica := redistest.StartReplica(t, master)
	noted := func() bool { return master.Client().Exists(t.Context(), replicaKey).Val() == 1 }
	testenv.Until(t, "the replica acknowledges", func() bool {
		replicates(t, l, held, job)
		return noted()
	})
	testenv.Must(t, master.Client().Del(t.Context(), replicaKey).Err())
	testenv.Until(t, "the replica acknowledges", func() bool {
		testenv.Must(t, l.NoteReplicas(t.Context()))
		return noted()
	})
	replica.Freeze(t)
	check("with a replica that stands still", rdb.ErrNotReplicated, 1)
	leaves(t, master, replica)
	check("with a replica that left", rdb.ErrNotReplicated, 1)
	replica.Thaw(t)
	testenv.Must(t, master.Client().Del(t.Context(), replicaKey).Err())
	l = New(rdbtest.As(t, master, "~* &* +@all -info -wait"))
	check("where nobody may wait", rdb.ErrNoPermission, 0)
}

// TestReplicatedEverywhere: without a known replica there is no wait.
func TestReplicatedEverywhere(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, _ redis.UniversalClient, r *rdb.Redis) {
		l := New(r)
		held, job := running(t, l, "cs_live_everywhere")
		if err := l.AwaitReplicas(t.Context(), held, job); err != nil {
			t.Error(err)
		}
	})
}

// TestReplicatedBehindASentinel: where a Sentinel watches, a replica has to have
// the record, also where none was ever seen.
func TestReplicatedBehindASentinel(t *testing.T) {
	t.Parallel()
	sentinel := redistest.StartSentinel(t)
	l := New(rdbtest.Open(t, sentinel.URL()))
	held, job := running(t, l, "cs_live_watched")
	if err := l.AwaitReplicas(t.Context(), held, job); !errors.Is(err, rdb.ErrNotReplicated) {
		t.Errorf("without a replica: %v", err)
	}
	redistest.StartReplica(t, sentinel.Master)
	replicates(t, l, held, job)
}

// TestReplicatedInACluster: a replica that the cluster lists has to have the
// record, also one that failed, and also where it was never seen connected.
func TestReplicatedInACluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	l := New(rdbtest.Open(t, cluster.URL()))
	held, job := running(t, l, "cs_live_listed")
	master := cluster.NodeOf(t, replicaKey)
	for _, key := range []string{planKey("x"), jobKey("x"), leaseKey("x"), jobOfKey("cs_live_x"), pendingKey, unclearKey} {
		if cluster.NodeOf(t, key) != master {
			t.Errorf("%s is on another master than the note of its replicas", key)
		}
	}
	other := cluster.Nodes[0]
	if other == master {
		other = cluster.Nodes[1]
	}
	cluster.AddReplica(t, other)
	if err := l.AwaitReplicas(t.Context(), held, job); err != nil {
		t.Errorf("where only another master has a replica: %v", err)
	}
	replica := cluster.AddReplica(t, master)
	leaves(t, master, replica)
	if got, err := l.Replication(t.Context()); err != nil || got != (rdb.Replication{Reported: true, Needed: true}) {
		t.Errorf("%+v, %v", got, err)
	}
	if err := l.AwaitReplicas(t.Context(), held, job); !errors.Is(err, rdb.ErrNotReplicated) {
		t.Errorf("with a replica that left: %v", err)
	}
	replica.Thaw(t)
	replicates(t, l, held, job)
}
