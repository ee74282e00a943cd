package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/superduperai/sessionbot"
	"github.com/superduperai/sessionbot/internal/requestid"
	"github.com/superduperai/sessionbot/internal/storybook"
	"github.com/superduperai/sessionbot/internal/workspace"
	"github.com/superduperai/sessionbot/internal/workspace/page"
)

func (p program) demoCommand() *cobra.Command {
	cfg := workspace.Config{Manifest: sessionbot.Manifest}
	cmd := &cobra.Command{Use: "demo", Short: "Try the bot: needs no account, no server, no variable", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.runDemo(cmd.Context(), cfg) }}
	addListenFlags(cmd, &cfg)
	return cmd
}

// runDemo runs the bot with all its services embedded, until ctx ends.
func (p program) runDemo(ctx context.Context, cfg workspace.Config) error {
	cfg.Log = slog.New(requestid.NewHandler(slog.NewTextHandler(p.errs, &slog.HandlerOptions{Level: slog.LevelWarn})))
	sandbox, err := startSandbox(ctx)
	if err != nil {
		return unlessStopped(ctx, err)
	}
	defer sandbox.close()
	if cfg.Stories, err = storyPages(); err != nil {
		return err
	}
	messages, hints := sandbox.script()
	cfg.Hints = hints
	cfg.PicturesFrom = sandbox.config.SuperDuperURL
	server, err := workspace.Start(cfg)
	if err != nil {
		return listenError(err, cfg.Addr)
	}
	defer func() { _ = server.Close() }() // the process ends
	if err := sandbox.askInThread(ctx, server); err != nil {
		return unlessStopped(ctx, err)
	}
	for _, m := range messages {
		if _, err := server.Write(m.user, m.channel, "", m.text); err != nil {
			return fmt.Errorf("write the demo's messages: %w", err)
		}
	}
	c := sandbox.config
	c.SlackAppToken, c.SlackBotToken, c.SlackAPIURL = server.AppToken(), server.BotToken(), server.APIURL()
	_, err = fmt.Fprintf(p.out, "The demo runs at %s\nEvery message there is: %s/storybook\nX-Control-Key: %s\n"+
		"In another terminal:\n  export %s\n  sessionbot session debug %s\nStop it with Ctrl-C.\n",
		server.URL(), server.URL(), server.ControlKey(), strings.Join(sandbox.environment(), " "), sandbox.complaint.ID)
	if err != nil {
		return err
	}
	return serveBot(ctx, c, cfg.Log)
}

// unlessStopped returns err, or nil if it is due to a stop while the demo starts.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// storyPages returns every message of the storybook, for the workspace's page.
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
