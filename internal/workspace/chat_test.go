package workspace

import (
	"strings"
	"testing"
	"time"
)

func TestUpdateWithoutBlocksRemovesThem(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{})
	metadata := object{"event_type": "seen", "event_payload": object{"id": "1"}}
	posted := post(t, s, s.BotToken(), "chat.postMessage", object{
		"channel": "#support", "text": "with blocks", "blocks": []object{{"type": "divider"}}, "metadata": metadata,
	})
	at := object{"channel": posted["channel"], "ts": posted["ts"]}
	list, _ := s.Messages("C0SUPPORT", "U0LEAD")
	if len(list) != 1 || !strings.Contains(string(list[0].Blocks), `"block_id"`) || list[0].Edited {
		t.Fatalf("posted %+v", list)
	}
	if answer := post(t, s, s.BotToken(), "chat.update", object{"channel": at["channel"], "ts": at["ts"], "text": "without"}); answer["ok"] != true {
		t.Fatal(answer)
	}
	list, _ = s.Messages("C0SUPPORT", "U0LEAD")
	if m := list[0]; string(m.Blocks) != "[]" || m.Text != "without" || !m.Edited || len(m.Metadata) == 0 {
		t.Errorf("updated %+v", m)
	}
	if answer := post(t, s, s.BotToken(), "chat.delete", at); answer["ok"] != true {
		t.Fatal(answer)
	}
	list, _ = s.Messages("C0SUPPORT", "U0LEAD")
	if m := list[0]; !m.Deleted || m.Text != "" || len(m.Metadata) > 0 {
		t.Errorf("deleted %+v", m)
	}
	if answer := post(t, s, s.BotToken(), "chat.update", object{"channel": at["channel"], "ts": at["ts"], "text": "x"}); answer["error"] != "message_not_found" {
		t.Errorf("update of a deleted message: %v", answer)
	}
}

func TestEphemeralMessagesAreOutOfReach(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{})
	posted := post(t, s, s.BotToken(), "chat.postEphemeral", object{"channel": "C0SUPPORT", "user": "U0LEAD", "text": "psst"})
	for _, method := range []string{"chat.update", "chat.delete"} {
		answer := post(t, s, s.BotToken(), method, object{"channel": "C0SUPPORT", "ts": posted["message_ts"], "text": "x"})
		if answer["error"] != "message_not_found" {
			t.Errorf("%s: %v", method, answer)
		}
	}
	if got := shown(s, "U0SUPPORT"); len(got) > 0 {
		t.Errorf("others see %q", got)
	}
	if got := shown(s, "U0LEAD"); len(got) != 1 {
		t.Errorf("Lea sees %q", got)
	}
}

func TestMessagesOfOthersCannotBeChanged(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{})
	ts, err := s.Write("U0LEAD", "C0SUPPORT", "", "mine")
	if err != nil {
		t.Fatal(err)
	}
	for method, want := range map[string]string{"chat.update": "cant_update_message", "chat.delete": "cant_delete_message"} {
		if answer := post(t, s, s.BotToken(), method, object{"channel": "C0SUPPORT", "ts": ts, "text": "x"}); answer["error"] != want {
			t.Errorf("%s: %v", method, answer)
		}
	}
}

func TestHistoryAndThreads(t *testing.T) {
	t.Parallel()
	clock := newClock()
	s := startFast(t, Config{Now: clock.now})
	say := func(text, thread string) string {
		clock.turn(time.Second)
		answer := post(t, s, s.BotToken(), "chat.postMessage", object{
			"channel": "C0SUPPORT", "text": text, "thread_ts": thread,
			"metadata": object{"event_type": "n", "event_payload": object{"text": text}},
		})
		ts, ok := answer["ts"].(string)
		if !ok {
			t.Fatal(answer)
		}
		return ts
	}
	one := say("one", "")
	reply := say("reply", one)
	say("reply to the reply", reply)
	two, three := say("two", ""), say("three", "")
	post(t, s, s.BotToken(), "chat.postEphemeral", object{"channel": "C0SUPPORT", "user": "U0LEAD", "text": "psst"})

	for _, c := range []struct {
		method string
		args   object
		want   string
	}{
		{"conversations.history", object{}, "three two one"},
		{"conversations.history", object{"limit": 2}, "three two more"},
		{"conversations.history", object{"limit": 2, "cursor": "2"}, "one"},
		{"conversations.history", object{"oldest": two}, "three"},
		{"conversations.history", object{"oldest": two, "latest": three, "inclusive": true}, "three two"},
		{"conversations.history", object{"latest": two}, "one"},
		{"conversations.replies", object{"ts": one}, "one|reply|reply to the reply"},
	} {
		c.args["channel"] = "C0SUPPORT"
		answer := post(t, s, s.BotToken(), c.method, c.args)
		texts := []string{}
		messages, _ := answer["messages"].([]any)
		for _, m := range messages {
			texts = append(texts, m.(map[string]any)["text"].(string))
		}
		got := strings.Join(texts, " ")
		if c.method == "conversations.replies" {
			got = strings.Join(texts, "|")
		}
		if answer["has_more"] == true {
			got += " more"
		}
		if got != c.want {
			t.Errorf("%s %v: %q, want %q", c.method, c.args, got, c.want)
		}
	}
	history := post(t, s, s.BotToken(), "conversations.history", object{"channel": "C0SUPPORT"})
	first := history["messages"].([]any)[2].(map[string]any)
	if first["reply_count"] != 2.0 || first["thread_ts"] != one || first["latest_reply"] == reply {
		t.Errorf("the first message of the thread: %v", first)
	}
	with := post(t, s, s.BotToken(), "conversations.history", object{"channel": "C0SUPPORT", "include_all_metadata": "true"})
	if !strings.Contains(string(encode(with)), `"event_payload":{"text":"three"}`) {
		t.Errorf("no metadata in %v", with)
	}
	without := post(t, s, s.BotToken(), "conversations.history", object{"channel": "C0SUPPORT"})
	if strings.Contains(string(encode(without)), "event_payload") {
		t.Errorf("metadata in %v", without)
	}
}

// TestRepliesOfPeople: a reply belongs to the thread of what it answers, and
// leaves the channel read as it was.
func TestRepliesOfPeople(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{})
	write := func(user, thread string) string {
		t.Helper()
		ts, err := s.Write(user, "C0SUPPORT", thread, "x")
		if err != nil {
			t.Fatal(err)
		}
		return ts
	}
	root := write("U0LEAD", "")
	s.world.markRead("U0SUPPORT", "C0SUPPORT")
	again := write("U0LEAD", write("U0LEAD", root))
	if m, _ := s.world.message("C0SUPPORT", again); m.ThreadTS != root {
		t.Errorf("a reply to a reply is in thread %q, want %s", m.ThreadTS, root)
	}
	if n := s.world.unread("U0SUPPORT", "C0SUPPORT"); n != 0 {
		t.Errorf("%d unread after replies", n)
	}
	secret := s.world.post(Message{Channel: "C0SUPPORT", User: botUser, Text: "psst", Ephemeral: true, VisibleTo: "U0LEAD"}).TS
	for _, thread := range []string{"1.1", secret} {
		if _, err := s.Write("U0LEAD", "C0SUPPORT", thread, "x"); err == nil {
			t.Errorf("a reply to %s was taken", thread)
		}
	}
}
