package main

import (
	"context"
	"encoding/json"
	"fmt"
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

// bareEnv is what a bare bot is told beside its tokens: who else it asks, and
// the blocks that it replies with.
const (
	bareOthers = "BARE_OTHERS"
	bareBlocks = "BARE_BLOCKS"
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
	if others != "" && strings.Contains(text, file) {
		ask("/api/v1/file/" + file)
	}
	asking.Wait()
	return text
}

// peers are our bot's answers beside those of bare bots, in turns: of one that
// replies with a line of text, of one that replies with the blocks that ours
// does, and of one that also asks whom ours asks; ours come last. All serve the
// same Redis, each in a workspace of its own.
func (p plan) peers(ctx context.Context, ours *stage, session func(n int) string) ([4][]time.Duration, error) {
	var times [4][]time.Duration
	_, first, err := ours.debugs(ctx, session, 1, 50)
	if err != nil || len(first) != 1 {
		return times, fmt.Errorf("%d answers, %w", len(first), err)
	}
	messages, _ := ours.Messages("C0SUPPORT", "U0SUPPORT")
	blocks := bareBlocks + "=" + string(messages[len(messages)-1].Blocks)
	stages := [4]*stage{3: ours}
	for n, env := range [][]string{nil, {blocks}, {blocks, bareOthers + "=" + ours.others.URL}} {
		s, err := newStage(ours.redis)
		if err != nil {
			return times, err
		}
		defer func() { _ = s.Close() }()
		defer s.others.Close()
		defer s.end()
		if err := s.runBare(env...); err != nil {
			return times, err
		}
		stages[n] = s
	}
	time.Sleep(2 * time.Second) // they say nothing when they are connected
	const some = 50
	for round := range p.commands / some {
		for n := range stages {
			at := (round + n) % len(stages)
			_, took, err := stages[at].debugs(ctx, func(n int) string { return session(1 + some*round + n) }, some, 50)
			if err != nil {
				return times, err
			}
			times[at] = append(times[at], took...)
		}
	}
	return times, nil
}
