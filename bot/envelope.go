package bot

import (
	"context"
	"crypto/sha256"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/slack-go/slack/socketmode"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/requestid"
	"github.com/superduperai/sessionbot/internal/telemetry"
)

// The kinds of envelopes, as Slack names them.
const (
	kindHello       = string(socketmode.RequestTypeHello)
	kindDisconnect  = string(socketmode.RequestTypeDisconnect)
	kindCommand     = string(socketmode.RequestTypeSlashCommands)
	kindInteraction = string(socketmode.RequestTypeInteractive)
	kindEvent       = string(socketmode.RequestTypeEventsAPI)
)

// handleEnvelope acks an envelope and queues its request, unless it is a duplicate.
// One that cannot be read is acked too, so that Slack does not take the app for
// dead; one that not even "busy" could be said to is not.
func (b *Bot) handleEnvelope(s *socket, frame []byte, e envelope) error {
	ref := requestid.New()
	_, span := b.cfg.Tracer.Start(context.Background(), "envelope", trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(telemetry.Ref(ref), attribute.String("slack.envelope.type", e.Kind)))
	defer span.End()
	in := arrival{ref, span.SpanContext()}
	if b.busy.nearlyFull() {
		b.cfg.Metrics.Answered("", "unheard", 0)
		b.log.Error("overloaded, envelope not acknowledged", "ref", ref)
		return nil
	}
	basics, _ := decode[partialEnvelope](frame) // empty where it is no JSON
	id, responseURL := basics.ID.value, basics.Payload.value.ResponseURL.value
	acked := s.ack(ref, id, ackPayload(e))
	eventID := ""
	if e.Kind == kindEvent {
		eventID = basics.Payload.value.EventID.value
	}
	if b.dedupe.seen(b.cfg.Now(), id, eventID) {
		b.log.Info("duplicate envelope acknowledged", "ref", ref, "attempt", e.Attempt.value)
		return acked
	}
	if b.dispatch(s, in, e) {
		return acked
	}
	b.log.Error("envelope not readable", "ref", ref, "bytes", len(frame), "has_id", id != "")
	if id != "" && responseURL != "" {
		to := requester{arrival: in, responseURL: responseURL}
		b.enqueue(to, func(ctx context.Context) { b.replyRef(ctx, to, message.NoticeUnread) })
	}
	return acked
}

// dispatch queues an envelope's request and reports whether it could be read.
func (b *Bot) dispatch(s *socket, in arrival, e envelope) bool {
	switch e.Kind {
	case kindCommand:
		c, err := decode[slashCommand](e.Payload)
		if err != nil || s.ofAnotherApp(in.ref, c.AppID) {
			return false
		}
		b.handleCommand(in, c)
	case kindInteraction:
		i, err := readInteraction(e.Payload)
		if err != nil || s.ofAnotherApp(in.ref, i.app) {
			return false
		}
		b.handleInteraction(in, i)
	case kindEvent:
		if opened, ok := readHomeOpened(e.Payload); ok {
			if s.ofAnotherApp(in.ref, opened.app) {
				return false
			}
			b.handleHomeOpened(in, opened)
			break
		}
		m, err := readMessage(e.Payload)
		if err != nil || s.ofAnotherApp(in.ref, m.app) {
			return false
		}
		b.handleMessage(in, m)
	default:
		return false
	}
	b.log.Debug("envelope dispatched", "ref", in.ref, "type", e.Kind, "envelope", e.ID[:min(len(e.ID), 64)])
	return true
}

// ofAnotherApp reports whether a payload names another app than Slack's hello did.
func (s *socket) ofAnotherApp(ref, app string) bool {
	if app == "" || s.app == "" || app == s.app {
		return false
	}
	s.c.cfg.Log.Warn("payload of another app", "ref", ref)
	return true
}

const (
	dedupeTTL = 10 * time.Minute // in which Slack redelivers
	maxSeen   = 1 << 17          // ids: 200 a second and some
)

// dedupe remembers the ids of envelopes and events, to deduplicate what Slack
// redelivers. An id may be of any length: its hash is kept.
type dedupe struct {
	seenAt *lru.Cache[[sha256.Size]byte, time.Time]
}

func newDedupe() dedupe {
	seenAt, _ := lru.New[[sha256.Size]byte, time.Time](maxSeen) // fails for a size of 0 alone
	return dedupe{seenAt}
}

// seen reports whether one of the ids was seen within dedupeTTL, and remembers all
// of them. Empty ones are ignored.
func (d dedupe) seen(now time.Time, ids ...string) bool {
	seen := false
	for _, id := range ids {
		if id == "" {
			continue
		}
		key := sha256.Sum256([]byte(id))
		at, known, _ := d.seenAt.PeekOrAdd(key, now)
		if known {
			seen = seen || now.Sub(at) < dedupeTTL
			d.seenAt.Add(key, now)
		}
	}
	return seen
}
