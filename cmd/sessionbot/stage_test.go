package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot"
	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/workspace"
	"github.com/superduperai/sessionbot/internal/workspace/blockcheck"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
)

// stage is the workspace, a real Redis and the fakes, with the bot running
// among them.
type stage struct {
	t         testing.TB
	server    *workspace.Server
	workspace *wstest.Workspace
	client    redis.UniversalClient
	redis     *redistest.Server // nil where others have a part in it
	stripe    *demo.Stripe
	files     *demo.SuperDuper
	site      *demo.Site
	env       map[string]string
	bot       *process
}

// The marks that nothing may leak.
const (
	stripeMark  = "rk_live_MARKEDsecret"
	superMark   = "MARKEDsecretMARKEDsecretMARKEDsecret"
	webhookMark = "whsec_MARKEDsecret"
)

// newStage sets everything up, with a database of a shared Redis; the bot is
// started by startBot.
func newStage(t testing.TB) *stage {
	t.Helper()
	d := redistest.NewDatabase(t)
	return stageOn(t, redistest.Patient(t, d.URL()), d.Client())
}

// ownStage is newStage with a Redis of its own, which can be frozen.
func ownStage(t testing.TB) *stage {
	t.Helper()
	server := redistest.Start(t)
	s := stageOn(t, server.URL(), server.Client())
	s.redis = server
	return s
}

// ackWithin is more than an ack takes on a busy machine.
const ackWithin = time.Minute

// stageOn sets everything up with an existing Redis.
func stageOn(t testing.TB, redisURL string, client redis.UniversalClient) *stage {
	t.Helper()
	return stageIn(t, workspace.Config{Manifest: sessionbot.Manifest, AckWithin: ackWithin}, redisURL, client)
}

// crashStage is stageOn for tests in which bots die, and acks with them: they
// are waited for as long as Slack does.
func crashStage(t testing.TB, redisURL string, client redis.UniversalClient) *stage {
	t.Helper()
	return stageIn(t, workspace.Config{Manifest: sessionbot.Manifest}, redisURL, client)
}

// stageIn is stageOn for another workspace.
func stageIn(t testing.TB, cfg workspace.Config, redisURL string, client redis.UniversalClient) *stage {
	t.Helper()
	cfg.Addr = "127.0.0.1:0"
	ws, err := workspace.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.Close() })
	s := &stage{
		t: t, server: ws, client: client,
		stripe: demo.NewStripe(), files: demo.NewSuperDuper(time.Now, time.Minute),
	}
	stripe, files := s.serve(s.stripe), s.serve(s.files)
	s.site = demo.NewSite(demo.SiteConfig{Redis: client, FilesURL: files, StripeURL: stripe, Secret: webhookMark})
	s.env = map[string]string{
		"SLACK_APP_TOKEN": ws.AppToken(), "SLACK_BOT_TOKEN": ws.BotToken(), "SLACK_API_URL": ws.APIURL(),
		"REDIS_URL":         redisURL,
		"STRIPE_SECRET_KEY": stripeMark, "STRIPE_API_URL": stripe, "STRIPE_WEBHOOK_SECRET": webhookMark,
		"SUPERDUPERAI_TOKEN": superMark, "SUPERDUPERAI_URL": files,
		"SITE_URL": s.serve(s.site), "HTTP_ADDR": "", "LOG_LEVEL": "debug", "DIGEST_AT": "",
	}
	s.workspace = wstest.New(t, ws.URL(), ws.ControlKey())
	return s
}

// serve starts a fake service and returns its origin.
func (s *stage) serve(handler http.Handler) string {
	server := httptest.NewServer(handler)
	s.t.Cleanup(server.Close)
	s.t.Cleanup(server.CloseClientConnections) // first: some may hang
	return server.URL
}

// connected is what a bot logs once it is connected to the workspace, which may still
// count a connection of the bot before it.
var connected = regexp.MustCompile("connected to Slack")

// startBot starts the bot in this process and waits until it is connected.
func (s *stage) startBot() {
	s.t.Helper()
	s.bot = run(s.t, s.env, "run")
	s.bot.awaitOutput(connected)
}

// startInTime is startBot with the deadlines of production, for tests in which a service
// does not answer.
func (s *stage) startInTime() {
	s.t.Helper()
	s.bot = runWith(s.t, strings.NewReader(""), true, s.env, "run")
	s.bot.awaitOutput(connected)
}

// startProcess is startBot in a process of its own, for tests that send it signals.
func (s *stage) startProcess() {
	s.t.Helper()
	s.bot = start(s.t, s.env, "run")
	s.bot.awaitOutput(connected)
}

// ask types a slash command as a member of support and waits for its one answer.
func (s *stage) ask(text string) wstest.Message {
	s.t.Helper()
	support := s.workspace.As("U0SUPPORT").In("C0SUPPORT")
	support.Type(text)
	m := support.ExpectMessage(nil)
	s.checkMessage(m)
	if !m.Ephemeral {
		s.t.Errorf("%s was answered for the whole channel", text)
	}
	return m
}

// ownTime is a time in mrkdwn that is shown in each reader's zone: it mentions no one.
var ownTime = regexp.MustCompile(`<!date\^\d+\^[a-z_{}() ]+\|[0-9A-Za-z: ()]+>`)

// checkMessage checks what holds for every message: Slack accepts it, no one is
// mentioned, no secret is in it.
func (s *stage) checkMessage(m wstest.Message) {
	s.t.Helper()
	for _, violation := range blockcheck.Check(m.Blocks) {
		s.t.Errorf("Slack would refuse the message: %v", violation)
	}
	var shown strings.Builder
	mrkdwn(s.t, m.Blocks, &shown)
	for _, mention := range []string{"<!", "<@", "<#"} {
		if strings.Contains(m.Text, mention) || strings.Contains(ownTime.ReplaceAllString(shown.String(), ""), mention) {
			s.t.Errorf("the message mentions somebody: %s", m.Text)
		}
	}
	if n := len([]rune(m.Text)); n == 0 || n >= 4000 {
		s.t.Errorf("the message's own text has %d characters", n)
	}
	for _, secret := range []string{stripeMark, superMark, webhookMark, "xoxb-", "xapp-", "QUJD" /* an inlined picture */} {
		if strings.Contains(m.Text+string(m.Blocks), secret) {
			s.t.Errorf("the message leaks %s", secret)
		}
	}
}

// mrkdwn collects the texts of blocks that Slack interprets.
func mrkdwn(t testing.TB, raw json.RawMessage, into *strings.Builder) {
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			if text, ok := v["text"].(string); ok && v["type"] == "mrkdwn" {
				into.WriteString(text + "\n")
			}
			for _, item := range v {
				walk(item)
			}
		}
	}
	var blocks any
	if err := json.Unmarshal(raw, &blocks); err != nil {
		t.Fatal(err)
	}
	walk(blocks)
}

// expectCleanLog checks that no secret and no personal datum reached the log.
func (s *stage) expectCleanLog(personal ...string) {
	s.t.Helper()
	s.quiet(s.bot, personal...)
}

func (s *stage) quiet(p *process, personal ...string) {
	s.t.Helper()
	for _, word := range append(personal, stripeMark, superMark, webhookMark, s.env["SLACK_APP_TOKEN"], s.env["SLACK_BOT_TOKEN"]) {
		if strings.Contains(p.log.String(), word) {
			s.t.Errorf("the log leaks %q", word)
		}
	}
}
