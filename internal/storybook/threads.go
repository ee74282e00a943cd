package storybook

import (
	"time"

	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/follow"
)

// answered is a thread that was answered some time after the question.
func answered(end follow.End, kind store.Kind, after time.Duration) follow.Thread {
	a := &follow.Answer{End: end, Kind: kind, Posted: noon, Message: store.Message{Channel: "C0SUPPORT", TS: "2.0"}, Permalink: "https://acme.slack.com/archives/C0SUPPORT/p20"}
	switch end {
	case follow.Ready:
		a.File = fileID
	case follow.Handled:
		a.HandledBy = "U0LEAD"
	}
	return follow.Thread{Message: store.Message{Channel: "C0SUPPORT", TS: "1.0"}, By: "U0SUPPORT", At: noon.Add(-after), Answer: a}
}

// threads are the answers in threads in which a session was asked about.
func threads() []Story {
	show := func(title string, t follow.Thread, informed *follow.Informed) Story {
		return Story{Title: title, Of: []string{of("End", t.Answer.End)}, Blocks: message.ThreadAnswer(sessionID, t, informed, siteURL, noon)}
	}
	by := follow.Informed{By: "U0SUPPORT", At: noon.Add(-5 * time.Minute), End: follow.Ready}
	return []Story{
		show("the video is ready", answered(follow.Ready, store.KindVideo, 12*time.Minute), nil),
		show("the image is ready", answered(follow.Ready, store.KindImage, time.Hour), nil),
		show("refunded", answered(follow.Refunded, store.KindVideo, 3*time.Hour), nil),
		show("handled", answered(follow.Handled, store.KindVideo, 26*time.Hour), nil),
		show("the customer is informed", answered(follow.Ready, store.KindVideo, 12*time.Minute), &by),
		line("ticked twice", message.InformedReply(by, noon)),
	}
}
