package commands

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

const (
	findLimit   = 10              // sessions in one answer
	findTimeout = 4 * time.Second // of the search at Stripe
)

func (d Deps) find() Command {
	return Command{Group: "session", Name: "find", Args: "<e-mail|pi_…>", Action: ActionFind,
		Summary: "a customer's sessions, by e-mail or payment", Parse: d.parseFind}
}

func (d Deps) parseFind(args Args) (Run, error) {
	if err := args.noOptions(); err != nil {
		return nil, err
	}
	query, err := customer(args.text())
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, req Request) (Answer, error) {
		searchCtx, cancel := context.WithTimeout(ctx, findTimeout)
		defer cancel()
		found, more, err := d.Finder.Find(searchCtx, query, findLimit)
		if err != nil {
			return Answer{}, fmt.Errorf("find: %w", err)
		}
		examined := make([]diagnosis.Examination, len(found))
		var group errgroup.Group
		group.SetLimit(5)
		for i, payment := range found {
			group.Go(func() error {
				examined[i] = d.Sessions.ExaminePaid(ctx, payment)
				return nil
			})
		}
		_ = group.Wait() // an examination holds its own errors
		if req.Shared {
			return findAnswer("this customer", examined, more, req.Terminal), nil
		}
		return findAnswer(query, examined, more, req.Terminal), nil
	}, nil
}

// findAnswer names the customer, so that one's sessions are not taken for
// another's.
func findAnswer(customer string, found []diagnosis.Examination, more, terminal bool) Answer {
	head := "No checkout session of " + customer + " at Stripe."
	next := "Check the spelling: the address must match what was typed at the checkout exactly. Otherwise ask the customer for the link of their order, or search in Stripe's dashboard."
	if strings.HasPrefix(customer, "pi_") {
		next = "Check the payment in Stripe: it may belong to another account or mode (live or test)."
	}
	if len(found) > 0 {
		head = humanize.Count(len(found), "session") + " of " + customer + ", newest first."
		next = "Press Debug to see what happened and what to do."
		if terminal {
			next = "Type /session debug <id> to see what happened and what to do."
		}
	}
	if more {
		head = "The newest " + humanize.Count(len(found), "session") + " of " + customer + "."
	}
	blocks := blockkit.Message(message.Headline(head, next)...)
	reports := []debugReport{}
	for _, x := range found {
		text := fmt.Sprintf("*%s* · %s\n%s\n`%s`", humanize.Title(x.Verdict),
			blockkit.Mrkdwn(message.PaymentLine(x.Payment, x.PaidAt, x.At)), blockkit.Escape(strings.TrimSuffix(x.Reason, ".")), x.Session.ID)
		blocks = append(blocks, blockkit.Row(text, message.DebugButton("Debug", x.Session.ID)))
		reports = append(reports, debugJSON(x))
	}
	if more {
		blocks = append(blocks, blockkit.Context("There are older ones: find them in Stripe."))
	}
	return Answer{Blocks: blocks, JSON: map[string]any{"query": customer, "sessions": reports, "more": more}, Shareable: len(found) > 0}
}
