package alert

import (
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands/note"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/incident"
)

// ActionMenu is a session's menu. The value of an option is a command's name and the
// session's id, as ParseMenuValue reads it.
const ActionMenu = "session.menu"

// CommandRestore is the option that opens the view in which a lost prompt is entered.
const CommandRestore = "restore"

// CommandDismiss is the option that says that a session was handled elsewhere. It is no
// command that can be typed.
const CommandDismiss = "dismiss"

// menuCommands are what an option may start.
var menuCommands = []string{"debug", "replay", "generate", "fix", CommandRestore, CommandDismiss}

const maxOptionValue = 150 // characters, by Slack

// ParseMenuValue splits the value of a menu's option into the name of what it starts
// and the session's id, and reports whether it is one of ours.
func ParseMenuValue(value string) (command, session string, ok bool) {
	command, session, _ = strings.Cut(value, ":")
	return command, session, slices.Contains(menuCommands, command) && store.IsSessionID(session)
}

// entry is an option of a menu, before it is known of which session.
type entry struct{ label, command string }

// menu is a session's menu. It is nil where the id is too long to be in an option, as
// no id of Stripe's is.
func menu(session string, entries ...entry) *slack.OverflowBlockElement {
	var options []*slack.OptionBlockObject
	for _, e := range entries {
		value := e.command + ":" + session
		if len(value) > maxOptionValue {
			return nil
		}
		options = append(options, slack.NewOptionBlockObject(value, slack.NewTextBlockObject(slack.PlainTextType, e.label, false, false), nil))
	}
	return slack.NewOverflowBlockElement(ActionMenu, options...)
}

// RestoreMenu is the menu of a session of which only the prompt can be restored, nil as
// that of menu.
func RestoreMenu(session string) *slack.OverflowBlockElement {
	return menu(session, entry{"Debug", "debug"}, entry{"Restore prompt…", CommandRestore})
}

// caseMenu is the menu of a session in an incident: the repairs that its last
// examination allowed, none while one is under way; nil as that of menu.
func caseMenu(c incident.Case, kind incident.Kind) *slack.OverflowBlockElement {
	var entries []entry
	option := func(label, command string) { entries = append(entries, entry{label, command}) }
	may := func(a store.Action) bool { return c.Repair == nil && slices.Contains(c.Allowed, a) }
	option("Debug", "debug")
	if may(store.ActionFix) && shows(c) { // it costs nothing
		option("Show the video…", "fix")
	}
	if may(store.ActionReplay) {
		option("Replay…", "replay")
	}
	if may(store.ActionGenerate) {
		option("Generate…", "generate")
	}
	if may(store.ActionRestore) && len(entries) == 1 { // without a prompt nothing else is possible
		option("Restore prompt…", CommandRestore)
	}
	if may(store.ActionFix) && !shows(c) {
		option("Mark as error…", "fix")
	}
	if kind != incident.Backlog { // whose sessions are not followed
		option("Handled", CommandDismiss)
	}
	return menu(c.ID, entries...)
}

// shows reports whether a fix would show a finished video.
func shows(c incident.Case) bool { return c.Shows && slices.Contains(c.Allowed, store.ActionFix) }

// HandledReply answers the person who marked a session as handled.
func HandledReply(session string) []slack.Block {
	line := blockkit.L(blockkit.Plain("Handled: "), blockkit.Code(humanize.ShortID(session)),
		blockkit.Plain(" leaves the alert. You are alerted about it again only if it has a different problem. The bot itself refunded nothing and sent nothing to the customer. → If the customer does not know yet, write to them; otherwise nothing to do."))
	return []slack.Block{blockkit.Paragraph(line), slack.NewActionBlock("", note.Button(note.ActionAlert, session))}
}

// HandledAlreadyReply answers a click that changed nothing: the session was handled
// (known), has left its alert (c), or is in none.
func HandledAlreadyReply(known *incident.Handled, c incident.Case, now time.Time) blockkit.Line {
	switch {
	case known != nil:
		return blockkit.L(blockkit.Plain("Already handled, "), humanize.AgoTime(known.At, now), blockkit.Plain(", by "), blockkit.User(known.By), blockkit.Plain("."))
	case c.ID != "" && c.Ending == incident.EndLate && webhookMissing(incident.Kind(c.Verdict)):
		return blockkit.L(blockkit.Plain("Nothing was changed: this session left the alert by itself "), humanize.AgoTime(c.Gone, now),
			blockkit.Plain(", since Stripe's event arrived late and the site is making the video. There is nothing to do."))
	case c.ID != "":
		return blockkit.L(blockkit.Plain("This session has already left the alert, "), humanize.AgoTime(c.Gone, now),
			blockkit.Plain(": "+endingText(incident.Kind(c.Verdict), c.Ending)+". Nothing was changed."))
	}
	return blockkit.PlainLine("This session is no longer in an alert, and nothing was changed. Choose Debug to see its state.")
}
