package bot

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
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
	// posting answers a post through response_url, or with the bot's own voice,
	// in place of the usual answer; false = as usual.
	posting func(w http.ResponseWriter, own bool) bool
	refusal atomic.Value // error code of auth.test, a string
	apiURL  string       // SLACK_API_URL
	pause   string       // that a socket which is refused asks for
	// proxy answers a CONNECT and serves the connection; nil = there is none.
	proxy func(conn net.Conn)

	mu      sync.Mutex
	opened  []time.Time // calls of apps.connections.open
	dialled []string    // host:port, as the bot dials them
	lines   chan *line  // connections, as they are made
	answers chan string // what arrived through response_url

	bot   *Bot
	log   *lockedLog
	gauge *gauge
	stop  context.CancelFunc
	ended chan error
}

// line is one connection as Slack sees it.
type line struct {
	*websocket.Conn
	acks   chan string
	code   int // of the bot's close frame, to be read after gone is closed
	gone   chan struct{}
	silent atomic.Bool // Slack sends no more PINGs
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

// plain answers every command with its text.
type plain struct{}

func (plain) Run(_ context.Context, req commands.Request) commands.Answer {
	return commands.Answer{Outcome: commands.Done, Blocks: []slack.Block{blockkit.Paragraph(blockkit.L(blockkit.Plain("answer to " + req.Text)))}}
}

func (plain) RunAction(ctx context.Context, _, value string, req commands.Request) commands.Answer {
	req.Text = value
	return plain{}.Run(ctx, req)
}

func (plain) RepairOf(commands.Request) (commands.Repair, bool) { return commands.Repair{}, false }

func (plain) ProgressBlocks(store.Progress) []slack.Block { return nil }

func (plain) SettleNotMade(context.Context, string, commands.Request) commands.Answer {
	return commands.Answer{}
}

// living is how many processes of the bot there are.
type living struct{ n atomic.Int32 }

func (l *living) Announce(context.Context, string, time.Time) (int, error) {
	return int(l.n.Load()), nil
}

func (l *living) Leave(context.Context, string) error { return nil }

var (
	timings   = DefaultTimings()
	deadlines = NewDeadlines(1)
)

// inBubble plays a story with a Slack that is set up by prepare, nil = a
// well-behaved one.
func inBubble(t *testing.T, prepare func(*bubble), story func(*bubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &bubble{
			t: t, waiting: make(chan net.Conn), closed: make(chan struct{}), hello: true, apiURL: "http://slack.test/api/",
			opening: func(int) (int, string, string) { return http.StatusOK, "", "" },
			counted: func(n int) int { return min(n, 2) }, posting: func(http.ResponseWriter, bool) bool { return false },
			lines: make(chan *line, 1000), answers: make(chan string, 1000),
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
		Commands: plain{}, Processes: s.processes(), Metrics: s.gauge, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		s.t.Fatal(err)
	}
	client := &http.Client{Timeout: deadlines.Call, Transport: &transport{&http.Transport{DialContext: s.dial, DisableKeepAlives: true}}}
	b.api = slack.New("xoxb-secret", slack.OptionAppLevelToken("xapp-secret"), slack.OptionHTTPClient(client), slack.OptionAPIURL("http://slack.test/api/"))
	b.outbox.http, b.outbox.api, b.connections.api, b.connections.dialer = client, b.api, b.api, &websocket.Dialer{NetDialContext: s.dial, HandshakeTimeout: deadlines.Handshake}
	if s.proxy != nil {
		b.connections.dialer.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: proxyAddr})
	}
	ctx, cancel := context.WithCancel(s.t.Context())
	s.bot, s.stop = b, cancel
	go func() { s.ended <- b.Run(ctx) }()
}

func (s *bubble) processes() Processes {
	l := &living{}
	l.n.Store(1)
	return l
}

