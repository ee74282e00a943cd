package incident

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/watchstate"
)

// Handled records that an operator put a session right elsewhere, and the verdict that
// it had.
type Handled struct {
	By      string            `json:"by"`
	At      time.Time         `json:"at"`
	Verdict diagnosis.Verdict `json:"verdict"`
	Note    string            `json:"note,omitempty"`
}

// Covers reports whether a session with the verdict was handled: other trouble is news.
func (h *Handled) Covers(v diagnosis.Verdict) bool { return h != nil && h.Verdict == v }

// SaveHandled saves that a session was handled, for as long as Redis keeps sessions.
func (s *Sessions) SaveHandled(ctx context.Context, session string, h Handled) error {
	client, err := s.redis.Client(ctx)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("save who handled a session: %w", err)
	}
	if err := client.Set(ctx, handledKey(session), raw, watchstate.RecordLife).Err(); err != nil {
		return fmt.Errorf("save who handled a session: %w", rdb.Classify(err))
	}
	return nil
}

// Handled returns who handled a session, nil if no one did.
func (s *Sessions) Handled(ctx context.Context, session string) (*Handled, error) {
	known, err := s.Known(ctx, []string{session})
	return known[session].Handled, err
}

// CaseOf returns the incident that a session is in, or the newest one that it left,
// with its case there. ErrUnknownIncident if there is none.
func (s *Incidents) CaseOf(ctx context.Context, session string) (Incident, Case, error) {
	incidents, err := s.OpenIncidents(ctx, nil)
	if err != nil {
		return Incident{}, Case{}, err
	}
	return CaseIn(incidents, session)
}
