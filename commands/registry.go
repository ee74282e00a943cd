package commands

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/sweep"
)

// Sessions gathers what is known of a session.
type Sessions interface {
	Examine(ctx context.Context, id string) store.Examination
	ExaminePaid(ctx context.Context, p store.Payment) store.Examination
}

// Finder finds the checkout sessions of a customer by e-mail or payment intent,
// newest first; more tells that there are others.
type Finder interface {
	Find(ctx context.Context, query string, limit int) (found []store.Payment, more bool, err error)
}

// Sweeper visits all sessions; see sweep.Sweeper.
type Sweeper interface {
	Sweep(ctx context.Context, o sweep.Options) (sweep.Result, error)
}

// Redis tells about the server itself.
type Redis interface {
	Server(ctx context.Context) (store.Server, error)
	Ping(ctx context.Context) (time.Duration, error)
}

// Ledger keeps plans, jobs and the audit trail.
type Ledger interface {
	SavePlan(ctx context.Context, p store.Plan) error
	JobOf(ctx context.Context, session string) (store.SessionJob, error)
	Settle(ctx context.Context, job string, said store.Settlement) (store.Job, error)
	Record(ctx context.Context, e store.Entry) error
	History(ctx context.Context, session string, limit int) ([]store.Entry, error)
}

// Statistics knows what the sweeps counted.
type Statistics interface {
	Figures(ctx context.Context, now time.Time) (store.Figures, error)
}

// Watch knows how far the watch came, and payments; see store.Watch.
type Watch interface {
	State(ctx context.Context) (store.WatchState, error)
	Payments(ctx context.Context, now time.Time, ids []string) (map[string]store.Payment, error)
}

// Deps are what the commands work with.
type Deps struct {
	Sessions Sessions
	Finder   Finder
	Redis    Redis
	// NewSweeper returns one that has not swept yet.
	NewSweeper func() Sweeper
	Sources    store.Sources
	Ledger     Ledger
	Statistics Statistics
	Watch      Watch
	Alerts     bool // somebody watches
	Plans      store.PlanOptions
	Token      bool // SuperDuperAI can be asked
	Files      store.FileReader
	Limits     store.Thresholds
	SiteURL    string // for links
	Now        func() time.Time
	Log        *slog.Logger
}

// Registry holds every command.
type Registry struct {
	deps     Deps
	commands []Command
}

// New lists the commands in the order in which the help shows them.
func New(d Deps) *Registry {
	r := &Registry{deps: d}
	r.commands = []Command{
		d.debug(),
		d.find(),
		d.fix(),
		d.generate(),
		d.history(),
		d.settle(),
		r.help("session"),
		d.stats(),
		d.prompts(),
		d.ping(),
		d.memory(),
		r.help("redis"),
	}
	return r
}

// Commands lists what there is.
func (r *Registry) Commands() []Command { return slices.Clone(r.commands) }

// Run parses and runs a request. Whatever happens, there is an answer.
func (r *Registry) Run(ctx context.Context, req Request) Answer {
	group := strings.TrimPrefix(req.Command, "/")
	args, err := parseArgs(req.Text)
	if err != nil {
		var wrong usageError
		if errors.As(err, &wrong) {
			wrong.usage = r.usage(group)
			err = wrong
		}
		return r.explain(req, "", err)
	}
	if len(args.Words) == 0 {
		args.Words = []string{"help"}
	}
	command, words, err := r.lookup(group, args.Words)
	if err != nil {
		return r.explain(req, "", err)
	}
	guessed := len(words) > 1 && len(words) == len(args.Words)
	args.Words = words
	answer := r.run(ctx, command, args, req)
	if guessed {
		answer.Blocks = append(slices.Clip(answer.Blocks), blockkit.Context("Understood as `/"+group+" "+command.Name+"`"))
	}
	return answer
}

// Repair is what a request would change.
type Repair struct {
	Name      string // of the command
	Action    store.Action
	Session   string
	Operators bool // only they may ask for it
}

