package doctor

import (
	"context"
	"errors"
	"io"
	"log"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/bot"
)

// slack checks the app, its tokens, and whom the configuration names.
func (e *exam) slack(ctx context.Context) []Result {
	dated := &clock{now: e.Now, through: bot.NewTransport()}
	options := []slack.Option{
		slack.OptionAppLevelToken(e.SlackAppToken), slack.OptionHTTPClient(dated.client()),
		slack.OptionLog(log.New(io.Discard, "", 0)), // it logs contents
	}
	if e.SlackURL != "" {
		options = append(options, slack.OptionAPIURL(e.SlackURL))
	}
	s := slackExam{exam: e, api: slack.New(e.SlackBotToken, options...)}
	var first []check
	if e.SlackBotToken != "" {
		first = append(first, check{"slack.bot_token", s.botToken})
	}
	if e.SlackAppToken != "" && !e.cheap {
		first = append(first, check{"slack.app_token", s.appToken})
	}
	// Where Slack is away it is so for both, and told once.
	results := slices.CompactFunc(sideBySide(ctx, first...), func(a, b Result) bool { return a.Level == Failed && a.Seen == b.Seen })
	if s.me == nil {
		return results
	}
	next := []check{
		{"slack.scopes", func(context.Context) Result { return s.scopes() }},
		{"slack.alert_channel", s.alertChannel},
		{"slack.operators", s.operators},
		{"slack.readers", s.readers},
	}
	if e.Oncall != "" {
		next = append(next, check{"slack.oncall", s.oncall})
	}
	if !e.cheap {
		next = append(next, check{"slack.clock", func(context.Context) Result { return dated.result("Slack's") }})
		if e.SlackAppToken != "" {
			next = append(next, check{"slack.same_app", s.sameApp})
		}
	}
	return append(results, sideBySide(ctx, next...)...)
}

// slackExam is what was learnt of Slack so far.
type slackExam struct {
	*exam
	api  *slack.Client
	me   *slack.AuthTestResponse // nil = the token is not accepted
	held []string                // scopes of the bot token, nil = Slack did not say
}

// refused is the result where Slack did not do what it was asked.
func refused(what string, err error) Result {
	const elsewhere = "check the network, SLACK_API_URL if it is set, and Slack's status page"
	fault := bot.FaultOf(err)
	seen, remedy := what+": "+fault.Name(), strings.TrimSuffix(fault.Advice(), ".")
	var proxy *bot.ProxyError
	switch {
	case errors.As(err, &proxy):
		return broken("Slack cannot be reached: "+proxy.Error(), remedy)
	case fault.Code == "" && fault.Status == 0:
		return broken("Slack cannot be reached: "+reason(err), elsewhere)
	case fault.Code == "":
		return broken("Slack answers with a fault: "+fault.Name(), elsewhere)
	case fault.Code == "ratelimited":
		return warn(seen, remedy)
	}
	return broken(seen, remedy)
}

func (s *slackExam) botToken(ctx context.Context) Result {
	me, err := s.api.AuthTestContext(ctx)
	if err != nil {
		return refused("Slack does not accept SLACK_BOT_TOKEN ("+mask(s.SlackBotToken)+")", err)
	}
	s.me = me
	for _, scope := range strings.Split(me.Header.Get("X-OAuth-Scopes"), ",") {
		if scope = strings.TrimSpace(scope); scope != "" {
			s.held = append(s.held, scope)
		}
	}
	if me.BotID == "" {
		return broken("SLACK_BOT_TOKEN ("+mask(s.SlackBotToken)+") is a person's and no bot's", "copy the Bot User OAuth Token from OAuth & Permissions")
	}
	return fine("@" + me.User + " in " + me.Team + " (" + mask(s.SlackBotToken) + ")")
}

// appToken asks for the address of a connection and opens it: nothing else tells
// whether the token has connections:write, and what stands between here and
// Slack's sockets, such as a proxy that lets only the Web API through.
func (s *slackExam) appToken(ctx context.Context) Result {
	_, address, err := s.api.StartSocketModeContext(ctx)
	if err != nil {
		fault := bot.FaultOf(err)
		if fault.Code == "missing_scope" && fault.Needed == "" {
			fault.Needed = "connections:write" // there is no other
		}
		return refused("Slack gives no connection for SLACK_APP_TOKEN ("+mask(s.SlackAppToken)+")", fault)
	}
	if err := bot.TryConnection(ctx, address); err != nil {
		return broken("Slack gives a connection for SLACK_APP_TOKEN, but it cannot be opened: "+
			clean(strings.TrimPrefix(err.Error(), "slack: ")), strings.TrimSuffix(bot.FaultOf(err).Advice(), "."))
	}
	return fine("Socket Mode is on, a connection can be opened, connections:write is held (" + mask(s.SlackAppToken) + ")")
}

