package message

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// ActionDetails shows all sessions of a bulk plan, page by page. Its value is the plan's
// id, followed by a dot and the number of the page's first session on later pages.
const ActionDetails = "confirm.details"

const detailsPage = 20 // sessions in one message

// BulkDetails shows a page of the sessions of a bulk plan, and the buttons that lead to
// the next one; first is the number of the page's first session.
func BulkDetails(p repair.Plan, first int) ([]slack.Block, []slack.BlockElement) {
	all := len(p.Items) + len(p.LeftOut)
	if first < 0 || first >= all {
		first = 0
	}
	last := min(first+detailsPage, all)
	blocks := append(blockkit.Message(detailsHead(p)...), detailsRows(p, first, last)...)
	note := fmt.Sprintf("%d–%d of %s · as of the plan", first+1, last, humanize.Thousands(int64(all)))
	return append(blocks, blockkit.Context(note)), detailsActions(p.ID, first, last, all)
}

// detailsHead is how many sessions the plan repairs and leaves out, and those that it
// does not name.
func detailsHead(p repair.Plan) []blockkit.Line {
	lines := []blockkit.Line{blockkit.BoldLine(strings.TrimSuffix(bulkPlanText(p), ".") + ".")}
	if n := len(p.LeftOut) + p.Others; n > 0 {
		lines = append(lines, blockkit.PlainLine(humanize.Count(n, "session")+" left out."))
	}
	if p.Others > 0 {
		lines = append(lines, blockkit.PlainLine(fmt.Sprintf("%s of them are not named here, since %s cannot repair them: /session list has them.", humanize.Thousands(int64(p.Others)), p.Action)))
	}
	if p.Rest > 0 {
		lines = append(lines, beyondLimit(p.Rest))
	}
	return lines
}

// detailsRows are sessions of the plan, those that it repairs first.
func detailsRows(p repair.Plan, first, last int) (rows []slack.Block) {
	for i := first; i < last; i++ {
		id, line := "", blockkit.Line(nil)
		if i < len(p.Items) {
			id, line = p.Items[i].Session, itemLine(p.Items[i])
		} else {
			l := p.LeftOut[i-len(p.Items)]
			id, line = l.Session, blockkit.L(blockkit.Code(humanize.ShortID(l.Session)), blockkit.Plain(" · left out: "+leftOutText(p, l.Reason)))
			if !l.PaidAt.IsZero() {
				line = append(line, blockkit.Plain(" · waiting "+humanize.Duration(p.Created.Sub(l.PaidAt))))
			}
		}
		if !store.IsSessionID(id) { // not a session's id, which cannot be debugged
			rows = append(rows, blockkit.Paragraph(line))
			continue
		}
		rows = append(rows, blockkit.Row(blockkit.Mrkdwn(line), DebugButton("Debug", id)))
	}
	return rows
}

// detailsActions lead to the next page, or from the last one back to the first.
func detailsActions(id string, first, last, all int) []slack.BlockElement {
	switch {
	case last < all:
		return []slack.BlockElement{blockkit.Button(ActionDetails, fmt.Sprintf("Show the next %d", min(all-last, detailsPage)), id+"."+strconv.Itoa(last))}
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
