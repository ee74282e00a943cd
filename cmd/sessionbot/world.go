package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/workspace/page"
	"github.com/superduperai/sessionbot/store"
)

// world is what the demo's bot talks to, all of it on this machine.
type world struct {
	config  config
	hints   []page.Hint // what to try first
	redis   *miniredis.Miniredis
	client  *redis.Client
	servers []*http.Server
}

// startWorld starts a Redis with example sessions and the stand-ins.
func startWorld(ctx context.Context) (*world, error) {
	w := &world{redis: miniredis.NewMiniRedis()}
	w.redis.ClockTTL(true) // time goes on by itself
	if err := w.redis.Start(); err != nil {
		return nil, fmt.Errorf("start the demo's Redis: %w", err)
	}
	w.client = redis.NewClient(&redis.Options{Addr: w.redis.Addr()})
	examples := demo.Seed(time.Now())
	stripe, files := demo.NewStripe(), demo.NewSuperDuper(time.Now, timings.demo.Video)
	if err := demo.Load(ctx, w.client, examples); err != nil {
		w.close()
		return nil, err
	}
	demo.Tell(stripe, files, examples)
	w.hints = hintsFor(examples)
	w.config = config{
		RedisURL: "redis://" + w.redis.Addr(), StateRedisURL: "redis://" + w.redis.Addr(),
		StripeKey: "rk_live_demo", SuperDuperToken: strings.Repeat("demo", 8),
		VideoModel: "google-cloud/veo3-text2video", ImageModel: "azure-openai/gpt-image-1", Prices: store.ListPrices,
		Operators: []string{"S0OPS"}, Approvals: "none", ConfirmTTL: 10 * time.Minute, GiveUpAfter: time.Hour,
		Readers: []string{"*"}, OrphanGrace: 10 * time.Minute, StallAfter: 30 * time.Minute,
		AlertChannel: "C0ALERTS", OncallMention: "S0OPS", AlertOn: []string{"orphaned", "stalled", "lost", "failed", "undelivered"},
		SweepInterval: timings.demo.Sweep,
	}
	err := errors.Join(w.serve(&w.config.StripeAPIURL, stripe), w.serve(&w.config.SuperDuperURL, files))
	site := demo.NewSite(demo.SiteConfig{Redis: w.client, FilesURL: w.config.SuperDuperURL, StripeURL: w.config.StripeAPIURL})
	if err = errors.Join(err, w.serve(&w.config.SiteURL, site)); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// serve starts a server on a free port and tells its origin.
func (w *world) serve(origin *string, handler http.Handler) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start a stand-in: %w", err)
	}
	*origin = "http://" + listener.Addr().String()
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	w.servers = append(w.servers, server)
	go func() { _ = server.Serve(listener) }() // ends with close
	return nil
}

// hintsFor suggests the first example of each verdict that is worth a look.
func hintsFor(examples []demo.Example) []page.Hint {
	var hints []page.Hint
	for _, h := range []struct {
		verdict store.Verdict
		label   string
	}{
		{store.VerdictOrphaned, "An orphaned session"},
		{store.VerdictStalled, "A stalled one"},
		{store.VerdictCorrupt, "A corrupt one"},
	} {
		for _, example := range examples {
			if example.Verdict == h.verdict {
				hints = append(hints, page.Hint{Label: h.label, Text: "/session debug " + example.ID})
				break
			}
		}
	}
	return append(hints,
		page.Hint{Label: "A customer's sessions", Text: "/session find ann@example.com"},
		page.Hint{Label: "Figures", Text: "/redis stats"},
		page.Hint{Label: "The newest prompts", Text: "/redis prompts"})
}

func (w *world) close() {
	for _, server := range w.servers {
		_ = server.Close() // the demo ends
	}
	_ = w.client.Close()
	w.redis.Close()
}
