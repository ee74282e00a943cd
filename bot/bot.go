// Package bot is the adapter to Slack. It receives commands and clicks, acks them
// at once, runs them with package commands and delivers the answers.
package bot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/slack-go/slack"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/superduperai/sessionbot/bot/access"
	"github.com/superduperai/sessionbot/bot/slackapi"
	"github.com/superduperai/sessionbot/bot/socketmode"
	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/store/repair"
)

const (
	workers   = 32  // requests that are answered at the same time
	queueSize = 256 // requests that wait

	// Workers of their own answer that the queue is full. If they have no room
	// either nothing is acked, and Slack reports a failure.
	busyWorkers   = 4
	busyQueueSize = 2048

	// Opening a view never waits behind other work.
	viewWorkers   = 16
	viewQueueSize = 128

	// Stopping takes at most nine seconds.
	drainTimeout  = 7 * time.Second // for requests that were acked
	cancelTimeout = 1500 * time.Millisecond
)

// Commands parses and runs requests; see commands.Registry.
type Commands interface {
	Parse(req commands.Request) commands.Call
	ParseAction(actionID, session string, req commands.Request) commands.Call
	ProgressBlocks(p repair.Progress) []slack.Block
	EndReply(p repair.Progress) []slack.Block
	SettleNotMade(ctx context.Context, session string, req commands.Request) commands.Answer
	Home(ctx context.Context, last commands.Home) (commands.Home, error)
}

// Metrics counts; see health.Metrics.
type Metrics interface {
	socketmode.Metrics
	Answered(command, outcome string, took time.Duration)
}

// Config configures a Bot. Everything is required but APIURL, Incidents, Threads
// and Tracer.
type Config struct {
	AppToken, BotToken string
	APIURL             string   // base of the Web API, ends in a slash; "" = Slack's
	Readers            []string // who may ask: ids of users and groups, or "*"
	Commands           Commands
	Repairs            Repairs
	Shares             Shares
	Viewers            Viewers
	Processes          socketmode.Processes
	Incidents          Incidents // nil = alerts are off
	Threads            Threads   // likewise
	Timings            Timings
	Deadlines          Deadlines
	Log                *slog.Logger
	Metrics            Metrics
	Tracer             trace.Tracer // nil = no traces
	Now                func() time.Time
}

// Bot is one process's part in the Slack app.
type Bot struct {
	answers
	homes       *homes
	connections *socketmode.Connections
	queue       *queue
	busy        *queue // answers that the queue is full
	views       *queue // views to be opened; what they show waits in queue
	dedupe      socketmode.Dedupe
	self        string // our own user's id; known once Slack has said it
}

// New returns a Bot that is not connected yet.
func New(cfg Config) (*Bot, error) {
	origin, err := slackapi.OriginForAPI(cfg.APIURL)
	if err != nil {
		return nil, fmt.Errorf("SLACK_API_URL: %w", err)
	}
	cfg.Log = cfg.Log.With("component", "bot")
	if cfg.Tracer == nil {
		cfg.Tracer = noop.Tracer{}
	}
	client := slackapi.NewHTTPClient(cfg.Deadlines.Call, cfg.Deadlines.Connect)
	api := slack.New(cfg.BotToken,
		slack.OptionAppLevelToken(cfg.AppToken),
		slack.OptionAPIURL(cmp.Or(cfg.APIURL, slack.APIURL)),
		slack.OptionHTTPClient(client),
		slack.OptionLog(log.New(io.Discard, "", 0))) // it logs contents
	r := &responder{cfg: cfg, log: cfg.Log, api: api, outbox: newOutbox(cfg, api, client, origin)}
	b := &Bot{answers: answers{responder: r, approvals: approvals{r}}, homes: &homes{responder: r}, dedupe: socketmode.NewDedupe()}
	b.connections = socketmode.New(socketmode.Config{API: api, Dialer: slackapi.NewDialer(cfg.Deadlines.Handshake), Processes: cfg.Processes,
		Handle: func(s *socketmode.Socket, frame []byte, e socketmode.Envelope) error {
			return b.handleEnvelope(s, frame, e)
		},
		Timings: cfg.Timings.Timings, Deadlines: cfg.Deadlines.Deadlines, Log: cfg.Log, Metrics: cfg.Metrics, Now: cfg.Now})
	return b, nil
}

func newOutbox(cfg Config, api *slack.Client, client *http.Client, o slackapi.Origin) *slackapi.Outbox {
	return &slackapi.Outbox{API: api, HTTP: client, Origin: o, Log: cfg.Log,
		MinRetryDelay: cfg.Timings.MinRetryDelay, OutageRetryDelay: cfg.Timings.OutageRetryDelay, Send: cfg.Deadlines.Send, Call: cfg.Deadlines.Call}
}

// Run receives and answers requests until ctx ends, then drains those it acked
// within nine seconds. The error is a *slackapi.PermanentError. A Bot runs once.
func (b *Bot) Run(ctx context.Context) error {
	if err := b.introduce(ctx); err != nil {
		return ignoreOnStop(ctx, err)
	}
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	b.queue = newQueue(work, fairLimits(workers, queueSize))
	b.busy = newQueue(work, sharedLimits(busyWorkers, busyQueueSize))
	b.views = newQueue(work, fairLimits(viewWorkers, viewQueueSize))

	auditing, stop := context.WithCancel(ctx)
	var audit sync.WaitGroup
	audit.Go(func() { b.connections.Audit(auditing) })
	audit.Go(func() { b.homes.run(auditing) })
	err := b.connections.Run(ctx)
	stop()
	b.drain(cancel)
	audit.Wait()
	return ignoreOnStop(ctx, err)
}

// ignoreOnStop drops the error of a bot that was stopped.
func ignoreOnStop(ctx context.Context, err error) error {
	var permanent *slackapi.PermanentError
	if ctx.Err() != nil && !errors.As(err, &permanent) {
		return nil
	}
	return err
}

// ShowProgress shows the state of a job in the message of its plan. An error for a
// job that has ended means that its end has to be shown again.
func (b *Bot) ShowProgress(ctx context.Context, p repair.Progress) error {
	return b.approvals.showProgress(ctx, p)
}

// Outbox is what the bot sends its messages with.
func (b *Bot) Outbox() *slackapi.Outbox { return b.outbox }

// Connected reports whether a connection is up.
func (b *Bot) Connected() bool { return b.connections.Up() > 0 }

// introduce checks the bot token and reads which workspace is ours.
func (b *Bot) introduce(ctx context.Context) error {
	me, err := b.connections.Identify(ctx)
	if err != nil {
		return err
	}
	b.self = me.UserID
	ours := access.NewDirectory(b.api, me.TeamID, b.cfg.Now, b.cfg.Deadlines.Lookup)
	b.readers = access.List{Variable: "READERS", Listed: b.cfg.Readers, Directory: ours}
	b.operators = access.List{Variable: "OPERATORS", Listed: b.cfg.Repairs.Operators, Directory: ours}
	return nil
}

// drain waits for the requests that were acked, and cancels them after
// drainTimeout.
func (b *Bot) drain(cancel context.CancelFunc) {
	if b.queue.wait(drainTimeout) && b.busy.wait(cancelTimeout) {
		return
	}
	cancel()
	if !b.queue.wait(cancelTimeout) {
		b.log.Error("stopped while requests were being answered")
	}
}
