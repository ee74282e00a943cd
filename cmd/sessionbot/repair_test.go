package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
)

const repairID = "cs_live_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y5Z6rep1"

// repairStage is a stage with one orphaned session, whose event is delivered.
func repairStage(t *testing.T) *stage {
	t.Helper()
	s := newStage(t)
	s.files = demo.NewSuperDuper(time.Now, 0) // made at once
	s.env["SUPERDUPERAI_URL"] = s.serve(s.files)
	s.env["OPERATORS"] = "S0OPS"
	paid := time.Now().Add(-14 * time.Minute)
	s.stripe.Put(demo.CheckoutSession{ID: repairID, Status: "complete", PaymentStatus: "paid", Amount: 100, Currency: "usd",
		Created: paid, Event: store.EventDelivered})
	s.put("prompt:"+repairID, `{"prompt":"A fox runs","big":12345678901234567890,"timestamp":"`+paid.UTC().Format("2006-01-02T15:04:05.000Z")+`"}`)
	return s
}

func (s *stage) put(key, value string) {
	s.t.Helper()
	if err := s.redis.Client().Set(s.t.Context(), key, value, store.KeyLife).Err(); err != nil {
		s.t.Fatal(err)
	}
}

// value reads what Redis holds, as an object; nil = missing.
func (s *stage) value(key string) map[string]any {
	s.t.Helper()
	raw, err := s.redis.Client().Get(s.t.Context(), key).Bytes()
	if err != nil {
		return nil
	}
	var value map[string]any
	if err := json.Unmarshal(raw, &value); err != nil {
		s.t.Fatal(err)
	}
	return value
}

func saying(text string) func(wstest.Message) bool {
	return func(m wstest.Message) bool { return strings.Contains(m.Text, text) }
}

// TestGenerateStory: asked for, shown as a plan, refused to a guest, approved
// once, followed to its end, and on record.
func TestGenerateStory(t *testing.T) {
	s := repairStage(t)
	s.startBot()
	support := s.workspace.As("U0SUPPORT").In("C0SUPPORT")
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	guest := s.workspace.As("U0GUEST").In("C0SUPPORT")
	support.Type("/session generate " + repairID)
	plan := support.ExpectMessage(saying("Generate a video for"))
	if plan.Ephemeral || !strings.Contains(plan.Text, "about $24") {
		t.Errorf("the plan is not for everybody, or names no cost: %s", plan.Text)
	}
	if s.value("webhook:"+repairID) != nil || s.files.Started() != 0 {
		t.Error("a plan must not do anything")
	}
	guest.Click(plan, "confirm.approve")
	guest.ExpectMessage(saying("Only operators may do this"))
	lead.Click(plan, "confirm.approve")
	done := lead.ExpectUpdate(plan, saying("Done: video ready"))
	if !strings.Contains(done.Text, "Customer sees  status completed") {
		t.Errorf("what the customer sees is not told:\n%s", done.Text)
	}
	lead.Click(done, "session.debug")
	lead.ExpectMessage(saying("Completed: the video is ready."))
	if n := s.files.Started(); n != 1 {
		t.Errorf("%d videos were started, want 1", n)
	}
	webhook, session := s.value("webhook:"+repairID), s.value("session:"+repairID)
	if webhook["status"] != "completed" || webhook["fileId"] != session["fileId"] || webhook["fileId"] == nil {
		t.Errorf("webhook %v, session %v", webhook, session)
	}
	if ttl := s.redis.Client().TTL(context.Background(), "webhook:"+repairID).Val(); ttl < store.KeyLife-time.Minute {
		t.Errorf("the webhook lives for %v", ttl)
	}
	history := s.ask("/session history " + repairID)
	for _, part := range []string{"planned: generate", "refused: generate", "approved: generate", "ended: generate", "done"} {
		if !strings.Contains(history.Text, part) {
			t.Errorf("the history does not say %q:\n%s", part, history.Text)
		}
	}
	support.Type("/session generate " + repairID)
	support.ExpectMessage(saying("Generating is not possible"))
	s.workspace.ExpectNothingElse()
	s.quietLog("A fox runs")
}
