package workspace

import (
	"slices"
	"strings"
)

// The ids of the workspace itself, of the app, and of Slack's own voice.
const (
	teamID     = "T0WORKSPACE"
	teamDomain = "workspace"
	teamName   = "Local workspace"
	partnerID  = "T0PARTNER"
	appID      = "A0APP"
	botID      = "B0BOT"
	botUser    = "U0BOT"
	slackbot   = "USLACKBOT"
)

// person is a member, a guest, somebody of a connected workspace, or a bot.
type person struct {
	ID, Name, RealName string
	Team               string
	Guest              bool
	External           bool // from a connected workspace
	Bot                bool
	TZ                 string // of the time zone database, "" = UTC
}

// group is a user group.
type group struct {
	ID, Handle, Name string
	Members          []string
}

type kind string

// The kinds of channels, named as in the scopes that open them.
const (
	public  kind = "channels"
	private kind = "groups"
	direct  kind = "im"
)

// channel is a place where messages are.
type channel struct {
	ID, Name, Topic string
	Kind            kind
	Archived        bool
	Members         []string
}

func (c channel) has(user string) bool { return slices.Contains(c.Members, user) }

// directID is the id of the direct channel of a person and the app.
func directID(user string) string { return "D" + strings.TrimPrefix(user, "U") }

// kindName names the channel's kind as events do.
func (c channel) kindName() string { return strings.TrimSuffix(string(c.Kind), "s") }

// examplePeople are there at the start, in the order of the page's switcher.
func examplePeople(botName string) []person {
	return []person{
		{ID: "U0SUPPORT", Name: "sam", RealName: "Sam Support", Team: teamID},
		{ID: "U0ONCALL", Name: "ona", RealName: "Ona Oncall", Team: teamID},
		{ID: "U0LEAD", Name: "lea", RealName: "Lea Lead", Team: teamID},
		{ID: "U0GUEST", Name: "gus", RealName: "Gus Guest", Team: teamID, Guest: true},
		{ID: "U0PARTNER", Name: "pat", RealName: "Pat Partner", Team: partnerID, External: true},
		{ID: botUser, Name: botName, RealName: botName, Team: teamID, Bot: true},
		{ID: slackbot, Name: "slackbot", RealName: "Slackbot", Team: teamID},
	}
}

func exampleGroups() []group {
	return []group{{ID: "S0OPS", Handle: "ops", Name: "Ops", Members: []string{"U0SUPPORT", "U0ONCALL", "U0LEAD"}}}
}

// exampleChannels are there at the start: two with the bot, one without, one
// that it cannot see, one archived, and a direct one with each person.
func exampleChannels(people []person) []channel {
	everybody := []string{"U0SUPPORT", "U0ONCALL", "U0LEAD", "U0GUEST", "U0PARTNER"}
	members := everybody[:3]
	channels := []channel{
		{ID: "C0SUPPORT", Name: "support", Kind: public, Topic: "Customers and their questions",
			Members: slices.Concat(everybody, []string{botUser})},
		{ID: "C0ALERTS", Name: "alerts", Kind: public, Topic: "What needs somebody",
			Members: slices.Concat(everybody, []string{botUser})},
		{ID: "C0RANDOM", Name: "random", Kind: public, Topic: "Everything else", Members: slices.Clone(members)},
		{ID: "C0LEADS", Name: "leads", Kind: private, Members: []string{"U0LEAD"}},
		{ID: "C0ARCHIVE", Name: "archive", Kind: public, Archived: true, Members: slices.Concat(members, []string{botUser})},
	}
	for _, p := range people {
		if !p.Bot && p.ID != slackbot {
			channels = append(channels, channel{
				ID: directID(p.ID), Name: "directmessage", Kind: direct, Members: []string{p.ID, botUser},
			})
		}
	}
	return channels
}
