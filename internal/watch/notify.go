package watch

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/superduperai/sessionbot/internal/grace"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/incident"
	"github.com/superduperai/sessionbot/store/lease"
	"github.com/superduperai/sessionbot/store/rdb"
)

const (
	deliveryTimeout = 15 * time.Second // for one notification and its record
	recordTimeout   = 3 * time.Second  // for the record alone
	shutdownGrace   = 4 * time.Second  // for a delivery under way when the process is to stop
	maxDeliveries   = 4                // of one incident in one round
)

// Refusal says why a notification failed.
type Refusal struct {
	Unclear bool          // it may have been delivered: no answer came
	Gone    bool          // the message to be changed does not exist any more
	Stuck   bool          // it exists, but cannot be changed any more, or is in the wrong place
	Lasting bool          // a person has to act first, as Advice says
	After   time.Duration // how long to wait before the next try, 0 = not said
	Advice  string
	Err     error
}

// Error returns the cause's message.
func (r *Refusal) Error() string { return r.Err.Error() }

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Err }

// notifier delivers the notifications that incidents need, and records them.
type notifier struct {
	*term
	historyForbidden atomic.Bool // the Finder may not read the channel
}

// notifyAll delivers what all open incidents need just now.
func (n *notifier) notifyAll(ctx context.Context) error {
	open, err := n.incidents.list(ctx)
	if err != nil {
		return err
	}
	pending := 0
	for _, i := range open {
		if i, err = n.notify(ctx, i); err != nil {
			return err
		}
		switch {
		case retired(i, n.Now()):
			if i.Kind == incident.Backlog {
				if err := n.record(ctx, incident.BacklogNotified()); err != nil {
					return err
				}
			}
			if err := n.Records.RetireIncident(ctx, n.lead, i.ID); err != nil {
				return err
			}
		case i.SlackMessage.TS == "" || i.Tries > 0:
			pending++
		}
	}
	n.Metrics.Untold(pending)
	return nil
}

// notify delivers what one incident needs just now.
func (n *notifier) notify(ctx context.Context, i incident.Incident) (incident.Incident, error) {
	var err error
	for range maxDeliveries {
		d := Decide(i, n.Now(), n.Timings.Update)
		if d.Act == None || ctx.Err() != nil {
			break
		}
		if i, err = n.deliver(ctx, i, d); err != nil || i.Tries > 0 {
			break
		}
	}
	return i, err
}

// deliver carries out a decision and records the outcome.
func (n *notifier) deliver(ctx context.Context, i incident.Incident, d Decision) (incident.Incident, error) {
	ctx, cancel := grace.Context(ctx, deliveryTimeout, shutdownGrace)
	defer cancel()
	var message store.Message
	var err error
	revision := i.Revision
	if d.Act == Update {
		err = n.Notifier.Update(ctx, i)
	} else if i, message, revision, err = n.post(ctx, i, d); errors.Is(err, lease.ErrLost) || errors.Is(err, rdb.ErrNoAnswer) {
		return i, err // nothing was posted: the record comes first
	}
	mark := i.Posting
	recording, done := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer done()
	if err != nil {
		return n.recordFailure(recording, i, d, err)
	}
	n.Metrics.Alerted(string(d.Reason))
	n.Log.InfoContext(ctx, "alert delivered", "incident", i.ID, "kind", string(i.Kind), "reason", string(d.Reason), "sessions", max(len(i.Cases), i.Sessions))
	n.noteReachability(recording, "")
	i, err = n.incidents.change(recording, i, func(i *incident.Incident) bool {
		if d.Act == Post {
			i.SlackMessage = message
		}
		markDelivered(i, d, revision, n.Now())
		return true
	})
	if err == nil && i.Posting == "" {
		n.posted.Delete(mark)
	}
	return i, err
}

