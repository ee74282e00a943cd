package commands

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/store/repair"
)

// parseDetails parses the value of the button.
func (d Deps) parseDetails(value string) Run {
	return func(ctx context.Context, req Request) (Answer, error) {
		id, place, _ := strings.Cut(value, ".")
		plan, err := d.Repairs.Plan(ctx, id)
		if err == nil && !plan.IsBulk() {
			err = repair.ErrUnknownPlan
		}
		if errors.Is(err, repair.ErrUnknownPlan) {
			return Answer{}, refuse("This plan is gone: it is too old. Nothing was changed. Run the command again.")
		}
		if err != nil {
			return Answer{}, err
		}
		first, _ := strconv.Atoi(place) // "" = the first page
		blocks, actions := message.BulkDetails(plan.Plan, first)
		return Answer{Blocks: blocks, Actions: actions}, nil
	}
}
