package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"syscall"

	"github.com/superduperai/sessionbot/internal/workspace"
)

const defaultAddr = "127.0.0.1:8420"

// runWorkspace is the local workspace alone, for any Slack app.
func runWorkspace(ctx context.Context, args []string, out, errs io.Writer) error {
	flags := flag.NewFlagSet("sessionbot workspace", flag.ContinueOnError)
	flags.SetOutput(errs)
	addr := flags.String("addr", defaultAddr, "loopback address to listen on; port 0 takes a free one")
	manifest := flags.String("manifest", "", "the app's manifest: commands and scopes are checked against it")
	key := flags.String("control-key", "", "value of X-Control-Key; random by default")
	remote := flags.Bool("allow-remote", false, "let --addr be one that others on the network can reach; nothing is encrypted")
	if err := parseFlags(flags, args); err != nil {
		return err
	}
	var app []byte
	if *manifest != "" {
		var err error
		if app, err = os.ReadFile(*manifest); err != nil {
			return fmt.Errorf("read the manifest: %w", err)
		}
	}
	server, err := workspace.Start(workspace.Config{
		Addr: *addr, AllowRemote: *remote, ControlKey: *key, Manifest: app, Log: slog.New(slog.NewTextHandler(errs, nil)),
	})
	switch {
	case errors.Is(err, workspace.ErrNotLoopback):
		return fmt.Errorf("%w, or allow it in so many words: --allow-remote", err)
	case err != nil:
		return listenError(err, *addr)
	}
	_, err = fmt.Fprintf(out, "page: %s\nSLACK_API_URL=%s\nSLACK_APP_TOKEN=%s\nSLACK_BOT_TOKEN=%s\nX-Control-Key: %s\n",
		server.PageURL(), server.APIURL(), server.AppToken(), server.BotToken(), server.ControlKey())
	if err == nil {
		<-ctx.Done()
	}
	if closeErr := server.Close(); closeErr != nil {
		return closeErr
	}
	return err
}

// listenError says what to do where something else listens on the address.
func listenError(err error, addr string) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is in use: stop what listens there, or take a free port: --addr 127.0.0.1:0", addr)
	}
	return err
}

// parseFlags refuses words behind the flags; asking for help is no fault.
func parseFlags(flags *flag.FlagSet, args []string) error {
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%w: %s takes no words, only flags", errUsage, flags.Name())
	}
	return nil
}
