package commands

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"
	"golang.org/x/sync/errgroup"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
)

// findLimit is how many sessions one answer shows.
const findLimit = 10

// findFor is how long Stripe may take to find them.
const findFor = 4 * time.Second

func (d Deps) find() Command {
	return Command{Group: "session", Name: "find", Args: "<e-mail|pi_…>",
		Summary: "a customer's sessions, by e-mail or payment", Parse: d.parseFind}
}

func (d Deps) parseFind(args Args) (Run, error) {
	if err := args.noLimit(); err != nil {
		return nil, err
	}
	query, err := customer(joined(args))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, req Request) (Answer, error) {
		finding, cancel := context.WithTimeout(ctx, findFor)
		defer cancel()
		found, more, err := d.Finder.Find(finding, query, findLimit)
		if err != nil {
			return Answer{}, fmt.Errorf("find: %w", err)
		}
		asked := query
		if req.Shared {
			asked = "this customer"
		}
		return findAnswer(asked, d.examineAll(ctx, found), more), nil
	}, nil
}

func (d Deps) examineAll(ctx context.Context, payments []store.Payment) []store.Examination {
	examinations := make([]store.Examination, len(payments))
	var group errgroup.Group
	group.SetLimit(5)
	for i, payment := range payments {
		group.Go(func() error {
			examinations[i] = d.Sessions.ExaminePaid(ctx, payment)
			return nil
		})
	}
	_ = group.Wait() // an examination tells its own faults
	return examinations
}

// findAnswer names whom it was asked about, so that nobody takes one customer's
// sessions for another's.
func findAnswer(query string, found []store.Examination, more bool) Answer {
	head := "No checkout session of " + query + " at Stripe."
	next := "Check the spelling: Stripe compares the whole address as it was typed at the checkout."
	if strings.HasPrefix(query, "pi_") {
		next = "Look the payment up in Stripe: it may belong to another account or mode."
	}
	if len(found) > 0 {
		head = count(len(found), "session") + " of " + query + ", newest first."
		next = "Press Debug to see what happened and what to do."
	}
	if more {
		head = "The newest " + count(len(found), "session") + " of " + query + "."
	}
	blocks := []slack.Block{blockkit.Paragraph(blockkit.L(blockkit.Bold(head)), blockkit.L(blockkit.Plain("→ "+next)))}
	reports := []debugReport{}
	for _, x := range found {
		blocks = append(blocks, blockkit.Row(foundText(x), blockkit.Button("session.debug", "Debug", x.Session.ID)))
		reports = append(reports, debugJSON(x))
	}
	if more {
		blocks = append(blocks, blockkit.Context("There are older ones: look them up in Stripe."))
	}
	return Answer{Blocks: blocks, JSON: map[string]any{"query": query, "sessions": reports, "more": more}, Shareable: len(found) > 0}
}

func foundText(x store.Examination) string {
	return fmt.Sprintf("*%s* · %s\n%s\n`%s`", title(x.Verdict),
		blockkit.Escape(paymentText(x.Payment, x.PaidAt, x.At)), blockkit.Escape(strings.TrimSuffix(x.Reason, ".")), x.Session.ID)
}
