package watch

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/store"
)

const (
	tellFor = 15 * time.Second // one thing told, with the record of it
	noteFor = 3 * time.Second  // the record of what was told
	lastFor = 4 * time.Second  // what is being told when the process is to stop
	atATime = 4                // things told of one incident in one round
)

// Refusal is why something was not told.
type Refusal struct {
	Unclear bool          // it may have been told: no answer came
	Gone    bool          // the message that was to be changed is not there any more
	Stuck   bool          // it is, but takes no change any more, or is in the wrong place
	Lasting bool          // a person has to do something first, which Advice says
	After   time.Duration // how long to wait before the next try, 0 = not said
	Advice  string
	Err     error
}

// Error is the cause's.
func (r *Refusal) Error() string { return r.Err.Error() }

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Err }

// tell sees told what is to be told of each incident.
func (s *shift) tell(ctx context.Context) error {
	incidents, err := s.open(ctx)
	if err != nil {
		return err
	}
	untold := 0
	for _, i := range incidents {
		if i, err = s.tellAll(ctx, i); err != nil {
			return err
		}
		switch {
		case retired(i, s.Now()):
			if i.Kind == store.IncidentHistory {
				if err := s.Records.Note(ctx, s.lead, store.HistoryTold()); err != nil {
					return err
				}
			}
			if err := s.Records.RetireIncident(ctx, s.lead, i.ID); err != nil {
				return err
			}
		case i.Place.TS == "" || i.Tries > 0:
			untold++
		}
	}
	s.Metrics.Untold(untold)
	return nil
}

// tellAll tells of one incident until there is nothing to be told just now.
func (s *shift) tellAll(ctx context.Context, i store.Incident) (store.Incident, error) {
	for range atATime {
		d := Decide(i, s.Now(), s.Timings.Update)
		if d.Act == None || ctx.Err() != nil {
			return i, nil
		}
		changed, err := s.tellOne(ctx, i, d)
		if err != nil {
			return i, err
		}
		if i = changed; i.Tries > 0 {
			return i, nil
		}
	}
	return i, nil
}

// tellOne carries a decision out and notes what came of it. What is begun when
// the process is to stop gets a few seconds more.
func (s *shift) tellOne(ctx context.Context, i store.Incident, d Decision) (store.Incident, error) {
	ctx, cancel := outlast(ctx)
	defer cancel()
	var place store.Message
	var err error
	revision := i.Revision
	if d.Act == Update {
		err = s.Teller.Update(ctx, i)
	} else if i, place, revision, err = s.post(ctx, i, d); errors.Is(err, store.ErrLeadLost) || errors.Is(err, store.ErrSilent) {
		return i, err // nothing was posted: the record comes first
	}
	mark := i.Posting
	noting, done := context.WithTimeout(context.WithoutCancel(ctx), noteFor)
	defer done()
	if err != nil {
		return s.refused(noting, i, d, err)
	}
	s.Metrics.Alerted(string(d.Reason))
	s.Log.InfoContext(ctx, "told of an incident", "incident", i.ID, "kind", string(i.Kind), "reason", string(d.Reason), "sessions", max(len(i.Cases), i.Sessions))
	s.reached(noting, "")
	i, err = s.change(noting, i, func(i *store.Incident) bool {
		if d.Act == Post {
			i.Place = place
		}
		told(i, d, revision, s.Now())
		return true
	})
	if err == nil && i.Posting == "" {
		s.forget(mark)
	}
	return i, err
}

// outlast goes on for lastFor after ctx has ended, and for tellFor at most.
func outlast(ctx context.Context) (context.Context, context.CancelFunc) {
	lasting, done := context.WithTimeout(context.WithoutCancel(ctx), tellFor)
	forget := context.AfterFunc(ctx, func() {
		if pause(lasting, lastFor) == nil {
			done()
		}
	})
	return lasting, func() { forget(); done() }
}

