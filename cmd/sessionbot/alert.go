package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/superduperai/sessionbot/bot"
	"github.com/superduperai/sessionbot/internal/blockkit"
)

func (p program) alertCommand() *cobra.Command {
	alert := &cobra.Command{Use: "alert", Short: "Check that alerts arrive",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SetOut(p.errs)
			return errors.Join(exitUsage, cmd.Help())
		}}
	alert.AddCommand(&cobra.Command{Use: "test", Short: "Post a test alert, and say whom it mentions", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.testAlert(cmd.Context()) }})
	return alert
}

// ofAlerts are the variables that a test alert depends on.
var ofAlerts = []string{"SLACK_BOT_TOKEN", "SLACK_API_URL", "ALERT_CHANNEL", "ONCALL_MENTION", "LOG_LEVEL", "LOG_FORMAT"}

// testAlert posts one test alert where alerts go.
func (p program) testAlert(ctx context.Context) error {
	c, err := p.load(true)
	var wrong configError
	if err != nil && !errors.As(err, &wrong) {
		return err
	}
	wrong = slices.DeleteFunc(wrong, func(f configFault) bool {
		return !slices.Contains(ofAlerts, strings.TrimSuffix(f.variable, "_FILE"))
	})
	if c.AlertChannel == "" {
		wrong.add("ALERT_CHANNEL", "is missing", "set it to the id (C…) of the channel for alerts")
	}
	if len(wrong) > 0 {
		return wrong
	}
	held := &heldLog{out: p.errs}
	if c.logLevelSet {
		held.release()
	}
	b, err := bot.New(bot.Config{AppToken: c.SlackAppToken, BotToken: c.SlackBotToken, APIURL: c.SlackAPIURL,
		Timings: timings.bot, Deadlines: bot.NewDeadlines(c.patience), Log: c.logger(held), Now: time.Now})
	if err != nil {
		return err
	}
	alerts := bot.Alerts{Bot: b, Channel: c.AlertChannel, Mention: c.OncallMention}
	screen, _ := screenOf(p.out)
	say := func(format string, words ...any) error {
		_, err := fmt.Fprintln(p.out, screen.List(blockkit.Clean(fmt.Sprintf(format, words...))))
		return err
	}
	link, err := alerts.PostTest(ctx)
	if err != nil {
		return fmt.Errorf("the test alert did not arrive in %s: %w", c.AlertChannel, err)
	}
	if err := say("The test alert arrived in %s: %s", c.AlertChannel, link); err != nil {
		return err
	}
	whom, err := alerts.Mentioned(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("whom it mentions is unknown: ONCALL_MENTION %s: %w", c.OncallMention, err)
	case whom == "":
		return say("It mentions nobody. Set ONCALL_MENTION to a user (U…) or user group (S…) to notify the person on call.")
	}
	return say("It mentions %s.", whom)
}
