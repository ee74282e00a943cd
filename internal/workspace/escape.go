package workspace

import (
	"regexp"
	"strings"
)

// slackToken finds what Slack turns into something else in what people type:
// tokens that are wrapped already, links, mentions and channels.
var slackToken = regexp.MustCompile(`<(?:https?://|mailto:|[@#!])[^<>\n]*>|https?://[^\s<>]+|[@#][\p{L}\p{N}_.-]+|[&<>]`)

// escapeText wraps links, mentions and channels in what a person typed and
// escapes the rest, as Slack does. What is wrapped already stays as it is.
func (w *world) escapeText(text string) string {
	return slackToken.ReplaceAllStringFunc(text, func(token string) string {
		switch {
		case token == "&":
			return "&amp;"
		case token == "<":
			return "&lt;"
		case token == ">":
			return "&gt;"
		case token[0] == '<':
			return token
		case token[0] == '@':
			return w.mention(token)
		case token[0] == '#':
			return w.channelLink(token)
		}
		return "<" + strings.ReplaceAll(token, "&", "&amp;") + ">"
	})
}

// labels are the names that people's mentions carry in slash commands only.
var labels = regexp.MustCompile(`<@(\w+)\|[^<>]*>`)

// escapeMessage is escapeText for messages, in which mentions carry no name.
func (w *world) escapeMessage(text string) string {
	return labels.ReplaceAllString(w.escapeText(text), "<@$1>")
}

// mention wraps "@sam" or "@ops" where there is such a person or group.
func (w *world) mention(token string) string {
	for _, p := range w.people {
		if p.Name == token[1:] {
			return "<@" + p.ID + "|" + p.Name + ">"
		}
	}
	for _, g := range w.groups {
		if g.Handle == token[1:] {
			return "<!subteam^" + g.ID + "|" + token + ">"
		}
	}
	return token
}

// channelLink wraps "#support" where there is such a channel.
func (w *world) channelLink(token string) string {
	if c, ok := w.findChannel(token); ok {
		return "<#" + c.ID + "|" + c.Name + ">"
	}
	return token
}
