package commands

import (
	"context"
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
)

// historyLimit is how many entries of the audit trail one answer shows.
const historyLimit = 30

func (d Deps) history() Command {
	return Command{Group: "session", Name: "history", Args: "<id>", Summary: "what was repaired, by whom and when",
		Parse: func(args Args) (Run, error) {
			id, err := sessionID(args)
			if err != nil {
				return nil, err
			}
			return func(ctx context.Context, _ Request) (Answer, error) { return d.historyAnswer(ctx, id) }, nil
		}}
}

func (d Deps) historyAnswer(ctx context.Context, id string) (Answer, error) {
	entries, err := d.Ledger.History(ctx, id, historyLimit+1)
	if err != nil {
		return Answer{}, err
	}
	head := fmt.Sprintf("%d entries", len(entries))
	switch {
	case len(entries) == 1:
		head = "1 entry"
	case len(entries) > historyLimit:
		entries = entries[:historyLimit]
		head = fmt.Sprintf("The newest %d entries", historyLimit)
	}
	lines := []blockkit.Line{blockkit.L(blockkit.Bold(head+" on record for "), blockkit.Code(id))}
	for _, e := range entries {
		line := append(blockkit.L(blockkit.Plain(clockSeconds(e.At, d.Now())+"  "+auditText(e)+" by "), person(e.Who)), whereText(e)...)
		if e.Detail != "" {
			line = append(line, blockkit.Plain(" · "+blockkit.OneLine(words(e.Detail))))
		}
		lines = append(lines, line)
	}
	if entries == nil {
		entries = []store.Entry{}
	}
	return Answer{Session: id, Blocks: []slack.Block{blockkit.Paragraph(lines...)}, JSON: map[string]any{"entries": entries}}, nil
}

func auditText(e store.Entry) string {
	what := map[store.AuditEvent]string{
		store.AuditPlanned: "planned", store.AuditPressed: "pressed once", store.AuditRefused: "refused", store.AuditCancelled: "cancelled",
		store.AuditClaimed: "approved", store.AuditOutcome: "ended", store.AuditSettled: "settled",
	}[e.Event]
	return what + ": " + string(e.Action) + ","
}

// whereText names the place; a person in a terminal is called so already.
func whereText(e store.Entry) blockkit.Line {
	switch {
	case e.Where == "" || e.Where == store.Terminal:
		return nil
	case strings.HasPrefix(e.Where, "D"):
		return blockkit.L(blockkit.Plain(" in a direct message"))
	}
	return blockkit.L(blockkit.Plain(" in "), blockkit.Channel(e.Where))
}
