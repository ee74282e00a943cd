package main

import "github.com/superduperai/sessionbot/internal/workspace/page"

// scenes are the parts of the demo's story, in this order. A scene has a file of its own, or
// shares one with its neighbours, and is added by adding it here.
var scenes = []func(*sandbox) scene{complaintScene, incidentScene, figuresScene}

// scene is a part of the demo's story: what is there at the start, and the clicks that
// the page suggests.
type scene struct {
	messages []pastMessage
	hints    []page.Hint
}

// pastMessage is a message that was written before the bot connected.
type pastMessage struct{ channel, user, text string }

// script returns the messages of all scenes, and the clicks that they suggest.
func (s *sandbox) script() (messages []pastMessage, hints []page.Hint) {
	for _, begin := range scenes {
		part := begin(s)
		messages, hints = append(messages, part.messages...), append(hints, part.hints...)
	}
	return messages, hints
}

// The places of the demo's story.
const (
	supportChannel = "C0SUPPORT"
	alertsChannel  = "C0ALERTS"
)

// complaintScene: a customer complains, the bot finds the cause, and the webhook is
// replayed.
func complaintScene(s *sandbox) scene {
	session := s.complaint.ID
	complaint := "@sam, can you look? A customer wrote to us:\n" +
		"> I paid for a video more than three hours ago, and the page still says that it is being prepared. Where is it?\n> " +
		s.config.SiteURL + "/en/session/" + session
	return scene{
		messages: []pastMessage{{supportChannel, "U0LEAD", complaint}},
		hints: []page.Hint{
			{Label: "1 Debug the session", Channel: supportChannel, Text: "/session debug " + session},
			{Label: "2 Replay the webhook", Channel: supportChannel, Find: `[data-action="session.replay"]`, Within: session},
			{Label: "3 Approve the plan", Channel: supportChannel, Find: `[data-action="confirm.approve"]`, Within: session},
			{Label: "4 See the video", Channel: supportChannel, Find: ".picture.shown"},
		},
	}
}

// incidentScene: the complaint was one of twelve, which are repaired at once.
func incidentScene(*sandbox) scene {
	return scene{hints: []page.Hint{
		{Label: "5 Open the alert", Channel: supportChannel, Open: alertsChannel},
		{Label: "6 Repair all", Channel: alertsChannel, Find: `[data-action="alert.repair"]`, Within: "had no video"},
		{Label: "7 Approve the plan", Channel: alertsChannel, Find: `[data-action="confirm.approve"]`},
	}}
}

// figuresScene: other commands to try.
func figuresScene(*sandbox) scene {
	return scene{hints: []page.Hint{
		{Label: "A customer's sessions", Channel: supportChannel, Text: "/session find ann@example.com"},
		{Label: "Statistics", Text: "/redis stats"},
		{Label: "Newest prompts", Channel: supportChannel, Text: "/redis prompts"},
	}}
}
