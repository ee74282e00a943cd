// Command sessionbot answers a support team's questions about customers'
// sessions in Slack. Here are its subcommands, its configuration and the wiring;
// nothing is decided here.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/superduperai/sessionbot/store"
)

// version is stamped by the build.
var version = "dev"

// Exit codes, which scripts go by.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitRefused = 3
)

const usage = `Usage:
  sessionbot run                              the bot, until it is told to stop
  sessionbot demo [--addr 127.0.0.1:8420]     try it: needs no account, no server, no variable
  sessionbot workspace [--addr …] [--manifest FILE] [--control-key KEY] [--allow-remote]
                                              a local Slack-like workspace for any Slack app
  sessionbot doctor [--json]                  what is missing or wrong, and the remedy
  sessionbot session debug <id> [--json]      what happened to a customer's session
  sessionbot session find <e-mail|pi_…> [--json]
  sessionbot session fix|generate <id> [--yes] [--json]
                                              put it right: shows the plan and asks
  sessionbot session history <id> [--json]    what was repaired, by whom and when
  sessionbot redis stats|prompts|ping|memory [--limit N] [--json]
  sessionbot version
`

// errInterrupted is the cause where a person ended the process, not its supervisor.
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
	os.Exit(dispatch(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// dispatch runs a subcommand and returns its exit code.
func dispatch(ctx context.Context, args []string, out, errs io.Writer) int {
	if len(args) == 0 {
		_, _ = io.WriteString(errs, usage)
		return exitUsage
	}
	switch args[0] {
	case "run":
		return finish(errs, runBot(ctx, args[1:], errs))
	case "demo":
		return finish(errs, runDemo(ctx, args[1:], out, errs))
	case "workspace":
		return finish(errs, runWorkspace(ctx, args[1:], out, errs))
	case "doctor":
		return runDoctor(ctx, args[1:], out, errs)
	case "session", "redis":
		return runTerminal(ctx, args[0], args[1:], out, errs)
	case "version":
		if len(args) > 1 {
			_, _ = io.WriteString(errs, usage)
			return exitUsage
		}
		_, _ = fmt.Fprintf(out, "sessionbot %s, commit %s, %s\n", version, commit(), runtime.Version())
		return exitDone
	case "help", "-h", "--help":
		_, _ = io.WriteString(out, usage)
		return exitDone
	}
	_, _ = fmt.Fprintf(errs, "There is no sessionbot %s.\n%s", args[0], usage)
	return exitUsage
}

// errUsage says that a subcommand was called wrongly.
var errUsage = errors.New("wrong usage")

// finish prints what went wrong, the remedy last, and turns it into an exit
// code.
func finish(errs io.Writer, err error) int {
	var wrong *configError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitDone
	case errors.As(err, &wrong), errors.Is(err, errUsage), errors.Is(err, store.ErrClusterDatabase):
		_, _ = fmt.Fprintln(errs, err)
		return exitUsage
	}
	_, _ = fmt.Fprintln(errs, err)
	return exitFailed
}

// commit is the revision that the binary was built from.
func commit() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				return setting.Value[:min(12, len(setting.Value))]
			}
		}
	}
	return "unknown"
}
