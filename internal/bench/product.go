package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/superduperai/sessionbot/internal/workspace"
)

// stage is a workspace, and the built binary that serves it.
type stage struct {
	*workspace.Server
	redis  *server
	binary string
	health string
	bot    *exec.Cmd
	others *httptest.Server // SuperDuperAI and the site, which answer at once
}

func newStage(redis *server) (*stage, error) {
	ws, err := workspace.Start(workspace.Config{Addr: "127.0.0.1:0", ControlKey: "bench"})
	if err != nil {
		return nil, err
	}
	s := &stage{Server: ws, redis: redis, binary: filepath.Join("bin", "sessionbot")}
	s.others = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.Contains(r.URL.Path, "/webhook-status/") {
			_, _ = fmt.Fprintf(w, `{"status":"completed","fileId":%q,"prompt":"x"}`, file)
			return
		}
		_, _ = fmt.Fprintf(w, `{"id":%q,"url":"https://example.com/v.mp4","type":"video","tasks":[]}`, file)
	}))
	return s, nil
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

func (s *stage) end() {
	if s.bot == nil {
		return
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

// await waits until a metric has a value.
func (s *stage) await(ctx context.Context, name string, least float64) error {
	for ctx.Err() == nil {
		if value, err := s.metric(name); err == nil && value >= least {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("%s never was %v: %w", name, least, ctx.Err())
}

// answers tells when each session was first named in a message.
type answers struct {
	mu    sync.Mutex
	typed map[string]time.Time
	took  []time.Duration
	done  chan struct{}
}

// listen follows the messages of the workspace until ctx ends.
func (s *stage) listen(ctx context.Context) *answers {
	a := &answers{typed: map[string]time.Time{}, done: make(chan struct{})}
	go func() {
		defer close(a.done)
		_, after := s.Messages("C0SUPPORT", "U0SUPPORT")
		for ctx.Err() == nil {
			url := fmt.Sprintf("%s/control/messages?channel=C0SUPPORT&user=U0SUPPORT&after=%d&wait=1000", s.URL(), after)
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
			if err != nil {
				return
			}
			req.Header.Set("X-Control-Key", "bench")
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				return
			}
			var news struct {
				Messages []struct{ Text string }
				Revision int64
			}
			err = json.NewDecoder(res.Body).Decode(&news)
			_ = res.Body.Close()
			if err != nil {
				return
			}
			after = news.Revision
			now := time.Now()
			a.mu.Lock()
			for _, m := range news.Messages {
				for at := strings.Index(m.Text, "cs_live_"); at >= 0; at = -1 {
					id := m.Text[at:min(len(m.Text), at+len(id(0)))]
					if typed, ok := a.typed[id]; ok {
						a.took = append(a.took, now.Sub(typed))
						delete(a.typed, id)
					}
				}
			}
			a.mu.Unlock()
		}
	}()
	return a
}

// debugs types commands at a rate, and returns how long the acks and the answers
// took.
func (s *stage) debugs(ctx context.Context, from, n, perSecond int) (acks, took []time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(n/perSecond)*time.Second+15*time.Second)
	defer cancel()
	a := s.listen(ctx)
	var typing sync.WaitGroup
	var mu sync.Mutex
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	for i := range n {
		<-tick.C
		session := id(from + i)
		a.mu.Lock()
		a.typed[session] = time.Now()
		a.mu.Unlock()
		typing.Go(func() {
			begun := time.Now()
			_, e := s.Command("U0SUPPORT", "C0SUPPORT", "/session", "debug "+session)
			mu.Lock()
			defer mu.Unlock()
			acks, err = append(acks, time.Since(begun)), errors.Join(err, e)
		})
	}
	typing.Wait()
	for ctx.Err() == nil {
		a.mu.Lock()
		answered := len(a.took)
		a.mu.Unlock()
		if answered == n {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	<-a.done
	if len(a.took) < n && err == nil && perSecond <= 50 {
		err = fmt.Errorf("%d of %d commands were answered", len(a.took), n)
	}
	return acks, a.took, err
}

// runBare starts a bot that only reads the three keys and replies, in a process
// of its own as ours is.
func (s *stage) runBare() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	s.bot = exec.Command(self, "bare")
	s.bot.Env = []string{"SLACK_APP_TOKEN=" + s.AppToken(), "SLACK_BOT_TOKEN=" + s.BotToken(), "SLACK_API_URL=" + s.APIURL(), "REDIS_ADDR=" + s.redis.addr}
	s.bot.Stderr = os.Stderr
	if err := s.bot.Start(); err != nil {
		return err
	}
	time.Sleep(2 * time.Second) // it says nothing when it is connected
	return nil
}

// bare is that bot.
func bare(ctx context.Context) {
	client := redis.NewClient(&redis.Options{Addr: os.Getenv("REDIS_ADDR")})
	defer func() { _ = client.Close() }() // nothing hangs on it any more
	api := slack.New(os.Getenv("SLACK_BOT_TOKEN"), slack.OptionAppLevelToken(os.Getenv("SLACK_APP_TOKEN")), slack.OptionAPIURL(os.Getenv("SLACK_API_URL")))
	socket := socketmode.New(api)
	go func() {
		for event := range socket.Events {
			if event.Type != socketmode.EventTypeSlashCommand {
				continue
			}
			_ = socket.Ack(*event.Request) // an ack that fails shows in the figures
			command, _ := event.Data.(slack.SlashCommand)
			go func() {
				session := strings.TrimPrefix(command.Text, "debug ")
				var values [3]*redis.StringCmd
				_, _ = client.Pipelined(ctx, func(p redis.Pipeliner) error { // what is missing is no error here
					for i, prefix := range []string{"prompt:", "webhook:", "session:"} {
						values[i] = p.Get(ctx, prefix+session)
					}
					return nil
				})
				text := session
				for _, value := range values {
					text += "\n" + value.Val()
				}
				_ = slack.PostWebhookContext(ctx, command.ResponseURL, &slack.WebhookMessage{Text: text}) // likewise
			}()
		}
	}()
	_ = socket.RunContext(ctx) // it ends with ctx
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
