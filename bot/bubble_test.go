package bot

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/bot/slackapi"
	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store/repair"
)

// bubble is a Slack whose connections are pipes, so that a test of minutes runs
// in a bubble of time.
type bubble struct {
	t       *testing.T
	waiting chan net.Conn // dialled, not accepted yet
	closed  chan struct{}

	// opening answers the n-th call (from 1) of apps.connections.open in place of
	// the usual answer; an empty body = as usual. counted is hello's count.
	opening func(n int) (status int, retryAfter, body string)
	counted func(n int) int
	hello   bool
	hangs   atomic.Bool // response_url gives no answer
	// posting answers a post through response_url, or as the bot,
	// in place of the usual answer; false = as usual.
	posting func(w http.ResponseWriter, own bool) bool
	// publishing answers the n-th call (from 1) of views.publish, "" = as usual.
	publishing func(n int) (status int, body string)
	published  chan homeCall
	commands   Commands
	viewers    *memoryViewers

	refusal atomic.Value // error code of auth.test, a string
	apiURL  string       // SLACK_API_URL
	pause   string       // that a socket which is refused asks for
	// proxy answers a CONNECT and serves the connection; nil = there is none.
	proxy func(conn net.Conn)

	mu        sync.Mutex
	opened    []time.Time // calls of apps.connections.open
	publishes int         // calls of views.publish
	dialled   []string    // host:port, as the bot dials them
	lines     chan *line  // connections, as they are made
	answers   chan string // what arrived through response_url

	bot   *Bot
	log   *lockedLog
	gauge *gauge
	stop  context.CancelFunc
	ended chan error
}

// lockedLog is a log that tests can read.
type lockedLog struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// gauge remembers the last number of connections, and the least since the
// first was up.
type gauge struct{ now, least atomic.Int32 }

func (g *gauge) Acked(time.Duration) {}

func (g *gauge) Answered(string, string, time.Duration) {}

func (g *gauge) Sockets(up int) {
	g.now.Store(int32(up))
	g.least.Store(min(g.least.Load(), int32(up)))
}

// plain answers every command with its own text.
type plain struct{}

func (plain) Parse(req commands.Request) commands.Call {
	return commands.Call{Run: func(context.Context) commands.Answer {
		return commands.Answer{Outcome: commands.Done, Blocks: blockkit.Message(blockkit.PlainLine("answer to " + req.Text))}
	}}
}

func (plain) ParseAction(_, value string, req commands.Request) commands.Call {
	req.Text = value
	return plain{}.Parse(req)
}

func (plain) ProgressBlocks(repair.Progress) []slack.Block { return nil }

func (plain) EndReply(repair.Progress) []slack.Block { return nil }

func (plain) SettleNotMade(context.Context, string, commands.Request) commands.Answer {
	return commands.Answer{}
}

func (plain) Home(context.Context, commands.Home) (commands.Home, error) { return commands.Home{}, nil }

// oneProcess knows of no other process of the bot.
type oneProcess struct{}

func (oneProcess) Announce(context.Context, string, time.Time) (int, error) { return 1, nil }

func (oneProcess) Leave(context.Context, string) error { return nil }

// ackGrace is how long a connection that ends waits for acks and envelopes in flight.
const ackGrace = 100 * time.Millisecond

var (
	timings   = DefaultTimings()
	deadlines = NewDeadlines(1)
)

// inBubble runs a story with a Slack that prepare configures, nil = a well-behaved one.
func inBubble(t *testing.T, prepare func(*bubble), story func(*bubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &bubble{
			t: t, waiting: make(chan net.Conn), closed: make(chan struct{}), hello: true, apiURL: "http://slack.test/api/",
			opening: func(int) (int, string, string) { return http.StatusOK, "", "" },
			counted: func(n int) int { return min(n, 2) }, posting: func(http.ResponseWriter, bool) bool { return false },
			lines: make(chan *line, 1000), answers: make(chan string, 1000),
			publishing: func(int) (int, string) { return http.StatusOK, "" }, published: make(chan homeCall, 1000), commands: plain{}, viewers: &memoryViewers{},
			log: &lockedLog{}, gauge: &gauge{}, ended: make(chan error, 1),
		}
		if prepare != nil {
			prepare(s)
		}
		server := &http.Server{Handler: s.handler()}
		go func() { _ = server.Serve(s) }() // ends with the close below
		s.run()
		defer func() {
			s.stop()
			time.Sleep(time.Minute) // until what lingers has ended
			_ = server.Close()
		}()
		story(s)
	})
}

func (s *bubble) run() {
	b, err := New(Config{Timings: timings, Deadlines: deadlines, AppToken: "xapp-secret", BotToken: "xoxb-secret", APIURL: s.apiURL, Readers: []string{"U1"},
		Commands: s.commands, Shares: &memoryClaims{}, Viewers: s.viewers, Processes: oneProcess{}, Metrics: s.gauge, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		s.t.Fatal(err)
	}
	client := &http.Client{Timeout: deadlines.Call, Transport: &slackapi.Transport{Transport: &http.Transport{DialContext: s.dial, DisableKeepAlives: true}}}
	b.api = slack.New("xoxb-secret", slack.OptionAppLevelToken("xapp-secret"), slack.OptionHTTPClient(client), slack.OptionAPIURL("http://slack.test/api/"))
	b.outbox.HTTP, b.outbox.API, b.connections.API, b.connections.Dialer = client, b.api, b.api, &websocket.Dialer{NetDialContext: s.dial, HandshakeTimeout: deadlines.Handshake}
	if s.proxy != nil {
		b.connections.Dialer.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: proxyAddr})
	}
	ctx, cancel := context.WithCancel(s.t.Context())
	s.bot, s.stop = b, cancel
	go func() { s.ended <- b.Run(ctx) }()
}

// connected waits for the next connection, an hour at most.
func (s *bubble) connected() *line {
	s.t.Helper()
	return within(s.t, time.Hour, "connection", s.lines)
}

// both waits for the first two connections, and until they have settled.
func (s *bubble) both() (*line, *line) {
	s.t.Helper()
	first, second := s.connected(), s.connected()
	time.Sleep(timings.StableAfter)
	s.gauge.least.Store(2)
	return first, second
}

// answered expects the answer to a command, and its ack.
func (s *bubble) answered(l *line, envelope, text string) {
	s.t.Helper()
	if got := within(s.t, time.Second, "ack", l.acks); got != envelope {
		s.t.Errorf("acked %s, want %s", got, envelope)
	}
	if got := within(s.t, time.Second, "answer", s.answers); !strings.Contains(got, "answer to "+text) {
		s.t.Errorf("answered %s, want the answer to %s", got, text)
	}
}

// quiet fails on unexpected connections and answers.
func (s *bubble) quiet() {
	s.t.Helper()
	synctest.Wait()
	if len(s.lines) > 0 || len(s.answers) > 0 {
		s.t.Errorf("%d connections and %d answers that nobody expected", len(s.lines), len(s.answers))
	}
}

// attempts are the calls of apps.connections.open, in time since the first.
func (s *bubble) attempts() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var since []time.Duration
	for _, at := range s.opened {
		since = append(since, at.Sub(s.opened[0]))
	}
	return since
}

func within[T any](t *testing.T, patience time.Duration, what string, from <-chan T) T {
	t.Helper()
	select {
	case got := <-from:
		return got
	case <-time.After(patience):
		t.Fatalf("no %s within %v", what, patience)
		panic("not reached")
	}
}
