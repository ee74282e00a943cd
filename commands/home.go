package commands

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/commands/alert"
	"github.com/superduperai/sessionbot/commands/figures"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/repair"
)

// How much of each part the App Home shows: Slack takes 100 blocks.
const (
	homePlans     = 3
	homeIncidents = 4
	homeCases     = 3 // of each incident
	homeUnclear   = 4
	homeRepairs   = 5
)

// Home is the content of the App Home, which holds no customer's address.
type Home struct {
	Alerts    bool // incidents are known at all
	Incidents []incident.Incident
	Plans     []repair.PlanRecord // that wait for approval
	Unclear   []repair.Job
	Repairs   []audit.Entry // the latest ends of repairs, newest first
	Options   alert.Options

	siteURL    string
	statistics figures.Statistics
	swept      bool                         // there are figures
	known      map[string]incident.Incident // as they were read, by id
}

// Blocks are the App Home of a person who may approve some of the plans.
func (h Home) Blocks(viewer string, plans []repair.PlanRecord, now time.Time) []slack.Block {
	blocks := append(blockkit.Message(h.headline(plans)...), findInput().WithDispatchAction(true))
	part := func(title string, more string, parts ...[]slack.Block) {
		if len(parts) == 0 {
			return
		}
		blocks = append(blocks, header(title))
		blocks = append(blocks, slices.Concat(parts...)...)
		if more != "" {
			blocks = append(blocks, blockkit.Context(more))
		}
	}
	part("Open incidents", andMore(len(h.Incidents)-homeIncidents, "incident", "each has its alert"),
		each(h.Incidents, homeIncidents, func(i incident.Incident) []slack.Block { return alert.Brief(i, h.Options, homeCases, now) })...)
	part("Plans that you may approve", andMore(len(plans)-homePlans, "plan", "each is in the channel where it was requested"),
		each(plans, homePlans, func(p repair.PlanRecord) []slack.Block { return homePlan(p, viewer, h.Options.VideoCents) })...)
	part("Unclear repairs", andMore(len(h.Unclear)-homeUnclear, "unclear repair", "/session list unclear shows all"),
		each(h.Unclear, homeUnclear, func(j repair.Job) []slack.Block { return message.Unclear(j, h.siteURL, now) })...)
	part("Latest repairs", "", h.latestRepairs(now))
	part("Figures", "", h.figureBlocks())
	return append(blocks, blockkit.Context("Updated "+blockkit.Mrkdwn(blockkit.L(humanize.SecondsTime(now, now)))+
		". Updates by itself for an hour after you open this tab."))
}

// each shows at most so many of a list.
func each[T any](list []T, atMost int, show func(T) []slack.Block) [][]slack.Block {
	var shown [][]slack.Block
	for _, item := range list[:min(len(list), atMost)] {
		shown = append(shown, show(item))
	}
	return shown
}

// andMore says how many are not shown, and where they are; "" = all are shown.
func andMore(n int, noun, where string) string {
	if n <= 0 {
		return ""
	}
	return "And " + humanize.Count(n, "more "+noun) + ": " + where + "."
}

func header(text string) slack.Block {
	return slack.NewHeaderBlock(slack.NewTextBlockObject(slack.PlainTextType, text, false, false))
}

// headline says what needs attention, and where to begin.
func (h Home) headline(plans []repair.PlanRecord) []blockkit.Line {
	var parts []string
	add := func(n int, noun, rest string) {
		if n > 0 {
			parts = append(parts, humanize.Count(n, noun)+rest)
		}
	}
	add(len(h.Incidents), "open incident", "")
	add(len(plans), "plan", " to approve")
	add(len(h.Unclear), "unclear repair", "")
	next := ""
	switch {
	case len(h.Incidents) > 0 && len(plans) > 0:
		next = "Begin with the incident that has been open longest: customers are waiting. A plan below may already repair it, and expires soon. Nothing changes before a plan is approved."
	case len(h.Incidents) > 0:
		next = "Begin with the incident that has been open longest: customers are waiting. Nothing changes before a plan is approved."
	case len(plans) > 0:
		next = "Read the plans, then approve or cancel them: they expire soon, and nothing changes before."
	case len(h.Unclear) > 0:
		next = "Settle what is unclear: until then those sessions get no other repair."
	}
	switch {
	case parts != nil:
		return message.Headline(strings.Join(parts, ", ")+".", next)
	case !h.Alerts:
		return message.Headline("Alerts are off: sessions in trouble go unnoticed.", "Set ALERT_CHANNEL in the bot's environment to a channel's id, and restart the bot. To check now, run /session list.")
	}
	if !h.swept && !h.statistics.WatchErr {
		return message.Headline("Not checked yet: the bot has just started.", "Wait a minute. To check now, run /session list.")
	}
	return message.Headline("Nothing needs you: no open incident, no plan to approve, no unclear repair.", "")
}

// homePlan is a plan with its buttons, the second one for the person who pressed once.
func homePlan(p repair.PlanRecord, viewer string, cents int) []slack.Block {
	blocks, press := message.PlanBlocks(p.Plan, cents), ""
	if p.FirstPressBy != "" && p.FirstPressBy == viewer {
		blocks, press = message.ConfirmationBlocks(p.Plan, store.Actor{ID: viewer}, false), p.FirstPressID
	}
	return append(blocks, slack.NewActionBlock("", message.PlanActions(p.Plan, press)...))
}

// latestRepairs are how the last repairs ended.
func (h Home) latestRepairs(now time.Time) []slack.Block {
	if len(h.Repairs) == 0 {
		return blockkit.Message(blockkit.PlainLine("None yet."))
	}
	var blocks []slack.Block
	for _, e := range h.Repairs[:min(len(h.Repairs), homeRepairs)] {
		line := blockkit.L(blockkit.Plain(repairedText(e)+" · approved by "), humanize.Person(e.Who), blockkit.Plain(" · "), humanize.AgoOnly(e.At, now))
		if e.Session == "" { // a bulk plan
			blocks = append(blocks, blockkit.Paragraph(line))
			continue
		}
		line = append(blockkit.L(blockkit.Code(humanize.ShortID(e.Session)), blockkit.Plain(" · ")), line...)
		blocks = append(blocks, blockkit.Row(blockkit.Mrkdwn(line), message.DebugButton("Debug", e.Session)))
	}
	return blocks
}

// repairedText names a repair and its end.
func repairedText(e audit.Entry) string {
	what, end := humanize.UpperFirst(cmp.Or(string(e.Action), "repair")), e.Detail
	if sessions, after, found := strings.Cut(e.Detail, "; "); e.Session == "" && found {
		what += " of " + sessions
		if _, counts, found := strings.Cut(after, "; "); found { // the outcome of the whole says less
			after = counts
		}
		end = after
	}
	return what + ": " + endText(end)
}

// endText is how a repair ended, from its audit entry.
func endText(detail string) string {
	var parts []string
	for part := range strings.SplitSeq(humanize.Words(blockkit.OneLine(detail)), "; ") {
		if outcome, cause, ok := strings.Cut(part, ": "); ok {
			part = outcome + " (" + cause + ")"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// figureBlocks are the metrics, or why there are none.
func (h Home) figureBlocks() []slack.Block {
	switch {
	case h.swept:
		return figures.Metrics(h.statistics, len(h.Incidents) > 0)
	case h.statistics.WatchErr:
		return blockkit.Message(blockkit.PlainLine("The figures cannot be read right now. /redis stats counts the sessions."))
	}
	return blockkit.Message(blockkit.PlainLine("The sessions have not been counted yet. /redis stats counts them now."))
}
