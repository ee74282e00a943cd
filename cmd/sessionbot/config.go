package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/kelseyhightower/envconfig"
	"go.opentelemetry.io/otel/trace"

	"github.com/superduperai/sessionbot/internal/requestid"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/repair"
)

// config is read from environment variables. The comment above a field is its
// meaning in docs/configuration.md, which `make docs` generates. A secret can also
// be read from a file: see readFiles.
type config struct {
	// The app-level token (`xapp-…`) with the scope connections:write. Required by `run`.
	SlackAppToken string `envconfig:"SLACK_APP_TOKEN" secret:"true"`
	// The bot token (`xoxb-…`) of the same app. Required by `run`.
	SlackBotToken string `envconfig:"SLACK_BOT_TOKEN" secret:"true"`
	// Base URL of the Web API; ends in `/`. Empty: Slack's own. GovSlack's is `https://slack-gov.com/api/`; a test server works too.
	SlackAPIURL string `envconfig:"SLACK_API_URL"`

	// The product's Redis: `redis://` or, encrypted, `rediss://`, with user and password. Several `addr=` parameters name the nodes of a cluster or, with `master_name=`, the Sentinels. A single address that turns out to be a cluster is used as one. Required.
	RedisURL string `envconfig:"REDIS_URL" secret:"true"`
	// The Redis of the bot's own keys, all of them under `sessionbot:`. Empty: REDIS_URL.
	StateRedisURL string `envconfig:"STATE_REDIS_URL" secret:"true"`

	// A restricted key (`rk_…`) with read access to Checkout Sessions, PaymentIntents, Charges and Events. Empty: payments are shown as unverified.
	StripeKey string `envconfig:"STRIPE_SECRET_KEY" secret:"true"`
	// Origin of another server with Stripe's API; no path. Empty: Stripe's own.
	StripeAPIURL string `envconfig:"STRIPE_API_URL"`
	// Comma-separated keys of a Checkout Session's metadata: a session that has none of them, or is not of mode `payment`, is another product's sale, and the bot ignores it unless Redis knows it. Set but empty: every session of mode `payment` is a sale of this product.
	ProductMetadata []string `envconfig:"STRIPE_PRODUCT_METADATA" default:"video_count,tool,toolSlug"`

	// The token of the SuperDuperAI API. Empty: files cannot be seen, and `generate` is refused.
	SuperDuperToken string `envconfig:"SUPERDUPERAI_TOKEN" secret:"true"`
	// Origin of the SuperDuperAI API; no path.
	SuperDuperURL string `envconfig:"SUPERDUPERAI_URL" default:"https://dev-editor.superduperai.co"`
	// The model that generates a video in a repair.
	VideoModel string `envconfig:"SUPERDUPERAI_MODEL" default:"google-cloud/veo3-text2video"`
	// The model that generates an image in a repair.
	ImageModel string `envconfig:"SUPERDUPERAI_IMAGE_MODEL" default:"azure-openai/gpt-image-1"`
	// Dollars per second of video, and per image, by model, for the estimate in a plan. A name matches all models that begin with it; the longest match wins. `image` is the price of an image by any other model.
	Prices repair.Prices `envconfig:"SUPERDUPERAI_PRICES" default:"veo3:3,veo2:2,ltx:0.40,sora:2,kling:2,minimax:1.20,lip-sync:0.40,image:3"`
	// How long the bot follows a video that was started.
	GiveUpAfter time.Duration `envconfig:"GIVE_UP_AFTER" default:"60m"`
	// Origin of the site, for its webhook-status endpoint and for links; no path.
	SiteURL string `envconfig:"SITE_URL" default:"https://superduperai.co"`
	// The signing secret (`whsec_…`) of the site's webhook endpoint in Stripe. Anyone who has it can start a video for any session. Empty: `replay` is refused.
	WebhookSecret string `envconfig:"STRIPE_WEBHOOK_SECRET" secret:"true"`
	// Where `replay` sends Stripe's event, with its path. Empty: SITE_URL + `/api/webhooks/stripe`.
	WebhookURL string `envconfig:"SITE_WEBHOOK_URL"`
	// Which of a session's keys the site reads: `one-key` (only `session:`) or `three-key`; a repair writes what the customer's page reads. `auto`: `one-key`, unless Redis holds three-key sessions of the last seven days and no full object with a `createdAt`.
	SiteLayout string `envconfig:"SITE_LAYOUT" default:"auto"`

	// The id (`C…`) of the channel for alerts. Plans requested in a channel without the bot are shown there, too. Empty: no alerts.
	AlertChannel string `envconfig:"ALERT_CHANNEL"`
	// The user (`U…`) or user group (`S…`) that alerts mention. Empty: nobody.
	OncallMention string `envconfig:"ONCALL_MENTION"`
	// The user (`U…`) or user group (`S…`) that is mentioned once per incident, when nobody answers two reminders in a row. Empty: nobody.
	EscalateMention string `envconfig:"ESCALATE_MENTION"`
	// Address of the runbook that alerts link to; the section for the alert, such as `#orphaned`, is appended.
	RunbookURL string `envconfig:"RUNBOOK_URL" default:"https://github.com/superduperai/sessionbot/blob/main/docs/operating.md"`
	// The verdicts that are alerted, comma-separated.
	AlertOn []string `envconfig:"ALERT_ON" default:"orphaned,stalled,lost,failed,undelivered"`
	// When the digest of the day before is posted in ALERT_CHANNEL each day, such as `09:00`. Set but empty: no digest.
	DigestAt string `envconfig:"DIGEST_AT" default:"09:00"`
	// The time zone of DIGEST_AT and of the digest's day, such as `Europe/Berlin`.
	DigestTZ string `envconfig:"DIGEST_TZ" default:"UTC"`

	// Who may use the bot: `*` for every full member of the workspace (no guests, nobody from a connected workspace), or comma-separated ids of users and user groups.
	Readers []string `envconfig:"READERS" default:"*"`
	// Who may approve repairs, in the format of READERS. Empty: nobody.
	Operators []string `envconfig:"OPERATORS"`
	// Which repairs a second operator has to approve, other than the requester: `none`, `generate` or `all`.
	Approvals string `envconfig:"APPROVALS" default:"none"`
	// How long a plan can be approved.
	ConfirmTTL time.Duration `envconfig:"CONFIRM_TTL" default:"10m"`

	// How many sessions one bulk plan may repair, at most 500.
	BulkLimit int `envconfig:"BULK_LIMIT" default:"50"`
	// How many sessions of a bulk plan are repaired at the same time, at most 20.
	BulkParallel int `envconfig:"BULK_PARALLEL" default:"3"`

	// How long after the payment a missing webhook is normal.
	OrphanGrace time.Duration `envconfig:"ORPHAN_GRACE" default:"10m"`
	// How long `processing` without a finished file is normal.
	StallAfter time.Duration `envconfig:"STALL_AFTER" default:"30m"`
	// Minimum time from the start of one sweep over Redis to the next.
	SweepInterval time.Duration `envconfig:"SWEEP_INTERVAL" default:"1m"`

	// Address of `/healthz`, `/readyz` and `/metrics`, without authentication. `:8080` listens for other machines too. Set but empty: off.
	HTTPAddr string `envconfig:"HTTP_ADDR" default:"127.0.0.1:8080"`
	// Address of `/debug/pprof`, loopback only. Empty: off.
	PprofAddr string `envconfig:"PPROF_ADDR"`
	// The lowest level that is logged: `debug`, `info`, `warn` or `error`.
	LogLevel string `envconfig:"LOG_LEVEL" default:"info"`
	// The log's format: `json` or `text`.
	LogFormat string `envconfig:"LOG_FORMAT" default:"json"`

	// Base URL of a collector that takes OpenTelemetry traces over HTTP, such as `http://localhost:4318`; `/v1/traces` is appended. Empty, and the next one too: no traces. [Traces](operating.md#traces) has more.
	OTLPEndpoint string `envconfig:"OTEL_EXPORTER_OTLP_ENDPOINT"`
	// The whole URL for traces, if it is another one.
	OTLPTracesEndpoint string `envconfig:"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"`
	// Headers for the collector, such as `Authorization=Bearer%20…`: comma-separated, values percent-encoded.
	OTLPHeaders string `envconfig:"OTEL_EXPORTER_OTLP_HEADERS" secret:"true"`
	// How traces are sent; `http/protobuf` is the one way that is supported.
	OTLPProtocol string `envconfig:"OTEL_EXPORTER_OTLP_PROTOCOL" default:"http/protobuf"`
	// `otlp`, or `none`: no traces, whatever the endpoint.
	TracesExporter string `envconfig:"OTEL_TRACES_EXPORTER" default:"otlp"`
	// `true`: no traces either.
	OTelDisabled bool `envconfig:"OTEL_SDK_DISABLED" default:"false"`

	logLevelSet, logFormatSet bool // set by the environment, not by default
	deadlines                 diagnosis.Deadlines
	patience                  int                  // factor of the bot's deadlines
	traces                    trace.TracerProvider // nil = no traces
}

