package workspace

import (
	"strings"
	"testing"
)

const exampleSeed = `
users:
  - {id: U0NEW, name: nia, real_name: Nia New}
  - {id: U0LEAD, name: leo, guest: true}
  - {id: U0FAR, name: fay, external: true}
groups:
  - {id: S0NEW, handle: new, name: New ones, members: [U0NEW, U0LEAD]}
channels:
  - {id: C0NEW, name: new-place, topic: Things, members: [U0NEW, app]}
  - {id: C0HIDDEN, name: hidden, private: true, members: [U0NEW]}
  - {id: C0ALL, name: all}
`

// TestSeed: what a seed holds is there beside the examples, or in their place.
func TestSeed(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{Seed: []byte(exampleSeed), BotToken: "xoxb-mine", AppToken: "xapp-mine"})
	call := func(method string, args object) string {
		return string(encode(post(t, s, "xoxb-mine", method, args)))
	}
	for _, c := range []struct{ method, args, has string }{
		{"users.info", "U0NEW", `"real_name":"Nia New"`},
		{"users.info", "U0LEAD", `"is_restricted":true`},
		{"users.info", "U0FAR", `"is_stranger":true`},
		{"users.info", "U0SUPPORT", `"name":"sam"`},
		{"conversations.info", "C0NEW", `"is_member":true`},
		{"conversations.info", "C0HIDDEN", `"error":"channel_not_found"`},
		{"conversations.members", "C0ALL", `"U0FAR"`},
		{"usergroups.users.list", "S0NEW", `["U0NEW","U0LEAD"]`},
		{"conversations.open", "U0NEW", `"id":"D0NEW"`},
	} {
		args := object{"user": c.args, "channel": c.args, "usergroup": c.args, "users": c.args}
		if got := call(c.method, args); !strings.Contains(got, c.has) {
			t.Errorf("%s %s: no %s in %s", c.method, c.args, c.has, got)
		}
	}
	if got := post(t, s, "xapp-mine", "apps.connections.open", object{}); got["ok"] != true {
		t.Errorf("the app token: %v", got)
	}
	if _, err := s.Write("U0NEW", "C0NEW", "", "hello @leo"); err != nil {
		t.Error(err)
	}
}

func TestSeedRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cfg  Config
		want string
	}{
		{Config{BotToken: "xapp-1"}, "the bot token has to begin with xoxb-"},
		{Config{AppToken: "xoxb-1"}, "the app token has to begin with xapp-"},
		{Config{Seed: []byte("users: [{id: nia, name: nia}]")}, `user id "nia": it has to be U and capital letters or digits`},
		{Config{Seed: []byte("users: [{id: U0BOT, name: nia}]")}, `the id U0BOT is taken by the workspace itself`},
		{Config{Seed: []byte("users: [{id: U0NIA, name: 'n<a'}]")}, `the name "n<a" has to be at most 80 letters`},
		{Config{Seed: []byte("users: [{id: U0NIA, name: " + strings.Repeat("n", 81) + "}]")}, `has to be at most 80 letters`},
		{Config{Seed: []byte("channels: [{id: C0NIA, name: x, members: [U0NOBODY]}]")}, "C0NIA has the member U0NOBODY, who is no user"},
		{Config{Seed: []byte("people: []")}, "field people not found"},
		{Config{Seed: []byte("{")}, "seed:"},
	} {
		c.cfg.Addr = "127.0.0.1:0"
		s, err := Start(c.cfg)
		if err == nil {
			_ = s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.want, err)
		}
	}
}
