package bot_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store/repair"
)

// write has a person write a message, and returns it.
func write(t *testing.T, s *stage, p wstest.Place, user, channel, thread, text string) wstest.Message {
	t.Helper()
	ts, err := s.server.Write(user, channel, thread, text)
	if err != nil {
		t.Fatal(err)
	}
	return p.ExpectMessage(func(m wstest.Message) bool { return m.TS == ts })
}

// TestMentionIsAnsweredInItsThread, for all to read: without the customer's address,
// without Share, and with a Debug that answers its clicker.
func TestMentionIsAnsweredInItsThread(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]commands.Request{
		"<@U0BOT> " + session:                    {Command: "/session", Text: session},
		"please look, <@U0BOT>: " + session:      {Command: "/session", Text: "please look,  : " + session},
		"<@U0BOT> /session find ann@example.com": {Command: "/session", Text: " find ann@example.com"},
		"<@U0BOT>\nredis stats":                  {Command: "/redis", Text: " stats"},
		"<@U0BOT>":                               {Command: "/session"},
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			s := play(t)
			s.commands.run = func(_ context.Context, req commands.Request) commands.Answer {
				want.User, want.Channel, want.Shared = "U0SUPPORT", "C0SUPPORT", true
				if req.Progress = nil; req.Command != want.Command || req.Text != want.Text || req.User != want.User || req.Channel != want.Channel || !req.Shared {
					t.Errorf("asked %+v, want %+v", req, want)
				}
				return aboutSession("Orphaned")
			}
			sam := s.As("U0SUPPORT").In("C0SUPPORT")
			asked := write(t, s, sam, "U0SUPPORT", "C0SUPPORT", "", text)
			m := sam.ExpectMessage(wstest.Saying("Orphaned", `"text":"Debug"`))
			if m.Ephemeral || m.ThreadTS != asked.TS || strings.Contains(string(m.Blocks), "session.share") {
				t.Errorf("got %s in the thread %q, want %q", m, m.ThreadTS, asked.TS)
			}
			s.ExpectNothingElse()
		})
	}
}

// TestMentionInAThread is answered in that thread.
func TestMentionInAThread(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.commands.run = func(context.Context, commands.Request) commands.Answer { return aboutSession("Orphaned") }
	sam := s.As("U0SUPPORT").In("C0SUPPORT")
	root := write(t, s, sam, "U0SUPPORT", "C0SUPPORT", "", "A customer has no video: "+session)
	write(t, s, sam, "U0SUPPORT", "C0SUPPORT", root.TS, "<@U0BOT> "+session)
	if m := sam.ExpectMessage(wstest.Saying("Orphaned")); m.ThreadTS != root.TS {
		t.Errorf("answered in the thread %q, want %q", m.ThreadTS, root.TS)
	}
	s.ExpectNothingElse() // the first message mentions nobody
}

// TestDirectMessageIsAnswered, to the one who reads it: with the customer's address.
func TestDirectMessageIsAnswered(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.commands.run = func(_ context.Context, req commands.Request) commands.Answer {
		if req.Command != "/session" || req.Text != session || req.Channel != "D0SUPPORT" || req.Shared {
			t.Errorf("asked %+v", req)
		}
		return aboutSession("Orphaned")
	}
	sam := s.As("U0SUPPORT").In("D0SUPPORT")
	asked := write(t, s, sam, "U0SUPPORT", "D0SUPPORT", "", session)
	if m := sam.ExpectMessage(wstest.Saying("Orphaned")); m.Ephemeral || m.ThreadTS != asked.TS {
		t.Errorf("got %s", m)
	}
	s.ExpectNothingElse()
	if log := s.log.String(); strings.Contains(log, session) {
		t.Errorf("log: %s", log)
	}
}

