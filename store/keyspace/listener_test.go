package keyspace

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
)

// TestListen receives the writes of sessions, and of nothing else, on one server
// and on every master of a cluster.
func TestListen(t *testing.T) {
	t.Parallel()
	story := func(t *testing.T, client redis.UniversalClient, nodes []*redistest.Server, r *rdb.Redis) {
		for _, node := range nodes {
			rdbtest.Notify(t, node)
		}
		ctx, cancel := context.WithCancel(t.Context())
		written := make(chan string, 1000)
		ended := make(chan error, 1)
		var lost atomic.Int32
		l := NewListener(r, func(id string) { written <- id }, func() { lost.Add(1) })
		go func() { ended <- l.Listen(ctx) }()
		want := map[string]bool{}
		for n := range 20 {
			want[fmt.Sprint("cs_live_", n)] = true
		}
		deadline := time.After(testenv.Patience)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for len(want) > 0 { // listening begins some time
			select {
			case id := <-written:
				if !store.IsSessionID(id) {
					t.Fatalf("%q is no session", id)
				}
				delete(want, id)
			case <-tick.C:
				for id := range want {
					testenv.Must(t, client.Set(t.Context(), store.WebhookPrefix+id, "{}", 0).Err())
					testenv.Must(t, client.Set(t.Context(), store.WebhookPrefix+"evt:"+id, "1", 0).Err())
					testenv.Must(t, client.Set(t.Context(), "balance:"+id, "1", 0).Err())
				}
			case <-deadline:
				t.Fatalf("never received: %v", want)
			}
		}
		if n := int(lost.Load()); n != len(nodes) {
			t.Errorf("%d losses where %d masters are listened to", n, len(nodes))
		}
		testenv.Must(t, nodes[len(nodes)-1].Client().ClientKillByFilter(t.Context(), "TYPE", "pubsub").Err())
		for lost.Load() == int32(len(nodes)) { // the connection comes back, and says that it was away
			select {
			case <-tick.C:
			case <-written:
			case <-deadline:
				t.Fatal("a broken connection is no loss")
			}
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	t.Run("server", func(t *testing.T) {
		t.Parallel()
		server := redistest.Start(t)
		story(t, server.Client(), []*redistest.Server{server}, rdbtest.Open(t, server.URL()))
	})
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		c := redistest.StartCluster(t)
		story(t, c.Client(), c.Nodes, rdbtest.Open(t, c.URL()))
	})
}

func TestNotifications(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	r := rdbtest.Open(t, cluster.URL())
	for want := range 4 {
		if want > 0 {
			rdbtest.Notify(t, cluster.Nodes[want-1])
		}
		if n, err := Settings(t.Context(), r); n != (Notifications{want, 3 - want, 3}) || err != nil {
			t.Errorf("%+v, %v; want them on at %d", n, err, want)
		}
	}
}

// TestNotificationsOfSessions: of all the kinds only writes of strings in the
// channels of keys are listened to.
func TestNotificationsOfSessions(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	for events, on := range map[string]bool{"": false, "KA": true, "K$": true, "KEA": true, "$": false, "EA": false, "Kg": false, "Kx": false} {
		testenv.Must(t, server.Client().ConfigSet(t.Context(), "notify-keyspace-events", events).Err())
		if n, err := Settings(t.Context(), rdbtest.Open(t, server.URL())); (n.On == 1) != on || n.On+n.Off != 1 || err != nil {
			t.Errorf("%q: %+v, %v", events, n, err)
		}
	}
	if n, err := Settings(t.Context(), rdbtest.As(t, server, "~* &* +@all -config")); n != (Notifications{Masters: 1}) || err != nil {
		t.Errorf("where the settings may not be read: %+v, %v", n, err)
	}
	for _, rule := range []string{"~* &* +@all -psubscribe", "~* +@all resetchannels"} {
		if n, err := Settings(t.Context(), rdbtest.As(t, server, rule)); !errors.Is(err, rdb.ErrNotAllowed) || n != (Notifications{}) {
			t.Errorf("%s: %+v, %v", rule, n, err)
		}
	}
	if keys := server.Client().Keys(t.Context(), "*").Val(); len(keys) > 0 {
		t.Errorf("it wrote %q", keys)
	}
}

// TestListenWhileRedisIsSilent: a subscription that Redis does not confirm ends with the
// context, or when Redis had its time to answer.
func TestListenWhileRedisIsSilent(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	for name, c := range map[string]struct {
		query string
		stops bool
		want  error
	}{
		"stopped":   {"?read_timeout=-1", true, context.Canceled},
		"timed out": {"?read_timeout=100ms", false, rdb.ErrNoAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			line := rdbtest.NewLine(t, server.Addr())
			reached, release := make(chan struct{}), make(chan struct{})
			line.Command, line.Lost = "psubscribe", func() { close(reached); <-release }
			line.Lose.Store(1)
			defer close(release)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error, 1)
			l := NewListener(rdbtest.Open(t, "redis://"+line.Addr+c.query), func(string) {}, func() { t.Error("it listens") })
			go func() { ended <- l.Listen(ctx) }()
			<-reached
			if c.stops {
				cancel()
			}
			if err := <-ended; !errors.Is(err, c.want) {
				t.Errorf("Listen returned %v, want %v", err, c.want)
			}
		})
	}
}
