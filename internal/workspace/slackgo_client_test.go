package workspace

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// goClient is a client of the Go library as it is. What consumes its events is
// the test's business.
type goClient struct {
	*socketmode.Client
	ended chan error // what Run returned

	mu    sync.Mutex
	doing []string           // what its network saw: open, dial, close
	gate  chan struct{}      // where set, opening waits for it
	sent  map[byte]int       // first bytes of what it wrote over sockets
	seen  []socketmode.Event // with takeNote
}

// goAPI is the library's client of the Web API, on the network m.
func goAPI(s *Server, transport http.RoundTripper, options ...slack.Option) *slack.Client {
	return slack.New(s.BotToken(), append([]slack.Option{
		slack.OptionAppLevelToken(s.AppToken()), slack.OptionAPIURL(s.APIURL()),
		slack.OptionHTTPClient(&http.Client{Transport: transport}),
	}, options...)...)
}

// over is a transport that leaves nothing open behind it.
func over(m *memory) *http.Transport {
	return &http.Transport{DialContext: m.dial, DisableKeepAlives: true}
}

// roundTrip is a transport that is a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// newGoClient makes a client; run starts it.
func newGoClient(s *Server, m *memory, api []slack.Option, options ...socketmode.Option) *goClient {
	c := &goClient{ended: make(chan error, 1), sent: map[byte]int{}}
	inner := over(m)
	transport := roundTrip(func(r *http.Request) (*http.Response, error) {
		c.note("open")
		if gate := c.gated(); gate != nil {
			<-gate
		}
		return inner.RoundTrip(r)
	})
	dialer := &websocket.Dialer{WriteBufferSize: 32 << 10, NetDialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := m.dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		c.note("dial")
		l := conn.(*line)
		l.ended = func() { c.note("close") }
		l.wrote = func(first byte) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.sent[first]++
		}
		return l, nil
	}}
	c.Client = socketmode.New(goAPI(s, transport, api...), append([]socketmode.Option{socketmode.OptionDialer(dialer)}, options...)...)
	return c
}

// run runs the client, and consume for each of its events, until the test ends.
func (c *goClient) run(t *testing.T, consume func(context.Context, socketmode.Event)) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { c.ended <- c.RunContext(ctx) })
	running.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case e := <-c.Events:
				consume(ctx, e)
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
}

// acking acknowledges everything at once and takes note of it.
func (c *goClient) acking(ctx context.Context, e socketmode.Event) {
	c.takeNote(ctx, e)
	if e.Request != nil && e.Request.EnvelopeID != "" {
		_ = c.AckCtx(ctx, e.Request.EnvelopeID, nil) // the command notices
	}
}

// takeNote does nothing else.
func (c *goClient) takeNote(_ context.Context, e socketmode.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = append(c.seen, e)
}

func (c *goClient) note(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.doing = append(c.doing, what)
}

func (c *goClient) gated() chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gate
}

// hold makes the client's next opening wait until the returned function is
// called.
func (c *goClient) hold() (release func()) {
	gate := make(chan struct{})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gate = gate
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.gate = nil
		close(gate)
	}
}

// wrote counts the writes over sockets that began with a byte.
func (c *goClient) wrote(first byte) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent[first]
}

// did is what the network saw.
func (c *goClient) did() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.doing...)
}

// events are those seen, of one type.
func (c *goClient) events(kind socketmode.EventType) []socketmode.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []socketmode.Event
	for _, e := range c.seen {
		if e.Type == kind {
			list = append(list, e)
		}
	}
	return list
}

// kinds are the types of all events seen. Whether the library reports an
// incoming_error when it closes by itself is a matter of luck.
func (c *goClient) kinds() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []string
	for _, e := range c.seen {
		if e.Type != socketmode.EventTypeIncomingError {
			list = append(list, string(e.Type))
		}
	}
	return list
}

// fault makes the workspace misbehave.
func fault(t *testing.T, s *Server, f Fault) {
	t.Helper()
	if err := s.Fault(f); err != nil {
		t.Fatal(err)
	}
}

// typed is what comes of typing a command now.
func typed(s *Server) error {
	_, err := s.Command("U0SUPPORT", "C0SUPPORT", "/x", "y")
	return err
}

var errNotYet = errors.New("still running")

// outcome is what Run returned, or errNotYet.
func (c *goClient) outcome() error {
	select {
	case err := <-c.ended:
		c.ended <- err
		return err
	default:
		return errNotYet
	}
}

// upgrade is the request of a WebSocket handshake.
func upgrade(t *testing.T, url string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http"+strings.TrimPrefix(url, "ws"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
	} {
		r.Header.Set(name, value)
	}
	return r
}

// notebook is what a library logged.
type notebook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (n *notebook) Write(raw []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(raw)
}

func (n *notebook) says(text string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Contains(n.text.String(), text)
}

func (n *notebook) logger() *log.Logger { return log.New(n, "", 0) }
