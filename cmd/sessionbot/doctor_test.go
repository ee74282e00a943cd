package main

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot"
	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/doctor"
	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/internal/workspace"
)

// doctorStage is a healthy environment, to be broken. Every server is a real one, or a fake
// over TLS.
type doctorStage struct {
	*stage
	slackSide *workspace.Server
}

func newDoctorStage(t *testing.T) *doctorStage {
	s := ownStage(t)
	c := &doctorStage{stage: s}
	c.slack(workspace.Config{Manifest: sessionbot.Manifest})
	c.admit(s.redis, slices.Concat(aclRules(t, aclProduct), aclRules(t, aclState))...)
	c.notify(s.redis, "KA")
	c.seed(func(id string) bool { return strings.HasPrefix(id, "cs_live_") })
	own := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()}) // what the bot's Redis suffers is not the site's
	t.Cleanup(func() { _ = own.Close() })
	s.site = demo.NewSite(demo.SiteConfig{Redis: own})
	super := c.serveTLS("SUPERDUPERAI_URL", s.files)
	c.serveTLS("SITE_URL", s.site)
	certificates := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: super.Certificate().Raw})
	s.env["SSL_CERT_FILE"] = c.file(string(certificates))
	s.env["ALERT_CHANNEL"], s.env["ONCALL_MENTION"], s.env["OPERATORS"] = "C0ALERTS", "U0ONCALL", "S0OPS,U0LEAD"
	s.env["DIGEST_AT"] = "09:00"
	return c
}

// slack starts a workspace of its own.
func (c *doctorStage) slack(cfg workspace.Config) {
	cfg.Addr = "127.0.0.1:0"
	ws, err := workspace.Start(cfg)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = ws.Close() })
	c.slackSide = ws
	c.env["SLACK_APP_TOKEN"], c.env["SLACK_BOT_TOKEN"], c.env["SLACK_API_URL"] = ws.AppToken(), ws.BotToken(), ws.APIURL()
}

func (c *doctorStage) fault(f workspace.Fault) {
	if err := c.slackSide.Fault(f); err != nil {
		c.t.Fatal(err)
	}
}

// without takes lines out of the manifest that the workspace knows.
func (c *doctorStage) without(lines ...string) {
	manifest := string(sessionbot.Manifest)
	for _, line := range lines {
		manifest = regexp.MustCompile(`(?m)^.*`+regexp.QuoteMeta(line)+`.*\n`).ReplaceAllString(manifest, "")
	}
	c.slack(workspace.Config{Manifest: []byte(manifest)})
}

func (c *doctorStage) set(server *redistest.Server, name, value string) {
	if err := server.Client().ConfigSet(c.t.Context(), name, value).Err(); err != nil {
		c.t.Fatal(err)
	}
}

func (c *doctorStage) notify(server *redistest.Server, flags string) {
	c.set(server, "notify-keyspace-events", flags)
}

// seed loads the examples of which the ids fit, and has their files known.
func (c *doctorStage) seed(fits func(id string) bool) {
	var some []demo.Example
	for _, example := range demo.Examples(time.Now()) {
		if fits(example.ID) {
			some = append(some, example)
		}
	}
	if err := demo.Load(c.t.Context(), c.client, some); err != nil {
		c.t.Fatal(err)
	}
	demo.Put(c.stripe, c.files, some)
}

func (c *doctorStage) serveTLS(variable string, handler http.Handler) *httptest.Server {
	server := httptest.NewTLSServer(handler)
	c.t.Cleanup(server.Close)
	c.t.Cleanup(server.CloseClientConnections)
	c.env[variable] = server.URL
	return server
}

