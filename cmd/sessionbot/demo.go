package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"

	"github.com/superduperai/sessionbot"
	"github.com/superduperai/sessionbot/internal/requestid"
	"github.com/superduperai/sessionbot/internal/storybook"
	"github.com/superduperai/sessionbot/internal/workspace"
	"github.com/superduperai/sessionbot/internal/workspace/page"
)

// runDemo is the same bot with everything embedded.
func runDemo(ctx context.Context, args []string, out, errs io.Writer) error {
	flags := flag.NewFlagSet("sessionbot demo", flag.ContinueOnError)
	flags.SetOutput(errs)
	addr := flags.String("addr", defaultAddr, "loopback address of the page; port 0 takes a free one")
	key := flags.String("control-key", "", "value of X-Control-Key; random by default")
	if err := parseFlags(flags, args); err != nil {
		return err
	}
	log := slog.New(requestid.NewHandler(slog.NewTextHandler(errs, &slog.HandlerOptions{Level: slog.LevelWarn})))
	world, err := startWorld(ctx)
	if err != nil {
		return err
	}
	defer world.close()
	stories, err := storyPages()
	if err != nil {
		return err
	}
	server, err := workspace.Start(workspace.Config{
		Addr: *addr, ControlKey: *key, Manifest: sessionbot.Manifest, Hints: world.hints, Stories: stories, Log: log,
	})
	if err != nil {
		return listenError(err, *addr)
	}
	defer func() { _ = server.Close() }() // the process ends
	c := world.config
	c.SlackAppToken, c.SlackBotToken, c.SlackAPIURL = server.AppToken(), server.BotToken(), server.APIURL()
	_, err = fmt.Fprintf(out, "The demo runs at %s\nEvery message there is: %s/storybook\nX-Control-Key: %s\nStop it with Ctrl-C.\n",
		server.URL(), server.URL(), server.ControlKey())
	if err != nil {
		return err
	}
	return serveBot(ctx, c, log)
}

// storyPages are all messages, as the workspace shows them.
func storyPages() ([]page.Story, error) {
	var pages []page.Story
	for _, s := range storybook.Stories() {
		blocks, err := json.Marshal(s.Blocks)
		if err != nil {
			return nil, fmt.Errorf("write a message of the storybook: %w", err)
		}
		pages = append(pages, page.Story{Chapter: s.Chapter, Title: s.Title, Blocks: blocks})
	}
	return pages, nil
}
