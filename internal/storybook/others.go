package storybook

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/commands/message"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/sweep"
	"github.com/superduperai/sessionbot/superduper"
)

func others() []Story {
	orphan := examples()[0].world
	found, more := orphan, orphan
	found.found = []store.Payment{paid(14 * time.Minute), paid(14 * time.Minute)}
	more.found, more.more = found.found, true
	entry := func(ago time.Duration, who store.Actor, where string, event audit.Event, action store.Action, detail string) audit.Entry {
		return audit.Entry{At: noon.Add(-ago), Who: who, Where: where, Event: event, Action: action, Session: sessionID, Plan: "K3F9", Detail: detail}
	}
	support, lead, ann := store.Actor{ID: "U0SUPPORT"}, store.Actor{ID: "U0LEAD"}, store.Actor{ID: "ann", Terminal: true}
	history := world{entries: []audit.Entry{
		entry(3*time.Hour, support, "C0SUPPORT", audit.Refused, store.ActionFix, "the session was waiting"),
		entry(2*time.Hour, ann, "terminal", audit.Cancelled, store.ActionFix, ""),
		entry(time.Hour, support, "C0SUPPORT", audit.Planned, store.ActionGenerate, ""),
		entry(59*time.Minute+10*time.Second, lead, "C0SUPPORT", audit.Pressed, store.ActionGenerate, "the first of two presses"),
		entry(59*time.Minute, lead, "C0SUPPORT", audit.Claimed, store.ActionGenerate, ""),
		entry(50*time.Minute, lead, "C0SUPPORT", audit.Ended, store.ActionGenerate, "unclear: no_answer"),
		entry(40*time.Minute, lead, "C0SUPPORT", audit.Settled, store.ActionGenerate, "file "+fileID+", SuperDuperAI says: in progress"),
		{At: noon.Add(-30 * time.Minute), Who: lead, Where: "C0ALERTS", Event: audit.Handled, Session: sessionID, Detail: "it was failed"},
		{At: noon.Add(-29 * time.Minute), Who: lead, Where: "C0ALERTS", Event: audit.Noted, Session: sessionID, Detail: "refunded, ticket_4711"},
		{At: noon.Add(-20 * time.Minute), Who: support, Where: "C0SUPPORT", Event: audit.Informed, Session: sessionID, Detail: "handled"},
	}}
	some, many := listed(1), listed(3)
	unclear := world{seen: diagnosis.Evidence{File: store.File{State: store.FileInProgress}}, repair: diagnosis.SessionJob{ID: "K3F9", State: store.JobUnclear, Outcome: store.OutcomeUnclear}}
	unknown := unclear
	unknown.fileErr = &superduper.Error{Kind: superduper.NotFound, Status: 404}
	resolved := orphan
	resolved.known = []string{sessionID}
	return []Story{
		ask(&resolved, "a short id", "/session", "history cs_live_a1B2…a7B8"),
		ask(&orphan, "help", "/session", "help"),
		ask(&orphan, "help, /redis", "/redis", "help"),
		ask(&found, "find", "/session", "find ann@example.com"),
		ask(&more, "find, and there are more", "/session", "find ann@example.com"),
		ask(&orphan, "find nobody", "/session", "find nobody@example.com"),
		ask(&some, "list", "/session", "list"),
		ask(&many, "list, a page of many", "/session", "list"),
		ask(&some, "list by verdict and age", "/session", "list stalled --since 2d --limit 5"),
		ask(&orphan, "list of nobody", "/session", "list"),
		ask(&orphan, "list of nobody, by verdict", "/session", "list orphaned --since 2h"),
		ask(&history, "history", "/session", "history "+sessionID, "Event planned", "Event pressed", "Event claimed", "Event outcome", "Event settled", "Event handled", "Event noted", "Event informed", "Event cancelled", "Event refused"),
		ask(&orphan, "no history", "/session", "history "+sessionID),
		ask(&unclear, "settle", "/session", "settle "+sessionID+" "+fileID),
		ask(&unknown, "settle with a file that nobody knows", "/session", "settle "+sessionID+" "+fileID),
		ask(&orphan, "nothing to settle", "/session", "settle "+sessionID+" "+fileID),
	}
}

// listed is a world with many of each example, of which not all were seen if there are
// several.
func listed(times int) world {
	w := world{more: times > 1}
	for n := range times {
		for m, e := range examples() {
			seen := e.world.seen
			seen.Session.ID = fmt.Sprintf("%s%02d%02d", sessionID[:60], n, m)
			w.troubled = append(w.troubled, sweep.Observation{Evidence: seen, Diagnosis: diagnosis.Diagnose(seen, noon, limits)})
		}
	}
	fixed := session(5*time.Hour, "error", "")
	text := commands.FixText
	fixed.Webhook.Value.Error = &text
	seen := diagnosis.Evidence{Session: fixed, Payment: paid(5 * time.Hour)}
	w.troubled = append(w.troubled, sweep.Observation{Evidence: seen, Diagnosis: diagnosis.Diagnose(seen, noon, limits)})
	return w
}

func failures() []Story {
	w := examples()[0].world
	var all []Story
	for _, typed := range [][2]string{
		{"/session", "debgu " + sessionID}, {"/session", "xyzzy"}, {"/session", sessionID}, {"/session", "debug"}, {"/session", "debug nonsense"},
		{"/session", "debug cs_live_a1B2…a7B8"}, {"/session", "debug " + sessionID + " " + sessionID[:60] + "zzzz"}, {"/session", "debug " + sessionID + " --limit 3"},
		{"/session", "find ann"}, {"/session", "settle " + sessionID}, {"/session", "list orphand"}, {"/session", "list --since yesterday"}, {"/redis", "statz"}, {"/redis", "ping twice"},
		{"/redis", "prompts --limit 0"}, {"/redis", "prompts --limit 99999"}, {"/redis", "stats --all"},
	} {
		all = append(all, ask(&w, typed[0]+" "+typed[1], typed[0], typed[1]))
	}
	twin := strings.Replace(sessionID, "c3D4", "Wx7y", 1)
	all = append(all, ask(&world{known: []string{sessionID, twin}}, "two sessions with one short id", "/session", "generate cs_live_a1B2…a7B8"))
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
	all := make([]Story, len(message.Notices))
	for n, notice := range message.Notices {
		text := blockkit.PlainLine(string(notice))
		if strings.HasSuffix(string(notice), " in") { // a link follows
			text = append(text, blockkit.Plain(" "), blockkit.Channel("C0SUPPORT"), blockkit.Plain("."))
		}
		all[n] = line(string(notice), text, of("commands.Notice", notice))
	}
	several := commands.Subjects(sessionID + ", cs_live_b2, ann@example.com, pi_3NqXaB2eZvKYlo2C")
	return append(all,
		Story{Title: "a message that names several sessions or customers", Blocks: commands.ChoiceAnswer(several).Blocks},
		Story{Title: "a message that names none", Blocks: commands.ChoiceAnswer(nil).Blocks},
		Story{Title: "a view whose answer is not there yet", Blocks: commands.LoadingBlocks()})
}
