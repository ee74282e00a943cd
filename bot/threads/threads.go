// Package threads answers in the threads in which people asked about a session, and
// records that the customer was informed.
package threads

import (
	"context"
	"log/slog"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/bot/slackapi"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/watch"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/follow"
)

// Trail is the audit trail.
type Trail interface {
	RecordOnce(ctx context.Context, e audit.Entry) error
}

// Threads are those in which people asked about a session.
type Threads struct {
	*follow.Store
	Trail   Trail
	Outbox  *slackapi.Outbox
	SiteURL string
	Log     *slog.Logger
	Now     func() time.Time
}

var _ watch.Answerer = (*Threads)(nil)

// markOf marks an answer, so that it can be found again.
func markOf(a follow.Answer) slack.SlackMetadata {
	return slack.SlackMetadata{EventType: "sessionbot_answer", EventPayload: map[string]any{"mark": a.Mark}}
}

// Answer posts the answer that was claimed for a thread; if it cannot be posted there, to
// the person who asked.
func (t *Threads) Answer(ctx context.Context, session string, asked follow.Thread) (store.Message, string, error) {
	mark, blocks := markOf(*asked.Answer), message.ThreadAnswer(session, asked, nil, t.SiteURL, t.Now())
	m, err := t.Outbox.Post(ctx, asked.Message.Channel, mark, blocks, slack.MsgOptionTS(asked.Message.TS))
	if err != nil && slackapi.FaultOf(err).TryElsewhere() {
		t.Log.WarnContext(ctx, "thread takes no answer, sent to who asked", "error", err, "advice", slackapi.FaultOf(err).Advice())
		m, err = t.Outbox.Post(ctx, asked.By, mark, blocks)
	}
	if err != nil {
		fault := slackapi.FaultOf(err)
		return m, "", &watch.DeliveryError{Unclear: fault.Unclear(), MessageGone: fault.TryElsewhere(), After: fault.RetryAfter, Advice: fault.Advice(), Err: fault}
	}
	return m, t.Outbox.Permalink(ctx, m), nil
}

// FindAnswer looks for the answer in its thread.
func (t *Threads) FindAnswer(ctx context.Context, asked follow.Thread) (store.Message, bool, error) {
	m, found, err := t.Outbox.Find(ctx, asked.Message, markOf(*asked.Answer), asked.Answer.Claimed.Add(-time.Minute)) // Slack's clock is another one
	if err == nil {
		return m, found, nil
	}
	fault := slackapi.FaultOf(err)
	if !fault.Temporary() {
		return m, false, watch.ErrHistoryForbidden
	}
	return m, false, &watch.DeliveryError{Unclear: true, After: fault.RetryAfter, Advice: fault.Advice(), Err: fault}
}

// Inform records who informed the customer of a session, and shows it in the answers about
// the session. It returns who did, and whether that is new and all answers show it.
func (t *Threads) Inform(ctx context.Context, session string, by store.Actor, where string) (follow.Informed, bool, error) {
	s, first, err := t.Change(ctx, session, t.Now(), func(s *follow.Session) bool { return s.Inform(by.ID, t.Now()) })
	switch {
	case err != nil:
		return follow.Informed{}, false, err
	case s.Informed == nil:
		return follow.Informed{}, false, follow.ErrUnknown
	}
	informed := *s.Informed
	err = t.Trail.RecordOnce(ctx, audit.Entry{At: informed.At, Who: store.Actor{ID: informed.By}, Where: where, Event: audit.Informed, Session: session, Detail: string(informed.End)})
	if err != nil { // the next press records it
		return informed, false, err
	}
	shown := true
	for _, asked := range s.Threads {
		if asked.Answer == nil || asked.Answer.Message.TS == "" || s.InformedOf(*asked.Answer) == nil {
			continue
		}
		if err := t.Outbox.Update(ctx, asked.Answer.Message, message.ThreadAnswer(session, asked, &informed, t.SiteURL, t.Now())); err != nil {
			shown = false
			t.Log.WarnContext(ctx, "answer in a thread not updated", "error", err, "advice", slackapi.FaultOf(err).Advice())
		}
	}
	return informed, first && shown, nil
}
