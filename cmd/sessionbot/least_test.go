package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/store"
)

// redisMark is the password of the user with the least rights.
const redisMark = "MARKEDpassword"

// admit makes a user by a rule, and has the bot be that user.
func (s *stage) admit(server *redistest.Server, rule string) {
	s.t.Helper()
	args := []any{"ACL", "SETUSER", "sessionbot", "reset", "on", ">" + redisMark}
	for word := range strings.FieldsSeq(rule) {
		args = append(args, word)
	}
	if err := server.Client().Do(s.t.Context(), args...).Err(); err != nil {
		s.t.Fatal(err)
	}
	s.env["REDIS_URL"] = "redis://sessionbot:" + redisMark + "@" + server.Addr()
}

// TestLeastRights tells the stories with a user of Redis who may do what the
// configuration's reference says and no more: nothing was refused to it.
func TestLeastRights(t *testing.T) {
	for _, c := range []struct {
		name  string
		set   func(*stage) *stage
		story func(*testing.T, *stage)
	}{
		{"a repair", orphan, tellGenerateStory},
		{"an alert", watched, tellRepairedFromTheAlert},
		{"questions", orphan, func(_ *testing.T, s *stage) {
			s.startBot()
			for _, question := range []string{"/redis stats", "/redis prompts", "/redis memory", "/redis ping", "/session find ann@example.com",
				"/session debug " + repairID, "/session history " + repairID, "/session fix " + repairID} {
				support := s.workspace.As("U0SUPPORT").In("C0SUPPORT")
				support.Type(question)
				support.ExpectMessage(nil)
			}
		}},
	} {
		t.Run(c.name+", a server", func(t *testing.T) {
			s := c.set(newStage(t))
			s.admit(s.redis, store.ACLRule(store.ForProduct|store.ForState, false))
			c.story(t, s)
			nothingRefused(t, s.redis)
		})
		t.Run(c.name+", a cluster", func(t *testing.T) {
			cluster := redistest.StartCluster(t)
			s := c.set(stageOn(t, cluster.URL(), cluster.Client()))
			for _, node := range cluster.Nodes {
				s.admit(node, store.ACLRule(store.ForProduct|store.ForState, true))
			}
			c.story(t, s)
			for _, node := range cluster.Nodes {
				nothingRefused(t, node)
			}
		})
	}
}

// nothingRefused reads what the server refused to its users. The library tells
// its name, unasked, and does without.
func nothingRefused(t *testing.T, server *redistest.Server) {
	t.Helper()
	entries, err := server.Client().Do(t.Context(), "ACL", "LOG").Slice()
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if text := fmt.Sprint(entry); !strings.Contains(text, "client|setinfo") {
			t.Errorf("Redis refused: %s", text)
		}
	}
}