func (s *bubble) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/auth.test", func(w http.ResponseWriter, _ *http.Request) {
		refusal, _ := s.refusal.Load().(string)                                                             // "" = none
		_, _ = fmt.Fprintf(w, `{"ok":%v,"team_id":"T1","user_id":"U9","error":%q}`, refusal == "", refusal) // the caller notices
	})
	mux.HandleFunc("/api/apps.connections.open", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		s.opened = append(s.opened, time.Now())
		n := len(s.opened)
		s.mu.Unlock()
		status, retryAfter, body := s.opening(n)
		if body == "" {
			body = fmt.Sprintf(`{"ok":true,"url":"ws://slack.test/socket/%d"}`, n)
		}
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
	mux.HandleFunc("/socket/{n}", s.serve)
	mux.HandleFunc("/refused", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", s.pause)
		w.WriteHeader(http.StatusTooManyRequests)
	})
	mux.HandleFunc("/api/chat.postEphemeral", func(w http.ResponseWriter, r *http.Request) {
		if s.posting(w, true) {
			return
		}
		s.answers <- "with its own voice: " + r.FormValue("text")
		_, _ = io.WriteString(w, `{"ok":true}`) // the caller notices
	})
	mux.HandleFunc("/response", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			s.t.Error(err)
		}
		if s.hangs.Load() {
			<-r.Context().Done()
			return
		}
		if s.posting(w, false) {
			return
		}
		s.answers <- string(body)
	})
	return mux
}

// serve is one connection: a hello, a PING every ten seconds, acks.
func (s *bubble) serve(w http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		s.t.Error(err)
		return
	}
	l := &line{Conn: conn, acks: make(chan string, 1000), gone: make(chan struct{})}
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil {
		s.t.Error(err)
	}
	go s.speak(l, n)
	defer close(l.gone)
	for {
		var ack struct {
			EnvelopeID string `json:"envelope_id"`
		}
		if err := conn.ReadJSON(&ack); err != nil {
			if closed, ok := err.(*websocket.CloseError); ok { //nolint:errorlint // the library does not wrap it
				l.code = closed.Code
			}
			return
		}
		l.acks <- ack.EnvelopeID
	}
}

// speak greets, then sends PINGs.
func (s *bubble) speak(l *line, n int) {
	if s.hello {
		l.send(s.t, fmt.Sprintf(`{"type":"hello","num_connections":%d}`, s.counted(n)))
	}
	s.lines <- l
	for {
		select {
		case <-time.After(10 * time.Second):
		case <-l.gone:
			return
		}
		if !l.silent.Load() {
			_ = l.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second)) // the reader notices
		}
	}
}

func (l *line) send(t *testing.T, frame string) {
	t.Helper()
	if err := l.WriteMessage(websocket.TextMessage, []byte(frame)); err != nil {
		t.Errorf("Slack could not send %.100s: %v", frame, err)
	}
}

// types sends a command over the connection.
func (l *line) types(t *testing.T, envelope, text string) {
	t.Helper()
	l.typesFrom(t, envelope, text, "http://slack.test/response")
}

func (l *line) typesFrom(t *testing.T, envelope, text, responseURL string) {
	t.Helper()
	raw, err := json.Marshal(map[string]any{"type": "slash_commands", "envelope_id": envelope, "payload": map[string]string{
		"user_id": "U1", "channel_id": "C1", "command": "/session", "text": text, "response_url": responseURL}})
	if err != nil {
		t.Fatal(err)
	}
	l.send(t, string(raw))
}

func (l *line) isUp() bool {
	select {
	case <-l.gone:
		return false
	default:
		return true
	}
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
	time.Sleep(timings.Settled)
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

// quiet fails on connections and answers that nobody expected.
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

// proxyAddr is where the bubble's proxy is.
const proxyAddr = "proxy.test:3128"

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

// Accept, Close and Addr make it a listener.
func (s *bubble) Accept() (net.Conn, error) {
	select {
	case conn := <-s.waiting:
		return conn, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

func (s *bubble) Close() error {
	close(s.closed)
	return nil
}

func (s *bubble) Addr() net.Addr { return &net.IPAddr{} }

func (s *bubble) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	s.mu.Lock()
	s.dialled = append(s.dialled, addr)
	s.mu.Unlock()
	if addr == proxyAddr {
		here, there := net.Pipe()
		go func() {
			if _, err := http.ReadRequest(bufio.NewReader(there)); err != nil {
				s.t.Error(err)
			}
			s.proxy(there)
		}()
		return here, nil
	}
	if addr != "slack.test:80" {
		return nil, errors.New("there is nobody else in this bubble")
	}
	here, there := net.Pipe()
	select {
	case s.waiting <- there:
		return here, nil
	case <-s.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
