package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
)

const (
	wholeTimeout = 4 * time.Second // to look through all sessions
	maxNamed     = 5               // sessions of which one has to be chosen
)

// Matcher knows sessions, and finds those that a shortened id may mean.
type Matcher interface {
	Matching(ctx context.Context, short store.ShortID) ([]string, error)
}

// wholeID returns the one session that a shortened id means. All matchers are queried:
// with only one of them the result would be a guess.
func (d Deps) wholeID(ctx context.Context, short store.ShortID) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, wholeTimeout)
	defer cancel()
	var ids []string
	for _, m := range d.Matchers {
		found, err := m.Matching(ctx, short)
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return "", notWhole{"There was no time to search all sessions for " + short.Text() + ".", nil}
		}
		if err != nil {
			return "", fmt.Errorf("look for a shortened id: %w", err)
		}
		ids = append(ids, found...)
	}
	slices.Sort(ids)
	switch ids = slices.Compact(ids); {
	case len(ids) == 1:
		return ids[0], nil
	case len(ids) == 0:
		return "", notWhole{"No session is known with the short id " + short.Text() + ".", nil}
	case len(ids) > maxNamed:
		return "", notWhole{fmt.Sprintf("More than %d sessions have the short id %s.", maxNamed, short.Text()), nil}
	}
	return "", notWhole{fmt.Sprintf("%d sessions have the short id %s.", len(ids), short.Text()), ids}
}

// notWhole says why a shortened id means no one session.
type notWhole struct {
	why string
	ids []string // that it may mean, if they are few
}

func (e notWhole) Error() string { return e.why }

// mentioned is the session that the arguments name, be it in short; "" = none.
func mentioned(args Args) string {
	id, err := store.FindID(args.text())
	if short, ok := errors.AsType[store.ShortID](err); ok {
		return short.Text()
	}
	return id
}

func (e notWhole) answer() Answer {
	next := "Paste the whole id from Stripe or the customer's link, or search for the customer: /session find <e-mail>."
	if len(e.ids) > 0 {
		next = "Paste the whole id of the one that you mean:"
	}
	lines := message.Headline(e.why, next)
	for _, id := range e.ids {
		lines = append(lines, blockkit.L(blockkit.Code(id)))
	}
	return Answer{Outcome: Usage, Blocks: blockkit.Message(lines...)}
}
