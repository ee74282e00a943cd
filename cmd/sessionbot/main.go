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
	os.Exit(program{in: os.Stdin, out: os.Stdout, errs: os.Stderr, load: loadConfig}.dispatch(ctx, os.Args[1:]))
}

// program is one run of sessionbot: what it reads and writes, and where its
// configuration comes from.
type program struct {
	in        io.Reader
	out, errs io.Writer
	load      func(slack bool) (config, error) // see loadConfig
}

// dispatch runs a subcommand and returns its exit code.
func (p program) dispatch(ctx context.Context, args []string) int {
	if len(args) == 0 {
		_, _ = io.WriteString(p.errs, usage)
		return exitUsage
	}
	switch args[0] {
	case "run":
		return finish(p.errs, p.runBot(ctx, args[1:]))
	case "demo":
		return finish(p.errs, runDemo(ctx, args[1:], p.out, p.errs))
	case "workspace":
		return finish(p.errs, runWorkspace(ctx, args[1:], p.out, p.errs))
	case "doctor":
		return p.runDoctor(ctx, args[1:])
	case "session", "redis":
		return p.runTerminal(ctx, args[0], args[1:])
	case "version":
		if len(args) > 1 {
			_, _ = io.WriteString(p.errs, usage)
			return exitUsage
		}
		_, _ = fmt.Fprintf(p.out, "sessionbot %s, commit %s, %s\n", version, commit(), runtime.Version())
		return exitDone
	case "help", "-h", "--help":
		_, _ = io.WriteString(p.out, usage)
		return exitDone
	}
	_, _ = fmt.Fprintf(p.errs, "There is no sessionbot %s.\n%s", args[0], usage)
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