// TestMessagesThatAreNotForTheBot are ignored: those without a mention, and those of
// bots, which would answer each other for ever.
func TestMessagesThatAreNotForTheBot(t *testing.T) {
	t.Parallel()
	slack := newFakeSlack(t)
	event := func(id, members string) string {
		return `{"type":"events_api","envelope_id":"` + id + `","payload":{"type":"event_callback","event_id":"Ev` + id + `","event":{` + members + `}}}`
	}
	const dm = `"type":"message","channel":"D1","channel_type":"im","text":"debug","ts":"1.`
	frames := []string{
		event("1", dm+`1","user":"U1","bot_id":"B1"`),
		event("2", dm+`2","user":"U1","bot_id":7`),
		event("3", dm+`3","user":"U9"`), // ours
		event("4", dm+`4","user":"USLACKBOT"`),
		event("5", dm+`5","subtype":"bot_message"`),
		event("6", dm+`6","user":"U1","subtype":"message_changed","message":{"user":"U1","text":"debug"}`),
		event("7", dm+`7","user":"U1","subtype":"message_deleted"`),
		event("8", dm+`8","user":"U1","edited":{"user":"U1","ts":"1.9"}`),
		event("9", `"type":"message","channel":"C1","channel_type":"channel","user":"U1","text":"debug","ts":"1.9"`),
		event("10", `"type":"message","channel":"G1","channel_type":"mpim","user":"U1","text":"debug","ts":"1.10"`),
		event("11", `"type":"app_mention","channel":"C1","user":"U1","bot_id":"B1","text":"<@U9> debug","ts":"1.11"`),
		event("12", `"type":"app_mention","channel":"C1","user":"U9","text":"<@U9> debug","ts":"1.12"`),
		event("13", `"type":"app_mention","channel":"D1","user":"U1","text":"<@U9> debug","ts":"1.13"`), // comes as a message, too
		event("14", `"type":"user_change","user":{"id":"U1"},"channel":7`),
		event("15", dm+`15","user":["U1"]`),
		event("16", dm+`16","user":"U1"`),
		event("17", dm+`16","user":"U1"`), // the same message again
		event("16", dm+`18","user":"U1"`), // the same event again
		event("19", `"type":"app_mention","channel":"C1","user":"U1","text":"<@U9|bot> <@U90> debug","ts":"1.19"`),
	}
	done := make(chan struct{})
	slack.answers["chat.postMessage"] = `{"ok":true,"channel":"D1","ts":"2.1"}`
	slack.socket = func(conn *websocket.Conn) {
		for _, frame := range append([]string{`{"type":"hello","num_connections":1}`}, frames...) {
			if err := conn.WriteMessage(websocket.TextMessage, []byte(frame)); err != nil {
				t.Error(err)
			}
		}
		for range frames {
			var ack struct {
				Payload json.RawMessage `json:"payload"`
			}
			if err := conn.ReadJSON(&ack); err != nil || ack.Payload != nil {
				t.Errorf("ack with %s: %v", ack.Payload, err)
			}
		}
		close(done)
		_, _, _ = conn.ReadMessage() // until the bot hangs up
	}
	asked := make(chan commands.Request, 100)
	slack.run(t, &scripted{run: func(_ context.Context, req commands.Request) commands.Answer {
		asked <- req
		return aboutSession("Orphaned")
	}})
	await(t, done)
	got := map[string]bool{await(t, asked).Text: true, await(t, asked).Text: true}
	if !got["debug"] || !got["<@U90> debug"] {
		t.Errorf("asked %v", got)
	}
	for posted := 0; posted < 2; {
		if await(t, slack.calls) == "chat.postMessage" {
			posted++
		}
	}
	if len(asked) > 0 {
		t.Errorf("asked as well: %+v", <-asked)
	}
}

// TestRefusedThreadAnswer comes as an ephemeral message.
func TestRefusedThreadAnswer(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.Refuse("chat.postMessage", "restricted_action_thread_locked")
	s.commands.run = func(context.Context, commands.Request) commands.Answer {
		return commands.Answer{Outcome: commands.Failed, Err: errors.New("no redis"), Blocks: says("Redis is away")}
	}
	sam := s.As("U0SUPPORT").In("C0SUPPORT")
	write(t, s, sam, "U0SUPPORT", "C0SUPPORT", "", "<@U0BOT> "+session)
	if m := sam.ExpectMessage(wstest.Saying("Redis is away")); !m.Ephemeral {
		t.Errorf("got %s", m)
	}
}

// TestPlanOfAMention is posted in the channel, and its thread links it.
func TestPlanOfAMention(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.commands.run = func(context.Context, commands.Request) commands.Answer {
		return commands.Answer{Outcome: commands.Done, Blocks: says("Generate a video?"), Plan: &repair.Plan{ID: "P1"}}
	}
	sam := s.As("U0SUPPORT").In("C0SUPPORT")
	asked := write(t, s, sam, "U0SUPPORT", "C0SUPPORT", "", "<@U0BOT> generate "+session)
	if plan := sam.ExpectMessage(wstest.Saying("Generate a video?", "confirm.approve")); plan.ThreadTS != "" || plan.Ephemeral {
		t.Errorf("got %s", plan)
	}
	if m := sam.ExpectMessage(wstest.Saying("The plan is shown in", "open the plan")); m.ThreadTS != asked.TS {
		t.Errorf("got %s", m)
	}
	s.ExpectNothingElse()
}
