// Package commands holds the commands, one file each or for a few that share nearly
// everything: options, parsing, running and the answer. The registry feeds Slack, the terminal, the help and the check of the
// manifest alike. How an answer is delivered is up to their callers.
package commands

import (
	"context"
	"strings"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/follow"
	"github.com/superduperai/sessionbot/store/repair"
)

// Request is one request of a person.
type Request struct {
	Command  string // the slash command: /session or /redis
	Text     string // what follows it
	Channel  string // where it was typed, "" = in a terminal
	User     string // Slack's user id, or the operating system's user name
	Shared   bool   // the answer is for the whole channel: a customer's address is omitted
	Terminal bool   // typed in a terminal, where Slack's limits do not apply

	// Prompt is what a terminal read for restore. Slack's is in Text, or Entered.
	Prompt string

	Form    bool     // the answer is shown in a view, and may be one that is filled in
	Entered *Entered // in that view; nil = nothing was

	// Note is a note from the terminal on the decision, "" = none.
	Note string

	// Progress is called during a long count; nil = it is not shown.
	Progress func(done, all int64)
}

// where is the channel or terminal of the request, for the audit trail.
func (r Request) where() string {
	if r.Terminal {
		return audit.Terminal
	}
	return r.Channel
}

// actor is who made the request, for the audit trail.
func (r Request) actor() store.Actor { return store.Actor{ID: r.User, Terminal: r.Terminal} }

// Outcome is how a request ended.
type Outcome string

// The outcomes, as in metrics and in the terminal's exit codes.
const (
	Done    Outcome = "done"    // 0
	Failed  Outcome = "failed"  // 1
	Usage   Outcome = "usage"   // 2
	Refused Outcome = "refused" // 3
)

// Answer is what people see: Block Kit, which Slack shows natively and
// blockkit.Text turns into plain text.
type Answer struct {
	Name    string // of the command that answers, "" if none was found
	Outcome Outcome
	Blocks  []slack.Block
	Actions []slack.BlockElement // the buttons below the blocks
	JSON    any                  // for --json, nil if there is none

	// Shareable answers get a Share button.
	Shareable bool
	Session   string // the subject of the answer, "" = none

	// Follow is the thread in which the session was asked about, so that it is answered
	// there once more; nil = nothing is to follow.
	Follow *follow.Thread

	// Form reports that the blocks have fields, to be filled in for the session.
	Form bool

	// Plan is the repair that the answer proposes; it is stored already.
	Plan *repair.Plan
	// Empty is a bulk plan that repairs nothing, of which others can be made; it is
	// stored already.
	Empty *repair.Plan

	Err error // the cause of Failed, for the log; never shown
}

// Command is a command of /session or /redis.
type Command struct {
	Group   string // session or redis: the slash command without its slash
	Name    string
	Args    string // for the usage, such as <id>
	Summary string // one line for the help
	Action  string // action_id of the buttons that run it for a session, "" = none
	Parse   func(Args) (Run, error)

	Repairs   store.Action // the repair that it makes, "" = it changes nothing
	Operators bool         // only for operators
	Direct    bool         // it makes no plan, but changes something by itself
	Bulk      bool         // it repairs many sessions, and looks at each first, which takes longer
}

func (c Command) fullName() string { return c.Group + " " + c.Name }

func (c Command) usage() string {
	return strings.TrimSpace("/" + c.fullName() + " " + c.Args)
}

// help is the command's line in a usage text.
func (c Command) help() string { return c.usage() + " – " + c.Summary }

// Run carries out a parsed command.
type Run func(ctx context.Context, req Request) (Answer, error)

// forSession parses the arguments of a command about one session.
func forSession(run func(ctx context.Context, req Request, id string) (Answer, error)) func(Args) (Run, error) {
	return func(args Args) (Run, error) {
		id, err := args.sessionID()
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, req Request) (Answer, error) { return run(ctx, req, id) }, nil
	}
}

// withoutArgs parses the arguments of a command that takes none.
func withoutArgs(run Run) func(Args) (Run, error) {
	return func(args Args) (Run, error) { return run, args.none() }
}
