// Package audit is the trail of who did what.
package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
)

// Event is what happened.
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
}

// Terminal is where somebody is who uses no Slack.
const Terminal = "terminal"

const (
	auditKey  = "sessionbot:audit"
	auditSize = 20_000               // entries kept, about
	auditLife = 400 * 24 * time.Hour // without a new entry
	auditPage = 500
)

// Trail is the audit trail: who did what, the last twenty thousand entries or so.
type Trail struct{ state *rdb.Redis }

// NewTrail keeps the trail in the Redis given.
func NewTrail(state *rdb.Redis) *Trail { return &Trail{state: state} }

// Record appends to the trail.
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
	return nil
}

// History are the newest entries of a session, the newest first, at most limit.
func (t *Trail) History(ctx context.Context, session string, limit int) ([]Entry, error) {
	client, err := t.state.Client(ctx)
	if err != nil {
		return nil, err
	}
	var entries []Entry
	for end := "+"; ; {
		page, err := client.XRevRangeN(ctx, auditKey, end, "-", auditPage).Result()
		if err != nil {
			return nil, fmt.Errorf("read the audit trail: %w", rdb.Classify(err))
		}
		for _, message := range page {
			if message.Values["session"] != session {
				continue
			}
			if len(entries) == limit {
				return entries, nil
			}
			var e Entry
			raw, _ := message.Values["entry"].(string) // of another shape: not JSON, told below
			if err := json.Unmarshal([]byte(raw), &e); err != nil {
				return nil, fmt.Errorf("read the audit trail: %w", err)
			}
			entries = append(entries, e)
		}
		if len(page) < auditPage {
			return entries, nil
		}
		end = "(" + page[len(page)-1].ID
	}
}
