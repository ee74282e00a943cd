package commands

import (
	"context"
	"fmt"
	"strings"

	"github.com/superduperai/sessionbot/commands/note"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store/audit"
)

// historyLimit is how many entries of the audit trail one answer shows.
const historyLimit = 30

func (d Deps) history() Command {
	return Command{Group: "session", Name: "history", Args: "<id>",
		Summary: "what was repaired, by whom and when", Parse: forSession(d.runHistory)}
}

func (d Deps) runHistory(ctx context.Context, _ Request, id string) (Answer, error) {
	entries, err := d.Trail.History(ctx, id, historyLimit+1)
	if err != nil {
		return Answer{}, err
	}
	head := fmt.Sprintf("%d entries", len(entries))
	switch {
	case len(entries) == 0:
		head = "No history"
	case len(entries) == 1:
		head = "1 entry"
	case len(entries) > historyLimit:
		entries = entries[len(entries)-historyLimit:]
		head = fmt.Sprintf("The newest %d entries", historyLimit)
	}
	order := ""
	if len(entries) > 1 {
		order = ", oldest first"
	}
	lines := []blockkit.Line{blockkit.L(blockkit.Bold(head+" for "), blockkit.Code(id), blockkit.Plain(order))}
	for _, e := range entries {
		lines = append(lines, entryLine(e, humanize.SecondsTime(e.At, d.Now())))
	}
	if entries == nil {
		entries = []audit.Entry{} // [] in JSON
	}
	return Answer{Session: id, Blocks: blockkit.Message(lines...), JSON: map[string]any{"entries": entries}}, nil
}

var eventTexts = map[audit.Event]string{
	audit.Planned: "planned", audit.Pressed: "pressed once", audit.Refused: "refused", audit.Cancelled: "cancelled",
	audit.Claimed: "approved", audit.Ended: "ended", audit.Settled: "settled", audit.Handled: "handled elsewhere",
	audit.Stopped: "stopped", audit.Paused: "paused", audit.Resumed: "resumed", audit.Noted: "noted", audit.Informed: "customer informed",
}

func entryLine(e audit.Entry, at blockkit.Span) blockkit.Line {
	what := eventTexts[e.Event]
	if e.Action != "" { // what was handled elsewhere is not a repair of ours
		what += ": " + blockkit.OneLine(string(e.Action))
	}
	by := ", by "
	if e.Event == audit.Ended { // by itself
		by = ", approved by "
	}
	line := blockkit.L(at, blockkit.Plain("  "+what+by), humanize.Person(e.Who))
	switch {
	case e.Where == "" || e.Where == audit.Terminal: // person says so
	case strings.HasPrefix(e.Where, "D"):
		line = append(line, blockkit.Plain(" in a direct message"))
	default:
		line = append(line, blockkit.Plain(" in "), blockkit.Channel(e.Where))
	}
	switch {
	case e.Detail == "":
	case e.Event == audit.Noted:
		line = append(line, note.Spans(e.Detail)...)
	case e.Event == audit.Informed:
		line = append(line, blockkit.Plain(" (it was "+blockkit.OneLine(humanize.Words(e.Detail))+")"))
	default:
		line = append(line, blockkit.Plain(" · "+blockkit.OneLine(humanize.Words(e.Detail))))
	}
	return line
}
