// Package audit keeps the audit trail.
package audit

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
)

// Event is the kind of an entry: what a person, or the bot, did.
type Event string

// The events.
const (
	Planned   Event = "planned"
	Pressed   Event = "pressed" // the first of the two presses that it takes
	Refused   Event = "refused"
	Cancelled Event = "cancelled"
	Claimed   Event = "claimed"
	Ended     Event = "outcome"
	Settled   Event = "settled"
	Handled   Event = "handled"  // elsewhere, so with no action of ours
	Noted     Event = "noted"    // why they decided so; Detail is what they wrote
	Informed  Event = "informed" // the customer, of how it ended

	// Of an approved bulk plan.
	Stopped Event = "stopped"
	Paused  Event = "paused" // by the bot itself
	Resumed Event = "resumed"
)

// Entry is one line of the audit trail. It holds no prompt and no e-mail.
type Entry struct {
	At      time.Time         `json:"at"`
	Who     store.Actor       `json:"who"`
	Where   string            `json:"where,omitempty"` // channel, or Terminal
	Event   Event             `json:"event"`
	Action  store.Action      `json:"action"`
	Session string            `json:"session"`
	Plan    string            `json:"plan,omitempty"`
	Detail  string            `json:"detail,omitempty"` // a sentence
	Before  map[string]string `json:"before,omitempty"` // digests by kind of key
	After   map[string]string `json:"after,omitempty"`
	Cents   int               `json:"cents,omitempty"` // estimated cost of what a repair that ended had requested
}

// Terminal is the Entry.Where of a terminal.
const Terminal = "terminal"

const (
	auditKey  = "sessionbot:audit"
	auditSize = 100_000              // entries kept at least
	auditLife = 400 * 24 * time.Hour // without a new entry
	auditPage = 500

	// oncePrefix begins the keys of RecordOnce, which lie in the trail's slot.
	oncePrefix = "sessionbot:recorded:{" + auditKey + "}:"
	onceLife   = 24 * time.Hour
)

// Trail is the audit trail: at least the last auditSize entries.
type Trail struct {
	Log   *slog.Logger // of each entry a line; nil = none
	state *rdb.Redis
}

// NewTrail returns the trail in the bot's own Redis.
func NewTrail(state *rdb.Redis) *Trail { return &Trail{state: state} }

// Record appends an entry.
func (t *Trail) Record(ctx context.Context, e Entry) error {
	client, err := t.state.Client(ctx)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("record in the audit trail: %w", err)
	}
	pipe := client.Pipeline()
	pipe.XAdd(ctx, &redis.XAddArgs{Stream: auditKey, MaxLen: auditSize, Approx: true,
		Values: []any{"session", e.Session, "entry", raw}})
	pipe.Expire(ctx, auditKey, auditLife)
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("record in the audit trail: %w", rdb.Classify(err))
	}
	t.log(ctx, e)
	return nil
}

// log logs an entry that was recorded, with the end of the session's id: the whole id
// opens the customer's page. Its detail may quote another service, and so a prompt.
func (t *Trail) log(ctx context.Context, e Entry) {
	if t.Log == nil {
		return
	}
	t.Log.LogAttrs(ctx, slog.LevelInfo, "decision recorded", slog.String("event", string(e.Event)), slog.String("action", string(e.Action)),
		slog.String("session_suffix", e.Session[max(0, len(e.Session)-8):]), slog.String("plan", e.Plan),
		slog.String("who", e.Who.ID), slog.String("where", e.Where))
}

// KEYS: trail, whether the entry is in it. ARGV: session, entry, entries kept, life of
// the trail and of the second key in ms.
var recordOnce = redis.NewScript(`
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', 'session', ARGV[1], 'entry', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('SET', KEYS[2], '', 'PX', ARGV[5])
return 1`)

