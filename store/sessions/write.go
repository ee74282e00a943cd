package sessions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
)

// Why a key was not written.
var (
	ErrChanged   = errors.New("the value was changed by somebody else") // since it was read
	ErrOtherType = errors.New("the key is of another Redis type than string")
	ErrTooLarge  = errors.New("the value is larger than 32 MiB")
)

// Writer writes the product's keys. It saves unreadable values in State first.
type Writer struct{ Product, State *rdb.Redis }

// Write changes one key, if it still holds the value whose digest is expected ("" = the
// key is missing), and sets its TTL to KeyLife. It returns the digest of the new value.
//
// It returns ErrChanged, ErrOtherType, ErrTooLarge or an error of package rdb. After
// rdb.ErrNoAnswer the outcome is unknown; calling again with the same arguments is
// safe: a value that is already as it should be counts as written.
func (w Writer) Write(ctx context.Context, kw KeyWrite, expect string) (string, error) {
	after, err := w.attempt(ctx, kw, expect)
	if errors.Is(err, rdb.ErrNoAnswer) && ctx.Err() == nil {
		// The answer may have been lost on its way back: read the value again.
		after, err = w.attempt(ctx, kw, expect)
	}
	if err != nil {
		return "", fmt.Errorf("write a session's %s key: %w", kw.Kind, err)
	}
	return after, nil
}

func (w Writer) attempt(ctx context.Context, kw KeyWrite, expect string) (string, error) {
	client, err := w.Product.Client(ctx)
	if err != nil {
		return "", err
	}
	var after string
	err = client.Watch(ctx, func(tx *redis.Tx) error {
		raw, exists, err := readCurrent(ctx, tx, kw.Key())
		if err != nil {
			return err
		}
		next, unreadable, err := kw.apply(raw, exists)
		if err != nil {
			return err
		}
		after = store.Digest(next)
		switch {
		case exists && store.Digest(raw) == after:
			return nil // an earlier attempt did it, and its answer was lost
		case exists && store.Digest(raw) != expect, !exists && expect != "":
			return ErrChanged
		}
		if unreadable {
			if err := w.saveCorrupt(ctx, kw, raw); err != nil {
				return err
			}
		}
		return setWatched(ctx, tx, kw.Key(), next)
	}, kw.Key())
	switch {
	case errors.Is(err, redis.TxFailedErr):
		return "", ErrChanged
	case redis.HasErrorPrefix(err, "WRONGTYPE"):
		return "", ErrOtherType
	case errors.Is(err, ErrChanged), errors.Is(err, ErrTooLarge):
		return "", err
	}
	return after, rdb.Classify(err)
}

// readCurrent reads the watched key.
func readCurrent(ctx context.Context, tx *redis.Tx, key string) (raw []byte, exists bool, err error) {
	size, err := tx.StrLen(ctx, key).Result()
	if err != nil {
		return nil, false, err
	}
	if size > rdb.MaxValue {
		return nil, false, ErrTooLarge
	}
	raw, err = tx.Get(ctx, key).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, false, nil
	}
	return raw, err == nil, err
}

// apply returns the new value, and whether the old one cannot be read and has to be
// saved before. What is no object is replaced by a new one.
func (w KeyWrite) apply(raw []byte, exists bool) (next []byte, unreadable bool, err error) {
	set := make([]Member, 0, len(w.Changes))
	for _, c := range w.Changes {
		member := Member{Name: c.Name}
		if c.After != nil && c.Number {
			member.Value = json.RawMessage(*c.After)
		} else if c.After != nil {
			if member.Value, err = json.Marshal(*c.After); err != nil {
				return nil, false, err
			}
		}
		set = append(set, member)
	}
	if !exists {
		raw = []byte("{}")
	}
	_, _, fault := store.ParseValue(raw)
	if fault.Replaceable() {
		raw = []byte("{}")
	}
	next, err = Patch(raw, set)
	return next, fault != "", err
}

// savedPrefix is the prefix of values that could not be read.
const savedPrefix = "sessionbot:saved:"

// saveCorrupt saves a value that cannot be read, before it is overwritten.
func (w Writer) saveCorrupt(ctx context.Context, kw KeyWrite, raw []byte) error {
	client, err := w.State.Client(ctx)
	if err != nil {
		return err
	}
	key := savedPrefix + kw.Key() + ":" + store.Digest(raw)
	if err := client.Set(ctx, key, raw, store.KeyLife).Err(); err != nil {
		return fmt.Errorf("save what cannot be read: %w", rdb.Classify(err))
	}
	return nil
}
