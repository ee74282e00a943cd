package watch

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
)

// TestLookThatSlackRefuses: whether a post or a line arrived is not known, and
// Slack wants a pause before it lets anybody look. Nothing is said twice for that.
func TestLookThatSlackRefuses(t *testing.T) {
	t.Parallel()
	pause := &Refusal{After: 30 * time.Second, Err: errors.New("slow down")}
	t.Run("a post", func(t *testing.T) {
		t.Parallel()
		h := newHours(t)
		h.channel.finds, h.channel.lost = true, 1
		h.lead()
		h.orphan("cs_test_1")
		h.channel.fail = []error{nil, pause}
		h.pass(2 * time.Minute)
		h.tells("first 1", "update 1")
	})
	t.Run("a line", func(t *testing.T) {
		t.Parallel()
		h := newHours(t)
		h.channel.finds = true
		h.lead()
		for n := range 5 {
			h.orphan(fmt.Sprint("cs_test_", n))
		}
		h.pass(time.Minute)
		h.tells("first 5")
		h.channel.fail = []error{&Refusal{Unclear: true, Err: errors.New("no answer")}, pause}
		h.pass(20 * time.Minute)
		h.tells("reply reminder 5")
	})
}

// TestChannelWithoutThreads: what would be said in a thread is posted anew, and
// reminders come ever more seldom all the same.
func TestChannelWithoutThreads(t *testing.T) {
	t.Parallel()
	h := newHours(t)
	h.channel.mute = true
	h.lead()
	h.orphan("cs_test_1")
	h.pass(time.Minute)
	h.tells("first 1")
	h.pass(4 * time.Hour) // after 15 minutes, 30 more, 60, 120
	h.tells("first 1", "first 1", "first 1", "first 1")
}

// TestKilledWhileALineIsSaid: the next replica finds the line.
func TestKilledWhileALineIsSaid(t *testing.T) {
	t.Parallel()
	h := newHours(t)
	h.channel.finds = true
	h.lead()
	h.orphan("cs_test_1")
	h.pass(time.Minute)
	h.tells("first 1")
	h.pass(remindAfter - time.Minute)
	h.at = h.at.Add(time.Minute)
	h.channel.said = func() { // nothing is noted from here on
		h.done(h.client.Incr(t.Context(), "sessionbot:{watch}:token").Err())
	}
	if err := h.term.notifier.notifyAll(t.Context()); !errors.Is(err, store.ErrLeadLost) {
		t.Fatalf("the line was noted: %v", err)
	}
	h.tells("reply reminder 1")
	h.channel.said = nil
	h.lead()
	h.pass(5 * time.Minute)
	h.tells()
	if i := h.only(); i.Reminders != 1 {
		t.Errorf("reminded %d times", i.Reminders)
	}
}

// TestKilledWhileTheSummaryIsNoted: it was posted, that was noted, and nothing
// else. The next replica posts no second one.
func TestKilledWhileTheSummaryIsNoted(t *testing.T) {
	t.Parallel()
	h := newHours(t)
	h.lead()
	h.pays("cs_test_old", h.at.Add(-48*time.Hour))
	h.pass(30 * time.Second)
	h.tells("summary 1")
	ids, err := h.client.Keys(t.Context(), "sessionbot:{watch}:incident:*").Result()
	if err != nil || len(ids) != 1 {
		t.Fatalf("%q, %v", ids, err)
	}
	id := ids[0][len("sessionbot:{watch}:incident:"):]
	h.done(h.client.HDel(t.Context(), "sessionbot:{watch}:state", "history").Err())
	h.done(h.client.ZAdd(t.Context(), "sessionbot:{watch}:open", redis.Z{Score: 1, Member: id}).Err())
	h.lead()
	h.pass(5 * time.Minute)
	h.tells()
	if state, err := h.records.State(t.Context()); err != nil || !state.HistoryTold {
		t.Errorf("it is not noted as told: %v", err)
	}
}

// TestNewLeaderKnowsWhatFails: what goes on failing is neither told again nor
// said to be over when another replica takes the lead.
func TestNewLeaderKnowsWhatFails(t *testing.T) {
	t.Parallel()
	h := newHours(t)
	h.stripe.eventless = fmt.Errorf("listing: %w", store.StripeForbidden)
	h.lead()
	h.pass(5 * time.Minute)
	h.tells("blind 0")
	h.lead()
	h.pass(10 * time.Minute)
	h.tells()
	h.stripe.eventless = nil
	h.pass(2 * time.Minute)
	h.tells("update 0")
}

// TestPartThatIsNoMore: without a Stripe key nothing of it can fail.
func TestPartThatIsNoMore(t *testing.T) {
	t.Parallel()
	h := newHours(t)
	h.stripe.eventless = errAway
	h.lead()
	h.pass(5 * time.Minute)
	h.tells("blind 0")
	h.cfg.Stripe, h.cfg.Payments = nil, nil
	h.lead()
	h.pass(2 * time.Minute)
	h.tells("update 0")
}

