package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/kelseyhightower/envconfig"

	"github.com/superduperai/sessionbot/internal/requestid"
	"github.com/superduperai/sessionbot/store"
)

// config is everything that is set from outside, by environment variables. What
// stands above a field is its meaning in docs/configuration.md, which `make docs`
// writes. A secret can be read from a file, too: see readFiles.
type config struct {
	// The app-level token (`xapp-…`) with the scope connections:write. Required by `run`.
	SlackAppToken string `envconfig:"SLACK_APP_TOKEN" secret:"true"`
	// The bot token (`xoxb-…`) of the same app. Required by `run`.
	SlackBotToken string `envconfig:"SLACK_BOT_TOKEN" secret:"true"`
	// Base of the Web API; ends in `/`. Empty: Slack's own. GovSlack's is `https://slack-gov.com/api/`; another server may stand in.
	SlackAPIURL string `envconfig:"SLACK_API_URL"`

	// The product's Redis: `redis://` or, encrypted, `rediss://`, with user and password. Several `addr=` parameters: a cluster; `master_name=`: a Sentinel, whose addresses these are then. A single address that turns out to be a cluster is used as one. Required.
	RedisURL string `envconfig:"REDIS_URL" secret:"true"`
	// Where the bot keeps its own keys, all of them under `sessionbot:`. Empty: in REDIS_URL.
	StateRedisURL string `envconfig:"STATE_REDIS_URL" secret:"true"`

	// A restricted key (`rk_…`) that may read Checkout Sessions, PaymentIntents, Charges and Events. Empty: payments are shown as unverified.
	StripeKey string `envconfig:"STRIPE_SECRET_KEY" secret:"true"`
	// Origin of another API that speaks Stripe's; no path. Empty: Stripe's own.
	StripeAPIURL string `envconfig:"STRIPE_API_URL"`
	// Members of a Checkout Session's metadata, with commas between them: a session that carries none of them, or is not of mode `payment`, is a sale of something else and no concern of the bot's, unless Redis knows it. Set but empty: every session of mode `payment` is a sale of this product.
	ProductMetadata []string `envconfig:"STRIPE_PRODUCT_METADATA" default:"video_count,tool,toolSlug"`

	// The token of the SuperDuperAI API. Empty: files cannot be seen, and `generate` is refused.
	SuperDuperToken string `envconfig:"SUPERDUPERAI_TOKEN" secret:"true"`
	// Origin of the SuperDuperAI API; no path.
	SuperDuperURL string `envconfig:"SUPERDUPERAI_URL" default:"https://dev-editor.superduperai.co"`
	// The model that makes a video in a repair.
	VideoModel string `envconfig:"SUPERDUPERAI_MODEL" default:"google-cloud/veo3-text2video"`
	// The model that makes an image in a repair.
	ImageModel string `envconfig:"SUPERDUPERAI_IMAGE_MODEL" default:"azure-openai/gpt-image-1"`
	// Dollars per second of video, and per image, by model, for the estimate in a plan. A name counts for all models that begin with it, the longest that fits first; `image` is the price of an image by any model that is not named.
	Prices store.Prices `envconfig:"SUPERDUPERAI_PRICES" default:"veo3:3,veo2:2,ltx:0.40,sora:2,kling:2,minimax:1.20,lip-sync:0.40,image:3"`
	// How long a started video is followed.
	GiveUpAfter time.Duration `envconfig:"GIVE_UP_AFTER" default:"60m"`
	// Origin of the site, for its webhook-status and for links; no path.
	SiteURL string `envconfig:"SITE_URL" default:"https://superduperai.co"`
	// Which of a session's keys the site reads: `one-key` (only `session:`) or `three-key`; a repair writes what the customer's page goes by. `auto`: `one-key`, unless Redis holds three-key sessions of the last seven days and no full object with a `createdAt`.
	SiteLayout string `envconfig:"SITE_LAYOUT" default:"auto"`

	// The id (`C…`) of the channel for alerts. Plans asked for where the bot is no member are shown there, too. Empty: no alerts.
	AlertChannel string `envconfig:"ALERT_CHANNEL"`
	// The user (`U…`) or user group (`S…`) that alerts call. Empty: nobody is called.
	OncallMention string `envconfig:"ONCALL_MENTION"`
	// The verdicts that are alerted, with commas between them.
	AlertOn []string `envconfig:"ALERT_ON" default:"orphaned,stalled,lost,failed,undelivered"`

	// Who may ask: `*` for every full member of the workspace (no guests, nobody from a connected workspace), or ids of users and user groups with commas between them.
	Readers []string `envconfig:"READERS" default:"*"`
	// Who may approve repairs, like READERS. Empty: nobody.
	Operators []string `envconfig:"OPERATORS"`
	// Which repairs need an operator other than the one who asked: `none`, `generate` or `all`.
	Approvals string `envconfig:"APPROVALS" default:"none"`
	// Life of a plan, from the question to the approval.
	ConfirmTTL time.Duration `envconfig:"CONFIRM_TTL" default:"10m"`

	// Time after payment in which a missing webhook is normal.
	OrphanGrace time.Duration `envconfig:"ORPHAN_GRACE" default:"10m"`
	// Age over which processing without a finished file is a fault.
	StallAfter time.Duration `envconfig:"STALL_AFTER" default:"30m"`
	// Time between two sweeps over Redis.
	SweepInterval time.Duration `envconfig:"SWEEP_INTERVAL" default:"1m"`

	// Address of `/healthz`, `/readyz` and `/metrics`; nobody is asked who they are there. `:8080` answers other machines too. Set but empty: off.
	HTTPAddr string `envconfig:"HTTP_ADDR" default:"127.0.0.1:8080"`
	// Address of `/debug/pprof`; loopback only. Empty: off.
	PprofAddr string `envconfig:"PPROF_ADDR"`
	// What is logged: `debug`, `info`, `warn` or `error`.
	LogLevel string `envconfig:"LOG_LEVEL" default:"info"`
	// How it is logged: `json` or `text`.
	LogFormat string `envconfig:"LOG_FORMAT" default:"json"`

	logLevelSet, logFormatSet bool // not by default
	deadlines                 store.Deadlines
	patience                  int // of the bot, times its deadlines
}

