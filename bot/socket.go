package bot

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/superduperai/sessionbot/commands"
)

const (
	handOverFor = time.Second // an ack to the connection's writer
	maxFrame    = 4 << 20     // bytes

	// A connection that ends sooner is no reason to connect again at once.
	settledAfter = 10 * time.Second
)

var errShortLived = errors.New("the connection ended soon after it was made")

// listen keeps a connection up until ctx ends or a fault is permanent.
func (b *Bot) listen(ctx context.Context) error {
	retry := newBackoff()
	for {
		settled, err := b.connection(ctx)
		if ctx.Err() != nil {
			return nil
		}
		fault := faultOf(err)
		if fault.permanent() {
			return permanentError("SLACK_APP_TOKEN", fault)
		}
		if settled {
			retry.Reset()
		}
		if err := b.waitForSlack(ctx, retry, fault); err != nil {
			return nil
		}
	}
}

// newBackoff spreads the replicas' attempts and stays under half a minute: who
// backs off is deaf.
func newBackoff() *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{
		InitialInterval: 200 * time.Millisecond, Multiplier: 2, RandomizationFactor: 0.5, MaxInterval: 20 * time.Second,
	}
}

func (b *Bot) waitForSlack(ctx context.Context, retry *backoff.ExponentialBackOff, fault *Fault) error {
	wait := max(retry.NextBackOff(), fault.RetryAfter)
	b.log.Warn("not connected to Slack", "error", fault, "advice", fault.Advice(), "next_try_in", wait)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// connection runs the library's client, which replaces a connection that Slack
// wants replaced, until it cannot. Faults end it here, so that the waiting is
// ours: the library's grows to five minutes and takes some permanent faults for
// passing ones. It reports whether the last connection had settled.
func (b *Bot) connection(ctx context.Context) (settled bool, err error) {
	client := socketmode.New(b.api, socketmode.OptionReadLimit(maxFrame),
		socketmode.OptionLog(log.New(io.Discard, "", 0)))
	open, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	var endedBy error
	go func() {
		defer close(ended)
		endedBy = client.RunContext(open)
	}()
	s := &socket{bot: b, client: client}
	defer func() {
		s.down()
		hangUp()
		<-ended
	}()
	stop := ctx.Done()
	var lastCall <-chan time.Time
	for {
		select {
		case event := <-client.Events:
			if err := s.handle(open, event); err != nil {
				return s.settled, err
			}
		case <-ended:
			return s.settled, endedBy
		case <-stop:
			// What is under way is still acked and answered.
			stop, lastCall = nil, time.After(ackFor)
		case <-lastCall:
			return s.settled, ctx.Err()
		}
	}
}

// socket is one connection and what is known of it.
type socket struct {
	bot     *Bot
	client  *socketmode.Client
	opened  bool // once; the library opens the next by itself
	up      bool // Slack has greeted us
	greeted time.Time
	settled bool // the last one lived long enough
}

// handle takes what the library tells. Nothing here waits for Redis, Stripe or
// a person: an ack goes first, work is queued. An error ends the connection.
func (s *socket) handle(ctx context.Context, event socketmode.Event) error {
	b := s.bot
	switch event.Type {
	case socketmode.EventTypeConnecting:
		return s.reopen()
	case socketmode.EventTypeHello:
		s.greet(event.Request)
	case socketmode.EventTypeConnectionError:
		if failed, ok := event.Data.(*slack.ConnectionErrorEvent); ok {
			return failed.ErrorObj
		}
	case socketmode.EventTypeErrorWriteFailed:
		b.log.Warn("an ack could not be written: Slack tells the person that nobody answered")
	case socketmode.EventTypeErrorBadMessage:
		if bad, ok := event.Data.(*socketmode.ErrorBadMessage); ok {
			s.refuse(ctx, bad.Message)
		}
	case socketmode.EventTypeSlashCommand, socketmode.EventTypeInteractive, socketmode.EventTypeEventsAPI:
		s.hear(ctx, event)
	}
	return nil
}

// reopen lets the library open the next connection at once where the last one
// had settled.
func (s *socket) reopen() error {
	if !s.opened {
		s.opened = true
		return nil
	}
	s.settled = s.up && s.bot.now().Sub(s.greeted) >= settledAfter
	s.down()
	if !s.settled {
		return errShortLived
	}
	s.bot.log.Info("the connection to Slack ended; the next one is being opened")
	return nil
}

func (s *socket) greet(hello *socketmode.Request) {
	s.greeted = s.bot.now()
	if !s.up {
		s.up = true
		s.bot.metrics.Sockets(int(s.bot.sockets.Add(1)))
	}
	count := 0
	if hello != nil {
		count = hello.NumConnections
	}
	s.bot.log.Info("connected to Slack", "connections_of_the_app", count)
}

func (s *socket) down() {
	if s.up {
		s.up = false
		s.bot.metrics.Sockets(int(s.bot.sockets.Add(-1)))
	}
}

// hear acks an envelope and queues what it asks for.
func (s *socket) hear(ctx context.Context, event socketmode.Event) {
	ref := commands.NewRef()
	s.ack(ctx, ref, event.Request.EnvelopeID)
	switch data := event.Data.(type) {
	case slack.SlashCommand:
		s.bot.heardCommand(ref, data)
	case slack.InteractionCallback:
		s.bot.heardClick(ref, data)
	default:
		s.bot.log.Debug("acked what nobody here waits for", "ref", ref, "type", string(event.Type))
	}
}

// ack is empty and comes before any work. It is only handed over: whether it
// reached Slack is not known here.
func (s *socket) ack(ctx context.Context, ref, envelopeID string) {
	if envelopeID == "" {
		return
	}
	started := s.bot.now()
	ctx, cancel := context.WithTimeout(ctx, handOverFor)
	defer cancel()
	if err := s.client.AckCtx(ctx, envelopeID, nil); err != nil {
		s.bot.log.Error("an envelope could not be acked", "ref", ref, "error", err)
		return
	}
	s.bot.metrics.Acked(s.bot.now().Sub(started))
}

// refuse acks an envelope that cannot be read, so that Slack does not call us
// deaf, and tells the one who sent it where that much can be read.
func (s *socket) refuse(ctx context.Context, frame []byte) {
	ref := commands.NewRef()
	id, responseURL := salvage(frame)
	s.bot.log.Error("an envelope could not be read", "ref", ref, "bytes", len(frame), "has_id", id != "")
	if id == "" {
		return
	}
	s.ack(ctx, ref, id)
	if responseURL != "" {
		to := asker{ref: ref, responseURL: responseURL}
		s.bot.take(to, func(ctx context.Context) {
			s.bot.tell(ctx, to, "What Slack sent could not be read; nothing was done.", ref)
		})
	}
}

// salvage finds the id of an envelope and where it may be answered in a frame
// that the library could not read; "" = not there.
func salvage(frame []byte) (envelopeID, responseURL string) {
	var members, payload map[string]json.RawMessage
	if json.Unmarshal(frame, &members) != nil {
		return "", ""
	}
	text := func(raw json.RawMessage) (s string) {
		if json.Unmarshal(raw, &s) != nil {
			return ""
		}
		return s
	}
	if json.Unmarshal(members["payload"], &payload) == nil {
		responseURL = text(payload["response_url"])
	}
	return text(members["envelope_id"]), responseURL
}