// RecordOnce appends an entry unless one with its plan (or its session, where it has no
// plan), event and time was appended within a day: two processes that carry a job on in
// turn may both record it.
func (t *Trail) RecordOnce(ctx context.Context, e Entry) error {
	raw, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("record in the audit trail: %w", err)
	}
	key := oncePrefix + cmp.Or(e.Plan, e.Session) + ":" + string(e.Event) + ":" + strconv.FormatInt(e.At.UnixMilli(), 10)
	recorded, err := t.state.Run(ctx, recordOnce, []string{auditKey, key}, e.Session, raw, auditSize, auditLife.Milliseconds(), onceLife.Milliseconds()).Bool()
	if err != nil {
		return fmt.Errorf("record in the audit trail: %w", rdb.Classify(err))
	}
	if recorded {
		t.log(ctx, e)
	}
	return nil
}

// messages yields the stored entries since an id of the stream, newest first.
func (t *Trail) messages(ctx context.Context, since string) iter.Seq2[map[string]any, error] {
	return func(yield func(map[string]any, error) bool) {
		client, err := t.state.Client(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		for end := "+"; ; {
			page, err := client.XRevRangeN(ctx, auditKey, end, since, auditPage).Result()
			if err != nil {
				yield(nil, fmt.Errorf("read the audit trail: %w", rdb.Classify(err)))
				return
			}
			for _, message := range page {
				if !yield(message.Values, nil) {
					return
				}
			}
			if len(page) < auditPage {
				return
			}
			end = "(" + page[len(page)-1].ID
		}
	}
}

func parseEntry(values map[string]any) (e Entry, err error) {
	raw, _ := values["entry"].(string) // anything else is not JSON either
	if err := json.Unmarshal([]byte(raw), &e); err != nil {
		return e, fmt.Errorf("read the audit trail: %w", err)
	}
	return e, nil
}

// History returns the newest entries of a session, at most limit, in the order of their
// times: what is recorded late may have been decided earlier.
func (t *Trail) History(ctx context.Context, session string, limit int) ([]Entry, error) {
	var entries []Entry
	for values, err := range t.messages(ctx, "-") {
		if err != nil {
			return nil, err
		}
		if values["session"] != session {
			continue
		}
		e, err := parseEntry(values)
		if err != nil {
			return nil, err
		}
		if entries = append(entries, e); len(entries) == limit {
			break
		}
	}
	return inOrder(entries), nil
}

// Latest returns the newest entries of an event, newest first, at most limit. If others
// were recorded since in great number there may be fewer.
func (t *Trail) Latest(ctx context.Context, event Event, limit int) ([]Entry, error) {
	var entries []Entry
	n := 0
	for values, err := range t.messages(ctx, "-") {
		if err != nil {
			return nil, err
		}
		e, err := parseEntry(values)
		if err != nil {
			return nil, err
		}
		if e.Event == event {
			entries = append(entries, e)
		}
		if n++; len(entries) == limit || n == maxRecent {
			break
		}
	}
	return entries, nil
}

// maxRecent bounds how many entries are read for Latest, Repaired and Matching.
const maxRecent = 4 * auditPage

// Repaired returns the last repair of each session that repairs of ours wrote since
// then. If there are very many entries the oldest may be missing.
func (t *Trail) Repaired(ctx context.Context, since time.Time) (map[string]store.Action, error) {
	repaired, n := map[string]store.Action{}, 0
	for values, err := range t.messages(ctx, strconv.FormatInt(since.UnixMilli(), 10)) {
		if err != nil {
			return nil, err
		}
		e, err := parseEntry(values)
		if err != nil {
			return nil, err
		}
		if _, later := repaired[e.Session]; !later && e.Event == Claimed {
			repaired[e.Session] = e.Action
		}
		if n++; n == maxRecent {
			break
		}
	}
	return repaired, nil
}

// Matching returns the sessions of recent entries that a shortened id may mean.
func (t *Trail) Matching(ctx context.Context, short store.ShortID) ([]string, error) {
	var ids []string
	n := 0
	for values, err := range t.messages(ctx, "-") {
		if err != nil {
			return nil, err
		}
		if id, ok := values["session"].(string); ok && short.Matches(id) && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
		if n++; n == maxRecent {
			break
		}
	}
	return ids, nil
}