// post posts an incident, or a reply in its thread, with a mark by which it is
// found again if no answer comes, or if it cannot be recorded. Which revision a
// message shows that was found is not known: it counts as 0.
func (n *notifier) post(ctx context.Context, i incident.Incident, d Decision) (incident.Incident, store.Message, int64, error) {
	mark := rand.Text()
	if d.Act == Reply {
		mark = string(d.Reason) + " " + mark
	}
	if i.Posting != "" && (d.Act == Post || strings.HasPrefix(i.Posting, string(d.Reason))) { // else it was another reply, that nobody needs any more
		message, found, err := n.find(ctx, i)
		forbidden := errors.Is(err, ErrHistoryForbidden)
		switch {
		case found, forbidden && d.Act == Reply && d.Reason != Reopened: // a reply twice is worse than none, unless it is the first mention
			return i, message, 0, nil
		case err != nil && !forbidden:
			return i, message, 0, markUnclear(err)
		}
	}
	i, err := n.incidents.change(ctx, i, func(i *incident.Incident) bool {
		i.Posting, i.PostingAt = mark, n.Now()
		return true
	})
	if err != nil {
		return i, store.Message{}, 0, err
	}
	if err := n.Records.AwaitReplicas(ctx); err != nil { // a replica that takes over has to know of the mark
		n.Log.WarnContext(ctx, "Redis replica lags, a failover may duplicate an alert", "incident", i.ID, "error", err)
	}
	message := store.Message{}
	if d.Act == Post {
		message, err = n.Notifier.Post(ctx, i, d, mark)
	} else {
		err = n.Notifier.Reply(ctx, i, d, mark)
	}
	if err == nil {
		n.posted.Store(mark, message)
	}
	return i, message, i.Revision, err
}

// markUnclear marks a refusal to look a notification up: whether it was
// delivered is not known.
func markUnclear(err error) error {
	var refusal *Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	unclear := *refusal
	unclear.Unclear = true
	return &unclear
}

// find looks for a post whose outcome is not recorded: in this process's memory,
// then in the channel.
func (n *notifier) find(ctx context.Context, i incident.Incident) (store.Message, bool, error) {
	if message, ok := n.posted.Load(i.Posting); ok {
		return message.(store.Message), true, nil
	}
	message, found, err := n.Finder.Find(ctx, i)
	n.historyForbidden.Store(errors.Is(err, ErrHistoryForbidden))
	return message, found, err
}

// recordFailure records that a notification failed, and when to try again.
func (n *notifier) recordFailure(ctx context.Context, i incident.Incident, d Decision, err error) (incident.Incident, error) {
	var refusal *Refusal
	if !errors.As(err, &refusal) {
		refusal = &Refusal{Unclear: true, Err: err}
	}
	if i.Tries == 0 || refusal.Lasting {
		level := slog.LevelWarn
		if refusal.Lasting {
			level = slog.LevelError
		}
		n.Log.Log(ctx, level, "alert post failed, will retry", "incident", i.ID, "kind", string(i.Kind),
			"reason", string(d.Reason), "unclear", refusal.Unclear, "error", err, "advice", refusal.Advice)
	}
	if refusal.Lasting {
		n.noteReachability(ctx, refusal.Advice)
	}
	return n.incidents.change(ctx, i, func(i *incident.Incident) bool {
		switch {
		case refusal.Gone && !i.Closed.IsZero(): // nobody wants to see how it ended
			markDelivered(i, d, i.Revision, n.Now())
			return true
		case refusal.Gone || refusal.Stuck: // it is posted again, in the channel that is configured now
			i.LeaveMessage()
			i.Shown, i.Posting = 0, ""
			if d.Reason == Reminder { // the new message reminds, too
				i.Reminders++
			}
			return true
		case d.Act != Update && !refusal.Unclear:
			i.Posting = ""
		}
		mayDuplicate := refusal.Unclear && d.Act == Post && n.historyForbidden.Load()
		i.NextTry = n.Now().Add(max(refusal.After, n.Timings.retryDelay(i.Tries, mayDuplicate)))
		i.Tries++
		return true
	})
}

// retryDelay returns the delay after so many failed tries. It grows faster if each
// try may add a duplicate.
func (t Timings) retryDelay(tries int, mayDuplicate bool) time.Duration {
	if mayDuplicate {
		return doubled(t.Retry, 2*tries, t.MaxRetryUnreadable)
	}
	return doubled(t.Retry, tries, t.MaxRetry)
}

// doubled returns d doubled n times, at most limit. The count is kept in Redis or
// shared, which backoff.ExponentialBackOff does not support.
func doubled(d time.Duration, n int, limit time.Duration) time.Duration {
	return min(d<<min(n, 10), limit)
}

// noteReachability records whether alerts reach their channel; advice says how to
// make them if not.
func (n *notifier) noteReachability(ctx context.Context, advice string) {
	if n.known().state.Unreachable == advice {
		return
	}
	if err := n.record(ctx, incident.Unreachable(advice)); err != nil {
		n.Log.WarnContext(ctx, "reachability of the alert channel not recorded", "error", err)
	}
}
