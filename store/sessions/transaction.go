package sessions

import (
	"cmp"
	"context"
	"errors"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
)

// setWatched sets a key on a connection that watches it. Every step is awaited: a
// Redis that refuses MULTI, such as by rename-command, would carry out a SET that was
// sent along with it.
func setWatched(ctx context.Context, tx *redis.Tx, key string, value []byte) error {
	if err := tx.Process(ctx, redis.NewStatusCmd(ctx, "multi")); err != nil {
		return err
	}
	refused := tx.Process(ctx, redis.NewStatusCmd(ctx, "set", key, value, "px", store.KeyLife.Milliseconds()))
	if refused != nil && !answered(refused) {
		return refused
	}
	exec := redis.NewSliceCmd(ctx, "exec")
	err := tx.Process(ctx, exec) // ends the transaction also where SET was refused
	switch {
	case answered(err) && !redis.IsExecAbortError(err) && !errors.Is(err, redis.Nil):
		// The connection is still in the transaction. The library closes one that gives
		// an answer of another type than expected, here QUEUED.
		_ = tx.Process(ctx, redis.NewIntCmd(ctx, "ping")) // fails on purpose
		return cmp.Or(refused, err)
	case refused != nil:
		return refused
	case errors.Is(err, redis.Nil): // another client wrote the key
		return redis.TxFailedErr
	case err != nil:
		return err
	}
	for _, answer := range exec.Val() {
		if refused, ok := answer.(error); ok {
			return refused
		}
	}
	return nil
}

// answered reports whether an error is Redis' own.
func answered(err error) bool {
	var own redis.Error
	return errors.As(err, &own)
}
