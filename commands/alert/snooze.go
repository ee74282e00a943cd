package alert

import (
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/store/incident"
)

var snoozeLabels = map[incident.SnoozeChoice]string{
	incident.SnoozeQuarter: "15 minutes", incident.SnoozeHour: "1 hour", incident.SnoozeFour: "4 hours", incident.SnoozeMorning: "Until 08:00",
}

// snoozeMenu snoozes an incident. Its options hold only the duration: the incident is in
// the id of the block; see alertBlock.
func snoozeMenu() *slack.SelectBlockElement {
	plain := func(text string) *slack.TextBlockObject {
		return slack.NewTextBlockObject(slack.PlainTextType, text, false, false)
	}
	var options []*slack.OptionBlockObject
	for _, choice := range incident.SnoozeChoices {
		options = append(options, slack.NewOptionBlockObject(string(choice), plain(snoozeLabels[choice]), nil))
	}
	return slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, plain("Snooze"), ActionSnooze, options...)
}

// alertBlock is the id of the block with an incident's buttons. It is another one each
// time, so that Slack forgets what was chosen in the menu: the same can be chosen again.
func alertBlock(i incident.Incident) string { return i.ID + "." + strconv.FormatInt(i.Revision, 10) }

// SnoozeOf returns the incident to snooze and for how long, from the id of the block and
// the value of the option. Alerts of older versions have a button for an hour
// instead, whose value is the incident.
func SnoozeOf(block, value string) (id string, choice incident.SnoozeChoice) {
	if choice = incident.SnoozeChoice(value); snoozeLabels[choice] == "" {
		return value, incident.SnoozeHour
	}
	id, _, _ = strings.Cut(block, ".")
	return id, choice
}

func snoozed(i incident.Incident, now time.Time) bool {
	return i.Snoozed != nil && i.Closed.IsZero() && now.Before(i.Snoozed.Until)
}
