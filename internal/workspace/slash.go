package workspace

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Command has a person type a slash command and waits for its ack. It returns
// the id of the envelope that was sent. The error is what Slack would have
// shown, ErrDispatchFailed and ErrOperationTimeout among it; the person sees it
// too, from Slackbot.
func (s *Server) Command(user, channel, command, text string) (string, error) {
	p, ch, err := s.world.participant(user, channel)
	if err != nil {
		return "", err
	}
	if ran, err := s.world.builtin(ch, command, text); ran {
		return "", err
	}
	declared, ok := s.app.command(command)
	if !ok {
		text := command + " is not a valid command"
		return "", s.world.showError(user, ch.ID, text, errors.New(text))
	}
	text = strings.TrimSpace(text)
	if declared.Escape {
		text = s.world.escapeText(text)
	}
	to := response{user: user, channel: ch.ID}
	id, envelope := newEnvelope("slash_commands", s.slashPayload(p, ch, command, text, s.responses.issue(to)),
		object{"accepts_response_payload": true})
	ack, err := s.deliver(id, envelope)
	if err != nil {
		return id, s.world.showError(user, ch.ID, fmt.Sprintf("%s failed with the error %q", command, err), err)
	}
	if err := s.showAck(to, ack); err != nil {
		return id, s.world.showError(user, ch.ID, command+" failed because the app sent an invalid response", err)
	}
	return id, nil
}

func (s *Server) slashPayload(p person, ch channel, command, text, token string) object {
	return object{
		"token":                 verificationToken,
		"team_id":               teamID,
		"team_domain":           teamDomain,
		"channel_id":            ch.ID,
		"channel_name":          ch.Name,
		"user_id":               p.ID,
		"user_name":             p.Name,
		"command":               command,
		"text":                  text,
		"api_app_id":            appID,
		"is_enterprise_install": "false", // a string here, in Slack too
		"response_url":          s.responseURL(token),
		"trigger_id":            s.triggerID(p.ID, ""),
	}
}

// verificationToken is Slack's old way to prove where a payload comes from.
// Apps get it, and none should look at it.
const verificationToken = "workspace-verification-token"

// showAck shows what an app sent with its ack, as an answer through the response
// URL, without counting as one of its uses.
func (s *Server) showAck(to response, ack json.RawMessage) error {
	if len(ack) == 0 {
		return nil
	}
	a, err := parseReply(ack)
	if err == nil && (a.Text != "" || len(a.Blocks) > 0 || len(a.Attachments) > 0) {
		err = s.reply(to, a)
	}
	if err != nil {
		s.log.Error("ack payload refused", "error", err)
	}
	return err
}

// shownError is an error that Slackbot has already shown to the person.
type shownError struct{ error }

func (e shownError) Unwrap() error { return e.error }

// showError has Slackbot show an error to one person, and returns it.
func (ms *messages) showError(user, channel, text string, err error) error {
	ms.post(Message{Channel: channel, User: slackbot, Text: text, Ephemeral: true, VisibleTo: user})
	return shownError{err}
}

// builtins are the slash commands of the workspace itself.
var builtins = []slashCommand{
	{Command: "/invite", Description: "Let somebody into this channel", UsageHint: "@name"},
	{Command: "/remove", Description: "Take somebody out of this channel", UsageHint: "@name"},
}

// errNoCommandsInThreads is what Slack says, too.
var errNoCommandsInThreads = errors.New("slash commands do not work in threads")

// builtin runs a command of the workspace's own. It reports whether it was one.
func (w *world) builtin(ch channel, command, text string) (bool, error) {
	if command != "/invite" && command != "/remove" {
		return false, nil
	}
	name := strings.TrimPrefix(strings.TrimSpace(text), "@")
	for _, p := range w.people {
		if p.Name == name && ch.Kind != direct {
			w.setMember(ch.ID, p.ID, command == "/invite")
			return true, nil
		}
	}
	return true, fmt.Errorf("there is nobody called %q to %s", name, command[1:])
}
