package commands

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// Registry holds all commands.
type Registry struct {
	deps     Deps
	commands []Command
}

// New lists the commands in the order in which the help shows them.
func New(d Deps) *Registry {
	d.Log = cmp.Or(d.Log, slog.Default()).With("component", "commands")
	r := &Registry{deps: d}
	r.commands = []Command{
		d.debug(),
		d.find(),
		d.list(),
		d.fix(),
		d.generate(),
		d.replay(),
		d.bulk(),
		d.history(),
		d.settle(),
		d.restore(),
		r.help("session"),
		d.stats(),
		d.prompts(),
		d.ping(),
		d.memory(),
		r.help("redis"),
	}
	return r
}

// Commands lists the commands.
func (r *Registry) Commands() []Command { return slices.Clone(r.commands) }

// group returns the commands of a slash command.
func (r *Registry) group(name string) []Command {
	return slices.DeleteFunc(r.Commands(), func(c Command) bool { return c.Group != name })
}

// Call is a parsed request.
type Call struct {
	Command Command // the command, which decides who may run it; zero = unknown
	Session string  // the session that it would repair, as named in the request; "" = none
	Long    bool    // it looks at many sessions first
	Misused bool    // the request is malformed: Run only returns the usage text
	Run     func(context.Context) Answer
}

// Parse parses a request. A request that is wrong is answered with the usage.
func (r *Registry) Parse(req Request) Call {
	group := strings.TrimPrefix(req.Command, "/")
	if group == "session" {
		if words, prompt, ok, err := cutRestore(req); ok {
			return r.parseRestore(words, prompt, err, req)
		}
	}
	args, err := parseArgs(req.Text)
	if err != nil {
		return failedCall(r.usage(group), err)
	}
	if len(args.Words) == 0 {
		args.Words = []string{"help"}
	}
	command, words, err := r.lookup(group, args.Words)
	if err != nil {
		return failedCall(r.usage(group), err)
	}
	guessed := len(words) > 1 && len(words) == len(args.Words)
	args.Words = words
	return r.newCall(command, args, guessed, req)
}

// parseRestore makes the call of restore, whose prompt is not parsed into words.
func (r *Registry) parseRestore(words, prompt string, err error, req Request) Call {
	command := r.deps.restore()
	args := Args{}
	if err == nil {
		args, err = parseArgs(words)
	}
	if err == nil && req.Entered != nil {
		err = req.Entered.fault()
	}
	if err != nil {
		return failedCall([]string{command.help()}, err)
	}
	args.Order.Prompt = prompt
	if req.Entered != nil {
		args.Order, _ = req.Entered.order()
	}
	return r.newCall(command, args, false, req)
}

// ParseAction parses a click on a button that runs a command for a session.
func (r *Registry) ParseAction(actionID, session string, req Request) Call {
	for _, command := range r.commands {
		if command.Action != "" && command.Action == actionID {
			return r.newCall(command, Args{Words: []string{session}}, false, req)
		}
	}
	if run := r.deps.bulkOf(actionID, session); run != nil {
		bulk := r.deps.bulk()
		bulk.Parse = func(Args) (Run, error) { return run, nil }
		return r.newCall(bulk, Args{}, false, req)
	}
	if actionID == message.ActionDetails {
		details := Command{Group: "session", Name: "bulk", Parse: func(Args) (Run, error) { return r.deps.parseDetails(session), nil }}
		return r.newCall(details, Args{}, false, req)
	}
	return failedCall(nil, refuse("This button is out of date. Type /session help."))
}

// newCall makes a call of a command; guessed means that its name was not typed. The answer
// says how the request was understood if that differs from what was typed.
func (r *Registry) newCall(command Command, args Args, guessed bool, req Request) Call {
	call := Call{Command: command, Long: command.Bulk}
	_, err := command.Parse(args)
	_, call.Misused = errors.AsType[usageError](err)
	if command.Repairs != "" {
		call.Session = mentioned(args)
	}
	call.Run = func(ctx context.Context) Answer {
		run, whole, err := r.parseWhole(ctx, command, args)
		var answer Answer
		if err != nil {
			answer = explain(ctx, "", []string{command.help()}, err)
		} else if answer, err = run(ctx, req); err != nil {
			answer = explain(ctx, command.fullName(), nil, err)
		}
		answer.Name, answer.Outcome = command.fullName(), cmp.Or(answer.Outcome, Done)
		if guessed || whole != "" {
			understood := strings.TrimSpace("/" + command.fullName() + " " + whole)
			answer.Blocks = append(slices.Clip(answer.Blocks), blockkit.Context("Understood as `"+understood+"`"))
		}
		return answer
	}
	return call
}

// parseWhole parses the arguments of a command. A shortened id among them is
// resolved first: whole is what it means.
func (r *Registry) parseWhole(ctx context.Context, command Command, args Args) (run Run, whole string, err error) {
	run, err = command.Parse(args)
	if short, ok := errors.AsType[store.ShortID](err); ok {
		if args.Session, err = r.deps.wholeID(ctx, short); err == nil {
			run, err = command.Parse(args)
		}
	}
	return run, args.Session, err
}

func failedCall(usage []string, err error) Call {
	_, misused := errors.AsType[usageError](err)
	return Call{Misused: misused, Run: func(ctx context.Context) Answer { return explain(ctx, "", usage, err) }}
}

// lookup finds the command of a group that words name, and its arguments; the error
// about an unknown name suggests the nearest one.
func (r *Registry) lookup(group string, words []string) (Command, []string, error) {
	typed := strings.ToLower(strings.Trim(words[0], marks))
	commands := r.group(group)
	var names []string
	for _, command := range commands {
		names = append(names, command.Name)
	}
	rest, name := words[1:], typed
	if !slices.Contains(names, typed) {
		rest, name = words, ""
	}
	if group == "session" {
		name = inferName(name, strings.Join(rest, " "))
	}
	if i := slices.Index(names, name); i >= 0 {
		return commands[i], rest, nil
	}
	text := "There is no /" + group + " " + blockkit.Cut(words[0], 40) + "."
	if near := nearest(typed, names); near != "" {
		text += " Did you mean /" + group + " " + near + "?"
	}
	return Command{}, nil, usageError(text)
}

// inferName returns the command of /session that is meant by a name, which may be
// "", and the text after it: an id alone means debug, a customer alone means find.
// The name of a command that changes something is never replaced.
func inferName(name, text string) string {
	if name != "" && name != "debug" && name != "find" && name != "help" {
		return name
	}
	_, err := store.FindID(text)
	_, short := errors.AsType[store.ShortID](err)
	hasCustomer := len(customers(text)) > 0
	switch {
	case name == "find" && hasCustomer:
	case err == nil || short:
		return "debug"
	case !errors.Is(err, store.ErrNoID) && name == "":
		return "debug" // which says what is wrong with the id
	case errors.Is(err, store.ErrNoID) && hasCustomer:
		return "find"
	}
	return name
}

func (r *Registry) usage(group string) []string {
	var lines []string
	for _, command := range r.group(group) {
		lines = append(lines, command.help())
	}
	return lines
}

// ProgressBlocks show the state of a job, in the place of its plan.
func (r *Registry) ProgressBlocks(p repair.Progress) []slack.Block {
	return message.ProgressBlocks(p, r.deps.SiteURL, r.deps.Plans.Cents(store.Session{}))
}

// EndReply is posted in the thread of a job's message once the job has ended.
func (r *Registry) EndReply(p repair.Progress) []slack.Block {
	return message.EndReply(p, r.deps.SiteURL, r.deps.Plans.Cents(store.Session{}))
}
