// Package workspace is a local Slack-like workspace: the Web API, Socket Mode,
// response URLs, Slack's rules about them, example people and channels, and
// controls with which tests play the people and make the workspace misbehave.
// It serves other Slack apps as well, as far as docs/workspace.md says; no particular
// app is known here. The browser page lives in page, the check of blocks in blockcheck.
package workspace

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/internal/workspace/page"
)

// Config configures a workspace. Only Addr is required.
type Config struct {
	// Addr is the loopback address to listen on. Port 0 means a free one.
	Addr string
	// AllowRemote lets Addr be an address that others on the network can reach.
	// It has to be the one that they use: URLs sent to the app contain it.
	AllowRemote bool
	// ControlKey opens /control. Empty means a random one.
	ControlKey string
	// Manifest is the app's manifest in YAML or JSON. It declares the commands,
	// scopes and events of the app. Nil means all of them.
	Manifest []byte
	// BotToken and AppToken are the app's tokens. Empty means random ones.
	BotToken, AppToken string
	// Seed are further users, groups and channels, and messages, in YAML or JSON.
	Seed []byte
	// Hints are the clicks that the page suggests.
	Hints []page.Hint
	// PicturesFrom is an origin, such as http://127.0.0.1:8421, whose pictures the page
	// shows. Without one it shows links in their place.
	PicturesFrom string
	// Stories are messages to be looked at under /storybook.
	Stories []page.Story
	// Log may be nil.
	Log *slog.Logger
	// Now is the clock of messages, expiries and rate limits; nil means time.Now.
	Now func() time.Time
	// AckWithin is the time after which an envelope counts as not acknowledged, and
	// for which its trigger_id is good; 0 means Slack's three seconds. Tests on a
	// busy machine need more.
	AckWithin time.Duration
}

// Server is a running workspace.
type Server struct {
	*socketMode
	now        func() time.Time
	address    string   // host:port
	hosts      []string // names under which requests are answered, besides those of loopback
	pageKey    string   // opens the page to a browser; empty = not asked for
	appToken   string
	botToken   string
	controlKey string

	app       manifest
	world     *world
	responses *tokens[response]
	triggers  *tokens[trigger]
	limits    *limits
	views     *views
	inputs    inputs
	uploads   uploads

	web    *http.Server
	served chan struct{} // closed when web has stopped
}

// Start listens on cfg.Addr and serves until Close.
func Start(cfg Config) (*Server, error) {
	return start(cfg, slackTiming)
}

func start(cfg Config, timing timing) (*Server, error) {
	if err := checkAddr(cfg.Addr, cfg.AllowRemote); err != nil {
		return nil, err
	}
	if cfg.AckWithin > 0 {
		timing.ack = cfg.AckWithin
	}
	app, err := parseManifest(cfg.Manifest)
	if err != nil {
		return nil, err
	}
	if err := checkTokens(cfg); err != nil {
		return nil, err
	}
	world := newWorld(cfg.clock(), app.botName())
	seed, err := readSeed(cfg.Seed)
	if err == nil {
		err = seed.addTo(world)
	}
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("workspace: %w", err)
	}
	s := serve(listener, cfg, timing, app, world)
	if s.pageKey != "" {
		s.log.Warn("workspace reachable from the network, unencrypted", "address", s.address)
	}
	return s, nil
}

// clock is the workspace's clock.
func (c Config) clock() func() time.Time {
	if c.Now == nil {
		return time.Now
	}
	return c.Now
}

// checkTokens refuses tokens that no app would take for its own.
func checkTokens(cfg Config) error {
	switch {
	case cfg.BotToken != "" && !strings.HasPrefix(cfg.BotToken, "xoxb-"):
		return errors.New("workspace: the bot token has to begin with xoxb-")
	case cfg.AppToken != "" && !strings.HasPrefix(cfg.AppToken, "xapp-"):
		return errors.New("workspace: the app token has to begin with xapp-")
	}
	return nil
}

// serve starts a workspace on a listener, which ends with it.
func serve(listener net.Listener, cfg Config, timing timing, app manifest, world *world) *Server {
	s := newServer(cfg, timing, app, world, listener.Addr().String())
	s.web = &http.Server{Handler: s.routes(cfg), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(s.served)
		if err := s.web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("server stopped", "error", err)
		}
	}()
	return s
}

func newServer(cfg Config, timing timing, app manifest, world *world, address string) *Server {
	log, now, key := cfg.Log, cfg.clock(), cfg.ControlKey
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	log = log.With("component", "workspace")
	if key == "" {
		key = rand.Text()
	}
	hosts, pageKey := remote(cfg, address)
	return &Server{
		socketMode: &socketMode{
			background: newBackground(), sockets: newSockets(now), log: log, timing: timing,
			faults: &faults{now: now}, frames: &frames{now: now, onFrame: world.changed.wake},
		},
		now: now, address: address, app: app, world: world, hosts: hosts, pageKey: pageKey,
		appToken:   cmp.Or(cfg.AppToken, "xapp-1-"+appID+"-"+rand.Text()),
		botToken:   cmp.Or(cfg.BotToken, "xoxb-"+rand.Text()),
		controlKey: key,
		responses:  newTokens[response](now, responseLife, responseUses),
		triggers:   newTokens[trigger](now, timing.ack, 1), // as long as Slack waits for an ack
		limits:     newLimits(now),
		views:      newViews(now, world.changed.wake),
		served:     make(chan struct{}),
	}
}

// URL is the workspace's address: http://127.0.0.1:PORT.
func (s *Server) URL() string { return "http://" + s.address }

// PageURL is the address of the page for a browser. Where others can reach it, it
// contains the key that admits a browser.
func (s *Server) PageURL() string {
	if s.pageKey == "" {
		return s.URL()
	}
	return s.URL() + "/?key=" + s.pageKey
}

// APIURL is the base of the Web API, with a trailing slash.
func (s *Server) APIURL() string { return s.URL() + "/api/" }

// AppToken is the app-level token (xapp-…) that opens Socket Mode connections.
func (s *Server) AppToken() string { return s.appToken }

// BotToken is the bot's token (xoxb-…) for all other methods.
func (s *Server) BotToken() string { return s.botToken }

// ControlKey is the value of the header X-Control-Key that /control asks for.
func (s *Server) ControlKey() string { return s.controlKey }

// Close ends all connections and requests and stops listening.
func (s *Server) Close() error {
	s.stop()
	s.faults.clear() // calls that wait go on, and meet the end
	for _, c := range s.sockets.all() {
		c.sendClose()
	}
	s.sockets.closeAll()
	err := s.web.Close()
	<-s.served
	s.work.Wait()
	if err != nil {
		return fmt.Errorf("workspace: %w", err)
	}
	return nil
}

// object is a JSON object to be written.
type object map[string]any

// encode writes a value that this package built itself as JSON. Mrkdwn is full
// of < and >: they stay as they are.
func encode(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("workspace: cannot write its own data as JSON: " + err.Error())
	}
	return bytes.TrimSpace(b.Bytes())
}
