package workspace

import (
	"github.com/superduperai/sessionbot/internal/workspace/blockcheck"
)

func apiTest(c call) (object, error) {
	if code := c.args.text("error"); code != "" {
		return nil, fail(code)
	}
	return object{"args": c.args.redacted()}, nil
}

func authTest(c call) (object, error) {
	return object{
		"url": c.URL() + "/", "team": teamName, "team_id": teamID,
		"user": c.app.botName(), "user_id": botUser, "bot_id": botID, "is_enterprise_install": false,
	}, nil
}

func openConnection(c call) (object, error) {
	if !c.app.socketMode() {
		return nil, fail("socket_mode_not_enabled")
	}
	if c.faults.has(DropConnections, "") {
		return nil, fail("internal_error")
	}
	return object{"url": "ws://" + c.address + "/socket/" + c.sockets.tickets.issue(struct{}{})}, nil
}

func teamInfo(c call) (object, error) {
	return object{"team": object{
		"id": teamID, "name": teamName, "domain": teamDomain, "email_domain": "", "icon": object{},
	}}, nil
}

func botInfo(c call) (object, error) {
	if id := c.args.text("bot"); id != "" && id != botID {
		return nil, fail("bot_not_found")
	}
	return object{"bot": c.botProfile()}, nil
}

func (s *Server) botProfile() object {
	return object{
		"id": botID, "app_id": appID, "user_id": botUser, "name": s.app.botName(),
		"deleted": false, "icons": object{}, "team_id": teamID,
	}
}

func validateBlocks(c call) (object, error) {
	blocks := c.args.json("blocks")
	if len(blocks) == 0 {
		return nil, fail("invalid_arguments")
	}
	if err := refusal(blockcheck.Check(blocks)); err != nil {
		return nil, err
	}
	return object{}, nil
}
