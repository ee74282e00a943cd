package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/store/audit"
)

func (p program) auditCommand() *cobra.Command {
	parent := &cobra.Command{Use: "audit", Short: "The record of who decided what", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	var asJSON, asCSV bool
	var within since
	export := &cobra.Command{Use: "export", Short: "Print the audit trail, oldest first",
		Long: "Print the audit trail, oldest first, as CSV for spreadsheets or as JSON.",
		Args: func(cmd *cobra.Command, args []string) error {
			if asJSON && asCSV {
				return errors.New("choose --json or --csv")
			}
			return noArgs(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.exportAudit(cmd.Context(), time.Duration(within), asJSON)
		}}
	export.Flags().Var(&within, "since", "only what was decided within this `time`, such as 12h or 30d")
	export.Flags().BoolVar(&asJSON, "json", false, "print JSON, for scripts")
	export.Flags().BoolVar(&asCSV, "csv", false, "print CSV, which is the default")
	parent.AddCommand(export)
	return parent
}

// since is the value of --since; zero = not given.
type since time.Duration

func (s *since) String() string { return "" }

func (s *since) Type() string { return "time" }

// Set parses it as the Slack commands do.
func (s *since) Set(text string) error {
	d, err := commands.ParseSince(text)
	*s = since(d)
	return err
}

// auditReport is the --json of audit export; its member names are public.
type auditReport struct {
	AsOf    time.Time     `json:"as_of"`
	Since   *time.Time    `json:"since"`      // null = all there is
	Kept    *time.Time    `json:"kept_since"` // all that was recorded before this time was dropped; null = the trail is empty
	Dropped *int64        `json:"dropped"`    // how many entries that was; null = not known
	Entries []audit.Entry `json:"entries"`
}

// exportAudit prints the audit trail.
func (p program) exportAudit(ctx context.Context, within time.Duration, asJSON bool) error {
	c, err := p.load(false)
	if err != nil {
		return err
	}
	redis, state, err := openRedis(ctx, c)
	if err != nil {
		return err
	}
	defer func() { _, _ = redis.Close(), state.Close() }() // the process ends
	trail, now, from := audit.NewTrail(state), time.Now().UTC(), time.Time{}
	if within > 0 {
		from = now.Add(-within)
	}
	entries, err := trail.Since(ctx, from)
	if err != nil {
		return errors.New(message.RedisErrorText(err))
	}
	extent, err := trail.Extent(ctx)
	if err != nil { // the entries are printed all the same
		_, _ = fmt.Fprintln(p.errs, "It is not known whether earlier entries were dropped. "+message.RedisErrorText(err))
	}
	if !asJSON {
		return audit.WriteCSV(p.out, entries, from, extent)
	}
	report := auditReport{AsOf: now, Dropped: extent.Dropped, Entries: append([]audit.Entry{}, entries...)}
	if within > 0 {
		report.Since = &from
	}
	if !extent.Oldest.IsZero() {
		report.Kept = &extent.Oldest
	}
	body, err := json.Marshal(report)
	if err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	if _, err := fmt.Fprintln(visibleJSON{p.out}, string(body)); err != nil {
		return fmt.Errorf("print the audit trail: %w", err)
	}
	return nil
}
