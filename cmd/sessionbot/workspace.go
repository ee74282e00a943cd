package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/superduperai/sessionbot/internal/workspace"
)

// workspaceOptions are the flags of workspace. Those of demo are among them.
type workspaceOptions struct {
	addr, controlKey, manifest string
	allowRemote                bool
}

// addTo defines the flags that workspace and demo share.
func (o *workspaceOptions) addTo(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.addr, "addr", "127.0.0.1:8420", "loopback `address` to listen on; port 0 takes a free one")
	cmd.Flags().StringVar(&o.controlKey, "control-key", "", "`value` of X-Control-Key; random by default")
}

func (p program) workspaceCommand() *cobra.Command {
	var o workspaceOptions
	cmd := &cobra.Command{Use: "workspace", Short: "Run a local Slack-like workspace for any Slack app", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.runWorkspace(cmd.Context(), o) }}
	o.addTo(cmd)
	cmd.Flags().StringVar(&o.manifest, "manifest", "", "`file` with the app's manifest: commands and scopes are checked against it")
	cmd.Flags().BoolVar(&o.allowRemote, "allow-remote", false, "let --addr be one that others on the network can reach; nothing is encrypted")
	_ = cmd.MarkFlagFilename("manifest") // the flag is there
	return cmd
}

// runWorkspace runs the workspace until ctx ends.
func (p program) runWorkspace(ctx context.Context, o workspaceOptions) error {
	var app []byte
	if o.manifest != "" {
		var err error
		if app, err = os.ReadFile(o.manifest); err != nil {
			return fmt.Errorf("read the manifest: %w", err)
		}
	}
	server, err := workspace.Start(workspace.Config{
		Addr: o.addr, AllowRemote: o.allowRemote, ControlKey: o.controlKey, Manifest: app, Log: slog.New(slog.NewTextHandler(p.errs, nil)),
	})
	switch {
	case errors.Is(err, workspace.ErrNotLoopback):
		return fmt.Errorf("%w, or allow it in so many words: --allow-remote", err)
	case err != nil:
		return listenError(err, o.addr)
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
