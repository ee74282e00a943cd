package rdb

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
)

// TestGuard: three failures in a row, then at once; one question a second finds
// out, and one answer lets everybody ask again.
func TestGuard(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g Guard
		var answer error
		asked := 0
		dead := errors.New("dead")
		ask := func() error {
			return g.Ask(func(err error) bool { return errors.Is(err, dead) }, func() error { asked++; return answer })
		}
		expect := func(step string, want error, times int) {
			t.Helper()
			asked = 0
			if err := ask(); !errors.Is(err, want) || asked != times {
				t.Errorf("%s: %v after %d questions, want %v after %d", step, err, asked, want, times)
			}
		}
		answer = dead
		expect("first failure", dead, 1)
		began := time.Now()
		answer = errors.New("refused")
		expect("a refusal shows that it lives", answer, 1)
		answer = dead
		expect("first failure again", dead, 1)
		time.Sleep(time.Second)
		expect("second", dead, 1)
		answer = context.Canceled
		expect("who leaves shows nothing", context.Canceled, 1)
		answer = dead
		expect("third", dead, 1)
		expect("at once", dead, 0)
		var away *AwayError
		if err := ask(); !errors.As(err, &away) || !away.Since.Equal(began) {
			t.Errorf("it is away since %v, want %v", err, began)
		}
		time.Sleep(time.Second)
		expect("one finds out", dead, 1)
		expect("at once again", dead, 0)
		time.Sleep(time.Second)
		answer = nil
		expect("it is back", nil, 1)
		answer = dead
		expect("and failures count anew", dead, 1)
		expect("from one", dead, 1)
	})
}

// TestGuardLetsOneFindOut while its question is under way.
func TestGuardLetsOneFindOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := Guard{Pause: time.Minute}
		failed := func(err error) bool { return err != nil }
		for range guardAfter {
			_ = g.Ask(failed, func() error { return ErrSilent })
		}
		time.Sleep(time.Minute)
		answered := make(chan error)
		go func() {
			answered <- g.Ask(failed, func() error { time.Sleep(30 * time.Second); return nil })
		}()
		synctest.Wait()
		var away *AwayError
		if err := g.Ask(failed, func() error { return nil }); !errors.As(err, &away) {
			t.Errorf("a second question went out: %v", err)
		}
		if err := <-answered; err != nil {
			t.Error(err)
		}
		if err := g.Ask(failed, func() error { return nil }); err != nil {
			t.Errorf("after an answer: %v", err)
		}
	})
}

// TestAwayRedisCostsNothing: on a server and on one node of a cluster, whose
// other nodes are asked as ever; and it is asked again soon after its return.
func TestAwayRedisCostsNothing(t *testing.T) {
	t.Parallel()
	const id = "cs_live_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y5Z6rep4"
	for name, start := range map[string]func(t *testing.T) (url string, node *redistest.Server){
		"a server": func(t *testing.T) (string, *redistest.Server) {
			server := redistest.Start(t)
			return server.URL(), server
		},
		"a cluster": func(t *testing.T) (string, *redistest.Server) {
			cluster := redistest.LockCluster(t)
			return cluster.URL(), cluster.NodeOf(t, store.PromptPrefix+id)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, node := start(t)
			r := open(t, url)
			session := func(ctx context.Context) error {
				client, err := r.Client(ctx)
				if err != nil {
					return err
				}
				return Classify(client.StrLen(ctx, store.PromptPrefix+id).Err())
			}
			testenv.Must(t, session(t.Context()))
			node.Freeze(t)
			t.Cleanup(func() { node.Thaw(t) })
			var away *AwayError
			for range 2 * guardAfter { // whoever is in a hurry says nothing of the server
				ctx, cancel := context.WithTimeout(t.Context(), soon/20)
				if err := session(ctx); !errors.Is(err, ErrSilent) || errors.As(err, &away) {
					t.Errorf("frozen, in a hurry: %v", err)
				}
				cancel()
			}
			testenv.Until(t, "it is not asked any more", func() bool {
				ctx, cancel := context.WithTimeout(t.Context(), 2*soon)
				defer cancel()
				err := session(ctx)
				if !errors.Is(err, ErrSilent) {
					t.Fatalf("frozen: %v", err)
				}
				return errors.As(err, &away)
			})
			node.Thaw(t)
			testenv.Until(t, "it is asked again", func() bool { return session(t.Context()) == nil })
		})
	}
}