// variables yields the fields that an environment variable sets, with their tags.
func (c *config) variables() iter.Seq2[reflect.StructTag, reflect.Value] {
	return func(yield func(reflect.StructTag, reflect.Value) bool) {
		fields := reflect.ValueOf(c).Elem()
		for _, field := range reflect.VisibleFields(fields.Type()) {
			if field.Tag.Get("envconfig") != "" && !yield(field.Tag, fields.FieldByIndex(field.Index)) {
				return
			}
		}
	}
}

// webhookPath is where the site takes Stripe's events.
const webhookPath = "/api/webhooks/stripe"

const stripeOrigin = "https://api.stripe.com"

// loadConfig reads the environment and checks all of it before anything is
// connected. The Slack variables are checked where slack is set: the terminal
// commands do without. Faults are returned as a configError.
func loadConfig(slack bool) (config, error) {
	var c config
	if err := c.unsetEmpty(); err != nil {
		return c, err
	}
	var faults configError
	for {
		err := envconfig.Process("", &c)
		if err == nil {
			break
		}
		var parse *envconfig.ParseError
		if !errors.As(err, &parse) {
			return c, fmt.Errorf("read the environment: %w", err)
		}
		// Its text quotes the value, which may be a secret. The rest is checked with
		// the default in its place.
		faults.add(parse.KeyName, "cannot be read", parseRemedy(parse.TypeName))
		if err := os.Unsetenv(parse.KeyName); err != nil {
			return c, fmt.Errorf("read the environment: %w", err)
		}
	}
	c.deadlines, c.patience = timings.deadlines, timings.patience
	_, c.logLevelSet = os.LookupEnv("LOG_LEVEL")
	_, c.logFormatSet = os.LookupEnv("LOG_FORMAT")
	c.readFiles(&faults)
	c.StripeAPIURL = cmp.Or(c.StripeAPIURL, stripeOrigin)
	c.WebhookURL = cmp.Or(c.WebhookURL, c.SiteURL+webhookPath)
	if slack {
		c.checkSlack(&faults)
	}
	c.checkRedis(&faults)
	c.checkServices(&faults)
	c.checkRunbook(&faults)
	c.checkTraces(&faults)
	c.checkPeople(&faults)
	c.checkValues(&faults)
	c.checkDigest(&faults)
	c.StateRedisURL = cmp.Or(c.StateRedisURL, c.RedisURL)
	if len(faults) > 0 {
		slices.SortFunc(faults, func(a, b configFault) int { return strings.Compare(a.String(), b.String()) })
		return c, faults
	}
	return c, nil
}

// meaningfulEmpty are the variables that are not unset by an empty value.
var meaningfulEmpty = []string{"DIGEST_AT", "HTTP_ADDR", "READERS", "STRIPE_PRODUCT_METADATA"}

// unsetEmpty unsets variables that are empty: an orchestrator that hands variables
// on sets unset ones so.
func (c *config) unsetEmpty() error {
	for tag := range c.variables() {
		name := tag.Get("envconfig")
		if value, set := os.LookupEnv(name); set && value == "" && !slices.Contains(meaningfulEmpty, name) {
			if err := os.Unsetenv(name); err != nil {
				return fmt.Errorf("read the environment: %w", err)
			}
		}
	}
	return nil
}

// logger writes with the level and in the format of the configuration.
func (c *config) logger(w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // checked with the configuration
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "text" {
		return slog.New(requestid.NewHandler(slog.NewTextHandler(w, options)))
	}
	return slog.New(requestid.NewHandler(slog.NewJSONHandler(w, options)))
}
