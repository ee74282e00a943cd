package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/repair"
)

// sandbox holds the services of the demo's bot, all of them in this process.
type sandbox struct {
	config    config
	complaint demo.Example // a customer complains about it
	redis     *miniredis.Miniredis
	client    *redis.Client
	stripe    *demo.Stripe
	files     *demo.SuperDuper
	servers   []*http.Server
}

// startSandbox starts a Redis with example sessions and the fakes of Stripe,
// SuperDuperAI and the site.
func startSandbox(ctx context.Context) (*sandbox, error) {
	now := time.Now()
	s := &sandbox{redis: miniredis.NewMiniRedis(), complaint: demo.Incident(now)[0]}
	if err := s.redis.Start(); err != nil {
		return nil, fmt.Errorf("start the demo's Redis: %w", err)
	}
	go s.expireKeys(ctx)
	s.client = redis.NewClient(&redis.Options{Addr: s.redis.Addr()})
	examples := slices.DeleteFunc(demo.Seed(now), uncounted)
	stripe, files := demo.NewStripe(), demo.NewSuperDuper(time.Now, timings.demo.Video)
	s.stripe, s.files = stripe, files
	if err := demo.Load(ctx, s.client, examples); err != nil {
		s.close()
		return nil, err
	}
	demo.Put(stripe, files, examples)
	if err := s.loadYesterday(ctx); err != nil {
		s.close()
		return nil, err
	}
	redisURL := "redis://" + s.redis.Addr() + "?dial_timeout=1m&read_timeout=1m&write_timeout=1m" // if it is slow, so is all of the machine
	s.config = config{
		RedisURL: redisURL, StateRedisURL: redisURL,
		StripeKey: "rk_live_demo", WebhookSecret: "whsec_demo", SuperDuperToken: strings.Repeat("demo", 8),
		VideoModel: "google-cloud/veo3-text2video", ImageModel: "azure-openai/gpt-image-1", Prices: repair.ListPrices,
		Operators: []string{"S0OPS"}, Approvals: "none", ConfirmTTL: 10 * time.Minute, GiveUpAfter: time.Hour, BulkLimit: 50, BulkParallel: 3,
		Readers: []string{"*"}, OrphanGrace: 10 * time.Minute, StallAfter: 30 * time.Minute,
		AlertChannel: "C0ALERTS", OncallMention: "S0OPS", EscalateMention: "U0LEAD", RunbookURL: "https://github.com/superduperai/sessionbot/blob/main/docs/operating.md", AlertOn: []string{"orphaned", "stalled", "lost", "failed", "undelivered"},
		DigestAt: time.Now().UTC().Format(clockLayout), DigestTZ: "UTC", // now: the digest of yesterday is posted at once
		SweepInterval: timings.demo.Sweep, deadlines: timings.deadlines, patience: timings.patience,
	}
	err := errors.Join(s.serve(&s.config.StripeAPIURL, stripe), s.serve(&s.config.SuperDuperURL, files))
	site := demo.NewSite(demo.SiteConfig{Redis: s.client, FilesURL: s.config.SuperDuperURL, StripeURL: s.config.StripeAPIURL, Secret: s.config.WebhookSecret})
	if err = errors.Join(err, s.serve(&s.config.SiteURL, site)); err != nil {
		s.close()
		return nil, err
	}
	s.config.WebhookURL = s.config.SiteURL + webhookPath
	return s, nil
}

// expireKeys lets keys expire until ctx ends. Miniredis' own ClockTTL would sort all keys at
// each command, which took most of the demo's processor time.
func (s *sandbox) expireKeys(ctx context.Context) {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			s.redis.FastForward(now.Sub(last))
			last = now
		}
	}
}

// uncounted reports whether an example would be in the alerts alone, for Redis holds nothing
// of it, or in the figures alone, for Stripe does not know it.
func uncounted(e demo.Example) bool { return len(e.Redis) == 0 || e.Payment == nil }

// loadYesterday records what the digest reports.
func (s *sandbox) loadYesterday(ctx context.Context) error {
	state, err := rdb.Open(ctx, "redis://"+s.redis.Addr())
	if err != nil {
		return fmt.Errorf("open the demo's Redis: %w", err)
	}
	defer func() { _ = state.Close() }() // all is written
	return demo.Yesterday(ctx, state, time.Now())
}

// serve starts a server on a free port and sets origin to its URL.
func (s *sandbox) serve(origin *string, handler http.Handler) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start a fake service: %w", err)
	}
	*origin = "http://" + listener.Addr().String()
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	s.servers = append(s.servers, server)
	go func() { _ = server.Serve(listener) }() // ends with close
	return nil
}

// environment are the variables with which a terminal works on the same sessions.
func (s *sandbox) environment() []string {
	c := s.config
	return []string{
		"REDIS_URL=redis://" + s.redis.Addr(), "SITE_URL=" + c.SiteURL,
		"STRIPE_API_URL=" + c.StripeAPIURL, "STRIPE_SECRET_KEY=" + c.StripeKey, "STRIPE_WEBHOOK_SECRET=" + c.WebhookSecret,
		"SUPERDUPERAI_URL=" + c.SuperDuperURL, "SUPERDUPERAI_TOKEN=" + c.SuperDuperToken,
	}
}

func (s *sandbox) close() {
	for _, server := range s.servers {
		_ = server.Close() // the demo ends
	}
	_ = s.client.Close()
	s.redis.Close()
}
