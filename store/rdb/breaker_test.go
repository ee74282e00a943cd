package rdb

import (
	"context"
	"errors"
	"testing"

	"github.com/superduperai/sessionbot/internal/breaker"
	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
)

// TestAwayRedisCostsNothing: on a server and on one node of a cluster, whose
// other nodes are queried as usual; and it is queried again soon after its return.
func TestAwayRedisCostsNothing(t *testing.T) {
	t.Parallel()
	const id = "cs_live_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y5Z6rep4"
	for name, start := range map[string]func(t *testing.T) (url string, node *redistest.Server){
		"a server": func(t *testing.T) (string, *redistest.Server) {
			server := redistest.Start(t)
			return server.URL(), server
		},
		"a cluster": func(t *testing.T) (string, *redistest.Server) {
			cluster := redistest.StartCluster(t)
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
			var open *breaker.OpenError
			for range 2 * breaker.Failures { // a caller's short deadline proves nothing about the server
				ctx, cancel := context.WithTimeout(t.Context(), urgentWithin/20)
				if err := session(ctx); !errors.Is(err, ErrNoAnswer) || errors.As(err, &open) {
					t.Errorf("frozen, in a hurry: %v", err)
				}
				cancel()
			}
			testenv.Until(t, "it is not asked any more", func() bool {
				ctx, cancel := context.WithTimeout(t.Context(), 2*urgentWithin)
				defer cancel()
				err := session(ctx)
				if !errors.Is(err, ErrNoAnswer) {
					t.Fatalf("frozen: %v", err)
				}
				return errors.As(err, &open)
			})
			node.Thaw(t)
			testenv.Until(t, "it is queried again", func() bool { return session(t.Context()) == nil })
		})
	}
}
