package repair

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/storetest"
)

const sorry = "We could not start your video."

var (
	thresholds = diagnosis.Thresholds{OrphanGrace: 10 * time.Minute, StallAfter: 30 * time.Minute}
	ann        = store.Actor{ID: "U0ANN"}
	bob        = store.Actor{ID: "U0BOB"}
	making     = PlanOptions{TTL: 10 * time.Minute, Models: Models{"google-cloud/veo3-text2video", "azure-openai/gpt-image-1"},
		Prices: ListPrices, FixText: sorry}
)

// orphan is the examination of a session that was paid and has no video.
func orphan(s store.Session) diagnosis.Examination {
	e := diagnosis.Evidence{Session: s, Payment: store.Payment{State: store.PaymentPaid, ChargedAt: storetest.At.Add(-time.Hour)},
		Event: store.Event{State: store.EventDelivered, Created: storetest.At.Add(-time.Hour)}}.Complete(storetest.At)
	return diagnosis.Examination{Evidence: e, Diagnosis: diagnosis.Diagnose(e, storetest.At, thresholds), At: storetest.At}
}

func plan(t *testing.T, action store.Action, x diagnosis.Examination) Plan {
	t.Helper()
	p, err := MakePlan(action, x, ann, making, storetest.At)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestMakePlanOfAGeneration(t *testing.T) {
	t.Parallel()
	p := plan(t, store.ActionGenerate, orphan(storetest.Held(storetest.FoxPrompt, "", "")))
	if p.ID == "" || p.ID == plan(t, store.ActionGenerate, orphan(storetest.Held(storetest.FoxPrompt, "", ""))).ID {
		t.Errorf("id %q is not its own", p.ID)
	}
	order := &Order{Model: "google-cloud/veo3-text2video", Seconds: 8, SecondsFrom: FromDefault, Width: 1280, Height: 720,
		SizeFrom: FromDefault, Cents: 2400, PromptFrom: FromPrompt, PromptChars: 5, PromptDigest: store.Digest([]byte("A fox"))}
	if diff := cmp.Diff(order, p.Order); diff != "" {
		t.Error(diff)
	}
	if len(p.Writes) != 2 || p.Writes[0].Kind != "webhook" || !p.Writes[0].Create ||
		p.Writes[1].Kind != "session" || !p.Writes[1].Create || p.Writes[1].Changes != nil {
		t.Errorf("writes %+v", p.Writes)
	}
	for _, w := range p.Writes {
		if !slices.Equal(w.LaterMembers, []string{"fileId", "timestamp"}) {
			t.Errorf("%s: is followed by %v", w.Kind, w.LaterMembers)
		}
	}
	if p.Expires.Sub(p.Created) != making.TTL || p.Requester != ann || p.Warnings != nil || p.Retrying {
		t.Errorf("plan %+v", p)
	}
}

// TestPlansHoldNoPrompt: plans have other readers than sessions.
func TestPlansHoldNoPrompt(t *testing.T) {
	t.Parallel()
	x := orphan(storetest.Held(`{"prompt":"Sesame"}`, "", `{"prompt":"Sesame too","imageFile":{"content":"Sesame"},"generationType":"text-to-video"}`))
	for _, action := range []store.Action{store.ActionFix, store.ActionGenerate} {
		raw, err := json.Marshal(Job{Plan: plan(t, action, x)})
		if err != nil || strings.Contains(string(raw), "Sesame") {
			t.Errorf("%s: %s, %v", action, raw, err)
		}
	}
}

func TestMakePlanRefuses(t *testing.T) {
	t.Parallel()
	x := orphan(storetest.Held(storetest.FoxPrompt, `{"status":"completed","fileId":"`+storetest.File1+`"}`, ""))
	_, err := MakePlan(store.ActionGenerate, x, ann, making, storetest.At)
	var refused *NotAllowed
	if !errors.As(err, &refused) || refused.Verdict != diagnosis.VerdictCompleted || refused.Reason != x.Reason {
		t.Errorf("got %v", err)
	}
}
