package watch

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/time/rate"

	"github.com/superduperai/sessionbot/internal/grace"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/follow"
	"github.com/superduperai/sessionbot/store/incident"
)

// Answerer answers in threads in which people asked about a session. An error is a
// *DeliveryError; that of a thread which takes no answer is MessageGone.
type Answerer interface {
	Answer(ctx context.Context, session string, t follow.Thread) (m store.Message, permalink string, err error)
	// FindAnswer finds the answer that the thread has a claim of.
	FindAnswer(ctx context.Context, t follow.Thread) (m store.Message, found bool, err error)
}

// follower answers in the threads in which people asked about a session once that has
// ended.
type follower struct {
	*term
	checked  map[string]time.Time // when the payment of each session was looked up last
	requests *rate.Limiter        // for their files
}

func newFollower(t *term) *follower {
	return &follower{term: t, checked: map[string]time.Time{}, requests: rate.NewLimiter(1, maxExaminations)}
}

// answerAll answers in all threads in which an answer is due.
func (f *follower) answerAll(ctx context.Context) error {
	sessions, err := f.Followed.Sessions(ctx)
	if err != nil {
		return err
	}
	waiting := map[string]follow.Session{}
	var ids []string
	for _, s := range sessions {
		if s.Waits() {
			waiting[s.ID], ids = s, append(ids, s.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	open, err := f.incidents.list(ctx)
	if err != nil {
		return err
	}
	candidates, err := f.inspector.diagnose(ctx, ids, openCases(open))
	if err != nil {
		return err
	}
	var errs []error
	for _, c := range candidates {
		err := f.complete(ctx, c, len(candidates))
		if err == nil {
			err = f.answer(ctx, c, waiting[c.Session.ID].Threads)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// complete completes the evidence about a session. Its payment is looked up as seldom as
// that of an open case.
func (f *follower) complete(ctx context.Context, c *candidate, sessions int) error {
	id, now := c.Session.ID, f.Now()
	due := f.dueForRecheck(&incident.Case{Checked: f.checked[id]}, sessions, now)
	if c.askStripe = due && f.Payments != nil && f.stripe.lookups.AllowN(now, 1); c.askStripe {
		f.checked[id] = now
	}
	if err := f.request(ctx, c); err != nil {
		return err
	}
	err := f.inspector.complete(ctx, c)
	c.Diagnosis = diagnosis.Diagnose(c.Evidence, now, f.Limits)
	return err
}

// request requests the file that a customer waits for: the files of others are checked
// when most are finished.
func (f *follower) request(ctx context.Context, c *candidate) error {
	switch c.File.State {
	case store.FileUnchecked, store.FileInProgress, store.FileFinalizing:
	default:
		return nil
	}
	if f.files.delay(0) > f.Timings.Check || !f.requests.AllowN(f.Now(), 1) {
		return nil // SuperDuperAI fails, or others come first
	}
	ref := c.Session.FileRef(f.Now())
	state, err := f.files.request(ctx, check{FileRef: ref, last: c.File})
	if err != nil || state == "" {
		return err
	}
	return f.files.save(ctx, ref, state)
}

// answer answers in the threads of a session.
func (f *follower) answer(ctx context.Context, c *candidate, threads []follow.Thread) error {
	var handler string
	if c.handled.Covers(c.Verdict) {
		handler = c.handled.By
	}
	end := follow.EndOf(c.Evidence, c.Diagnosis, handler != "")
	var errs []error
	for _, t := range threads {
		act, reason := follow.Decide(t, end, f.Now())
		switch act {
		case follow.None:
		case follow.Find:
			errs = append(errs, f.find(ctx, c.Session.ID, t))
		case follow.Post:
			t.Answer = &follow.Answer{End: end, Kind: c.Session.Kind(), File: follow.FileOf(c.Evidence, c.Diagnosis), HandledBy: handler, Mark: rand.Text(), Claimed: f.Now()}
			errs = append(errs, f.post(ctx, c.Session.ID, t, reason))
		}
	}
	return errors.Join(errs...)
}

// post posts an answer, unless another process has claimed it.
func (f *follower) post(ctx context.Context, session string, t follow.Thread, reason follow.Reason) error {
	ctx, cancel := grace.Context(ctx, deliveryTimeout, shutdownGrace)
	defer cancel()
	claimed, err := f.Followed.ChangeThread(ctx, session, t.Message, f.Now(), func(stored *follow.Thread) bool {
		if stored.Answer != nil {
			return false
		}
		stored.Answer = t.Answer
		return true
	})
	if err != nil || !claimed {
		return err
	}
	m, permalink, err := f.Answerer.Answer(ctx, session, t)
	if err == nil {
		f.Log.InfoContext(ctx, "thread answered", "reason", string(reason))
		return f.recordAnswer(ctx, session, t, m, permalink)
	}
	return f.recordFailure(ctx, session, t, err)
}

// recordFailure records that an answer was not posted, and when to try again. One that
// may have been posted is looked for.
func (f *follower) recordFailure(ctx context.Context, session string, t follow.Thread, err error) error {
	failure, ok := errors.AsType[*DeliveryError](err)
	if !ok {
		failure = &DeliveryError{Unclear: true, Err: err}
	}
	level := slog.LevelWarn
	if failure.MessageGone {
		level = slog.LevelError
	}
	if t.Tries == 0 || failure.MessageGone {
		f.Log.Log(ctx, level, "thread not answered", "unclear", failure.Unclear, "retried", !failure.MessageGone, "error", err, "advice", failure.Advice)
	}
	switch {
	case failure.MessageGone: // the digest lists the customer all the same
		return f.recordAnswer(ctx, session, t, store.Message{}, "")
	case failure.Unclear:
		return nil
	}
	return f.change(ctx, session, t, func(stored *follow.Thread) {
		stored.Answer, stored.Tries = nil, stored.Tries+1
		stored.NextTry = f.Now().Add(max(failure.After, f.Timings.retryDelay(t.Tries, false)))
	})
}

// find looks for an answer of which it is not known whether it was posted. One that is
// not there is posted again.
func (f *follower) find(ctx context.Context, session string, t follow.Thread) error {
	m, found, err := f.Answerer.FindAnswer(ctx, t)
	switch {
	case errors.Is(err, ErrHistoryForbidden):
		f.Log.WarnContext(ctx, "thread not readable, its answer may be posted twice", "error", err)
	case err != nil:
		return err
	case found:
		return f.recordAnswer(ctx, session, t, m, "")
	}
	return f.change(ctx, session, t, func(stored *follow.Thread) { stored.Answer = nil })
}

// recordAnswer records where an answer was posted; nowhere = it cannot be.
func (f *follower) recordAnswer(ctx context.Context, session string, t follow.Thread, m store.Message, permalink string) error {
	return f.change(ctx, session, t, func(stored *follow.Thread) {
		stored.Answer.Posted, stored.Answer.Message, stored.Answer.Permalink = f.Now(), m, permalink
	})
}

// change changes a thread that still has the claim.
func (f *follower) change(ctx context.Context, session string, t follow.Thread, change func(*follow.Thread)) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	_, err := f.Followed.ChangeThread(ctx, session, t.Message, f.Now(), func(stored *follow.Thread) bool {
		if cmp.Or(stored.Answer, &follow.Answer{}).Mark != t.Answer.Mark {
			return false
		}
		change(stored)
		return true
	})
	return err
}
