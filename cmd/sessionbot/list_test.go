package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
)

// listReply is the --json of session list.
type listReply struct {
	AsOf     time.Time `json:"as_of"`
	Complete bool
	Sessions []struct {
		ID, Verdict, Payment string
		AgeSeconds           *int64 `json:"age_seconds"`
		Amount               *int64
		Currency             *string
		Allowed              []string
	}
}

// inTerminalList runs session list in a terminal.
func (s *stage) inTerminalList(args ...string) listReply {
	s.t.Helper()
	said, _ := inTerminal(s.t, s.env, append([]string{"session", "list", "--json"}, args...)...)
	var reply listReply
	if err := json.Unmarshal([]byte(said), &reply); err != nil {
		s.t.Fatalf("%v: %v\n%s", args, err, said)
	}
	return reply
}

// TestListStory: more sessions than a page holds, in pages that one turns while some
// are repaired; shared with the channel; and the same in a terminal.
func TestListStory(t *testing.T) {
	t.Parallel()
	watchedOnBoth(t, func(t *testing.T, s *stage) {
		const n = 45
		for k := range n {
			s.pays(watchID(k), pastGrace().Add(-time.Duration(k)*time.Minute), store.EventDelivered)
		}
		s.startBot()
		s.workspace.Optional(containing("Growing: ")) // if the first are alerted before all are found
		oncall := s.workspace.As("U0ONCALL").In("C0ALERTS")
		alert := oncall.ExpectMessage(containing("paid session"))
		for deadline := time.Now().Add(patience); len(s.inTerminalList("orphaned").Sessions) < n; { // some payments are not read yet
			if time.Now().After(deadline) {
				t.Fatal("not all are found")
			}
		}
		support := s.workspace.As("U0SUPPORT").In("C0SUPPORT")
		rows := func(m wstest.Message) (ids []string) {
			for k := range n {
				if strings.Contains(string(m.Blocks), watchID(k)) {
					ids = append(ids, watchID(k))
				}
			}
			return ids
		}
		expect := func(m wstest.Message, from, to int) {
			t.Helper()
			s.checkMessage(m)
			var want []string // the oldest have the highest numbers
			for k := n - to; k < n-from; k++ {
				want = append(want, watchID(k))
			}
			if got := rows(m); fmt.Sprint(got) != fmt.Sprint(want) || !m.Ephemeral {
				t.Errorf("it shows %d sessions, want %d to %d of those that have waited longest:\n%s", len(got), from, to, m)
			}
		}
		page := s.ask("/session list")
		expect(page, 0, 20)
		if !containing("45 sessions in trouble, $45.00, longest waiting", ", complete · 1–20 of 45")(page) {
			t.Errorf("the first page says %s", page.Text)
		}
		s.webhook(watchID(n-1), store.StatusCompleted) // the one that waited longest
		support.Click(page, "session.list")
		page = support.ExpectUpdate(page, containing("44 sessions in trouble"))
		expect(page, 20, 40)
		support.Click(page, "session.share")
		shared := support.ExpectMessage(containing("shared by"))
		if shared.Ephemeral || fmt.Sprint(rows(shared)) != fmt.Sprint(rows(page)) {
			t.Errorf("shared was %s", shared)
		}
		support.Click(page, "session.list")
		page = support.ExpectUpdate(page, containing("40–44 of 44"))
		expect(page, 40, 45)
		support.Click(page, "session.list")
		expect(support.ExpectUpdate(page, containing("1–20 of 44")), 1, 21)

		guest := s.workspace.As("U0GUEST").In("C0SUPPORT")
		guest.Click(shared, "session.list")
		guest.ExpectMessage(containing("Only full members of this workspace may use this bot"))

		asked := time.Now().Truncate(time.Second)
		reply := s.inTerminalList("--since", "20m", "--limit", "2")
		if !reply.Complete || len(reply.Sessions) != 2 || reply.AsOf.Before(asked) {
			t.Fatalf("a terminal says %+v", reply)
		}
		first := reply.Sessions[0]
		if first.Verdict != "orphaned" || first.Payment != "paid" || *first.Amount != 100 || *first.Currency != "usd" ||
			*first.AgeSeconds > 20*60 || *first.AgeSeconds < *reply.Sessions[1].AgeSeconds || fmt.Sprint(first.Allowed) != "[fix generate replay]" {
			t.Errorf("a terminal says of the first: %+v", first)
		}
		oncall.ExpectUpdate(alert, containing("44 paid sessions have had no video", "1 webhook came late"))
		s.expectCleanLog("A fox runs")
	})
}

// TestListWithoutAWatch counts on the spot.
func TestListWithoutAWatch(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for k := range 3 {
		s.pays(watchID(k), pastGrace().Add(-time.Duration(k)*time.Minute), store.EventDelivered)
	}
	s.startBot()
	if m := s.ask("/session list"); !containing("3 sessions in trouble, longest waiting", "payment unverified", "complete")(m) {
		t.Errorf("it says %s", m.Text)
	}
	if m := s.ask("/session list lost"); !containing("No session is lost.", "complete")(m) {
		t.Errorf("it says %s", m.Text)
	}
	if reply := s.inTerminalList("orphaned"); len(reply.Sessions) != 3 || reply.Sessions[0].ID != watchID(2) || reply.Sessions[0].Amount != nil {
		t.Errorf("a terminal says %+v", reply)
	}
	said, _ := inTerminal(t, s.env, "session", "list", "--limit", "1")
	if !strings.Contains(said, "1–1 of 3") || !strings.Contains(said, watchID(2)) || strings.Contains(said, watchID(1)) {
		t.Errorf("a terminal shows %s", said)
	}
}