// TestStripeIsAskedOnceAPass for the list of undelivered events, also while it
// does not answer, however many sessions are in trouble.
func TestStripeIsAskedOnceAPass(t *testing.T) {
	t.Parallel()
	h := newHours(t)
	h.lead()
	for n := range 50 {
		h.orphan(fmt.Sprint("cs_test_", n))
	}
	h.pass(2 * time.Minute)
	h.tells("first 50")
	h.stripe.unlisted, h.stripe.lists = errAway, 0
	h.pass(10 * time.Minute)
	if n := h.stripe.lists; n == 0 || n > 12 {
		t.Errorf("asked for the list %d times in ten minutes", n)
	}
}

// TestEachSessionIsAskedAbout in turn: the last one was refunded.
func TestEachSessionIsAskedAbout(t *testing.T) {
	t.Parallel()
	h := newHours(t)
	h.lead()
	for n := range 30 {
		h.orphan(fmt.Sprintf("cs_test_%02d", n))
	}
	h.orphan("cs_test_last")
	h.pass(2 * time.Minute)
	h.tells("first 31")
	h.stripe.refunded["cs_test_last"] = true
	h.pass(40 * time.Minute)
	for _, c := range h.only().Cases {
		if c.ID == "cs_test_last" && c.Ending != store.EndRefunded {
			t.Errorf("its refund was not noticed: %+v", c)
		}
	}
}

// TestPaymentOfAStalledSession is known still when it stalls.
func TestPaymentOfAStalledSession(t *testing.T) {
	t.Parallel()
	h := newHours(t)
	h.cfg.Payments = nil // as if all questions about single sessions were used up
	h.lead()
	h.orphan("cs_test_1")
	h.put("webhook:cs_test_1", `{"status":"processing","timestamp":"`+h.at.UTC().Format(time.RFC3339)+`"}`)
	h.pass(15 * time.Minute)
	h.tells("first 1")
	if c := h.only().Cases[0]; c.Verdict != store.VerdictStalled || c.Amount != 100 || c.Payment != store.PaymentPaid || len(c.Allowed) != 2 {
		t.Errorf("%+v", c)
	}
}

// withoutStripe has no Stripe key, and a SuperDuperAI whose files are in this state.
func withoutStripe(t *testing.T, state store.FileState) *hours {
	h := newHours(t)
	h.cfg.Stripe, h.cfg.Payments, h.api.state = nil, nil, state
	h.lead()
	h.put("prompt:cs_test_1", `{"prompt":"A fox"}`)
	h.put("webhook:cs_test_1", `{"status":"processing","fileId":"`+fileID(1)+`","timestamp":"`+h.at.Add(-time.Hour).UTC().Format(time.RFC3339)+`"}`)
	return h
}

// TestStalledVideoIsFinished, and nobody tells Redis: it leaves the alert all the
// same, also where no Stripe key is configured.
func TestStalledVideoIsFinished(t *testing.T) {
	t.Parallel()
	h := withoutStripe(t, store.FileInProgress)
	h.pass(time.Minute)
	h.tells("first 1")
	h.api.state = store.FileCompleted
	h.pass(lateInterval + 2*time.Minute)
	told := h.told()
	if last := told[len(told)-1]; last != "update 0" {
		t.Errorf("told %q", told)
	}
}

// TestFailedFileIsMarked: somebody marks a session as error whose file could not
// be made. Then it has left the alert, also where no Stripe key is configured.
func TestFailedFileIsMarked(t *testing.T) {
	t.Parallel()
	h := withoutStripe(t, store.FileFailed)
	h.pass(time.Minute)
	h.tells("first 1")
	if kind := h.only().Kind; kind != store.IncidentKind(store.VerdictFailed) {
		t.Fatalf("told as %s", kind)
	}
	h.put("webhook:cs_test_1", `{"status":"error","error":"fixed by us","fileId":"`+fileID(1)+`","timestamp":"`+h.at.UTC().Format(time.RFC3339)+`"}`)
	h.pass(2 * time.Minute)
	h.tells("update 0")
	if c := h.only().Cases[0]; c.Ending != store.EndFixed {
		t.Errorf("%+v", c)
	}
}

// TestMarkedFileIsFinishedAfterAll: what a repair of ours marked as error is news
// once its video is ready.
func TestMarkedFileIsFinishedAfterAll(t *testing.T) {
	t.Parallel()
	h := withoutStripe(t, store.FileFailed)
	h.put("webhook:cs_test_1", `{"status":"error","error":"fixed by us","fileId":"`+fileID(1)+`","timestamp":"`+h.at.UTC().Format(time.RFC3339)+`"}`)
	h.pass(time.Minute)
	h.tells()
	h.api.state = store.FileCompleted
	h.pass(lateInterval + 2*time.Minute)
	if kind := h.only().Kind; kind != store.IncidentKind(store.VerdictUndelivered) {
		t.Fatalf("told as %s", kind)
	}
}
