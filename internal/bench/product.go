package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/workspace"
)

// stage is a workspace, and a bot that serves it beside a redis-server.
type stage struct {
	*workspace.Server
	redis  *server
	binary string
	health string
	bot    *exec.Cmd
	others *others
}

// newStage has a redis-server of its own, which close ends with the rest.
func newStage(ctx context.Context) (*stage, error) {
	redis, err := startRedis(ctx)
	if err != nil {
		return nil, err
	}
	s, err := stageBeside(redis)
	if err != nil {
		redis.stop()
	}
	return s, err
}

func (s *stage) close() {
	s.leave()
	s.redis.stop()
}

func stageBeside(redis *server) (*stage, error) {
	ws, err := workspace.Start(workspace.Config{Addr: "127.0.0.1:0", ControlKey: "bench"})
	if err != nil {
		return nil, err
	}
	others, err := newOthers()
	if err != nil {
		return nil, errors.Join(err, ws.Close())
	}
	return &stage{Server: ws, redis: redis, binary: filepath.Join("bin", "sessionbot"), others: others}, nil
}

// run starts the binary, and returns when it is connected.
func (s *stage) run(env ...string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.health = listener.Addr().String()
	if err := listener.Close(); err != nil {
		return err
	}
	s.bot = exec.Command(s.binary, "run")
	s.bot.Env = append([]string{"SLACK_APP_TOKEN=" + s.AppToken(), "SLACK_BOT_TOKEN=" + s.BotToken(), "SLACK_API_URL=" + s.APIURL(),
		"REDIS_URL=redis://" + s.redis.addr, "HTTP_ADDR=" + s.health, "LOG_LEVEL=error",
		"SITE_URL=" + s.others.URL, "SUPERDUPERAI_URL=" + s.others.URL, "SUPERDUPERAI_TOKEN=" + strings.Repeat("t", 40)}, env...)
	s.bot.Stderr = os.Stderr
	if err := s.bot.Start(); err != nil {
		return fmt.Errorf("the built binary: %w; make build makes it", err)
	}
	return nil
}

// leave ends the bot and its workspace.
func (s *stage) leave() {
	s.end()
	_ = s.others.Close() // nobody asks any more
	_ = s.Close()        // likewise
}

func (s *stage) end() {
	if s.bot == nil || s.bot.Process == nil {
		return // it never began
	}
	_ = s.bot.Process.Signal(syscall.SIGTERM)
	_ = s.bot.Wait()
	s.bot = nil
}

// metric reads one of the bot's metrics.
func (s *stage) metric(name string) (float64, error) {
	res, err := http.Get("http://" + s.health + "/metrics")
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(raw)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, nil
}

// await waits until a metric has counted something.
func (s *stage) await(ctx context.Context, name string) error {
	for ctx.Err() == nil {
		if value, err := s.metric(name); err == nil && value > 0 {
			return nil
		}
		time.Sleep(100 * time.Millisecond) // to ask takes memory, which is measured
	}
	return fmt.Errorf("%s stays 0: %w", name, ctx.Err())
}

// product is the built binary beside many sessions, as it starts. It goes on.
func (p plan) product(ctx context.Context, r *report, s *stage) error {
	d := &dataset{}
	if err := d.add(ctx, s.redis, 0, p.sessions); err != nil {
		return err
	}
	if err := s.redis.client.ConfigSet(ctx, "notify-keyspace-events", "KA").Err(); err != nil {
		return err
	}
	if err := s.redis.client.ConfigResetStat(ctx).Err(); err != nil {
		return err
	}
	pinging, quiet := context.WithCancel(ctx)
	felt := make(chan []time.Duration, 1)
	if err := s.run("ALERT_CHANNEL=C0ALERTS", "SWEEP_INTERVAL="+p.interval); err != nil {
		quiet()
		return err
	}
	go func() { felt <- pings(pinging, s.redis.addr) }()
	swept, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	err := s.await(swept, `sessionbot_sweeps_total{outcome="done"}`)
	quiet()
	took := <-felt
	if err != nil {
		return err
	}
	r.add("PING of others while sweeping, p99", "", "", millis(p99(took)), "", "under 5 ms")
	usec, name, err := slowest(ctx, s.redis.client)
	if err != nil {
		return err
	}
	r.add("single commands while sweeping, p99.9", "", "", fmt.Sprintf("%.1f ms (%s)", usec/1000, name), "", "under 5 ms")
	_, most, err := memory(s.bot.Process.Pid)
	if err != nil {
		return err
	}
	r.add("memory of the process while sweeping", "", "", fmt.Sprintf("%.1f MiB", most), "", "under 64 MiB")
	acks, _, err := s.types(from(0), 4*p.commands, 200)
	if err != nil {
		return err
	}
	r.add("ack at 200 commands a second, p99", "", "", millis(p99(acks)), "", "under 20 ms")
	return s.await(swept, `sessionbot_sweeps_total{outcome="spared"}`)
}

