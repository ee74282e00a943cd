package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// What a bare bot is told beside its tokens: to read the keys in one round trip,
// the blocks to reply with, and whom else to ask.
const (
	bareTogether = "BARE_TOGETHER"
	bareBlocks   = "BARE_BLOCKS"
	bareOthers   = "BARE_OTHERS"
)

// runBare starts a bot that only reads the three keys and replies, in a process
// of its own as ours is.
func (s *stage) runBare(env ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	s.bot = exec.Command(self, "bare")
	s.bot.Env = append([]string{"SLACK_APP_TOKEN=" + s.AppToken(), "SLACK_BOT_TOKEN=" + s.BotToken(), "SLACK_API_URL=" + s.APIURL(), "REDIS_ADDR=" + s.redis.addr}, env...)
	s.bot.Stderr = os.Stderr
	return s.bot.Start()
}

// bare is that bot.
func bare(ctx context.Context) error {
	client := redis.NewClient(&redis.Options{Addr: os.Getenv("REDIS_ADDR")})
	defer func() { _ = client.Close() }() // nothing hangs on it any more
	api := slack.New(os.Getenv("SLACK_BOT_TOKEN"), slack.OptionAppLevelToken(os.Getenv("SLACK_APP_TOKEN")), slack.OptionAPIURL(os.Getenv("SLACK_API_URL")))
	socket := socketmode.New(api)
	var blocks *slack.Blocks
	if raw := os.Getenv(bareBlocks); raw != "" {
		if err := json.Unmarshal([]byte(raw), &blocks); err != nil {
			return err
		}
	}
	go func() {
		for event := range socket.Events {
			if event.Type != socketmode.EventTypeSlashCommand {
				continue
			}
			_ = socket.Ack(*event.Request) // an ack that fails shows in the figures
			command, _ := event.Data.(slack.SlashCommand)
			go func() {
				text := bareText(ctx, client, strings.TrimPrefix(command.Text, "debug "))
				_ = slack.PostWebhookContext(ctx, command.ResponseURL, &slack.WebhookMessage{Text: text, Blocks: blocks}) // likewise
			}()
		}
	}()
	return socket.RunContext(ctx)
}

// bareText reads the three keys, and where there are others asks the site beside
// that, and then for the file, whose id stands in what Redis holds.
func bareText(ctx context.Context, client *redis.Client, session string) string {
	others := os.Getenv(bareOthers)
	ask := func(path string) {
		if res, err := http.Get(others + path); err == nil {
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
	}
	var asking sync.WaitGroup
	if others != "" {
		asking.Go(func() { ask("/api/webhook-status/" + session) })
	}
	text := session
	for _, value := range bareKeys(ctx, client, session) {
		text += "\n" + value.Val() // what is missing is no error here
	}
	if others != "" && strings.Contains(text, file) {
		ask("/api/v1/file/" + file)
	}
	asking.Wait()
	return text
}

// bareKeys reads the three keys, one after the other or together.
func bareKeys(ctx context.Context, client *redis.Client, session string) (values [3]*redis.StringCmd) {
	read := func(c redis.Cmdable) {
		for i, prefix := range []string{"prompt:", "webhook:", "session:"} {
			values[i] = c.Get(ctx, prefix+session)
		}
	}
	if os.Getenv(bareTogether) == "" {
		read(client)
		return values
	}
	_, _ = client.Pipelined(ctx, func(p redis.Pipeliner) error { // each value has its own error
		read(p)
		return nil
	})
	return values
}

// barePeers are the bare bots that ours is compared with, and how each is told
// what it does.
var barePeers = []struct {
	what string
	env  func(blocks, others string) []string
}{
	{"reads the three keys, one after the other, and replies with a line of text", func(string, string) []string { return nil }},
	{"reads them in one round trip", func(string, string) []string { return []string{bareTogether + "=1"} }},
	{"does so, and replies with the same blocks", func(blocks, _ string) []string {
		return []string{bareTogether + "=1", bareBlocks + "=" + blocks}
	}},
	{"does all this, and asks whom ours asks", func(blocks, others string) []string {
		return []string{bareTogether + "=1", bareBlocks + "=" + blocks, bareOthers + "=" + others}
	}},
}

// peers are the answers of bare bots and ours, in turns; ours come last. All
// serve the same Redis, each in a new workspace of its own.
func (p plan) peers(ctx context.Context, redis *server, session func(n int) string) ([][]time.Duration, error) {
	ours, err := newStage(redis)
	if err != nil {
		return nil, err
	}
	defer ours.leave()
	if err := ours.run(); err != nil {
		return nil, err
	}
	if err := ours.await(ctx, "sessionbot_socket_connections"); err != nil {
		return nil, err
	}
	if _, _, err := ours.debugs(ctx, session, 1, 50); err != nil {
		return nil, err
	}
	messages, _ := ours.Messages("C0SUPPORT", "U0SUPPORT")
	for ; len(messages) == 0; messages, _ = ours.Messages("C0SUPPORT", "U0SUPPORT") {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		time.Sleep(time.Millisecond) // an answer is shown a moment after it came
	}
	var stages []*stage
	for _, peer := range barePeers {
		s, err := newStage(redis)
		if err != nil {
			return nil, err
		}
		defer s.leave()
		if err := s.runBare(peer.env(string(messages[len(messages)-1].Blocks), ours.others.URL)...); err != nil {
			return nil, err
		}
		stages = append(stages, s)
	}
	stages = append(stages, ours)
	time.Sleep(2 * time.Second) // they say nothing when they are connected
	times := make([][]time.Duration, len(stages))
	const some = 50
	for round := range p.commands / some {
		for n := range stages {
			at := (round + n) % len(stages)
			_, took, err := stages[at].debugs(ctx, func(n int) string { return session(1 + some*round + n) }, some, 50)
			if err != nil {
				return nil, err
			}
			times[at] = append(times[at], took...)
		}
	}
	return times, nil
}
