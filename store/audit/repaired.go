package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
)

// maxRepairedPages bounds how much of the audit trail is read for Repaired.
const maxRepairedPages = 4

// Repaired are the sessions that repairs of ours wrote since then, with the
// last repair of each. Of a very long list the oldest may be missing.
func (t *Trail) Repaired(ctx context.Context, since time.Time) (map[string]store.Action, error) {
	client, err := t.state.Client(ctx)
	if err != nil {
		return nil, err
	}
	repaired := map[string]store.Action{}
	for page, end := 0, "+"; page < maxRepairedPages; page++ {
		messages, err := client.XRevRangeN(ctx, auditKey, end, strconv.FormatInt(since.UnixMilli(), 10), auditPage).Result()
		if err != nil {
			return nil, fmt.Errorf("read the audit trail: %w", rdb.Classify(err))
		}
		for _, message := range messages {
			var e Entry
			raw, _ := message.Values["entry"].(string) // of another shape: not JSON, told below
			if err := json.Unmarshal([]byte(raw), &e); err != nil {
				return nil, fmt.Errorf("read the audit trail: %w", err)
			}
			if _, later := repaired[e.Session]; !later && e.Event == Claimed {
				repaired[e.Session] = e.Action
			}
		}
		if len(messages) < auditPage {
			break
		}
		end = "(" + messages[len(messages)-1].ID
	}
	return repaired, nil
}