// answers is how long answers take, beside peers.
func (p plan) answers(ctx context.Context, r *report, s *stage) error {
	for _, asked := range []struct {
		what    string
		session func(n int) string
	}{{"an orphan", orphan}, {"a completed session", from(0)}} {
		took, err := p.peers(ctx, s.redis, asked.session)
		if err != nil {
			return err
		}
		ours := took[len(barePeers)]
		what := "answer to /session debug of " + asked.what + " at 50 a second, p50, beside a bot that "
		for n, peer := range barePeers {
			r.add(what+peer.what, "", millis(median(took[n])), millis(median(ours)), times(median(ours), median(took[n])), "1.5 × the peer")
			what = "the same beside one that "
		}
		r.add("p99 beside this last one", "", millis(p99(took[len(barePeers)-1])), millis(p99(ours)), "", "under 100 ms")
	}
	return nil
}

// steadily counts what Redis is asked in a minute while it is proven to tell of
// every write, if none comes and if there are ten new sessions. It ends the bot.
func (p plan) steadily(ctx context.Context, s *stage) (none, ten int, err error) {
	defer s.end()
	full, err := s.metric(`sessionbot_sweeps_total{outcome="done"}`)
	if err != nil {
		return 0, 0, err
	}
	minute := func(written int) (int, error) {
		before, err := calls(ctx, s.redis.client)
		if err != nil {
			return 0, err
		}
		for n := range written {
			err := s.redis.client.Set(ctx, fmt.Sprintf("prompt:cs_live_new%d", n), `{"prompt":"new","timestamp":"`+
				time.Now().UTC().Format(time.RFC3339)+`"}`, month).Err()
			if err != nil {
				return 0, err
			}
		}
		select {
		case <-time.After(p.steady):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
		after, err := calls(ctx, s.redis.client)
		return int(float64(after-before-written) * float64(time.Minute) / float64(p.steady)), err
	}
	if none, err = minute(0); err != nil {
		return 0, 0, err
	}
	if ten, err = minute(int(10 * p.steady / time.Minute)); err != nil {
		return 0, 0, err
	}
	again, err := s.metric(`sessionbot_sweeps_total{outcome="done"}`)
	if err == nil && again != full {
		err = errors.New("there were full sweeps while Redis told of every write")
	}
	return none, ten, err
}

// pings measures what another client feels.
func pings(ctx context.Context, addr string) []time.Duration {
	client := redis.NewClient(&redis.Options{Addr: addr})
	defer func() { _ = client.Close() }() // nothing hangs on it any more
	var took []time.Duration
	for ctx.Err() == nil {
		begun := time.Now()
		if client.Ping(ctx).Err() == nil {
			took = append(took, time.Since(begun))
		}
		time.Sleep(2 * time.Millisecond)
	}
	return took
}

// calls counts the commands that Redis was asked so far.
func calls(ctx context.Context, c *redis.Client) (int, error) {
	text, err := c.Info(ctx, "commandstats").Result()
	total := 0
	for line := range strings.Lines(text) {
		if _, rest, ok := strings.Cut(line, ":calls="); ok && !strings.HasPrefix(line, "cmdstat_info") {
			number, _, _ := strings.Cut(rest, ",")
			n, _ := strconv.Atoi(number) // Redis says so
			total += n
		}
	}
	return total, err
}

// slowest is the p99.9 of the commands that a sweep asks, in microseconds.
func slowest(ctx context.Context, c *redis.Client) (float64, string, error) {
	text, err := c.Info(ctx, "latencystats").Result()
	worst, name := 0.0, ""
	for line := range strings.Lines(text) {
		command, rest, ok := strings.Cut(strings.TrimPrefix(line, "latency_percentiles_usec_"), ":")
		if _, value, found := strings.Cut(rest, "p99.9="); ok && found {
			if usec, _ := strconv.ParseFloat(strings.TrimSpace(value), 64); usec > worst && command != "info" && command != "set" {
				worst, name = usec, command
			}
		}
	}
	return worst, name, err
}