// post posts an incident or a line in its thread, marked, so that it can be
// found again where no answer comes, or nobody notes it. What is shown by a
// message that was found is not known: it counts as the revision 0.
func (s *shift) post(ctx context.Context, i store.Incident, d Decision) (store.Incident, store.Message, int64, error) {
	mark := rand.Text()
	if d.Act == Reply {
		mark = string(d.Reason) + " " + mark
	}
	if i.Posting != "" && (d.Act == Post || strings.HasPrefix(i.Posting, string(d.Reason))) { // else it was another line, that nobody needs any more
		place, found, err := s.find(ctx, i)
		switch {
		case found || errors.Is(err, ErrMayNotLook) && said(d):
			return i, place, 0, nil
		case err != nil && !errors.Is(err, ErrMayNotLook):
			return i, place, 0, stillUnclear(err)
		}
	}
	i, err := s.change(ctx, i, func(i *store.Incident) bool {
		i.Posting, i.PostingAt = mark, s.Now()
		return true
	})
	if err != nil {
		return i, store.Message{}, 0, err
	}
	if err := s.Records.Replicated(ctx); err != nil { // a replica that takes over has to know of the mark
		s.Log.WarnContext(ctx, "a replica of Redis lags: if it takes over now, an alert may come twice", "incident", i.ID, "error", err)
	}
	place := store.Message{}
	if d.Act == Post {
		place, err = s.Teller.Post(ctx, i, d, mark)
	} else {
		err = s.Teller.Reply(ctx, i, d, mark)
	}
	if err == nil {
		s.postedMu.Lock()
		s.posted[mark] = place
		s.postedMu.Unlock()
	}
	return i, place, i.Revision, err
}

// said tells whether what may have been told counts as told where nobody may
// look: a line twice is worse than none, but for one that calls somebody for the
// first time.
func said(d Decision) bool { return d.Act == Reply && d.Reason != Reopened }

// stillUnclear is why it could not be looked whether something was told.
func stillUnclear(err error) error {
	var refusal *Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	unclear := *refusal
	unclear.Unclear = true
	return &unclear
}

// find looks for a post whose outcome is not noted: in this process's own
// memory, then in the channel.
func (s *shift) find(ctx context.Context, i store.Incident) (store.Message, bool, error) {
	s.postedMu.Lock()
	place, ok := s.posted[i.Posting]
	s.postedMu.Unlock()
	if ok {
		return place, true, nil
	}
	place, found, err := s.Finder.Find(ctx, i)
	s.unseeing.Store(errors.Is(err, ErrMayNotLook))
	return place, found, err
}

// forget drops posts from memory that are noted.
func (s *shift) forget(mark string) {
	s.postedMu.Lock()
	defer s.postedMu.Unlock()
	delete(s.posted, mark)
}

// refused notes what was not told, and when to try again.
func (s *shift) refused(ctx context.Context, i store.Incident, d Decision, err error) (store.Incident, error) {
	var refusal *Refusal
	if !errors.As(err, &refusal) {
		refusal = &Refusal{Unclear: true, Err: err}
	}
	if i.Tries == 0 || refusal.Lasting {
		level := slog.LevelWarn
		if refusal.Lasting {
			level = slog.LevelError
		}
		s.Log.Log(ctx, level, "an incident could not be told, and will be", "incident", i.ID, "kind", string(i.Kind),
			"reason", string(d.Reason), "unclear", refusal.Unclear, "error", err, "advice", refusal.Advice)
	}
	if refusal.Lasting {
		s.reached(ctx, refusal.Advice)
	}
	return s.change(ctx, i, func(i *store.Incident) bool {
		switch {
		case refusal.Gone && !i.Closed.IsZero(): // nobody wants to see how it ended
			told(i, d, i.Revision, s.Now())
			return true
		case refusal.Gone || refusal.Stuck: // it is posted anew, where alerts go now
			i.Place, i.Shown, i.Posting = store.Message{}, 0, ""
			if d.Reason == Reminder { // the new message reminds, too
				i.Reminders++
			}
			return true
		case d.Act != Update && !refusal.Unclear:
			i.Posting = ""
		}
		dark := refusal.Unclear && d.Act == Post && s.unseeing.Load()
		i.NextTry = s.Now().Add(max(refusal.After, s.Timings.retryAfter(i.Tries, dark)))
		i.Tries++
		return true
	})
}

// retryAfter is how long is waited after so many tries that failed. It grows
// faster in the dark: where each of them may have added a message.
func (t Timings) retryAfter(tries int, dark bool) time.Duration {
	if dark {
		return min(t.Retry<<min(2*tries, 10), t.MaxRetryDark)
	}
	return min(t.Retry<<min(tries, 10), t.MaxRetry)
}

// reached notes whether alerts reach their channel.
func (s *shift) reached(ctx context.Context, why string) {
	state, err := s.Records.State(ctx)
	if err == nil && state.Unreachable != why {
		err = s.Records.Note(ctx, s.lead, store.Unreachable(why))
	}
	if err != nil {
		s.Log.WarnContext(ctx, "it could not be noted whether alerts reach their channel", "error", err)
	}
}
