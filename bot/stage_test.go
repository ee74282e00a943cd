package bot_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/bot"
	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/requestid"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/internal/workspace"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

const session = "cs_live_a1"

// scripted answers as a test specifies.
type scripted struct {
	run    func(ctx context.Context, req commands.Request) commands.Answer
	action func(ctx context.Context, actionID, value string, req commands.Request) commands.Answer

	mu   sync.Mutex
	home commands.Home
	err  error // of home
}

func (s *scripted) Home(context.Context, commands.Home) (commands.Home, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.home, s.err
}

// shows changes what the App Home shows.
func (s *scripted) shows(home commands.Home, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.home, s.err = home, err
}

func (s *scripted) Parse(req commands.Request) commands.Call {
	return commands.Call{Run: func(ctx context.Context) commands.Answer { return s.run(ctx, req) }}
}

func (s *scripted) ParseAction(id, value string, req commands.Request) commands.Call {
	return commands.Call{Run: func(ctx context.Context) commands.Answer { return s.action(ctx, id, value, req) }}
}

func (s *scripted) ProgressBlocks(repair.Progress) []slack.Block { return says("progress") }

func (s *scripted) EndReply(repair.Progress) []slack.Block { return says("end") }

func (s *scripted) SettleNotMade(context.Context, string, commands.Request) commands.Answer {
	return commands.Answer{}
}

func says(text string) []slack.Block {
	return []slack.Block{blockkit.Paragraph(blockkit.L(blockkit.Plain(text)))}
}

// aboutSession is an answer as session debug gives it.
func aboutSession(text string) commands.Answer {
	return commands.Answer{Name: "session debug", Outcome: commands.Done, Blocks: says(text), Session: session, Shareable: true,
		Actions: []slack.BlockElement{blockkit.Button("session.debug", "Refresh", session)}}
}

// shares keeps requests in memory.
type shares struct {
	mu     sync.Mutex
	kept   map[string]string
	claims map[string]bool
	err    error // returned by Save
	silent bool  // Save waits as long as it may
}

func (s *shares) Save(ctx context.Context, id, request string, _ time.Duration) error {
	if s.silent {
		<-ctx.Done()
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[id] = request
	return s.err
}

func (s *shares) Load(_ context.Context, id string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept[id], nil
}

func (s *shares) Unclaim(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.claims, id)
	return nil
}

func (s *shares) Claim(_ context.Context, id string, _ time.Duration) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.claims[id] || strings.HasPrefix(id, "home:") // which are published as soon as they change
	s.claims[id] = true
	return first, nil
}

// viewers are kept in memory.
type viewers struct {
	mu    sync.Mutex
	shown map[string]string
}

func (v *viewers) Opened(_ context.Context, user string, _ time.Time) error {
	return v.SetShown(context.Background(), user, "")
}

func (v *viewers) Recent(context.Context, time.Time) (map[string]string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return maps.Clone(v.shown), nil
}

func (v *viewers) SetShown(_ context.Context, user, shown string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.shown == nil {
		v.shown = map[string]string{}
	}
	v.shown[user] = shown
	return nil
}

func (v *viewers) Forget(_ context.Context, user string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.shown, user)
	return nil
}

// noPlans stores no plan.
type noPlans struct{ bot.Plans }

func (noPlans) SetMessage(context.Context, string, store.Message) error { return nil }

func (noPlans) LoadPlan(context.Context, string, time.Time) (repair.PlanRecord, error) {
	return repair.PlanRecord{}, repair.ErrUnknownPlan
}

// singleProcess knows of no other process.
type singleProcess struct{}

func (singleProcess) Announce(context.Context, string, time.Time) (int, error) { return 1, nil }

func (singleProcess) Leave(context.Context, string) error { return nil }

// metrics remember what was counted.
type metrics struct {
	mu       sync.Mutex
	acks     []time.Duration
	outcomes map[string]int
	sockets  chan int
}

func (m *metrics) Acked(took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.acks = append(m.acks, took)
}

func (m *metrics) Answered(command, outcome string, _ time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.outcomes[command+" "+outcome]++
}

func (m *metrics) Sockets(up int) {
	m.sockets <- up
}

// logged is a log that tests can read.
type logged struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// stage is a bot in a workspace.
type stage struct {
	*wstest.Workspace
	server   *workspace.Server
	commands *scripted
	shares   *shares
	threads  *fakeThreads
	viewers  *viewers
	metrics  *metrics
	log      *logged

	readers, operators []string

	bot   *bot.Bot
	stop  context.CancelFunc
	ended chan error
}

var quick = testenv.Shorten(bot.DefaultTimings())

// patient lets a call of Slack take two minutes, since the machine may be busy.
const patient = 24

func play(t *testing.T, readers ...string) *stage {
	t.Helper()
	if readers == nil {
		readers = []string{"*"}
	}
	return playWith(t, readers)
}

// playWith is play with operators.
func playWith(t *testing.T, readers []string, operators ...string) *stage {
	t.Helper()
	server, err := workspace.Start(workspace.Config{Addr: "127.0.0.1:0", AckWithin: patience})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &stage{
		Workspace: wstest.New(t, server.URL(), server.ControlKey()),
		server:    server, commands: &scripted{},
		viewers: &viewers{}, threads: &fakeThreads{},
		shares:  &shares{kept: map[string]string{}, claims: map[string]bool{}},
		metrics: &metrics{outcomes: map[string]int{}, sockets: make(chan int, 100)},
		log:     &logged{}, readers: readers, operators: operators,
	}
	s.start(t)
	return s
}

// start starts the bot, and waits until it is connected.
func (s *stage) start(t *testing.T) {
	t.Helper()
	var err error
	s.bot, err = bot.New(bot.Config{
		Timings: quick, Deadlines: bot.NewDeadlines(patient),
		AppToken: s.server.AppToken(), BotToken: s.server.BotToken(), APIURL: s.server.APIURL(), Readers: s.readers,
		Processes: singleProcess{}, Commands: s.commands, Shares: s.shares, Threads: s.threads, Viewers: s.viewers, Repairs: bot.Repairs{Plans: noPlans{}, Operators: s.operators, AlertChannel: "C0ALERTS"}, Metrics: s.metrics, Now: time.Now,
		Log: slog.New(requestid.NewHandler(slog.NewTextHandler(s.log, nil))),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.stop, s.ended = cancel, make(chan error, 1)
	done, ended := make(chan struct{}), s.ended
	go func() {
		defer close(done)
		ended <- s.bot.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		if t.Failed() {
			t.Logf("the bot logged:\n%s", s.log)
		}
	})
	s.awaitSockets(t, 1)
}

// awaitSockets waits until the bot says that so many connections are up.
func (s *stage) awaitSockets(t *testing.T, up int) {
	t.Helper()
	for await(t, s.metrics.sockets) != up {
	}
}

// patience is a timeout that only a fault exceeds.
const patience = 5 * time.Minute

// await takes one thing from a channel.
func await[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case got := <-from:
		return got
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("not reached")
	}
}

// buttonsOf returns the message's last block.
func buttonsOf(t *testing.T, m wstest.Message) json.RawMessage {
	t.Helper()
	var blocks []json.RawMessage
	if err := json.Unmarshal(m.Blocks, &blocks); err != nil || len(blocks) == 0 {
		t.Fatalf("%s: %v", m, err)
	}
	return blocks[len(blocks)-1]
}
