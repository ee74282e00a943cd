// Package storybook renders every message once, from fixed data and at a fixed time: for
// the page that shows them all, and for the golden file of their texts. Each message is
// made by the code that makes it in production.
package storybook

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/requestid"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/repair"
)

// Story is one message.
type Story struct {
	Chapter string
	Title   string
	Of      []string // the constants that it covers, such as "Verdict orphaned"
	Blocks  []slack.Block
	Home    bool // an App Home instead of a message
}

// noon is the time of every message.
var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

const (
	sessionID = "cs_live_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y5Z6a7B8"
	fileID    = "6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0013"
	ref       = "k3f9-2d"
	siteURL   = "https://superduperai.co"
	refusal   = "The content filter refused the prompt: snow & dawn (score > 0.8)"
)

var alertOn = []diagnosis.Verdict{diagnosis.VerdictOrphaned, diagnosis.VerdictStalled, diagnosis.VerdictLost, diagnosis.VerdictFailed, diagnosis.VerdictUndelivered}

var limits = diagnosis.Thresholds{OrphanGrace: 10 * time.Minute, StallAfter: 30 * time.Minute}

// Stories returns all of them, chapter by chapter.
func Stories() []Story {
	var all []Story
	for _, chapter := range []struct {
		title   string
		stories func() []Story
	}{
		{"Debug", debugs}, {"Debug: was there an alert?", alerted}, {"Plans and refusals", plans}, {"Clicks on a plan", clicks}, {"Repairs", repairs}, {"The end of a repair, in the thread", ends}, {"Bulk repairs", bulks},
		{"In the thread that asked", threads}, {"Alerts", alerts}, {"The App Home", homes}, {"The daily digest", digests}, {"Figures", figures}, {"Help, search and history", others}, {"What cannot be done", failures}, {"For one person", notices},
	} {
		for _, s := range chapter.stories() {
			s.Chapter = chapter.title
			all = append(all, s)
		}
	}
	return all
}

// ask runs a request in a world.
func ask(w *world, title, command, text string, of ...string) Story {
	answer := registryOf(w).Parse(commands.Request{Command: command, Text: text, User: "U0SUPPORT", Channel: "C0SUPPORT"}).Run(requestid.NewContext(context.Background(), ref))
	s := Story{Title: title, Of: append(of, "Command "+answer.Name, "commands.Outcome "+string(answer.Outcome)), Blocks: answer.Blocks}
	if answer.Plan != nil {
		s.Of = append(s.Of, "Action "+string(answer.Plan.Action))
		answer.Actions = message.PlanActions(*answer.Plan, "")
	}
	return s.with(answer.Actions)
}

// with appends buttons to a message.
func (s Story) with(actions []slack.BlockElement) Story {
	if len(actions) > 0 {
		s.Blocks = append(s.Blocks, slack.NewActionBlock("", actions...))
	}
	return s
}

func line(title string, l blockkit.Line, of ...string) Story {
	return Story{Title: title, Of: of, Blocks: []slack.Block{blockkit.Paragraph(l)}}
}

func registryOf(w *world) *commands.Registry {
	return commands.New(commands.Deps{
		NewSweeper: func() commands.Sweeper { return w },
		Sessions:   w, Matchers: []commands.Matcher{w}, Finder: w, Redis: w, Repairs: w, Jobs: w, Trail: w, Waiting: w, Files: w, Statistics: w, Watch: w, Incidents: w, Archive: w, Followed: w, AlertOn: alertOn, SiteLayout: func(context.Context) store.Layout { return store.LayoutThreeKey }, Alerts: true, Limits: limits, Bulk: commands.BulkLimits{Sessions: 50, Parallel: 3}, SiteURL: siteURL, Runbook: options.Runbook, Token: !w.noToken, StripeKey: true, WebhookSecret: !w.noToken,
		Plans: repair.PlanOptions{TTL: 10 * time.Minute, Prices: repair.ListPrices, FixText: commands.FixText, RefundText: commands.RefundText,
			Models: repair.Models{Video: "google-cloud/veo3-text2video", Image: "azure-openai/gpt-image-1"}},
		Now: func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler),
	})
}

func of(kind string, value any) string { return fmt.Sprintf("%s %v", kind, value) }