// RepairOf tells what a request would change; false = nothing. Operators holds in
// any case.
func (r *Registry) RepairOf(req Request) (Repair, bool) {
	args, err := parseArgs(req.Text)
	if err != nil || len(args.Words) == 0 {
		return Repair{}, false
	}
	command, words, err := r.lookup(strings.TrimPrefix(req.Command, "/"), args.Words)
	if err != nil {
		return Repair{}, false
	}
	repair := Repair{Name: command.Name, Action: command.Repairs, Operators: command.Operators}
	if command.Repairs == "" {
		return repair, false
	}
	repair.Session, err = store.FindID(strings.Join(words, " "))
	return repair, err == nil
}

// ButtonRequest is the request that a button stands for; see Command.Action.
func ButtonRequest(actionID, value string) Request {
	group, name, _ := strings.Cut(actionID, ".")
	return Request{Command: "/" + group, Text: name + " " + value}
}

// RunAction runs the command that a button starts for a session.
func (r *Registry) RunAction(ctx context.Context, actionID, value string, req Request) Answer {
	for _, command := range r.commands {
		if command.Action != "" && command.Action == actionID {
			return r.run(ctx, command, Args{Words: []string{value}}, req)
		}
	}
	return r.explain(req, "", refuse("This button belongs to something that is no longer there. Type /session help."))
}

func (r *Registry) run(ctx context.Context, command Command, args Args, req Request) Answer {
	name := command.Group + " " + command.Name
	run, err := command.Parse(args)
	if err != nil {
		return r.explain(req, name, withUsage(err, command))
	}
	answer, err := run(ctx, req)
	if err != nil {
		return r.explain(req, name, err)
	}
	answer.Name = name
	if answer.Outcome == "" {
		answer.Outcome = Done
	}
	return answer
}

// lookup finds the command of a group that words are for, and those of them that
// it is given; a wrong word names the nearest one.
func (r *Registry) lookup(group string, words []string) (Command, []string, error) {
	called := strings.ToLower(words[0])
	var names []string
	for _, command := range r.commands {
		if command.Group == group {
			names = append(names, command.Name)
		}
	}
	rest, name := words[1:], called
	if !slices.Contains(names, called) {
		rest, name = words, ""
	}
	if group == "session" {
		name = meant(name, strings.Join(rest, " "))
	}
	for _, command := range r.commands {
		if command.Group == group && command.Name == name {
			return command, rest, nil
		}
	}
	wrong := usageError{text: "There is no /" + group + " " + blockkit.Cut(words[0], 40) + ".", usage: r.usage(group)}
	if near := nearest(called, names); near != "" {
		wrong.text += " Did you mean /" + group + " " + near + "?"
	}
	return Command{}, nil, wrong
}

// meant is the command of /session that was called by name, or by none (""): one
// session's id asks what happened to it, a customer asks for theirs. A name that
// is more than a question stands.
func meant(name, text string) string {
	if name != "" && name != "debug" && name != "find" && name != "help" {
		return name
	}
	_, err := store.FindID(text)
	asked := len(customers(text)) > 0
	switch {
	case name == "find" && asked:
	case err == nil:
		return "debug"
	case !errors.Is(err, store.ErrNoID) && name == "":
		return "debug" // which says what is wrong with the id
	case errors.Is(err, store.ErrNoID) && asked:
		return "find"
	}
	return name
}

func (r *Registry) usage(group string) []string {
	var lines []string
	for _, command := range r.commands {
		if command.Group == group {
			lines = append(lines, command.usage()+" – "+command.Summary)
		}
	}
	return lines
}

func (c Command) usage() string {
	return strings.TrimSpace("/" + c.Group + " " + c.Name + " " + c.Args)
}

func withUsage(err error, c Command) error {
	var usage usageError
	if errors.As(err, &usage) && usage.usage == nil {
		usage.usage = []string{c.usage() + " – " + c.Summary}
		return usage
	}
	return err
}
