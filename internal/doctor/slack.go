package doctor

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/bot/slackapi"
)

// slack checks the app, its tokens, and the people whom the configuration names.
func (e *checker) slack(ctx context.Context) []Result {
	dated := &clock{now: e.Now, next: slackapi.NewTransport(slackapi.ConnectTimeout)}
	options := []slack.Option{
		slack.OptionAppLevelToken(e.SlackAppToken), slack.OptionHTTPClient(&http.Client{Transport: dated}),
		slack.OptionLog(log.New(io.Discard, "", 0)), // it logs contents
	}
	if e.SlackURL != "" {
		options = append(options, slack.OptionAPIURL(e.SlackURL))
	}
	s := slackChecker{checker: e, api: slack.New(e.SlackBotToken, options...)}
	var first []check
	if e.SlackBotToken != "" {
		first = append(first, check{"slack.bot_token", s.botToken})
	}
	if e.SlackAppToken != "" && !e.quick {
		first = append(first, check{"slack.app_token", s.appToken})
	}
	// If Slack is unreachable both checks say so; it is shown once.
	results := slices.CompactFunc(e.runChecks(ctx, first...), func(a, b Result) bool { return a.Level == Failed && a.Seen == b.Seen })
	if s.me == nil {
		return results
	}
	next := []check{
		known("slack.scopes", s.scopes()),
		{"slack.alert_channel", s.alertChannel},
		known("slack.digest", s.digest()),
		{"slack.operators", s.operators},
		{"slack.readers", func(ctx context.Context) Result { return s.admitted(ctx, "READERS", s.Readers) }},
	}
	for _, m := range []struct{ check, variable, id string }{{"slack.oncall", "ONCALL_MENTION", e.Oncall}, {"slack.escalation", "ESCALATE_MENTION", e.Escalate}} {
		if m.id != "" {
			next = append(next, check{m.check, func(ctx context.Context) Result { return s.admitted(ctx, m.variable, []string{m.id}) }})
		}
	}
	if !e.quick {
		next = append(next, known("slack.clock", dated.result("Slack's")))
		if e.SlackAppToken != "" {
			next = append(next, check{"slack.same_app", s.sameApp})
		}
	}
	return append(results, e.runChecks(ctx, next...)...)
}

// slackChecker checks Slack. It holds the findings so far.
type slackChecker struct {
	*checker
	api  *slack.Client
	me   *slack.AuthTestResponse // nil = the token is not accepted
	held []string                // scopes of the bot token, empty = Slack did not say
}

// refused is the result of a request that Slack refused or did not answer.
func refused(what string, err error) Result {
	const elsewhere = "check the network, SLACK_API_URL if it is set, and Slack's status page"
	fault := slackapi.FaultOf(err)
	seen, remedy := what+": "+fault.Name(), strings.TrimSuffix(fault.Advice(), ".")
	if proxy, ok := errors.AsType[*slackapi.ProxyError](err); ok {
		return fail("Slack cannot be reached: "+proxy.Error(), remedy)
	}
	switch {
	case fault.Code == "" && fault.Status == 0:
		return fail("Slack cannot be reached: "+reason(err), elsewhere)
	case fault.Code == "":
		return fail("Slack answers with an error: "+fault.Name(), elsewhere)
	case fault.Code == "ratelimited":
		return warn(seen, remedy)
	}
	return fail(seen, remedy)
}

