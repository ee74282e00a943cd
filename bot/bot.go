// Package bot is Slack: sockets in, messages out. It hears what people type and
// click, acks it at once, has it answered by the commands and sees the answer
// delivered. What can be asked for and what is answered lives in commands.
package bot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/store"
)

const (
	workers   = 32  // requests that are answered at the same time
	queueSize = 256 // requests that wait for a worker
	runFor    = 10 * time.Second
	sendFor   = 20 * time.Second // one answer, with Slack's pauses

	// Whoever finds the queue full is told so by workers of their own. Where even
	// these have no room nothing is acked: then Slack tells people.
	busyWorkers   = 4
	busyQueueSize = 2048

	// Stopping takes at most nine seconds.
	ackFor   = 100 * time.Millisecond // acks and envelopes under way
	drainFor = 7 * time.Second        // requests that were acked
	cutFor   = 1500 * time.Millisecond
)

// Commands answers what is asked for; see commands.Registry.
type Commands interface {
	Parse(req commands.Request) commands.Call
	ParseAction(actionID, session string, req commands.Request) commands.Call
	ProgressBlocks(p store.Progress) []slack.Block
	SettleNotMade(ctx context.Context, session string, req commands.Request) commands.Answer
}

// Metrics counts; see health.Metrics.
type Metrics interface {
	Acked(took time.Duration)
	Answered(command, outcome string, took time.Duration)
	Sockets(up int)
}

// Config is what a Bot works with. Everything is required but APIURL, Incidents
// and Patience.
type Config struct {
	AppToken, BotToken string
	APIURL             string   // base of the Web API, ends in a slash; "" = Slack's
	Readers            []string // who may ask: ids of users and groups, or "*"
	Commands           Commands
	Repairs            Repairs
	Shares             Shares
	Processes          Processes
	Incidents          Incidents // nil = alerts are off
	Timings            Timings
	Patience           int // with Slack and others, times production's; 0 = 1
	Log                *slog.Logger
	Metrics            Metrics
	Now                func() time.Time
}

// Bot is one process's part in the Slack app.
type Bot struct {
	commands  Commands
	shares    Shares
	repairs   Repairs
	incidents Incidents
	log       *slog.Logger
	metrics   Metrics
	now       func() time.Time
	timings   Timings
	patience  patience

	listed    []string // of READERS
	api       *slack.Client
	outbox    *outbox
	readers   *people // known once Slack told which workspace is ours
	operators *people // likewise
	queue     *queue
	busy      *queue

	dialer   *websocket.Dialer
	sockets  atomic.Int32   // that are up
	counting sync.Mutex     // keeps the metric in step
	reading  sync.WaitGroup // sockets that are read
	greeted  chan struct{}  // closed at the first hello
	once     sync.Once      // closes it
	seen     seen
	census   *census
}

// New prepares a Bot; nothing is connected yet.
func New(cfg Config) (*Bot, error) {
	hooks, err := hooksFor(cfg.APIURL)
	if err != nil {
		return nil, fmt.Errorf("SLACK_API_URL: %w", err)
	}
	patience := patience(cfg.Patience)
	client := newHTTPClient(patience)
	options := []slack.Option{
		slack.OptionAppLevelToken(cfg.AppToken),
		slack.OptionHTTPClient(client),
		slack.OptionLog(log.New(io.Discard, "", 0)), // it logs contents
	}
	if cfg.APIURL != "" {
		options = append(options, slack.OptionAPIURL(cfg.APIURL))
	}
	api := slack.New(cfg.BotToken, options...)
	return &Bot{
		commands: cfg.Commands, shares: cfg.Shares, repairs: cfg.Repairs, incidents: cfg.Incidents, log: cfg.Log, metrics: cfg.Metrics, now: cfg.Now, timings: cfg.Timings, patience: patience,
		listed: cfg.Readers, api: api,
		outbox: &outbox{api: api, http: client, hooks: hooks, log: cfg.Log, timings: cfg.Timings, patience: patience},
		dialer: newDialer(patience), greeted: make(chan struct{}), census: newCensus(cfg.Processes, cfg.Timings.Announce, cfg.Log, cfg.Now),
	}, nil
}

// Run hears and answers until ctx ends, then sees what was acked answered,
// within nine seconds. A fault that only a person can mend ends it with a
// *PermanentError. A Bot runs once.
func (b *Bot) Run(ctx context.Context) error {
	if err := b.introduce(ctx); err != nil {
		return asked(ctx, err)
	}
	work, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	b.queue = newQueue(work, fair(workers, queueSize))
	b.busy = newQueue(work, common(busyWorkers, busyQueueSize))

	listening, over := context.WithCancel(ctx)
	var aside sync.WaitGroup
	aside.Go(func() { b.census.run(listening) })
	err := b.listen(listening)
	over()
	b.drain(cut)
	aside.Wait()
	return asked(ctx, err)
}

// asked drops the error of a bot that was asked to stop.
func asked(ctx context.Context, err error) error {
	var permanent *PermanentError
	if ctx.Err() != nil && !errors.As(err, &permanent) {
		return nil
	}
	return err
}

// up counts a connection that Slack has greeted.
func (b *Bot) up(counted int) {
	up := b.count(1)
	b.once.Do(func() { close(b.greeted) })
	b.census.greet(counted, up)
	b.log.Info("connected to Slack", "up", up, "connections_of_the_app", counted)
}

// down counts one that has ended.
func (b *Bot) down() {
	b.census.gone()
	b.count(-1)
}

func (b *Bot) count(change int32) int {
	b.counting.Lock()
	defer b.counting.Unlock()
	up := int(b.sockets.Add(change))
	b.metrics.Sockets(up)
	return up
}

// Connected tells whether Slack has greeted us on a connection that is up.
func (b *Bot) Connected() bool { return b.sockets.Load() > 0 }

// introduce checks the bot token and learns which workspace is ours.
func (b *Bot) introduce(ctx context.Context) error {
	retry := b.newBackoff()
	for {
		me, err := b.api.AuthTestContext(ctx)
		if err == nil {
			ours := newDirectory(b.api, me.TeamID, b.now, b.patience)
			b.readers = &people{variable: "READERS", listed: b.listed, directory: ours}
			b.operators = &people{variable: "OPERATORS", listed: b.repairs.Operators, directory: ours}
			return nil
		}
		fault := FaultOf(err)
		if fault.permanent() {
			return permanentError("SLACK_BOT_TOKEN", fault)
		}
		if err := b.waitForSlack(ctx, retry, fault); err != nil {
			return err
		}
	}
}

// drain sees what was taken answered. What is still running after drainFor is
// cut short, and tells its asker so.
func (b *Bot) drain(cut context.CancelFunc) {
	b.queue.close()
	b.busy.close()
	if b.queue.wait(drainFor) && b.busy.wait(cutFor) {
		return
	}
	cut()
	if !b.queue.wait(cutFor) {
		b.log.Error("stopped while requests were still being answered")
	}
}
