package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/superduperai/sessionbot/internal/workspace"
)

func (p program) workspaceCommand() *cobra.Command {
	cfg := workspace.Config{Log: slog.New(slog.NewTextHandler(p.errs, nil))}
	var manifest, seed string
	cmd := &cobra.Command{Use: "workspace", Short: "Run a local Slack-like workspace for Slack apps", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if manifest != "" {
				if cfg.Manifest, err = readSmallFile(manifest, "the manifest"); err != nil {
					return fmt.Errorf("read the manifest: %w", err)
				}
			}
			if seed != "" {
				if cfg.Seed, err = readSmallFile(seed, "the users and channels"); err != nil {
					return fmt.Errorf("read the seed: %w", err)
				}
			}
			return p.runWorkspace(cmd.Context(), cfg)
		}}
	addListenFlags(cmd, &cfg)
	cmd.Flags().StringVar(&manifest, "manifest", "", "`file` with the app's manifest: commands and scopes are checked against it")
	cmd.Flags().BoolVar(&cfg.AllowRemote, "allow-remote", false, "let --addr be one that others on the network can reach; nothing is encrypted")
	cmd.Flags().StringVar(&cfg.BotToken, "bot-token", "", "the app's bot `token` (xoxb-…); random by default")
	cmd.Flags().StringVar(&cfg.AppToken, "app-token", "", "the app-level `token` (xapp-…); random by default")
	cmd.Flags().StringVar(&seed, "seed", "", "`file` with further users, groups, channels and messages, in YAML or JSON")
	_ = cmd.MarkFlagFilename("manifest") // the flags are there
	_ = cmd.MarkFlagFilename("seed")
	return cmd
}

// smallFile is the size over which a file is neither a manifest nor a seed, in bytes.
const smallFile = 1 << 20

// readSmallFile reads a file that holds what is named.
func readSmallFile(path, what string) ([]byte, error) {
	file, kind, err := openRegular(path)
	switch {
	case err != nil:
		return nil, err
	case kind != "":
		return nil, fmt.Errorf("%s is no regular file but a %s: save %s in a file", path, kind, what)
	}
	defer func() { _ = file.Close() }() // it was only read
	return io.ReadAll(io.LimitReader(file, smallFile))
}

// addListenFlags defines the flags that workspace and demo share.
func addListenFlags(cmd *cobra.Command, cfg *workspace.Config) {
	cmd.Flags().StringVar(&cfg.Addr, "addr", "127.0.0.1:8420", "loopback `address` to listen on; port 0 takes a free one")
	cmd.Flags().StringVar(&cfg.ControlKey, "control-key", "", "`value` of X-Control-Key; random by default")
}

// runWorkspace runs the workspace until ctx ends.
func (p program) runWorkspace(ctx context.Context, cfg workspace.Config) error {
	server, err := workspace.Start(cfg)
	switch {
	case errors.Is(err, workspace.ErrNotLoopback):
		return fmt.Errorf("%w, or allow it in so many words: --allow-remote", err)
	case err != nil:
		return listenError(err, cfg.Addr)
	}
	_, err = fmt.Fprintf(p.out, "page: %s\nSLACK_API_URL=%s\nSLACK_APP_TOKEN=%s\nSLACK_BOT_TOKEN=%s\nX-Control-Key: %s\n",
		server.PageURL(), server.APIURL(), server.AppToken(), server.BotToken(), server.ControlKey())
	if err == nil {
		<-ctx.Done()
	}
	return errors.Join(err, server.Close())
}

// listenError adds the remedy where something else listens on the address.
func listenError(err error, addr string) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is in use: stop what listens there, or take a free port: --addr 127.0.0.1:0", addr)
	}
	return err
}
