package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/slack-go/slack"
)

// slackCommand matches a command as it is typed in Slack.
var slackCommand = regexp.MustCompile(`(^|[\s(“])/(session|redis) ([a-z]+)\b`)

// pressed maps the buttons that our sentences name to the commands of a terminal.
var pressed = strings.NewReplacer(
	"Press Debug, then show the video on the customer's page (no cost)", "Debug it, then fix it (which shows the video, at no cost)",
	"Press Debug on each", "Debug each", "press Debug for each", "debug each",
	"Press Debug first", "Debug it first", "Press Debug", "Debug it", "press Debug", "debug it", "Refresh", "Debug it again", "then refresh", "then debug it again",
)

// typedWords rewords a sentence for a terminal: its commands instead of Slack's, and no
// buttons.
func typedWords(text string) string {
	return pressed.Replace(slackCommand.ReplaceAllString(text, "${1}sessionbot $2 $3"))
}

const (
	mostNames    = 20 // people and channels that one answer names
	namesTimeout = 3 * time.Second
)

// idPattern matches the people and channels that blocks name.
var idPattern = regexp.MustCompile(`"(?:user_id|channel_id)":"([A-Z0-9]+)"`)

// namesIn returns the names of the people and channels in an answer, by id. Without a
// bot token, and where Slack does not answer soon, they keep their ids.
func (t terminal) namesIn(ctx context.Context, blocks []slack.Block) map[string]string {
	raw, err := json.Marshal(blocks)
	ids := idPattern.FindAllSubmatch(raw, -1)
	if err != nil || t.config.SlackBotToken == "" || len(ids) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, namesTimeout)
	defer cancel()
	api := slack.New(t.config.SlackBotToken, slack.OptionAPIURL(cmp.Or(t.config.SlackAPIURL, slack.APIURL)))
	names := map[string]string{}
	for _, match := range ids {
		id := string(match[1])
		if _, asked := names[id]; asked || len(names) == mostNames || ctx.Err() != nil {
			continue
		}
		if names[id], err = nameOf(ctx, api, id); err != nil {
			t.log.DebugContext(ctx, "name not known", "error", err)
		}
	}
	return names
}

// nameOf asks Slack for the name of a person or a channel.
func nameOf(ctx context.Context, api *slack.Client, id string) (string, error) {
	if strings.HasPrefix(id, "U") || strings.HasPrefix(id, "W") {
		user, err := api.GetUserInfoContext(ctx, id)
		if err != nil {
			return "", fmt.Errorf("name a person: %w", err)
		}
		return user.Name, nil
	}
	channel, err := api.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: id})
	if err != nil {
		return "", fmt.Errorf("name a channel: %w", err)
	}
	return channel.Name, nil
}
