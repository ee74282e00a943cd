package commands

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// ActionDetails shows all sessions of a bulk plan, page by page. Its value is the plan's
// id, followed by a dot and the number of the page's first session on later pages.
const ActionDetails = "confirm.details"

// parseDetails parses the value of the button.
func (d Deps) parseDetails(value string) Run {
	return func(ctx context.Context, req Request) (Answer, error) {
		id, place, _ := strings.Cut(value, ".")
		plan, err := d.Repairs.Plan(ctx, id)
		if err == nil && !plan.IsBulk() {
			err = repair.ErrUnknownPlan
		}
		if errors.Is(err, repair.ErrUnknownPlan) {
			return Answer{}, refuse("This plan is gone. Nothing was changed. Run the command again.")
		}
		if err != nil {
			return Answer{}, err
		}
		all := len(plan.Items) + len(plan.LeftOut)
		first, _ := strconv.Atoi(place) // "" = the first page
		if first < 0 || first >= all {
			first = 0
		}
		last := min(first+listPage, all)
		blocks := append(blockkit.Message(detailsHead(plan.Plan)...), detailsRows(plan.Plan, first, last)...)
		note := fmt.Sprintf("%d–%d of %s · as of the plan", first+1, last, thousands(int64(all)))
		return Answer{Blocks: append(blocks, blockkit.Context(note)), Actions: detailsActions(id, first, last, all)}, nil
	}
}

// detailsHead is how many sessions the plan repairs and leaves out, and those that it
// does not name.
func detailsHead(p repair.Plan) []blockkit.Line {
	lines := []blockkit.Line{blockkit.BoldLine(strings.TrimSuffix(bulkPlanText(p), ".") + ".")}
	if n := len(p.LeftOut) + p.Others; n > 0 {
		lines = append(lines, blockkit.PlainLine(count(n, "session")+" left out."))
	}
	if p.Others > 0 {
		lines = append(lines, blockkit.PlainLine(fmt.Sprintf("%s of them are not named here, since %s cannot repair them: /session list has them.", thousands(int64(p.Others)), p.Action)))
	}
	if p.Rest > 0 {
		lines = append(lines, beyondLimit(p.Rest))
	}
	return lines
}

// detailsRows are sessions of the plan, those that it repairs first.
func detailsRows(p repair.Plan, first, last int) (rows []slack.Block) {
	words := leftOutWords(p, "")
	for i := first; i < last; i++ {
		id, line := "", blockkit.Line(nil)
		if i < len(p.Items) {
			id, line = p.Items[i].Session, itemLine(p.Items[i])
		} else {
			l := p.LeftOut[i-len(p.Items)]
			id, line = l.Session, blockkit.L(blockkit.Code(shortID(l.Session)), blockkit.Plain(" · left out: "+words.Replace(leftOutOne[l.Reason])))
			if !l.PaidAt.IsZero() {
				line = append(line, blockkit.Plain(" · waiting "+span(p.Created.Sub(l.PaidAt))))
			}
		}
		if !store.IsSessionID(id) { // of Stripe's, and nobody can debug it
			rows = append(rows, blockkit.Paragraph(line))
			continue
		}
		rows = append(rows, blockkit.Row(blockkit.Mrkdwn(line), debugButton("Debug", id)))
	}
	return rows
}

// detailsActions lead to the next page, or from the last one back to the first.
func detailsActions(id string, first, last, all int) []slack.BlockElement {
	switch {
	case last < all:
		return []slack.BlockElement{blockkit.Button(ActionDetails, fmt.Sprintf("Show the next %d", min(all-last, listPage)), id+"."+strconv.Itoa(last))}
	case first > 0:
		return []slack.BlockElement{blockkit.Button(ActionDetails, "Back to the first", id)}
	}
	return nil
}

// hasDetails reports whether the plan has sessions that its message does not name.
func hasDetails(p repair.Plan) bool {
	for _, n := range p.CountLeftOut() {
		if n > leftOutNamed {
			return true
		}
	}
	return len(p.Items) > bulkShown
}
