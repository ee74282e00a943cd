package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/follow"
	"github.com/superduperai/sessionbot/store/rdb"
)

// BeingMade is an order whose video starts when it is loaded into the fakes.
func BeingMade(now time.Time) Example {
	s := story{
		now: now, number: 301, mode: "live", title: "paid, and the video is being made", email: customers[2], prompt: prompts[2], tool: tools[0],
		payment: paid, age: 2 * time.Minute, status: store.StatusProcessing, since: time.Minute, verdict: diagnosis.VerdictProcessing,
	}
	return s.oneKey()
}

// Asked records that the order was asked about in the thread of a message, and that a
// customer of yesterday's was not informed yet.
func Asked(ctx context.Context, state *rdb.Redis, order Example, in store.Message, now time.Time) error {
	records, yesterday := follow.NewStore(state), now.Add(-24*time.Hour)
	err := records.Follow(ctx, order.ID, follow.Thread{Message: in, By: "U0SUPPORT", At: now})
	if err == nil {
		err = records.Follow(ctx, Ordinary(now, 4)[3].ID, follow.Thread{Message: in, By: "U0SUPPORT", At: yesterday,
			Answer: &follow.Answer{End: follow.Ready, Kind: store.KindVideo, Claimed: yesterday, Posted: yesterday}})
	}
	if err != nil {
		return fmt.Errorf("record who asked: %w", err)
	}
	return nil
}