func (c *doctorStage) file(text string) string {
	path := filepath.Join(c.t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return path
}

// examine runs the binary and returns its exit code and what people read.
func (c *doctorStage) examine() (code int, text string) {
	c.t.Helper()
	people := start(c.t, c.env, "doctor") // a process reads SSL_CERT_FILE once
	code = people.exitCode()
	text = people.log.String()
	c.isClean(text)
	return code, text
}

// isClean checks that no secret is shown.
func (c *doctorStage) isClean(text string) {
	c.t.Helper()
	for _, secret := range []string{stripeMark, superMark, webhookMark, redisMark, c.env["SLACK_APP_TOKEN"], c.env["SLACK_BOT_TOKEN"], c.env["STRIPE_SECRET_KEY"]} {
		if secret != "" && strings.Contains(text, secret) {
			c.t.Errorf("a secret is shown: %s", text)
		}
	}
}

// examineJSON checks that scripts get the exit code and the checks that people got.
func (c *doctorStage) examineJSON(code int, text string) {
	c.t.Helper()
	scripts := start(c.t, c.env, "doctor", "--json")
	if other := scripts.exitCode(); other != code {
		c.t.Errorf("--json exits with %d, without it %d", other, code)
	}
	var report struct {
		OK     bool
		Checks []doctor.Result
	}
	if err := json.Unmarshal([]byte(scripts.log.String()), &report); err != nil {
		c.t.Fatalf("--json: %v:\n%s", err, scripts.log)
	}
	if report.OK != (code == 0) || len(report.Checks) != strings.Count(text, "\n")-1 {
		c.t.Errorf("--json says ok %v and has %d checks:\n%s", report.OK, len(report.Checks), text)
	}
	lines := strings.Split(text, "\n")
	for i, r := range report.Checks {
		if !strings.HasPrefix(lines[i][strings.Index(lines[i], " ")+1:], r.Check+" ") || r.Level == doctor.Failed && r.Remedy == "" {
			c.t.Errorf("--json says %+v, people read: %s", r, lines[i])
		}
	}
	c.isClean(scripts.log.String())
}

// volatile is what differs from run to run in what a doctor says.
var volatile = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`  +`), "  "},
	{regexp.MustCompile(`(x...-)…\w{4}\b`), "$1…tail"},
	{regexp.MustCompile(`Redis \d+\.\d+\.\d+`), "Redis [version]"},
	{regexp.MustCompile(`\d+ keys?, \d+\.\d ms`), "[n] keys, [n] ms"},
	{regexp.MustCompile(`for \d+ days`), "for [n] days"},
	{regexp.MustCompile(`differ by \d+ s`), "differ by [n] s"},
}

// TestDoctor breaks a healthy environment in every way that the doctor reports. Whether
// --json says the same is checked for every fourth: it depends on no breakage.
func TestDoctor(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "redis-server") // else nothing of the golden file is printed
	var mu sync.Mutex
	printed := map[string]string{}
	t.Run("surroundings", func(t *testing.T) {
		for n, b := range breakages {
			t.Run(b.name, func(t *testing.T) {
				t.Parallel()
				c := newDoctorStage(t)
				b.breakIt(c)
				code, text := c.examine()
				if n%4 == 0 {
					c.examineJSON(code, text)
				}
				if code != b.code {
					t.Errorf("it exits with %d, want %d:\n%s", code, b.code, text)
				}
				mu.Lock()
				defer mu.Unlock()
				printed[b.name] = fmt.Sprintf("exit %d\n%s", code, text)
			})
		}
	})
	var all strings.Builder
	health := strings.Split(normalised(printed[breakages[0].name]), "\n")
	for i, b := range breakages {
		fmt.Fprintf(&all, "== %s: ", b.name)
		for n, line := range strings.Split(normalised(printed[b.name]), "\n") {
			if i == 0 || n == 0 || !slices.Contains(health, line) { // of what is broken, only what is not as in health
				all.WriteString(line + "\n")
			}
		}
		all.WriteString("\n")
	}
	golden(t, "doctor", all.String(), time.Now())
}

// normalised takes out what differs from run to run, and the width of the names.
func normalised(text string) string {
	for _, d := range volatile {
		text = d.pattern.ReplaceAllString(text, d.with)
	}
	return text
}

// TestStartWarns: the findings of the cheap checks are logged at the start, which does not
// wait for them.
func TestStartWarns(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.env["ALERT_CHANNEL"] = "C0ARCHIVE"
	s.workspace.Fault("slow", 2, "usergroups.users.list") // of the operators, who are looked up
	s.env["OPERATORS"] = "S0OPS,U0LEFT"
	s.startBot() // connected, while the checks still run
	s.ask("/redis help")
	for _, warning := range []string{
		`"check":"slack.alert_channel","seen":"#archive is archived","remedy":"unarchive it`,
		`"check":"slack.operators","seen":"OPERATORS cannot be resolved: U0LEFT: user_not_found"`,
	} {
		s.bot.awaitOutput(regexp.MustCompile(regexp.QuoteMeta(warning)))
	}
	for _, check := range []string{"redis.permissions", "redis.notifications"} { // Redis notes what it refuses
		if log := s.bot.log.String(); strings.Contains(log, `"check":"`+check+`"`) {
			t.Errorf("it tried at its start what it does not need:\n%s", log)
		}
	}
	s.expectCleanLog()
}
