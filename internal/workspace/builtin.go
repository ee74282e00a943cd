package workspace

import (
	"errors"
	"fmt"
	"strings"
)

// builtins are the slash commands of the workspace itself.
var builtins = []slashCommand{
	{Command: "/invite", Description: "Let somebody into this channel", UsageHint: "@name"},
	{Command: "/remove", Description: "Take somebody out of this channel", UsageHint: "@name"},
}

// errNoCommandsInThreads is what Slack says, too.
var errNoCommandsInThreads = errors.New("slash commands do not work in threads")

// builtin runs a command of the workspace's own. It reports whether it was one.
func (s *Server) builtin(ch channel, command, text string) (bool, error) {
	if command != "/invite" && command != "/remove" {
		return false, nil
	}
	name := strings.TrimPrefix(strings.TrimSpace(text), "@")
	for _, p := range s.world.people {
		if p.Name == name && ch.Kind != direct {
			s.world.setMember(ch.ID, p.ID, command == "/invite")
			return true, nil
		}
	}
	return true, fmt.Errorf("there is nobody called %q to %s", name, command[1:])
}