// sameApp compares the app that the app-level token names with the bot's.
func (s *slackExam) sameApp(ctx context.Context) Result {
	theirs, err := s.api.GetBotInfoContext(ctx, slack.GetBotInfoParameters{Bot: s.me.BotID})
	if err != nil {
		return refused("the app of the bot token cannot be seen", err)
	}
	parts := strings.Split(s.SlackAppToken, "-") // xapp-1-A…-…
	if len(parts) < 4 || !strings.HasPrefix(parts[2], "A") {
		return warn("SLACK_APP_TOKEN does not tell its app", "check that both tokens are of the same app")
	}
	if parts[2] != theirs.AppID {
		return broken("SLACK_APP_TOKEN is of the app "+parts[2]+", SLACK_BOT_TOKEN of "+theirs.AppID, "take both tokens from the same app")
	}
	return fine("both tokens are of the app " + theirs.AppID)
}

func (s *slackExam) scopes() Result {
	groups := slices.ContainsFunc(slices.Concat(s.Operators, s.Readers, []string{s.Oncall}), isGroup)
	return judgeScopes(s.held, s.Scopes, groups)
}

// optional are scopes without which the bot works, and what it cannot do then.
var optional = map[string]string{
	"channels:join":    "the bot cannot join the alert channel by itself",
	"channels:history": "an alert may come twice after a crash",
	"groups:history":   "an alert in a private channel may come twice after a crash",
	"channels:read":    "the alert channel cannot be checked",
	"groups:read":      "a private alert channel cannot be checked",
}

// judgeScopes compares the scopes that a bot token has with the manifest's.
func judgeScopes(held, wanted []string, groups bool) Result {
	if held == nil {
		return warn("Slack did not say which scopes the bot token has", "compare them with manifest.yml under OAuth & Permissions")
	}
	var missing, lost, beyond []string
	required := false
	for _, scope := range wanted {
		if slices.Contains(held, scope) {
			continue
		}
		missing = append(missing, scope)
		without, spare := optional[scope]
		if spare = spare || scope == "usergroups:read" && !groups; !spare {
			required = true
		} else if without != "" {
			lost = append(lost, without)
		}
	}
	for _, scope := range held {
		if !slices.Contains(wanted, scope) {
			beyond = append(beyond, scope)
		}
	}
	const reinstall = " under OAuth & Permissions and reinstall the app"
	switch {
	case required:
		return broken("missing: "+strings.Join(missing, ", "), "add the missing scopes"+reinstall)
	case len(lost) > 0:
		return warn("missing: "+strings.Join(missing, ", ")+": "+strings.Join(lost, "; "), "add the missing scopes"+reinstall)
	case len(beyond) > 0:
		return warn("more than manifest.yml names: "+list(beyond), "take away what is not needed"+reinstall)
	}
	return fine("the bot token has the " + plural(len(held), "scope") + " that are needed")
}

func (s *slackExam) alertChannel(ctx context.Context) Result {
	if s.Unusable["ALERT_CHANNEL"] {
		return Result{}
	}
	if s.AlertChannel == "" {
		return warn("ALERT_CHANNEL is empty: nobody is told of sessions in trouble", "set it to the id of a channel")
	}
	channel, err := s.api.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: s.AlertChannel})
	if err != nil {
		if bot.FaultOf(err).Code == "missing_scope" {
			r := refused("ALERT_CHANNEL cannot be looked at", err)
			return warn(r.Seen, r.Remedy)
		}
		return refused("ALERT_CHANNEL ("+s.AlertChannel+")", err)
	}
	return judgeChannel(channel, s.held)
}

// judgeChannel tells whether alerts can be posted to a channel.
func judgeChannel(c *slack.Channel, held []string) Result {
	name := "#" + c.Name
	switch {
	case c.IsArchived:
		return broken(name+" is archived", "unarchive it, or set ALERT_CHANNEL to another")
	case !c.IsMember && c.IsPrivate:
		return broken("the bot is not in "+name+", which is private", "type there: /invite @sessionbot")
	case !c.IsMember && !slices.Contains(held, "channels:join"):
		return broken("the bot is not in "+name+" and may not join it", "type there: /invite @sessionbot")
	case c.IsExtShared:
		return warn(name+" is shared with another workspace, whose people see customers' payments", "set ALERT_CHANNEL to a channel of your own")
	case !c.IsMember:
		return fine(name + ", which the bot joins with its first alert")
	}
	return fine("the bot is in " + name)
}
