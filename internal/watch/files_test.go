package watch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// deliver stores a paid session as the site leaves it: processing for ever, with
// the file of a video that was started then.
func (h *simulation) deliver(n int, started time.Time) {
	h.t.Helper()
	id, at := fmt.Sprintf("cs_test_delivered%03d", n), started.UTC().Format(time.RFC3339Nano)
	h.put("session:"+id, fmt.Sprintf(`{"prompt":"A fox","videoCount":1,"duration":8,"resolution":"1280x720","createdAt":%q,`+
		`"status":"processing","fileId":%q,"timestamp":%q}`, at, fileID(n), at))
	h.stripe.pay(id, started)
}

// verdicts returns what the last sweep counted.
func (h *simulation) verdicts() map[diagnosis.Verdict]int {
	h.t.Helper()
	kept, err := h.cfg.Statistics.Figures(h.t.Context(), h.at)
	h.must(err)
	if kept.Rollup == nil {
		h.t.Fatal("no sweep is kept")
	}
	h.metrics.mu.Lock()
	defer h.metrics.mu.Unlock()
	if diff := cmp.Diff(kept.Rollup.Count.Verdicts, h.metrics.verdicts); diff != "" {
		h.t.Errorf("stats and gauges differ:\n%s", diff)
	}
	return kept.Rollup.Count.Verdicts
}

func (h *simulation) expectVerdicts(want map[diagnosis.Verdict]int) {
	h.t.Helper()
	if diff := cmp.Diff(want, h.verdicts()); diff != "" {
		h.t.Errorf("%s in (-want +got):\n%s", h.at.Format(time.TimeOnly), diff)
	}
}

// TestDeliveredSessionsStayCompleted: 300 sessions are delivered and grow five hours
// old, through a restart, a change of leader and a SuperDuperAI outage of two hours.
// None of them is alerted; five orphans among them are.
func TestDeliveredSessionsStayCompleted(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.api.state = store.FileCompleted
	const sold = 300
	for n := range sold {
		h.deliver(n, h.at.Add(-20*time.Minute-time.Duration(n)*time.Second))
	}
	h.lead()
	h.advance(3 * time.Minute) // 300 files at five a second take one
	want := map[diagnosis.Verdict]int{diagnosis.VerdictCompleted: sold}
	h.expectVerdicts(want)
	if all, files := h.api.requests(); all != sold || files != sold {
		t.Errorf("%d requests for %d files, want one for each of %d", all, files, sold)
	}
	for n := range 5 {
		h.orphan(fmt.Sprint("cs_test_orphan", n))
	}
	h.advance(2 * time.Minute)
	h.expectNotified("first 5")
	want[diagnosis.VerdictOrphaned] = 5
	h.expectVerdicts(want)
	h.lead() // the bot restarts
	h.advance(2 * time.Minute)
	h.expectVerdicts(want)
	h.api.err = &store.FileError{Trouble: store.FileNoAnswer, Err: errors.New("away")}
	h.advance(time.Hour)
	h.lead() // another replica
	h.advance(time.Hour)
	h.expectVerdicts(want)
	h.api.err = nil
	h.advance(2 * time.Hour)
	h.expectVerdicts(want)
	for _, news := range h.notified() {
		if news != "reply reminder 5" {
			t.Errorf("posted %q", news)
		}
	}
	if all, _ := h.api.requests(); all != sold {
		t.Errorf("finished files were asked for again: %d requests", all)
	}
}

// TestFilesUnavailable is one message, however many sessions it concerns; a thousand
// files are checked within five minutes once the API answers again.
func TestFilesUnavailable(t *testing.T) {
	t.Parallel()
	for trouble, opens := range map[store.FileTrouble]time.Duration{
		store.FileNoAnswer: 3 * time.Minute, store.FileUnauthorized: 3 * time.Minute, store.FileForbidden: 3 * time.Minute,
		store.FileNoToken: time.Minute, store.FileNotFound: time.Minute,
	} {
		t.Run(string(trouble), func(t *testing.T) {
			t.Parallel()
			sold := 50
			if trouble == store.FileNoAnswer {
				sold = 1000
			}
			h := newSimulation(t)
			h.cfg.Interval = 5 * time.Minute
			h.api.state, h.api.err = store.FileCompleted, &store.FileError{Trouble: trouble, Err: errors.New("as it is played")}
			for n := range sold {
				h.deliver(n, h.at.Add(-5*time.Hour-time.Duration(n)*time.Second))
			}
			h.lead()
			h.advance(opens)
			h.expectNotified("files_unavailable 0")
			if i := h.only(); i.Trouble != trouble {
				t.Errorf("the cause is %q", i.Trouble)
			}
			h.advance(2 * time.Hour)
			h.expectNotified()
			h.lead() // which does not know how the API answered
			h.advance(time.Hour)
			h.expectNotified()
			if all, _ := h.api.requests(); all > 3*3600/int(maxDelay/time.Second)+60 {
				t.Errorf("%d requests in three hours to an API that is away", all)
			}
			h.api.err, h.cfg.Interval = nil, time.Minute
			h.advance(5 * time.Minute)
			h.expectNotified("update 0")
			h.advance(time.Minute)
			h.expectVerdicts(map[diagnosis.Verdict]int{diagnosis.VerdictCompleted: sold})
		})
	}
}

