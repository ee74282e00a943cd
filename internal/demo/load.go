package demo

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
)

// Load writes what Redis holds of the examples, each key with what is left of
// its thirty days.
func Load(ctx context.Context, rdb redis.UniversalClient, examples []Example) error {
	_, err := rdb.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, e := range examples {
			for key, v := range e.Redis {
				if v.Hash != nil {
					pipe.HSet(ctx, key, v.Hash)
					pipe.PExpire(ctx, key, store.KeyLife-v.Age)
				} else {
					pipe.Set(ctx, key, v.Text, store.KeyLife-v.Age)
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("load the examples: %w", err)
	}
	return nil
}

// Put puts the payments and files of the examples into the fakes.
func Put(stripe *Stripe, files *SuperDuper, examples []Example) {
	for _, e := range examples {
		if e.Payment != nil {
			stripe.Put(*e.Payment)
		}
		if e.FileID != "" {
			files.Put(e.FileID, e.File)
		}
	}
}
