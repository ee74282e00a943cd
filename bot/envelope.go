package bot

import (
	"context"

	slacksocket "github.com/slack-go/slack/socketmode"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/superduperai/sessionbot/bot/socketmode"
	"github.com/superduperai/sessionbot/bot/wire"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/requestid"
	"github.com/superduperai/sessionbot/internal/telemetry"
)

// The kinds of envelopes, as Slack names them.
const (
	kindCommand     = string(slacksocket.RequestTypeSlashCommands)
	kindInteraction = string(slacksocket.RequestTypeInteractive)
	kindEvent       = string(slacksocket.RequestTypeEventsAPI)
)

// connection is where an envelope came from; see socketmode.Socket.
type connection interface {
	Ack(ref, envelopeID string, payload any) error
	OfAnotherApp(ref, app string) bool
}

// handleEnvelope acks an envelope and queues its request, unless it is a duplicate.
// One that cannot be read is acked too, so that Slack does not take the app for
// dead; if even the queue for "busy" is full, it is not acked.
func (b *Bot) handleEnvelope(s connection, frame []byte, e socketmode.Envelope) error {
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
	basics, _ := wire.Decode[partialEnvelope](frame) // empty where it is no JSON
	id, responseURL := basics.ID.Value, basics.Payload.Value.ResponseURL.Value
	acked := s.Ack(ref, id, ackPayload(e))
	eventID := ""
	if e.Kind == kindEvent {
		eventID = basics.Payload.Value.EventID.Value
	}
	if b.dedupe.Seen(b.cfg.Now(), id, eventID) {
		b.log.Info("duplicate envelope acknowledged", "ref", ref, "attempt", e.Attempt.Value)
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
func (b *Bot) dispatch(s connection, in arrival, e socketmode.Envelope) bool {
	switch e.Kind {
	case kindCommand:
		c, err := wire.Decode[slashCommand](e.Payload)
		if err != nil || s.OfAnotherApp(in.ref, c.AppID) {
			return false
		}
		b.handleCommand(in, c)
	case kindInteraction:
		i, err := readInteraction(e.Payload)
		if err != nil || s.OfAnotherApp(in.ref, i.app) {
			return false
		}
		b.handleInteraction(in, i)
	case kindEvent:
		if opened, ok := readHomeOpened(e.Payload); ok {
			if s.OfAnotherApp(in.ref, opened.app) {
				return false
			}
			b.handleHomeOpened(in, opened)
			break
		}
		m, err := readMessage(e.Payload)
		if err != nil || s.OfAnotherApp(in.ref, m.app) {
			return false
		}
		b.handleMessage(in, m)
	default:
		return false
	}
	b.log.Debug("envelope dispatched", "ref", in.ref, "type", e.Kind, "envelope", e.ID[:min(len(e.ID), 64)])
	return true
}
