package slackapi

import (
	"context"
	"sync"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
)

// refusedKinds are the newest kinds of blocks that this workspace refused, at most as many
// as there are. They are known until the process ends.
type refusedKinds struct{ known sync.Map }

func (r *refusedKinds) has(kind blockkit.Kind) bool {
	_, ok := r.known.Load(kind)
	return ok
}

// send sends blocks by a call. Of the newest kinds it leaves out those that the workspace
// refused before. Where Slack refuses the blocks, it posted nothing, and gets the classic
// ones; only if it takes these was it the newest kinds that it refused.
func (o *Outbox) send(ctx context.Context, blocks []slack.Block, call func([]slack.Block) error) error {
	blocks, _ = blockkit.Degrade(blocks, o.refused.has)
	refusal := call(blocks)
	if refusal == nil || !FaultOf(refusal).RefusesBlocks() {
		return refusal
	}
	classic, kinds := blockkit.Degrade(blocks, blockkit.AnyKind)
	if len(kinds) == 0 {
		return refusal
	}
	if err := call(classic); err != nil {
		return err
	}
	for _, kind := range kinds {
		if _, known := o.refused.known.LoadOrStore(kind, true); !known {
			o.Log.WarnContext(ctx, "kind of block refused by Slack, classic blocks from now on", "kind", string(kind), "error", FaultOf(refusal))
		}
	}
	return nil
}

// sendOrText is send, and the text alone (nil) where Slack refuses the classic blocks, too.
func (o *Outbox) sendOrText(ctx context.Context, blocks []slack.Block, call func([]slack.Block) error) error {
	err := o.send(ctx, blocks, call)
	if err != nil && FaultOf(err).RefusesBlocks() {
		o.Log.ErrorContext(ctx, "blocks refused by Slack, answered as text alone", "error", err)
		err = call(nil)
	}
	return err
}
