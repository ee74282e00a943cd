package bot_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/bot"
	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/workspace"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
)

const session = "cs_live_a1"

// scripted answers as a test tells it to.
type scripted struct {
	run    func(ctx context.Context, req commands.Request) commands.Answer
	action func(ctx context.Context, actionID, value string, req commands.Request) commands.Answer
}

func (s *scripted) Run(ctx context.Context, req commands.Request) commands.Answer {
	return s.run(ctx, req)
}

func (s *scripted) RunAction(ctx context.Context, id, value string, req commands.Request) commands.Answer {
	return s.action(ctx, id, value, req)
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
}

func (s *shares) Save(_ context.Context, id, request string, _ time.Duration) error {
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

func (s *shares) Claim(_ context.Context, id string, _ time.Duration) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.claims[id]
	s.claims[id] = true
	return first, nil
}

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

// stage is a bot that plays in a workspace.
type stage struct {
	*wstest.Workspace
	commands *scripted
	shares   *shares
	metrics  *metrics
	log      *logged
	bot      *bot.Bot
	stop     context.CancelFunc
	ended    chan error
}

func play(t *testing.T, readers ...string) *stage {
	t.Helper()
	server, err := workspace.Start(workspace.Config{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	if readers == nil {
		readers = []string{"*"}
	}
	s := &stage{
		commands: &scripted{},
		shares:   &shares{kept: map[string]string{}, claims: map[string]bool{}},
		metrics:  &metrics{outcomes: map[string]int{}, sockets: make(chan int, 100)},
		log:      &logged{}, ended: make(chan error, 1),
	}
	s.bot, err = bot.New(bot.Config{
		AppToken: server.AppToken(), BotToken: server.BotToken(), APIURL: server.APIURL(), Readers: readers,
		Commands: s.commands, Shares: s.shares, Metrics: s.metrics, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(s.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.ended <- s.bot.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-done })
	s.Workspace = wstest.New(t, server.URL(), server.ControlKey())
	s.awaitSockets(t, 1)
	return s
}

// awaitSockets waits until the bot says that so many connections are up.
func (s *stage) awaitSockets(t *testing.T, up int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	for {
		select {
		case now := <-s.metrics.sockets:
			if now == up {
				return
			}
		case <-ctx.Done():
			t.Fatalf("never %d connections", up)
		}
	}
}

func TestCommandIsAnsweredToTheAskerAlone(t *testing.T) {
	s := play(t)
	s.commands.run = func(_ context.Context, req commands.Request) commands.Answer {
		if req.Command != "/session" || req.Text != "debug "+session || req.User != "U0SUPPORT" || req.Ref == "" || req.Terminal {
			t.Errorf("asked %+v", req)
		}
		return aboutSession("Orphaned & <!channel>")
	}
	sam := s.As("U0SUPPORT").In("C0SUPPORT")
	sam.Type("/session debug " + session)
	m := sam.ExpectMessage(wstest.Saying("Orphaned", "Refresh", "Share"))
	if !m.Ephemeral || m.Text != "Orphaned &amp; &lt;!channel&gt;" {
		t.Errorf("got %s", m)
	}
	s.ExpectNothingElse()
	if log := s.log.String(); !strings.Contains(log, "session debug") || strings.Contains(log, session) {
		t.Errorf("log: %s", log)
	}
}

func TestRefreshLooksAgainInPlace(t *testing.T) {
	s := play(t)
	s.commands.run = func(context.Context, commands.Request) commands.Answer { return aboutSession("Waiting") }
	s.commands.action = func(_ context.Context, id, value string, _ commands.Request) commands.Answer {
		if id != "session.debug" || value != session {
			t.Errorf("ran %s %s", id, value)
		}
		return aboutSession("Completed")
	}
	sam := s.As("U0SUPPORT").In("C0SUPPORT")
	sam.Type("/session debug " + session)
	m := sam.ExpectMessage(nil)
	sam.Click(m, "session.debug")
	m = sam.ExpectUpdate(m, wstest.Saying("Completed"))

	s.commands.action = func(context.Context, string, string, commands.Request) commands.Answer {
		return commands.Answer{Name: "session debug", Outcome: commands.Failed, Blocks: says("Redis is away"), Err: errors.New("no redis")}
	}
	sam.Click(m, "session.debug")
	if failed := sam.ExpectMessage(wstest.Saying("Redis is away")); !failed.Ephemeral {
		t.Errorf("got %s", failed)
	}
	s.ExpectNothingElse() // what was seen before still stands
}

func TestShareAsksAgainAndPostsOnce(t *testing.T) {
	s := play(t)
	s.commands.run = func(context.Context, commands.Request) commands.Answer { return aboutSession("Waiting") }
	s.commands.action = func(_ context.Context, _, _ string, req commands.Request) commands.Answer {
		return aboutSession("Orphaned, as asked by " + req.User)
	}
	sam, lea := s.As("U0SUPPORT").In("C0SUPPORT"), s.As("U0LEAD").In("C0SUPPORT")
	sam.Type("/session debug " + session)
	m := sam.ExpectMessage(nil)
	sam.Click(m, "session.share")
	sam.Click(m, "session.share")
	posted := lea.ExpectMessage(wstest.Saying("shared by <@U0SUPPORT>", "as asked by U0SUPPORT", "Refresh"))
	if posted.Ephemeral || strings.Contains(string(posted.Blocks), "session.share") {
		t.Errorf("got %s", posted)
	}
	sam.ExpectMessage(wstest.Saying("Shared already"))

	// Refresh on what everybody sees answers the one who asks.
	lea.Click(posted, "session.debug")
	if own := lea.ExpectMessage(wstest.Saying("as asked by U0LEAD", "session.share")); !own.Ephemeral {
		t.Errorf("got %s", own)
	}
	s.ExpectNothingElse()
}

func TestShareOfAnAnswerAboutSeveralSessions(t *testing.T) {
	s := play(t)
	s.commands.run = func(_ context.Context, req commands.Request) commands.Answer {
		return commands.Answer{Name: "session find", Outcome: commands.Done, Blocks: says("found: " + req.Text), Shareable: true}
	}
	sam := s.As("U0SUPPORT").In("C0SUPPORT")
	sam.Type("/session find ann@example.com")
	m := sam.ExpectMessage(nil)
	if strings.Contains(string(buttonsOf(t, m)), "ann@") {
		t.Errorf("the button is not opaque: %s", m)
	}
	sam.Click(m, "session.share")
	if posted := sam.ExpectMessage(wstest.Saying("found: find ann@example.com", "shared by")); posted.Ephemeral {
		t.Errorf("got %s", posted)
	}

	s.shares.mu.Lock()
	clear(s.shares.kept)
	clear(s.shares.claims)
	s.shares.mu.Unlock()
	sam.Click(m, "session.share")
	sam.ExpectMessage(wstest.Saying("older than 30 minutes"))
	s.ExpectNothingElse()
	if strings.Contains(s.log.String(), "ann@") {
		t.Errorf("an e-mail is in the log: %s", s.log)
	}
}

func TestAnswerGoesOutWithoutShareWhereItCannotBeKept(t *testing.T) {
	s := play(t)
	s.shares.err = errors.New("redis is away")
	s.commands.run = func(context.Context, commands.Request) commands.Answer {
		return commands.Answer{Outcome: commands.Done, Blocks: says("figures"), Shareable: true}
	}
	sam := s.As("U0SUPPORT").In("C0SUPPORT")
	sam.Type("/redis stats")
	if m := sam.ExpectMessage(wstest.Saying("figures")); strings.Contains(string(m.Blocks), "session.share") {
		t.Errorf("got %s", m)
	}
}

func TestOnlyReadersMayAsk(t *testing.T) {
	s := play(t)
	s.commands.run = func(_ context.Context, req commands.Request) commands.Answer {
		if req.User == "U0GUEST" {
			t.Error("a guest's request was run")
		}
		return aboutSession("Orphaned")
	}
	guest := s.As("U0GUEST").In("C0SUPPORT")
	guest.Type("/session debug " + session)
	if m := guest.ExpectMessage(wstest.Saying("Only full members")); !m.Ephemeral {
		t.Errorf("got %s", m)
	}
	s.ExpectNothingElse()
}

func TestReadersOfAGroup(t *testing.T) {
	s := play(t, "S0OPS")
	s.commands.run = func(context.Context, commands.Request) commands.Answer { return aboutSession("Orphaned") }
	sam, guest := s.As("U0SUPPORT").In("C0SUPPORT"), s.As("U0GUEST").In("C0SUPPORT")
	sam.Type("/session debug " + session)
	sam.ExpectMessage(wstest.Saying("Orphaned"))
	guest.Type("/session debug " + session)
	guest.ExpectMessage(wstest.Saying("listed in READERS"))
	s.ExpectNothingElse()
}

func TestUnreadableGroupAdmitsNobody(t *testing.T) {
	s := play(t, "S0OPS")
	s.Fault("server_error", 0, "usergroups.users.list")
	sam := s.As("U0SUPPORT").In("C0SUPPORT")
	sam.Type("/session debug " + session)
	sam.ExpectMessage(wstest.Saying("S0OPS", "cannot be read", "admits nobody"))
	s.ExpectNothingElse()
}

func TestWhoCannotBeLookedUpIsRefusedWithTheRemedy(t *testing.T) {
	s := play(t)
	s.Fault("rate_limit", 60, "users.info")
	sam := s.As("U0SUPPORT").In("C0SUPPORT")
	sam.Type("/session debug " + session)
	sam.ExpectMessage(wstest.Saying("could not tell who you are", "try again in a minute"))
	s.ExpectNothingElse()
}

func TestPanicIsAnsweredWithItsRef(t *testing.T) {
	s := play(t)
	var ref string
	s.commands.run = func(_ context.Context, req commands.Request) commands.Answer {
		ref = req.Ref
		panic("a customer's prompt")
	}
	sam := s.As("U0SUPPORT").In("C0SUPPORT")
	sam.Type("/session debug " + session)
	m := sam.ExpectMessage(wstest.Saying("Something went wrong on our side; nothing was changed. Ref "))
	if !strings.Contains(m.Text, ref) {
		t.Errorf("%q does not name %s", m.Text, ref)
	}
	log := s.log.String()
	if !strings.Contains(log, ref) || !strings.Contains(log, "stories_test.go") || strings.Contains(log, "a customer's prompt") {
		t.Errorf("log: %s", log)
	}
	s.commands.run = func(context.Context, commands.Request) commands.Answer { return aboutSession("Orphaned") }
	sam.Type("/session debug " + session)
	sam.ExpectMessage(wstest.Saying("Orphaned"))
	s.ExpectNothingElse()
}

func TestResponseURLIsTriedOnceMore(t *testing.T) {
	for _, kind := range []string{"rate_limit", "server_error"} {
		t.Run(kind, func(t *testing.T) {
			s := play(t)
			s.commands.run = func(context.Context, commands.Request) commands.Answer {
				s.Fault(kind, 1, "response_url")
				return aboutSession("Orphaned")
			}
			sam := s.As("U0SUPPORT").In("C0SUPPORT")
			sam.Type("/session debug " + session)
			sam.ExpectMessage(wstest.Saying("Orphaned"))
			s.ExpectNothingElse()
		})
	}
}

func TestAnswerThatResponseURLRefusesComesFromTheBotItself(t *testing.T) {
	s := play(t)
	s.commands.run = func(context.Context, commands.Request) commands.Answer {
		s.Fault("server_error", 0, "response_url")
		return aboutSession("Orphaned")
	}
	sam := s.As("U0SUPPORT").In("C0SUPPORT")
	sam.Type("/session debug " + session)
	if m := sam.ExpectMessage(wstest.Saying("Orphaned")); !m.Ephemeral {
		t.Errorf("got %s", m)
	}
	s.ExpectNothingElse()
	if log := s.log.String(); !strings.Contains(log, "an answer could not be sent") || strings.Contains(log, "/response/") {
		t.Errorf("log: %s", log)
	}
}

func TestDroppedSocketComesBack(t *testing.T) {
	s := play(t)
	s.commands.run = func(context.Context, commands.Request) commands.Answer { return aboutSession("Orphaned") }
	s.Fault("drop_connections", 0, "")
	s.awaitSockets(t, 0)
	s.awaitSockets(t, 1)
	sam := s.As("U0SUPPORT").In("C0SUPPORT")
	sam.Type("/session debug " + session)
	sam.ExpectMessage(wstest.Saying("Orphaned"))
	s.ExpectNothingElse()
	if !s.bot.Connected() {
		t.Error("it answers, but does not call itself connected")
	}
}

func TestStopAnswersWhatWasAcked(t *testing.T) {
	s := play(t)
	running, goOn := make(chan struct{}), make(chan struct{})
	s.commands.run = func(context.Context, commands.Request) commands.Answer {
		close(running)
		<-goOn
		return aboutSession("Orphaned")
	}
	sam := s.As("U0SUPPORT").In("C0SUPPORT")
	sam.Type("/session debug " + session)
	<-running
	s.stop()
	s.awaitSockets(t, 0) // the connection goes first
	if err := sam.TryType("/session debug " + session); err == nil {
		t.Error("a command was taken after the stop")
	}
	sam.ExpectMessage(wstest.Saying("dispatch_failed"))
	close(goOn)
	sam.ExpectMessage(wstest.Saying("Orphaned"))
	if err := <-s.ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	s.ExpectNothingElse()
}

func TestFullQueueAnswersBusyAndAcksGoOn(t *testing.T) {
	s := play(t)
	goOn := make(chan struct{})
	s.commands.run = func(context.Context, commands.Request) commands.Answer {
		<-goOn
		return aboutSession("Orphaned")
	}
	sam := s.As("U0SUPPORT").In("C0SUPPORT")
	const room = 32 + 256
	for range room + 1 {
		sam.Type("/session debug " + session)
	}
	if m := sam.ExpectMessage(wstest.Saying("Busy: try again in a moment.")); !m.Ephemeral {
		t.Errorf("got %s", m)
	}
	close(goOn)
	for range room {
		sam.ExpectMessage(wstest.Saying("Orphaned"))
	}
	s.ExpectNothingElse()
	s.metrics.mu.Lock()
	defer s.metrics.mu.Unlock()
	if n := len(s.metrics.acks); n != room+1 {
		t.Errorf("%d acks", n)
	}
	for _, took := range s.metrics.acks {
		if took > 100*time.Millisecond {
			t.Errorf("an ack took %v while the commands hung", took)
		}
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
