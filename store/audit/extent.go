package audit

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store/rdb"
)

// maxSkew is how much earlier than it happened, by Redis' clock, an entry may be recorded.
const maxSkew = time.Hour

// Since returns the entries since a time, zero = all, in the order of their times.
func (t *Trail) Since(ctx context.Context, since time.Time) ([]Entry, error) {
	from := "-"
	if !since.IsZero() {
		from = strconv.FormatInt(max(since.Add(-maxSkew).UnixMilli(), 0), 10)
	}
	var entries []Entry
	for values, err := range t.messages(ctx, from) {
		if err != nil {
			return nil, err
		}
		e, err := parseEntry(values)
		if err != nil {
			return nil, err
		}
		if !e.At.Before(since) {
			entries = append(entries, e)
		}
	}
	return inOrder(entries), nil
}

// inOrder orders entries, given the last recorded first, by their times.
func inOrder(entries []Entry) []Entry {
	slices.Reverse(entries)
	slices.SortStableFunc(entries, func(a, b Entry) int { return a.At.Compare(b.At) })
	return entries
}

// Extent says how far back the trail goes.
type Extent struct {
	Entries int64
	Oldest  time.Time // when the oldest entry was recorded: what was dropped is older; zero = there is none
	Dropped *int64    // entries that made room for later ones; nil = Redis does not count them (before version 7)
}

// Extent returns how much of the trail is kept, and how much was dropped.
func (t *Trail) Extent(ctx context.Context) (Extent, error) {
	client, err := t.state.Client(ctx)
	if err != nil {
		return Extent{}, err
	}
	info, err := client.XInfoStream(ctx, auditKey).Result()
	switch {
	case redis.HasErrorPrefix(err, "no such key"):
		return Extent{Dropped: new(int64)}, nil
	case err != nil:
		return Extent{}, fmt.Errorf("read how much the audit trail holds: %w", rdb.Classify(err))
	}
	x := Extent{Entries: info.Length}
	if ms, _, ok := strings.Cut(info.FirstEntry.ID, "-"); ok {
		if at, err := strconv.ParseInt(ms, 10, 64); err == nil {
			x.Oldest = time.UnixMilli(at).UTC()
		}
	}
	if info.EntriesAdded > 0 || info.Length < auditSize {
		x.Dropped = new(max(info.EntriesAdded-info.Length, 0))
	}
	return x, nil
}