// TestSomeFilesAreMissing: a file that an API does not know which knows others makes the
// session unclear, and stalled only once it knew the file of a later session.
func TestSomeFilesAreMissing(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.api.own = map[string]store.FileState{fileID(1): store.FileCompleted}
	h.deliver(1, h.at.Add(-3*time.Hour))
	h.deliver(2, h.at.Add(-2*time.Hour))
	h.lead()
	h.advance(2 * time.Minute)
	h.expectNotified()
	h.expectVerdicts(map[diagnosis.Verdict]int{diagnosis.VerdictCompleted: 1, diagnosis.VerdictUnclear: 1})
	h.api.own[fileID(3)] = store.FileCompleted
	h.deliver(3, h.at.Add(-time.Hour))
	h.advance(3 * time.Minute)
	h.expectNotified("first 1")
	h.expectVerdicts(map[diagnosis.Verdict]int{diagnosis.VerdictCompleted: 2, diagnosis.VerdictStalled: 1})
	if c := h.only().Cases[0]; c.Verdict != diagnosis.VerdictStalled || c.ID != "cs_test_delivered002" {
		t.Errorf("alerted is %+v", c)
	}
}

// TestLateVideo: its file is checked when it is due, every five minutes until the
// session counts as stalled, and once an hour then.
func TestLateVideo(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.api.state = store.FileInProgress
	h.deliver(1, h.at)
	h.lead()
	asked := func(within time.Duration) int {
		before, _ := h.api.requests()
		h.advance(within)
		after, _ := h.api.requests()
		return after - before
	}
	if n := asked(14 * time.Minute); n != 0 {
		t.Errorf("%d requests before it was due", n)
	}
	h.expectVerdicts(map[diagnosis.Verdict]int{diagnosis.VerdictUnchecked: 1})
	if n := asked(15 * time.Minute); n < 2 || n > 3 {
		t.Errorf("%d requests in the second quarter of an hour", n)
	}
	h.expectNotified()
	h.expectVerdicts(map[diagnosis.Verdict]int{diagnosis.VerdictProcessing: 1})
	h.advance(4 * time.Minute)
	h.expectNotified("first 1")
	h.expectVerdicts(map[diagnosis.Verdict]int{diagnosis.VerdictStalled: 1})
	if n := asked(4 * time.Hour); n != 4 {
		t.Errorf("%d requests in four hours", n)
	}
	h.api.state = store.FileFailed
	h.advance(lateInterval)
	h.expectVerdicts(map[diagnosis.Verdict]int{diagnosis.VerdictFailed: 1})
}

// TestFileIsReplaced: the new file is checked, and the finished one not forgotten.
func TestFileIsReplaced(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.api.state = store.FileCompleted
	h.deliver(1, h.at.Add(-time.Hour))
	h.lead()
	h.advance(2 * time.Minute)
	h.expectVerdicts(map[diagnosis.Verdict]int{diagnosis.VerdictCompleted: 1})
	at := h.at.Add(-20 * time.Minute).UTC().Format(time.RFC3339)
	h.put("session:cs_test_delivered001", `{"prompt":"A fox","createdAt":"`+at+`","status":"processing","fileId":"`+fileID(2)+`","timestamp":"`+at+`"}`)
	h.term.sweeper.Written("cs_test_delivered001")
	h.api.err = &store.FileError{Trouble: store.FileRateLimited, Err: errors.New("slow down")}
	h.advance(time.Minute)
	h.expectVerdicts(map[diagnosis.Verdict]int{diagnosis.VerdictUnchecked: 1})
	h.api.err = nil
	h.advance(2 * time.Minute)
	h.expectVerdicts(map[diagnosis.Verdict]int{diagnosis.VerdictCompleted: 1})
	if n := h.api.asked[fileID(1)]; n != 1 {
		t.Errorf("the first file was asked for %d times", n)
	}
}