func (s *slackChecker) botToken(ctx context.Context) Result {
	me, err := s.api.AuthTestContext(ctx)
	if err != nil {
		return refused("Slack rejects SLACK_BOT_TOKEN ("+mask(s.SlackBotToken)+")", err)
	}
	if fault := slackapi.OrgWide(me); fault != nil {
		return fail("SLACK_BOT_TOKEN ("+mask(s.SlackBotToken)+") belongs to an org-wide installation", strings.TrimSuffix(fault.Advice(), "."))
	}
	s.me = me
	// Slack separates them by commas, with or without spaces.
	s.held = strings.FieldsFunc(me.Header.Get("X-OAuth-Scopes"), func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
	if me.BotID == "" {
		return fail("SLACK_BOT_TOKEN ("+mask(s.SlackBotToken)+") belongs to a person, not a bot", "copy the Bot User OAuth Token from OAuth & Permissions")
	}
	return pass("@" + me.User + " in " + me.Team + " (" + mask(s.SlackBotToken) + ")")
}

// appToken requests a connection and opens it: nothing else shows whether the
// token has connections:write, and whether a proxy in between lets only the Web
// API through.
func (s *slackChecker) appToken(ctx context.Context) Result {
	_, address, err := s.api.StartSocketModeContext(ctx)
	if err != nil {
		fault := slackapi.FaultOf(err)
		if fault.Code == "missing_scope" && fault.Needed == "" {
			fault.Needed = "connections:write" // there is no other
		}
		return refused("Slack opens no connection for SLACK_APP_TOKEN ("+mask(s.SlackAppToken)+")", fault)
	}
	if err := slackapi.TryConnection(ctx, address); err != nil {
		return fail("Slack offers a connection for SLACK_APP_TOKEN, but it cannot be opened: "+
			clean(strings.TrimPrefix(err.Error(), "slack: ")), strings.TrimSuffix(slackapi.FaultOf(err).Advice(), "."))
	}
	return pass("Socket Mode is on, a connection can be opened, connections:write is granted (" + mask(s.SlackAppToken) + ")")
}

// sameApp compares the app that the app-level token names with the bot's.
func (s *slackChecker) sameApp(ctx context.Context) Result {
	theirs, err := s.api.GetBotInfoContext(ctx, slack.GetBotInfoParameters{Bot: s.me.BotID})
	if err != nil {
		return refused("the app of the bot token is unknown", err)
	}
	parts := strings.Split(s.SlackAppToken, "-") // xapp-1-A…-…
	if len(parts) < 4 || !strings.HasPrefix(parts[2], "A") {
		return warn("SLACK_APP_TOKEN does not show its app", "check that both tokens belong to the same app")
	}
	if parts[2] != theirs.AppID {
		return fail("SLACK_APP_TOKEN belongs to the app "+parts[2]+", SLACK_BOT_TOKEN to "+theirs.AppID, "take both tokens from the same app")
	}
	return pass("both tokens belong to the app " + theirs.AppID)
}

func (s *slackChecker) scopes() Result {
	groups := slices.ContainsFunc(slices.Concat(s.Operators, s.Readers, []string{s.Oncall}), isGroup)
	return judgeScopes(s.held, s.Scopes, groups)
}

// optional are scopes without which the bot works, and what is lost without them.
var optional = map[string]string{
	"app_mentions:read": "messages that mention the bot are not answered",
	"im:history":        "direct messages to the bot are not answered",
	"channels:join":     "the bot cannot join the alert channel by itself",
	"channels:history":  "an alert may come twice after a crash",
	"groups:history":    "an alert in a private channel may come twice after a crash",
	"channels:read":     "the alert channel cannot be checked",
	"groups:read":       "a private alert channel cannot be checked",
}

// judgeScopes compares the scopes that a bot token has with the manifest's.
func judgeScopes(held, wanted []string, groups bool) Result {
	if len(held) == 0 {
		return warn("Slack did not say which scopes the bot token has", "compare them with manifest.yml under OAuth & Permissions")
	}
	var lost []string
	required := false
	missing := without(wanted, held)
	for _, scope := range missing {
		if loss, ok := optional[scope]; ok {
			lost = append(lost, loss)
		} else if groups || scope != "usergroups:read" {
			required = true
		}
	}
	excess := without(held, wanted)
	const reinstall = " under OAuth & Permissions and reinstall the app"
	switch {
	case required:
		return fail("missing: "+strings.Join(missing, ", "), "add the missing scopes"+reinstall)
	case len(lost) > 0:
		return warn("missing: "+strings.Join(missing, ", ")+": "+strings.Join(lost, "; "), "add the missing scopes"+reinstall)
	case len(excess) > 0:
		return warn("more than manifest.yml lists: "+list(excess), "remove what is not needed"+reinstall)
	}
	return pass("the bot token has the " + plural(len(held), "scope") + " that are needed")
}

// without returns the elements of list that are not in other.
func without(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(other, s) })
}

func (s *slackChecker) alertChannel(ctx context.Context) Result {
	if s.Unusable["ALERT_CHANNEL"] {
		return Result{}
	}
	if s.AlertChannel == "" {
		return warn("ALERT_CHANNEL is empty: nobody is alerted about sessions in trouble", "set it to the id of a channel")
	}
	channel, err := s.api.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: s.AlertChannel})
	switch {
	case err == nil:
		return judgeChannel(channel, s.held)
	case slackapi.FaultOf(err).Code == "missing_scope":
		r := refused("ALERT_CHANNEL cannot be checked", err)
		return warn(r.Seen, r.Remedy)
	}
	return refused("ALERT_CHANNEL ("+s.AlertChannel+")", err)
}

// digest says when the digest is posted.
func (e *checker) digest() Result {
	switch {
	case e.quick || e.Unusable["DIGEST_AT"] || e.Unusable["DIGEST_TZ"]:
		return Result{}
	case e.AlertChannel == "":
		return pass("off: ALERT_CHANNEL is empty")
	case e.Digest == "":
		return pass("off: DIGEST_AT is empty")
	}
	return pass("each day at " + e.Digest)
}

// judgeChannel judges whether alerts can be posted to a channel.
func judgeChannel(c *slack.Channel, held []string) Result {
	name := "#" + c.Name
	switch {
	case c.IsArchived:
		return fail(name+" is archived", "unarchive it, or set ALERT_CHANNEL to another")
	case !c.IsMember && c.IsPrivate:
		return fail("the bot is not in "+name+", which is private", "type there: /invite @sessionbot")
	case !c.IsMember && !slices.Contains(held, "channels:join"):
		return fail("the bot is not in "+name+" and may not join it", "type there: /invite @sessionbot")
	case c.IsExtShared:
		return warn(name+" is shared with another workspace, whose members see customers' payments", "set ALERT_CHANNEL to a channel of your own")
	case !c.IsMember:
		return pass(name + ", which the bot joins with its first alert")
	}
	return pass("the bot is in " + name)
}
