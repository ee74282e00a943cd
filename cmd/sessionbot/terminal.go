package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/slack-go/slack"
	"go.opentelemetry.io/otel/trace"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/commands/note"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/requestid"
	"github.com/superduperai/sessionbot/internal/telemetry"
	"github.com/superduperai/sessionbot/store"
)

var exitCodes = map[commands.Outcome]exitCode{
	commands.Failed: exitFailed, commands.Usage: exitUsage, commands.Refused: exitRefused,
}

// terminalOptions are the flags of the commands that a terminal shares with Slack.
type terminalOptions struct {
	json, yes   bool
	readsPrompt bool   // of restore
	promptFile  string // "" = standard input
	note        string // with the decision, "" = none
}

// terminal runs one command in a terminal.
type terminal struct {
	deps
	terminalOptions
	config config
	in     *bufio.Reader
	typed  bool // what is read is typed by a person
	out    io.Writer
	errs   io.Writer
	log    *slog.Logger
	held   *heldLog
	meter  *meter
}

// runTerminal answers a Slack command in the terminal.
func (p program) runTerminal(ctx context.Context, req commands.Request, o terminalOptions) error {
	if wrong := misuse(ctx, req, o); wrong != nil {
		screen, _ := screenOf(p.errs)
		screen.Reword = typedWords
		_, _ = fmt.Fprintln(p.errs, screen.Text(wrong)) // the exit code says the same
		return exitUsage
	}
	c, err := p.load(false)
	if err != nil {
		return err
	}
	if !c.logFormatSet {
		c.LogFormat = "text"
	}
	t := terminal{terminalOptions: o, config: c, in: bufio.NewReader(p.in), typed: isTyped(p.in), out: p.out, errs: p.errs,
		held: &heldLog{out: p.errs}, meter: newMeter(p.errs)}
	t.log = c.logger(t.held).With("component", "terminal")
	if o.readsPrompt {
		if req.Prompt, err = t.readPrompt(ctx); err != nil {
			return err
		}
	}
	endTraces, err := c.startTraces(ctx, t.log)
	if err != nil {
		return err
	}
	defer endTraces()
	redis, state, err := openRedis(ctx, c)
	if err != nil {
		return err
	}
	defer func() { _, _ = redis.Close(), state.Close() }() // the process ends
	t.deps = newDeps(c, redis, state, c.logger(t.held))
	defer t.lookups.Wait()
	req.User, req.Terminal, req.Progress = osUser(), true, t.meter.counted
	t.note = note.Text(o.note)
	req.Note = t.note
	ref := requestid.New()
	ctx, span := c.tracer().Start(requestid.NewContext(ctx, ref), "terminal", trace.WithAttributes(telemetry.Ref(ref)))
	err = t.answer(ctx, req)
	span.End()
	if c.logLevelSet || err != nil && !errors.Is(err, exitUsage) && !errors.Is(err, exitRefused) {
		t.held.release()
	}
	return err
}

// misuse says what is wrong with the request itself, before any variable is needed;
// nil = nothing. Only a repair can be approved by --yes, and takes a note.
func misuse(ctx context.Context, req commands.Request, o terminalOptions) []slack.Block {
	call := commands.New(commands.Deps{}).Parse(req)
	switch command := call.Command; {
	case o.yes && command.Name != "" && !command.Bulk && (command.Repairs == "" || command.Direct):
		return blockkit.Message(blockkit.PlainLine("--yes belongs to repairs, such as generate"))
	case o.note != "" && command.Name != "" && !command.Bulk && command.Repairs == "":
		return blockkit.Message(blockkit.PlainLine("--note belongs to repairs, such as settle"))
	case call.Misused:
		return call.Run(ctx).Blocks
	}
	return nil
}

func (t terminal) answer(ctx context.Context, req commands.Request) error {
	answer := t.registry.Parse(req).Run(ctx)
	telemetry.Answered(ctx, answer.Name, string(answer.Outcome), answer.Outcome == commands.Failed)
	return t.deliver(ctx, answer)
}

// deliver prints an answer, or carries out the plan that it proposes.
func (t terminal) deliver(ctx context.Context, answer commands.Answer) error {
	t.meter.clear()
	if answer.Err != nil {
		t.log.ErrorContext(ctx, "command failed", "command", answer.Name, "error", answer.Err)
	}
	if answer.Plan != nil {
		return t.confirm(ctx, answer)
	}
	if code, failed := exitCodes[answer.Outcome]; failed {
		t.show(answer.Blocks)
		if answer.Empty != nil {
			other, agreed := t.include(ctx, *answer.Empty)
			t.decline(context.WithoutCancel(ctx), *answer.Empty, store.Actor{ID: osUser(), Terminal: true})
			if agreed {
				return t.deliver(ctx, other)
			}
		}
		if t.json && answer.JSON != nil {
			if err := t.printJSON(answer.JSON); err != nil {
				return err
			}
		}
		return code
	}
	if t.json && answer.JSON != nil {
		return t.printJSON(answer.JSON)
	}
	screen, _ := screenOf(t.out)
	screen.Reword, screen.Names = typedWords, t.namesIn(ctx, answer.Blocks)
	if _, err := fmt.Fprintln(t.out, screen.Text(answer.Blocks)); err != nil {
		return fmt.Errorf("print the answer: %w", err)
	}
	return nil
}

// show prints blocks for people, on standard error.
func (t terminal) show(blocks []slack.Block) {
	screen := t.meter.screen
	screen.Reword = typedWords
	t.print(screen.Text(blocks))
}

// say prints a sentence of the terminal's own likewise.
func (t terminal) say(text string) { t.print(t.meter.screen.List(text)) }

func (t terminal) print(text string) {
	t.meter.clear()
	_, _ = fmt.Fprintln(t.errs, text) // the exit code says the same
}

func (t terminal) printJSON(value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	if _, err := fmt.Fprintln(visibleJSON{t.out}, string(body)); err != nil {
		return fmt.Errorf("print the answer: %w", err)
	}
	return nil
}