// TestAPIForgetsFiles: a host that knew files answers 404 for all of them, as after a
// change of SUPERDUPERAI_URL. Delivered videos are not alerted.
func TestAPIForgetsFiles(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.api.own = map[string]store.FileState{}
	const sold = 300
	for n := range sold {
		h.deliver(n, h.at.Add(-5*time.Hour-time.Duration(n)*time.Second))
		if n < 30 {
			h.api.own[fileID(n)] = store.FileCompleted
		}
	}
	h.lead()
	h.advance(30 * time.Minute)
	h.expectNotified()
	h.cfg.Interval = 5 * time.Minute
	h.advance(2 * time.Hour)
	h.cfg.Interval = time.Minute
	h.expectNotified("files_unavailable 0")
	h.expectVerdicts(map[diagnosis.Verdict]int{diagnosis.VerdictCompleted: 30, diagnosis.VerdictUnchecked: sold - 30})
	h.api.state = store.FileCompleted
	h.advance(6 * time.Minute)
	h.expectNotified("update 0")
	h.expectVerdicts(map[diagnosis.Verdict]int{diagnosis.VerdictCompleted: sold})
}

// TestUnreadableAnswers about one file while others are found: the session is unclear,
// and its file checked no more often than a late one.
func TestUnreadableAnswers(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.api.state, h.api.odd = store.FileCompleted, fileID(1)
	h.deliver(1, h.at.Add(-3*time.Hour))
	h.deliver(2, h.at.Add(-4*time.Hour))
	h.lead()
	h.advance(3 * time.Hour)
	h.expectNotified()
	h.expectVerdicts(map[diagnosis.Verdict]int{diagnosis.VerdictCompleted: 1, diagnosis.VerdictUnclear: 1})
	if n := h.api.asked[fileID(1)]; n > 5 {
		t.Errorf("asked for %d times in three hours", n)
	}
}

// TestEmptyRedisWithNewSales, one each minute.
func TestEmptyRedisWithNewSales(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.lead()
	for n := range 40 {
		h.stripe.pay(fmt.Sprint("cs_test_sold", n), h.at.Add(-time.Second))
		h.advance(time.Minute)
	}
	h.expectNotified("redis_empty 0")
}

// TestPaymentOfUnclearSession: it is still known when the session is alerted.
func TestPaymentOfUnclearSession(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.cfg.Payments = nil // as if all questions about single sessions were used up
	h.api.own = map[string]store.FileState{fileID(1): store.FileCompleted}
	h.deliver(1, h.at.Add(-3*time.Hour))
	h.deliver(2, h.at.Add(-2*time.Hour))
	h.lead()
	h.advance(10 * time.Minute)
	h.expectNotified()
	h.expectVerdicts(map[diagnosis.Verdict]int{diagnosis.VerdictCompleted: 1, diagnosis.VerdictUnclear: 1})
	h.api.own[fileID(3)] = store.FileCompleted
	h.deliver(3, h.at.Add(-time.Hour))
	h.advance(5 * time.Minute)
	h.expectNotified("first 1")
	if c := h.only().Cases[0]; c.Payment != store.PaymentPaid || c.Amount != 100 {
		t.Errorf("%+v", c)
	}
}

// TestEmptyRedis while Stripe lists sales is one message, and no sale is alerted as lost
// until Redis holds sessions.
func TestEmptyRedis(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	for n := range 20 {
		h.stripe.pay(fmt.Sprint("cs_test_sold", n), h.at.Add(-2*time.Hour))
	}
	h.lead()
	h.advance(3 * time.Minute)
	h.expectNotified("redis_empty 0")
	h.advance(time.Hour)
	h.expectNotified()
	for n := range 19 {
		h.deliver(n, h.at.Add(-time.Minute))
		h.put(fmt.Sprint("session:cs_test_sold", n), `{"prompt":"A fox","status":"completed","fileId":"0f000000-0000-4000-8000-00000000000f","createdAt":"`+h.at.Add(-2*time.Hour).UTC().Format(time.RFC3339)+`"}`)
	}
	h.advance(3 * time.Minute)
	h.expectNotified("update 0", "first 1") // Redis is the site's; one sale is lost
	if c := h.verdicts(); c[diagnosis.VerdictCompleted] != 19 {
		t.Errorf("%v", c)
	}
}

// TestFileOfCompletedSession: it is checked although the status is trusted, which may
// have been set by hand.
func TestFileOfCompletedSession(t *testing.T) {
	t.Parallel()
	h := newSimulation(t)
	h.api.state = store.FileCompleted
	created := h.at.Add(-2 * time.Hour)
	h.put("session:cs_test_1", `{"prompt":"A fox","status":"completed","fileId":"`+fileID(1)+`","createdAt":"`+created.UTC().Format(time.RFC3339)+`"}`)
	h.lead()
	h.advance(5 * time.Minute)
	record, err := h.cfg.Files.Known(t.Context(), store.FileRef{Session: "cs_test_1", Created: created})
	if err != nil || !slices.Equal(record.Finished, []string{strings.ToLower(fileID(1))}) {
		t.Errorf("%+v, %v", record, err)
	}
	h.expectNotified()
}