// configError names the variables that are wrong and the remedy for each.
type configError struct{ faults []configFault }

type configFault struct{ variable, fault, remedy string }

func (f configFault) String() string { return f.variable + " " + f.fault + ": " + f.remedy + "." }

func (e *configError) Error() string {
	lines := make([]string, len(e.faults))
	for i, f := range e.faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// add notes a fault. What is wrong with the file of a secret is told once.
func (e *configError) add(variable, fault, remedy string) {
	if e.concerns(variable + "_FILE") {
		return
	}
	e.faults = append(e.faults, configFault{variable, fault, remedy})
}

// stray notes what pasting left in a secret, and reports whether there is any.
func (e *configError) stray(variable, secret string) bool {
	fault, remedy := strayIn(secret)
	if fault != "" {
		e.add(variable, fault, remedy)
	}
	return fault != ""
}

// concerns tells whether a variable is wrong.
func (e *configError) concerns(variable string) bool {
	return slices.ContainsFunc(e.faults, func(f configFault) bool { return f.variable == variable })
}

// loadConfig reads the environment and checks all of it before anything is
// connected. The terminal commands need no Slack.
func loadConfig(slack bool) (config, error) {
	var c config
	if err := unsetEmpty(c); err != nil {
		return c, err
	}
	faults := &configError{}
	for {
		err := envconfig.Process("", &c)
		if err == nil {
			break
		}
		var parse *envconfig.ParseError
		if !errors.As(err, &parse) {
			return c, fmt.Errorf("read the environment: %w", err)
		}
		// Its text carries the value, which may be a secret. The rest is checked
		// with the default in its place.
		faults.add(parse.KeyName, "cannot be read", parseRemedy(parse.TypeName))
		if err := os.Unsetenv(parse.KeyName); err != nil {
			return c, fmt.Errorf("read the environment: %w", err)
		}
	}
	c.deadlines, c.patience = timings.deadlines, timings.patience
	_, c.logLevelSet = os.LookupEnv("LOG_LEVEL")
	_, c.logFormatSet = os.LookupEnv("LOG_FORMAT")
	c.readFiles(faults)
	c.StripeAPIURL = cmp.Or(c.StripeAPIURL, stripeOrigin)
	if slack {
		c.checkSlack(faults)
	}
	c.checkRedis(faults)
	c.checkServices(faults)
	c.checkRest(faults)
	if len(faults.faults) > 0 {
		slices.SortFunc(faults.faults, func(a, b configFault) int { return strings.Compare(a.String(), b.String()) })
		return c, faults
	}
	return c, nil
}

var saysEmpty = []string{"HTTP_ADDR", "READERS", "STRIPE_PRODUCT_METADATA"}

// unsetEmpty: where variables are handed on from elsewhere, an empty one means
// that nothing was said. Those of saysEmpty say something by it.
func unsetEmpty(c config) error {
	for _, field := range reflect.VisibleFields(reflect.TypeOf(c)) {
		name := field.Tag.Get("envconfig")
		if value, set := os.LookupEnv(name); set && value == "" && !slices.Contains(saysEmpty, name) {
			if err := os.Unsetenv(name); err != nil {
				return fmt.Errorf("read the environment: %w", err)
			}
		}
	}
	return nil
}

func parseRemedy(typeName string) string {
	if typeName == "time.Duration" {
		return "write a number with its unit, such as 90s or 10m"
	}
	return "see the table of variables"
}

func (c *config) checkSlack(faults *configError) {
	token(faults, "SLACK_APP_TOKEN", c.SlackAppToken, "xapp-",
		"create an app-level token with connections:write under Basic Information")
	token(faults, "SLACK_BOT_TOKEN", c.SlackBotToken, "xoxb-",
		"install the app and copy the bot token from OAuth & Permissions")
	if c.SlackAPIURL == "" {
		return
	}
	if !strings.HasSuffix(c.SlackAPIURL, "/") {
		faults.add("SLACK_API_URL", "does not end in a slash", "write it like https://slack.example/api/")
	}
	secureURL(faults, "SLACK_API_URL", c.SlackAPIURL)
}

func token(faults *configError, variable, value, prefix, remedy string) {
	switch {
	case value == "":
		faults.add(variable, "is missing", remedy)
	case faults.stray(variable, value):
	case !strings.HasPrefix(value, prefix) || !headerPattern.MatchString(value):
		faults.add(variable, "does not look like one (they start with "+prefix+kindOf(value)+")", remedy)
	}
}

// kindOf names the kind of a token that stands in the wrong place.
func kindOf(token string) string {
	for prefix, kind := range map[string]string{
		"xoxb-": "; this is a bot token, for SLACK_BOT_TOKEN", "xapp-": "; this is an app-level token, for SLACK_APP_TOKEN",
		"xoxp-": "; this is a person's token", "xoxe": "; this is a token that rotates",
	} {
		if strings.HasPrefix(token, prefix) {
			return kind
		}
	}
	return ""
}

func (c *config) checkRedis(faults *configError) {
	const remedy = "write it like redis://user:password@host:6379/0, several nodes of a cluster as ?addr=host:port"
	if c.RedisURL == "" {
		faults.add("REDIS_URL", "is missing", remedy)
	} else if err := store.CheckURL(c.RedisURL); err != nil {
		faults.add("REDIS_URL", "is not usable ("+err.Error()+")", remedy)
	}
	if c.StateRedisURL == "" {
		c.StateRedisURL = c.RedisURL
	} else if err := store.CheckURL(c.StateRedisURL); err != nil {
		faults.add("STATE_REDIS_URL", "is not usable ("+err.Error()+")", remedy)
	}
}

const stripeOrigin = "https://api.stripe.com"

var (
	stripeKeyPattern = regexp.MustCompile(`^[rs]k_[!-~]+$`)
	metadataPattern  = regexp.MustCompile(`^[^\[\]]{1,40}$`) // what Stripe takes as a member's name
	headerPattern    = regexp.MustCompile(`^[!-~]+$`)        // what fits into a header
)

func (c *config) checkServices(faults *configError) {
	if !faults.stray("STRIPE_SECRET_KEY", c.StripeKey) && c.StripeKey != "" && !stripeKeyPattern.MatchString(c.StripeKey) {
		faults.add("STRIPE_SECRET_KEY", "does not look like one (they start with rk_ or sk_)",
			"create a restricted key with read access in Stripe's dashboard under Developers, API keys")
	}
	for i, member := range c.ProductMetadata {
		if c.ProductMetadata[i] = strings.TrimSpace(member); !metadataPattern.MatchString(c.ProductMetadata[i]) {
			faults.add("STRIPE_PRODUCT_METADATA", "names a member that no metadata has",
				"write names of at most 40 characters with commas between them, such as video_count,tool; empty counts every session of mode payment")
			break
		}
	}
	if !faults.stray("SUPERDUPERAI_TOKEN", c.SuperDuperToken) && c.SuperDuperToken != "" && !headerPattern.MatchString(c.SuperDuperToken) {
		faults.add("SUPERDUPERAI_TOKEN", "cannot be one: it holds a letter that no token has",
			"copy it again from the SuperDuperAI editor")
	}
	for variable, value := range map[string]string{
		"STRIPE_API_URL": c.StripeAPIURL, "SUPERDUPERAI_URL": c.SuperDuperURL, "SITE_URL": c.SiteURL,
	} {
		secureURL(faults, variable, value)
		if u, err := url.Parse(value); err == nil && (u.Path != "" || u.RawQuery != "") {
			faults.add(variable, "carries a path", "write only the origin, without a trailing slash, such as https://"+u.Host)
		}
	}
}

// secureURL: what carries a token goes over https, unless it stays on this
// machine.
func secureURL(faults *configError, variable, value string) {
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		faults.add(variable, "is not a URL", "write it like https://host")
	case u.User != nil:
		faults.add(variable, "carries a user name", "write it without one")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		faults.add(variable, "is not encrypted", "use https; plain http is for loopback addresses only")
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

var (
	personPattern  = regexp.MustCompile(`^[UWS][A-Z0-9]{2,}$`)
	channelPattern = regexp.MustCompile(`^[CG][A-Z0-9]{2,}$`)
)

func (c *config) checkRest(faults *configError) {
	people(faults, "READERS", c.Readers)
	if len(c.Readers) == 0 {
		faults.add("READERS", "is empty, so nobody might ask", "list ids with commas between them, or write * for every full member of the workspace")
	}
	people(faults, "OPERATORS", c.Operators)
	if c.AlertChannel != "" && !channelPattern.MatchString(c.AlertChannel) {
		faults.add("ALERT_CHANNEL", "is not a channel id", "copy the id (C…) from the bottom of the channel's details")
	}
	if c.OncallMention != "" && !personPattern.MatchString(c.OncallMention) {
		faults.add("ONCALL_MENTION", "is neither a user id nor a group id", "copy the id (U… or S…) from the profile or the group")
	}
	for _, verdict := range c.AlertOn {
		if !slices.Contains(store.Verdicts, store.Verdict(verdict)) {
			faults.add("ALERT_ON", "names a verdict that does not exist", "write verdicts with commas between them, such as orphaned,stalled")
		}
	}
	if !slices.Contains([]string{"none", "generate", "all"}, c.Approvals) {
		faults.add("APPROVALS", "is unknown", "write none, generate or all")
	}
	if !slices.Contains([]string{"auto", string(store.LayoutOneKey), string(store.LayoutThreeKey)}, c.SiteLayout) {
		faults.add("SITE_LAYOUT", "is unknown", "write auto, one-key or three-key")
	}
	for variable, value := range map[string]time.Duration{
		"CONFIRM_TTL": c.ConfirmTTL, "ORPHAN_GRACE": c.OrphanGrace,
		"STALL_AFTER": c.StallAfter, "SWEEP_INTERVAL": c.SweepInterval, "GIVE_UP_AFTER": c.GiveUpAfter,
	} {
		if value <= 0 {
			faults.add(variable, "is not above zero", parseRemedy("time.Duration"))
		}
	}
	c.checkAddresses(faults)
	if new(slog.Level).UnmarshalText([]byte(c.LogLevel)) != nil {
		faults.add("LOG_LEVEL", "is unknown", "write debug, info, warn or error")
	}
	if c.LogFormat != "json" && c.LogFormat != "text" {
		faults.add("LOG_FORMAT", "is unknown", "write json or text")
	}
}

func people(faults *configError, variable string, ids []string) {
	for i, id := range ids {
		ids[i] = strings.TrimSpace(id)
		if ids[i] != "*" && !personPattern.MatchString(ids[i]) {
			faults.add(variable, "names somebody who is neither a user id (U…) nor a group id (S…)",
				"list ids with commas between them, or write * for every full member of the workspace")
		}
	}
}

func (c *config) checkAddresses(faults *configError) {
	const remedy = "write it like 127.0.0.1:8080; empty switches it off"
	if c.HTTPAddr != "" {
		if _, _, err := net.SplitHostPort(c.HTTPAddr); err != nil {
			faults.add("HTTP_ADDR", "is not an address", remedy)
		}
	}
	if c.PprofAddr != "" {
		if host, _, err := net.SplitHostPort(c.PprofAddr); err != nil || !loopback(host) {
			faults.add("PPROF_ADDR", "is not a loopback address", remedy)
		}
	}
}

// logger writes as the configuration says.
func (c *config) logger(w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // checked with the configuration
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "text" {
		return slog.New(requestid.NewHandler(slog.NewTextHandler(w, options)))
	}
	return slog.New(requestid.NewHandler(slog.NewJSONHandler(w, options)))
}
