package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os/user"
	"slices"
	"strings"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
)

var exitCodes = map[commands.Outcome]int{
	commands.Done: exitDone, commands.Failed: exitFailed, commands.Usage: exitUsage, commands.Refused: exitRefused,
}

// runTerminal answers a Slack command in the terminal.
func runTerminal(ctx context.Context, group string, args []string, out, errs io.Writer) int {
	asJSON := slices.Contains(args, "--json")
	args = slices.DeleteFunc(args, func(arg string) bool { return arg == "--json" || arg == "--yes" })
	c, err := loadConfig(false)
	if err != nil {
		return finish(errs, err)
	}
	log := c.logger(errs)
	redis, err := store.Open(ctx, c.RedisURL)
	if err != nil {
		return finish(errs, fmt.Errorf("open REDIS_URL: %w", err))
	}
	defer func() { _ = redis.Close() }() // the process ends
	answer := newRegistry(c, redis, log).Run(ctx, commands.Request{
		Command: "/" + group, Text: strings.Join(args, " "), User: osUser(), Terminal: true, Ref: commands.NewRef(),
	})
	if answer.Err != nil {
		log.ErrorContext(ctx, "command failed", "command", answer.Name, "error", answer.Err)
	}
	return printAnswer(answer, asJSON, out, errs, log)
}

func printAnswer(answer commands.Answer, asJSON bool, out, errs io.Writer, log *slog.Logger) int {
	target, text := out, blockkit.Text(answer.Blocks)+"\n"
	switch {
	case answer.Outcome != commands.Done:
		target = errs
	case asJSON && answer.JSON != nil:
		body, err := json.Marshal(answer.JSON)
		if err != nil {
			return finish(errs, fmt.Errorf("write JSON: %w", err))
		}
		text = string(body) + "\n"
	}
	if _, err := io.WriteString(target, text); err != nil {
		log.Error("the answer could not be printed", "error", err)
		return exitFailed
	}
	return exitCodes[answer.Outcome]
}

// osUser is who asks in a terminal.
func osUser() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}
