package commands

import (
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands/alert"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/incident"
)

// sum is the money of all sessions listed.
func (t Troubles) sum() (sum incident.Sum) {
	for _, s := range t.Sessions {
		sum.Add(incident.Case{Payment: s.Payment, Amount: s.Amount, Currency: s.Currency})
	}
	return sum
}

// paidText is the money, and of how many sessions it is known where that is not all.
func (t Troubles) paidText() string {
	money, known := humanize.Sums(t.sum().Money), 0
	for _, s := range t.Sessions {
		if s.Amount > 0 {
			known++
		}
	}
	if money == "" || known == len(t.Sessions) {
		return money
	}
	return money + " known to be paid (by " + humanize.Thousands(int64(known)) + " of them)"
}

// troubleRows are sessions in a message, one line each.
func troubleRows(sessions []Trouble, now time.Time) []slack.Block {
	var blocks []slack.Block
	for _, t := range sessions {
		parts := []string{humanize.Title(t.Verdict), t.paymentText(), "waiting " + t.waitingText(now), t.allowedText()}
		parts = slices.DeleteFunc(parts, func(text string) bool { return text == "" })
		text := strings.Join(parts, " · ")
		if !store.IsSessionID(t.ID) { // not a session's id, which cannot be debugged
			blocks = append(blocks, blockkit.Paragraph(blockkit.L(blockkit.Code(humanize.ShortID(t.ID)), blockkit.Plain(" · "+text))))
			continue
		}
		blocks = append(blocks, blockkit.Row("`"+humanize.ShortID(t.ID)+"` · "+blockkit.Escape(text), t.control()))
	}
	return blocks
}

// control is a button, or a menu where the session's prompt can be restored as well.
func (t Trouble) control() slack.BlockElement {
	if menu := alert.RestoreMenu(t.ID); menu != nil && slices.Contains(t.Allowed, store.ActionRestore) {
		return menu
	}
	return message.DebugButton("Debug", t.ID)
}

// troubleTable is sessions in a terminal, whose ids can be copied.
func troubleTable(sessions []Trouble, now time.Time) []slack.Block {
	if len(sessions) == 0 {
		return nil
	}
	rows := make([][]string, len(sessions))
	for i, t := range sessions {
		rows[i] = []string{t.waitingText(now), humanize.Title(t.Verdict), t.paymentText(), t.allowedText(), t.ID}
	}
	table, _ := blockkit.Table([]string{"Waiting", "Verdict", "Payment", "Possible", "Session"}, rows, true)
	return []slack.Block{table}
}

func (t Trouble) waitingText(now time.Time) string {
	if t.PaidAt.IsZero() {
		return "for an unknown time"
	}
	return humanize.Duration(now.Sub(t.PaidAt)) + " (since " + humanize.Clock(t.PaidAt, now) + ")"
}

// paymentText is the amount, or why there is none.
func (t Trouble) paymentText() string {
	switch {
	case t.Payment == store.PaymentNotRequired:
		return "no payment due"
	case t.Payment == store.PaymentUnverified:
		return "payment unverified"
	case t.Payment == store.PaymentPartiallyRefunded:
		return humanize.Money(t.Amount, t.Currency) + ", partially refunded"
	case t.Currency != "":
		return humanize.Money(t.Amount, t.Currency)
	}
	return ""
}

// allowedText names the repairs that are possible, the cheapest first.
func (t Trouble) allowedText() string {
	var parts []string
	if t.Shows {
		parts = append(parts, "show the video")
	}
	for _, action := range []store.Action{store.ActionReplay, store.ActionGenerate, store.ActionRestore} {
		if slices.Contains(t.Allowed, action) {
			parts = append(parts, string(action))
		}
	}
	if slices.Contains(t.Allowed, store.ActionFix) && !t.Shows {
		parts = append(parts, "mark as error")
	}
	if parts == nil {
		return "no repair (Debug says why)"
	}
	return strings.Join(parts, ", ")
}
