package message

import (
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store/follow"
)

// ActionInformed says that the customer of a session was informed.
const ActionInformed = "customer.informed"

// EndText says how a session ended for its customer.
func EndText(a follow.Answer) string {
	switch a.End {
	case follow.Ready:
		return humanize.UpperFirst(humanize.WithNoun(a.Kind, "{video} ready"))
	case follow.Refunded:
		return "Refunded in full"
	}
	return "Handled elsewhere"
}

// ThreadAnswer says how a session ended, for the thread in which it was asked about, with the
// sentence for the customer. informed is who informed them, nil = no one.
func ThreadAnswer(session string, t follow.Thread, informed *follow.Informed, siteURL string, now time.Time) []slack.Block {
	a := *t.Answer
	head := blockkit.L(blockkit.Bold(EndText(a)+": "), blockkit.Code(humanize.ShortID(session)))
	if a.HandledBy != "" {
		head = append(head, blockkit.Plain(", by "), blockkit.User(a.HandledBy))
	}
	asked := blockkit.L(blockkit.User(t.By), blockkit.Plain(" asked about it "), humanize.AgoTime(t.At, now), blockkit.Plain("."))
	switch {
	case informed != nil:
	case a.HandledBy != "":
		asked = append(asked, blockkit.Plain(" → Ask "), blockkit.User(a.HandledBy), blockkit.Plain(" what was done, add it to the text below (a refund, a video), send it, then press Customer informed. If nothing was done, send nothing, and press Debug."))
	default:
		asked = append(asked, blockkit.Plain(" → Send the customer this text, then press Customer informed."))
	}
	blocks := []slack.Block{
		blockkit.Paragraph(head, asked),
		blockkit.Paragraph(blockkit.BoldLine("For the customer")),
		blockkit.Quote(site(siteURL).endSentence(a)),
	}
	buttons := []slack.BlockElement{blockkit.Button(ActionInformed, "✓ Customer informed", session), DebugButton("Debug", session)}
	if informed != nil {
		line := blockkit.L(blockkit.Plain("✓ Customer informed by "), blockkit.User(informed.By), blockkit.Plain(" "), humanize.ClockTime(informed.At, now))
		blocks, buttons = append(blocks, blockkit.Context(blockkit.Mrkdwn(line))), buttons[1:]
	}
	return append(blocks, slack.NewActionBlock("", buttons...))
}

// endSentence is what support can send to the customer as it is.
func (s site) endSentence(a follow.Answer) string {
	switch a.End {
	case follow.Ready:
		return s.readySentence(a.Kind, a.File)
	case follow.Refunded:
		return refundSentence
	}
	return "We have taken care of your order. Please write to us if anything is still missing."
}

// InformedReply answers a click whose result the message may not show.
func InformedReply(by follow.Informed, now time.Time) blockkit.Line {
	return blockkit.L(blockkit.Plain("Nothing to do: the customer was informed by "), blockkit.User(by.By), blockkit.Plain(" "), humanize.AgoTime(by.At, now), blockkit.Plain("."))
}
