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
	var manifest string
	cmd := &cobra.Command{Use: "workspace", Short: "Run a local Slack-like workspace for any Slack app", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if manifest != "" {
				if cfg.Manifest, err = readManifest(manifest); err != nil {
					return fmt.Errorf("read the manifest: %w", err)
				}
			}
			return p.runWorkspace(cmd.Context(), cfg)
		}}
	addListenFlags(cmd, &cfg)
	cmd.Flags().StringVar(&manifest, "manifest", "", "`file` with the app's manifest: commands and scopes are checked against it")
	cmd.Flags().BoolVar(&cfg.AllowRemote, "allow-remote", false, "let --addr be one that others on the network can reach; nothing is encrypted")
	_ = cmd.MarkFlagFilename("manifest") // the flag is there
	return cmd
}

// manifestLimit is the size over which a file is no manifest, in bytes.
const manifestLimit = 1 << 20

func readManifest(path string) ([]byte, error) {
	file, kind, err := openRegular(path)
	switch {
	case err != nil:
		return nil, err
	case kind != "":
		return nil, fmt.Errorf("%s is no regular file but a %s: save the manifest in a file", path, kind)
	}
	defer func() { _ = file.Close() }() // it was only read
	return io.ReadAll(io.LimitReader(file, manifestLimit))
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
