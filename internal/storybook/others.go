package storybook

import (
	"context"
	"errors"
	"time"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/superduper"
)

func others() []Story {
	orphan := examples()[0].world
	found, more := orphan, orphan
	found.found = []store.Payment{paid(14 * time.Minute), paid(14 * time.Minute)}
	more.found, more.more = found.found, true
	history := world{entries: []audit.Entry{
		{At: noon.Add(-time.Hour), Who: store.Actor{ID: "U0SUPPORT"}, Where: "C0SUPPORT", Event: audit.Planned, Action: store.ActionGenerate, Session: sessionID, Plan: "K3F9"},
		{At: noon.Add(-59*time.Minute - 10*time.Second), Who: store.Actor{ID: "U0LEAD"}, Where: "C0SUPPORT", Event: audit.Pressed, Action: store.ActionGenerate, Session: sessionID, Plan: "K3F9", Detail: "the first of two presses"},
		{At: noon.Add(-59 * time.Minute), Who: store.Actor{ID: "U0LEAD"}, Where: "C0SUPPORT", Event: audit.Claimed, Action: store.ActionGenerate, Session: sessionID, Plan: "K3F9"},
		{At: noon.Add(-50 * time.Minute), Who: store.Actor{ID: "U0LEAD"}, Where: "C0SUPPORT", Event: audit.Ended, Action: store.ActionGenerate, Session: sessionID, Plan: "K3F9", Detail: "unclear: no_answer"},
		{At: noon.Add(-40 * time.Minute), Who: store.Actor{ID: "U0LEAD"}, Where: "C0SUPPORT", Event: audit.Settled, Action: store.ActionGenerate, Session: sessionID, Plan: "K3F9", Detail: fileID},
		{At: noon.Add(-2 * time.Hour), Who: store.Actor{ID: "ann", Terminal: true}, Where: "terminal", Event: audit.Cancelled, Action: store.ActionFix, Session: sessionID, Plan: "J2E8"},
		{At: noon.Add(-3 * time.Hour), Who: store.Actor{ID: "U0SUPPORT"}, Where: "C0SUPPORT", Event: audit.Refused, Action: store.ActionFix, Session: sessionID, Detail: "the verdict was waiting"},
	}}
	unclear := world{seen: diagnosis.Evidence{File: store.File{State: store.FileInProgress}}, repair: diagnosis.SessionJob{ID: "K3F9", State: store.JobUnclear, Outcome: store.OutcomeUnclear}}
	unknown := unclear
	unknown.fileErr = &superduper.Error{Kind: superduper.NotFound, Status: 404}
	return []Story{
		ask(&orphan, "help", "/session", "help"),
		ask(&orphan, "help, /redis", "/redis", "help"),
		ask(&found, "find", "/session", "find ann@example.com"),
		ask(&more, "find, and there are more", "/session", "find ann@example.com"),
		ask(&orphan, "find nobody", "/session", "find nobody@example.com"),
		ask(&history, "history", "/session", "history "+sessionID, "Event planned", "Event pressed", "Event claimed", "Event outcome", "Event settled", "Event cancelled", "Event refused"),
		ask(&orphan, "no history", "/session", "history "+sessionID),
		ask(&unclear, "settle", "/session", "settle "+sessionID+" "+fileID),
		ask(&unknown, "settle with a file that nobody knows", "/session", "settle "+sessionID+" "+fileID),
		ask(&orphan, "nothing to settle", "/session", "settle "+sessionID+" "+fileID),
	}
}

func failures() []Story {
	w := examples()[0].world
	var all []Story
	for _, typed := range [][2]string{
		{"/session", "debgu " + sessionID}, {"/session", "xyzzy"}, {"/session", sessionID}, {"/session", "debug"}, {"/session", "debug nonsense"},
		{"/session", "debug cs_live_a1B2…a7B8"}, {"/session", "debug " + sessionID + " " + sessionID[:60] + "zzzz"}, {"/session", "debug " + sessionID + " --limit 3"},
		{"/session", "find ann"}, {"/session", "settle " + sessionID}, {"/redis", "statz"}, {"/redis", "ping twice"},
		{"/redis", "prompts --limit 0"}, {"/redis", "prompts --limit 99999"}, {"/redis", "stats --all"},
	} {
		all = append(all, ask(&w, typed[0]+" "+typed[1], typed[0], typed[1]))
	}
	for _, err := range []error{rdb.ErrNoAnswer, rdb.ErrRefused, context.DeadlineExceeded, errors.New("something unforeseen")} {
		all = append(all, ask(&world{err: err}, err.Error(), "/redis", "ping"))
	}
	for _, why := range []store.Unverified{store.NoStripeKey, store.StripeNoAnswer} {
		all = append(all, ask(&world{err: why}, "find, Stripe: "+string(why), "/session", "find ann@example.com"))
	}
	return all
}

// notices are the messages of the bot that are no command's answer.
func notices() []Story {
	all := make([]Story, len(commands.Notices))
	for n, notice := range commands.Notices {
		all[n] = line(string(notice), blockkit.L(blockkit.Plain(string(notice))), of("commands.Notice", notice))
	}
	return all
}
