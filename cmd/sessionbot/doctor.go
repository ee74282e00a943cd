package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"gopkg.in/yaml.v3"

	"github.com/superduperai/sessionbot"
	"github.com/superduperai/sessionbot/internal/doctor"
)

func (p program) doctorCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{Use: "doctor", Short: "Check everything that run needs, and say what to fix", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.runDoctor(cmd.Context(), asJSON) }}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, for scripts")
	return cmd
}

// runDoctor checks everything that run needs. An invalid variable is a failed check; what
// does not depend on it is checked all the same.
func (p program) runDoctor(ctx context.Context, asJSON bool) error {
	c, err := p.load(true)
	var wrong configError
	if err != nil && !errors.As(err, &wrong) {
		return err
	}
	cfg, err := c.forDoctor(wrong)
	if err != nil {
		return err
	}
	var results []doctor.Result
	for _, f := range wrong {
		results = append(results, doctor.Result{Check: "configuration", Level: doctor.Failed, Seen: f.variable + " " + f.fault, Remedy: f.remedy})
	}
	if len(wrong) == 0 {
		results = []doctor.Result{{Check: "configuration", Level: doctor.OK, Seen: "every variable can be used"}}
	}
	results = append(results, doctor.Run(ctx, cfg)...)
	screen, _ := screenOf(p.out)
	print, out := func(w io.Writer, results []doctor.Result) error { return doctor.Print(w, screen, results) }, p.out
	if asJSON {
		print, out = doctor.PrintJSON, visibleJSON{out}
	}
	if err := print(out, results); err != nil {
		return fmt.Errorf("print the results: %w", err)
	}
	switch {
	case len(wrong) > 0:
		return exitUsage
	case !doctor.Passed(results):
		return exitFailed
	}
	return nil
}

// forDoctor returns the configuration to check, without the invalid variables.
func (c config) forDoctor(wrong configError) (doctor.Config, error) {
	var manifest struct {
		OAuth struct {
			Scopes struct{ Bot []string }
		} `yaml:"oauth_config"`
	}
	if err := yaml.Unmarshal(sessionbot.Manifest, &manifest); err != nil {
		return doctor.Config{}, fmt.Errorf("read the manifest: %w", err)
	}
	if c.StateRedisURL == c.RedisURL {
		c.StateRedisURL = "" // it is checked once
	}
	unusable := map[string]bool{}
	for _, f := range wrong {
		unusable[strings.TrimSuffix(f.variable, "_FILE")] = true
	}
	for tag, value := range c.variables() {
		if unusable[tag.Get("envconfig")] {
			value.SetZero()
		}
	}
	if unusable["SLACK_API_URL"] { // the tokens go nowhere else
		c.SlackAppToken, c.SlackBotToken = "", ""
	}
	return doctor.Config{
		SlackAppToken: c.SlackAppToken, SlackBotToken: c.SlackBotToken, SlackURL: c.SlackAPIURL, Scopes: manifest.OAuth.Scopes.Bot,
		AlertChannel: c.AlertChannel, Oncall: c.OncallMention, Escalate: c.EscalateMention, Operators: c.Operators, Readers: c.Readers, Approvals: c.Approvals,
		RedisURL: c.RedisURL, StateURL: c.StateRedisURL, StripeKey: c.StripeKey, StripeURL: c.StripeAPIURL,
		SuperToken: c.SuperDuperToken, SuperURL: c.SuperDuperURL, Models: []string{c.VideoModel, c.ImageModel},
		SiteURL: c.SiteURL, WebhookURL: c.WebhookURL, WebhookSecret: c.WebhookSecret, Digest: c.digestText(), Now: time.Now, Unusable: unusable, Patience: c.patience,
		TracesURL: c.tracesURL(), SendTraces: c.tryTraces,
	}, nil
}

// warnAtStart logs the findings of the cheap checks while the bot starts.
func warnAtStart(ctx context.Context, c config, log *slog.Logger) {
	cfg, err := c.forDoctor(nil)
	if err != nil {
		log.ErrorContext(ctx, "startup checks failed", "error", err)
		return
	}
	for _, r := range doctor.RunQuick(ctx, cfg) {
		switch {
		case ctx.Err() != nil: // findings after the stop mean nothing
		case r.Level == doctor.Failed:
			log.ErrorContext(ctx, "check failed", "check", r.Check, "seen", r.Seen, "remedy", r.Remedy)
		case r.Level == doctor.Warning:
			log.WarnContext(ctx, "check warns", "check", r.Check, "seen", r.Seen, "remedy", r.Remedy)
		}
	}
}
