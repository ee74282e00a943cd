// Command sessionbot answers a support team's questions about customers'
// sessions in Slack. This package holds its subcommands, its configuration and
// the wiring; it decides nothing.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store/rdb"
)

// exitCode is the error of a subcommand that has printed what went wrong already.
type exitCode int

// Exit codes, which scripts rely on.
const (
	exitFailed  exitCode = 1
	exitUsage   exitCode = 2
	exitRefused exitCode = 3
)

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// errInterrupted is the cause of the context where a person, not a supervisor,
// ended the process.
var errInterrupted = errors.New("interrupted")

func main() {
	ctx, stop := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		if <-signals == syscall.SIGINT {
			stop(errInterrupted)
		}
		stop(nil)
	}()
	os.Exit(int(program{in: os.Stdin, out: os.Stdout, errs: os.Stderr, load: loadConfig}.execute(ctx, os.Args[1:])))
}

// execute runs the subcommand that args name and returns the exit code. It prints errors,
// the remedy last.
func (p program) execute(ctx context.Context, args []string) exitCode {
	root, started := p.rootCommand(), false
	root.PersistentPreRun = func(*cobra.Command, []string) { started = true }
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	screen, _ := screenOf(p.errs)
	var printed exitCode
	var wrong configError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &printed):
		return printed
	case !started: // the arguments or flags are wrong
		_, _ = fmt.Fprintf(p.errs, "%s\nSee: %s --help\n", screen.List(blockkit.Clean(err.Error())), cmd.CommandPath())
		return exitUsage
	}
	_, _ = fmt.Fprintln(p.errs, screen.List(blockkit.Clean(err.Error()))) // it may repeat what was typed
	if errors.As(err, &wrong) || errors.Is(err, rdb.ErrClusterDatabase) {
		return exitUsage
	}
	return exitFailed
}
