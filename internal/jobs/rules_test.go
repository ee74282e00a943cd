package jobs

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/sessions"
	"github.com/superduperai/sessionbot/superduper"
)

// TestOwned: a session is written only if it is as the job left it, or already says
// what is to be written, because the answer to an earlier attempt got lost.
func TestOwned(t *testing.T) {
	t.Parallel()
	file := sessions.Update{Kind: sessions.UpdateFile, FileID: "mine"}
	completed := sessions.Update{Kind: sessions.UpdateCompleted, FileID: "mine"}
	failed := sessions.Update{Kind: sessions.UpdateFailed, FileID: "mine", Error: "sorry"}
	for _, c := range []struct {
		status, file, failure string
		update                sessions.Update
		want                  bool
	}{
		{"processing", "", "", file, true},
		{"processing", "mine", "", file, true},
		{"processing", "mine", "", completed, true},
		{"processing", "theirs", "", completed, false},
		{"completed", "mine", "", file, false},
		{"completed", "mine", "", completed, true},
		{"completed", "theirs", "", completed, false},
		{"completed", "", "", completed, false},
		{"error", "mine", "sorry", file, false},
		{"error", "mine", "sorry", failed, true},
		{"error", "mine", "other", failed, false},
		{"error", "mine", "", failed, false},
		{"pending", "mine", "", completed, false},
		{"", "", "", completed, false}, // the keys are gone
	} {
		if got := owned(saying(c.status, c.file, c.failure), c.update); got != c.want {
			t.Errorf("%q with file %q and error %q, to be %s: %v, want %v", c.status, c.file, c.failure, c.update.Kind, got, c.want)
		}
	}
	s := saying("processing", "mine", "") // and is the newer one
	s.SessionKey = saying("processing", "theirs", "").Webhook
	s.SessionKey.Kind, s.SessionKey.Full = "session", true
	s.Webhook.Value.Timestamp = time.Now()
	if owned(s, completed) {
		t.Error("a file that the site named would be overwritten")
	}
}

// saying is a three-key session whose webhook: says this; "" = not said.
func saying(status, file, failure string) store.Session {
	said := func(text string) *string {
		if text == "" {
			return nil
		}
		return &text
	}
	return store.Session{SessionKey: store.Key{Kind: "session"}, Webhook: store.Key{Kind: "webhook", Exists: status != "",
		Value: store.Value{Status: said(status), FileID: said(file), Error: said(failure)}}}
}

// TestCauseOf: each kind of refusal has its cause, and the API's own words.
func TestCauseOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err    superduper.Error
		cause  repair.Cause
		detail []string
	}{
		{superduper.Error{Kind: superduper.NoToken}, repair.CauseNoToken, nil},
		{superduper.Error{Kind: superduper.Unauthorised, Detail: "bad"}, repair.CauseUnauthorised, []string{"bad"}},
		{superduper.Error{Kind: superduper.Forbidden}, repair.CauseForbidden, nil},
		{superduper.Error{Kind: superduper.Unpaid, Detail: "empty"}, repair.CauseBalance, []string{"empty"}},
		{superduper.Error{Kind: superduper.Rejected, Fields: []superduper.Field{{Loc: "body.config.duration", Msg: "too long"}}},
			repair.CauseRejected, []string{"body.config.duration: too long"}},
		{superduper.Error{Kind: superduper.NotFound}, repair.CauseRejected, nil},
		{superduper.Error{Kind: superduper.Malformed}, repair.CauseRejected, nil},
		{superduper.Error{Kind: superduper.RateLimited, RetryAfter: time.Minute}, repair.CauseRateLimited, []string{"It asks us to wait until 12:01:00 UTC."}},
		{superduper.Error{Kind: superduper.RateLimited}, repair.CauseRateLimited, nil},
		{superduper.Error{Kind: superduper.Certificate}, repair.CauseCertificate, nil},
		{superduper.Error{Kind: superduper.Unavailable, Status: 503}, repair.CauseServerFault, []string{"It answered HTTP 503."}},
		{superduper.Error{Kind: superduper.Unavailable}, repair.CauseUnavailable, nil},
	} {
		cause, detail := causeOf(&c.err, time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC))
		if cause != c.cause || !slices.Equal(detail, c.detail) {
			t.Errorf("%s: %s %q, want %s %q", c.err.Kind, cause, detail, c.cause, c.detail)
		}
	}
}

// pollRecorder is a SuperDuperAI with a list of answers for the file. With the last
// one it stops the job.
type pollRecorder struct {
	Generator
	answers []error // nil = in progress
	stop    func()
	at      []time.Time
}

func (a *pollRecorder) File(context.Context, string) (store.File, error) {
	a.at = append(a.at, time.Now())
	if len(a.at) == len(a.answers) {
		a.stop()
	}
	return store.File{State: store.FileInProgress}, a.answers[len(a.at)-1]
}

// TestPollBackoff: a file is requested every five seconds; without an answer with
// exponential backoff, and not before the Retry-After.
func TestPollBackoff(t *testing.T) {
	t.Parallel()
	away := &superduper.Error{Kind: superduper.Unavailable}
	retryAfter := func(d time.Duration) error { return &superduper.Error{Kind: superduper.RateLimited, RetryAfter: d} }
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		maker := &pollRecorder{answers: []error{nil, away, away, nil, retryAfter(90 * time.Second), away, retryAfter(time.Hour), away, away, nil, away}, stop: stop}
		c := generation{&execution{sessionWriter: sessionWriter{job: &repair.Job{Overwritten: true, Sent: time.Now()}, Runner: New(Config{Generator: maker, GiveUp: time.Hour,
			Timings: DefaultTimings(), Log: slog.New(slog.DiscardHandler), Notify: func(context.Context, repair.Progress) error { return nil }, Now: time.Now})}}}
		if err := c.poll(ctx); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		for i, want := range []time.Duration{5, 10, 20, 5, 90, 60, 300, 60, 60, 5} {
			if got := maker.at[i+1].Sub(maker.at[i]); got != want*time.Second {
				t.Errorf("%v after request %d, want %d s", got, i, want)
			}
		}
	})
}
