package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/bot/slackapi"
	"github.com/superduperai/sessionbot/commands/alert"
)

// PostTest posts a test alert and returns its address, "" where Slack does not say
// it. An error comes with advice.
func (a Alerts) PostTest(ctx context.Context) (link string, err error) {
	ctx, cancel := context.WithTimeout(ctx, a.Bot.cfg.Deadlines.Send)
	defer cancel()
	shown := alert.Test(a.options(true))
	m, err := a.post(ctx, slack.MsgOptionBlocks(shown.Blocks...), slack.MsgOptionText(shown.Text, false))
	if err != nil {
		return "", advised(err)
	}
	return a.Bot.outbox.Permalink(ctx, m), nil
}

// An alert that mentions nobody who could read it.
var (
	errLeft   = errors.New("the account is deactivated: set another one")
	errNobody = errors.New("the user group has no members: add some")
)

// Mentioned names the person or group that an alert notifies, "" = none.
func (a Alerts) Mentioned(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, a.Bot.cfg.Deadlines.Send)
	defer cancel()
	switch {
	case a.Mention == "":
		return "", nil
	case strings.HasPrefix(a.Mention, "S"):
		members, err := a.Bot.api.GetUserGroupMembersContext(ctx, a.Mention)
		if err != nil {
			return "", advised(err)
		}
		if len(members) == 0 {
			return "", errNobody
		}
		return fmt.Sprintf("the user group %s (members: %d)", a.Mention, len(members)), nil
	}
	user, err := a.Bot.api.GetUserInfoContext(ctx, a.Mention)
	switch {
	case err != nil:
		return "", advised(err)
	case user.Deleted:
		return "", errLeft
	}
	return "@" + user.Name, nil
}

// advised is a failed call, with its remedy.
func advised(err error) error {
	fault := slackapi.FaultOf(err)
	return fmt.Errorf("%w: %s", fault, fault.Advice())
}
