package main

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// bareTogether tells a bare bot to read the keys in one round trip.
const bareTogether = "BARE_TOGETHER"

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
	go func() {
		for event := range socket.Events {
			if event.Type != socketmode.EventTypeSlashCommand {
				continue
			}
			_ = socket.Ack(*event.Request) // an ack that fails shows in the figures
			command, _ := event.Data.(slack.SlashCommand)
			go func() {
				text := strings.TrimPrefix(command.Text, "debug ")
				for _, value := range bareKeys(ctx, client, text) {
					text += "\n" + value.Val() // what is missing is no error here
				}
				_ = slack.PostWebhookContext(ctx, command.ResponseURL, &slack.WebhookMessage{Text: text}) // likewise
			}()
		}
	}()
	return socket.RunContext(ctx)
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
	env  []string
}{
	{"reads the three keys, one after the other, and replies with a line of text", nil},
	{"reads them in one round trip", []string{bareTogether + "=1"}},
}

// peers are the answers of bare bots and ours, in turns; ours come last. All
// serve the same Redis, each in a new workspace of its own.
func (p plan) peers(ctx context.Context, redis *server, session func(n int) string) ([][]time.Duration, error) {
	ours, err := stageBeside(redis)
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
	var stages []*stage
	for _, peer := range barePeers {
		s, err := stageBeside(redis)
		if err != nil {
			return nil, err
		}
		defer s.leave()
		if err := s.runBare(peer.env...); err != nil {
			return nil, err
		}
		stages = append(stages, s)
	}
	stages = append(stages, ours)
	time.Sleep(2 * time.Second) // they say nothing when they are connected
	const warm, some = 25, 50
	for _, s := range stages { // what a process does for the first time takes longer
		if _, _, err := s.debugs(ctx, session, warm, 50); err != nil {
			return nil, err
		}
	}
	times := make([][]time.Duration, len(stages))
	for round := range p.commands / some {
		for n := range stages {
			at := (round + n) % len(stages)
			_, took, err := stages[at].debugs(ctx, func(n int) string { return session(warm + some*round + n) }, some, 50)
			if err != nil {
				return nil, err
			}
			times[at] = append(times[at], took...)
		}
	}
	return times, nil
}
