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
	"github.com/superduperai/sessionbot/store/watchstate"
)

const (
	deliveryTimeout = 15 * time.Second // for one notification and its record
	recordTimeout   = 3 * time.Second  // for the record alone
	shutdownGrace   = 4 * time.Second  // for a delivery under way when the process is to stop
	maxDeliveries   = 4                // of one incident in one round
)

// dispatcher delivers the notifications that incidents need, and records them.
type dispatcher struct {
	*term
	historyForbidden atomic.Bool // the Finder may not read the channel
}

// notifyAll delivers what all open incidents need just now. One that fails does not keep the
// others waiting.
func (n *dispatcher) notifyAll(ctx context.Context) error {
	open, err := n.incidents.list(ctx)
	if err != nil {
		return err
	}
	pending := 0
	var errs []error
	for _, i := range open {
		if i, err = n.notify(ctx, i); err == nil && retired(i, n.Now()) {
			err = n.retire(ctx, i)
		} else if err != nil || i.SlackMessage.TS == "" || i.Tries > 0 {
			pending++
		}
		errs = append(errs, err)
	}
	n.Metrics.PendingAlerts(pending)
	return errors.Join(errs...)
}

// retire archives a closed incident that needs no more notifications.
func (n *dispatcher) retire(ctx context.Context, i incident.Incident) error {
	if i.Kind == incident.Backlog {
		if err := n.record(ctx, watchstate.BacklogNotified()); err != nil {
			return err
		}
	}
	if err := n.Records.Archive(ctx, i.ID, n.Now()); err != nil {
		return err
	}
	return n.Records.RetireIncident(ctx, n.lead, i.ID)
}

// notify delivers what one incident needs just now.
func (n *dispatcher) notify(ctx context.Context, i incident.Incident) (incident.Incident, error) {
	var err error
	for range maxDeliveries {
		d := Decide(i, n.Now(), Policy{MinInterval: n.Timings.Update, Escalates: n.Escalates})
		if d.Act == None || ctx.Err() != nil {
			break
		}
		if i, err = n.deliver(ctx, i, d); err != nil || i.Tries > 0 {
			break
		}
	}
	return i, err
}

// shown is what a notification showed: an incident's revision, in a message if it
// was posted.
type shown struct {
	revision  int64
	message   store.Message
	permalink string // of a message that was posted, "" = not known
}

// deliver carries out a decision and records the outcome.
func (n *dispatcher) deliver(ctx context.Context, i incident.Incident, d Decision) (incident.Incident, error) {
	ctx, cancel := grace.Context(ctx, deliveryTimeout, shutdownGrace)
	defer cancel()
	if d.Reason == Escalated && !strings.HasPrefix(i.Posting, string(Escalated)+" ") { // else it may have been posted
		if answered, ok, err := n.answered(ctx, i, d); ok || err != nil {
			return answered, err
		}
	}
	done := shown{revision: i.Revision}
	var err error
	if d.Act == Update {
		err = n.Notifier.Update(ctx, i)
	} else {
		var found bool
		done.message, found, err = n.find(ctx, i, d)
		switch {
		case found && i.Kind == incident.Digest: // which never changes: an update would show no digest
		case found:
			done.revision = 0 // not known
		case err == nil:
			if i, err = n.mark(ctx, i, d); err != nil {
				return i, err // nothing was posted: the record comes first
			}
			done.revision = i.Revision
			done.message, err = n.post(ctx, i, d)
		}
	}
	if err == nil && d.Act == Post && n.Permalink != nil {
		done.permalink = n.Permalink(ctx, done.message)
	}
	recording, cancelRecording := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancelRecording()
	if err != nil {
		return n.recordFailure(recording, i, d, err)
	}
	return n.recordSuccess(recording, i, d, done)
}

// find looks for a post or reply whose outcome is not recorded: in this process's
// memory, then in the channel. A pending reply of another kind is
// obsolete.
func (n *dispatcher) find(ctx context.Context, i incident.Incident, d Decision) (store.Message, bool, error) {
	if i.Posting == "" || d.Act == Reply && !strings.HasPrefix(i.Posting, string(d.Reason)+" ") {
		return store.Message{}, false, nil
	}
	if message, ok := n.posted.Load(i.Posting); ok {
		return message.(store.Message), true, nil
	}
	message, found, err := n.Finder.Find(ctx, i)
	forbidden := errors.Is(err, ErrHistoryForbidden)
	n.historyForbidden.Store(forbidden)
	switch {
	case found:
		return message, true, nil
	case forbidden:
		// A reply twice is worse than none, unless it is the first mention.
		return message, d.Act == Reply && d.Reason != Reopened && d.Reason != Escalated, nil
	}
	if failure, ok := errors.AsType[*DeliveryError](err); ok { // of the lookup, not of the post
		unclear := *failure
		unclear.Unclear = true
		return message, false, &unclear
	}
	return message, false, err
}

// mark records the mark by which a post or reply is found again if no answer comes,
// or if its outcome cannot be recorded.
func (n *dispatcher) mark(ctx context.Context, i incident.Incident, d Decision) (incident.Incident, error) {
	mark := rand.Text()
	if d.Act == Reply {
		mark = string(d.Reason) + " " + mark
	}
	i, err := n.incidents.change(ctx, i, func(i *incident.Incident) bool {
		i.Posting, i.PostingAt = mark, n.Now()
		return true
	})
	if err != nil {
		return i, err
	}
	if err := n.Records.AwaitReplicas(ctx); err != nil { // a replica that takes over has to have the mark
		n.Log.WarnContext(ctx, "Redis replica lags, a failover may duplicate an alert", "incident", i.ID, "error", err)
	}
	return i, nil
}

// post posts an incident, or a reply in its thread.
func (n *dispatcher) post(ctx context.Context, i incident.Incident, d Decision) (message store.Message, err error) {
	if d.Act == Post {
		message, err = n.Notifier.Post(ctx, i, d, i.Posting)
	} else {
		err = n.Notifier.Reply(ctx, i, d, i.Posting)
	}
	if err == nil {
		n.posted.Store(i.Posting, message)
	}
	return message, err
}

// recordSuccess records what a notification showed.
func (n *dispatcher) recordSuccess(ctx context.Context, i incident.Incident, d Decision, done shown) (incident.Incident, error) {
	mark := i.Posting
	n.Metrics.Alerted(string(d.Reason))
	n.Log.InfoContext(ctx, "alert delivered", "incident", i.ID, "kind", string(i.Kind), "reason", string(d.Reason), "sessions", max(len(i.Cases), i.Sessions))
	n.recordReachability(ctx, "")
	i, err := n.incidents.change(ctx, i, func(i *incident.Incident) bool {
		if d.Act == Post {
			i.SlackMessage, i.Permalink = done.message, done.permalink
		}
		markDelivered(i, d, done.revision, n.Now())
		return true
	})
	if err == nil && i.Posting == "" {
		n.posted.Delete(mark)
	}
	return i, err
}

// recordFailure records that a notification failed, and when to try again.
func (n *dispatcher) recordFailure(ctx context.Context, i incident.Incident, d Decision, err error) (incident.Incident, error) {
	failure, ok := errors.AsType[*DeliveryError](err)
	if !ok {
		failure = &DeliveryError{Unclear: true, Err: err}
	}
	if i.Tries == 0 || failure.NeedsPerson {
		level := slog.LevelWarn
		if failure.NeedsPerson {
			level = slog.LevelError
		}
		n.Log.Log(ctx, level, "alert not delivered, will retry", "incident", i.ID, "kind", string(i.Kind),
			"reason", string(d.Reason), "unclear", failure.Unclear, "error", err, "advice", failure.Advice)
	}
	if failure.NeedsPerson {
		n.recordReachability(ctx, failure.Advice)
	}
	return n.incidents.change(ctx, i, func(i *incident.Incident) bool {
		switch {
		case failure.MessageGone && !i.Closed.IsZero(): // and nothing is left to show
			markDelivered(i, d, i.Revision, n.Now())
			return true
		case failure.MessageGone || failure.NotEditable: // it is posted again, in the channel that is configured now
			i.LeaveMessage()
			i.Shown, i.Posting = 0, ""
			if d.Reason == Reminder { // the new message reminds, too
				i.Reminders++
			}
			return true
		case d.Act != Update && !failure.Unclear:
			i.Posting = ""
		}
		mayDuplicate := failure.Unclear && d.Act == Post && n.historyForbidden.Load()
		i.NextTry = n.Now().Add(max(failure.After, n.Timings.retryDelay(i.Tries, mayDuplicate)))
		i.Tries++
		return true
	})
}

// retryDelay returns the delay after so many failed tries. It grows faster if each
// try may add a duplicate.
func (t Timings) retryDelay(tries int, mayDuplicate bool) time.Duration {
	if mayDuplicate {
		return exponential(t.FirstRetryDelay, 2*tries, t.MaxUnreadableRetryDelay)
	}
	return exponential(t.FirstRetryDelay, tries, t.MaxRetryDelay)
}

// exponential returns d doubled n times, at most limit. The count is kept in Redis or
// shared, which backoff.ExponentialBackOff does not support.
func exponential(d time.Duration, n int, limit time.Duration) time.Duration {
	return min(d<<min(n, 10), limit)
}

// recordReachability records whether alerts reach their channel: "" = they do, else
// advice says what to do.
func (n *dispatcher) recordReachability(ctx context.Context, advice string) {
	if n.snapshot().state.Unreachable == advice {
		return
	}
	if err := n.record(ctx, watchstate.Unreachable(advice)); err != nil {
		n.Log.WarnContext(ctx, "reachability of the alert channel not recorded", "error", err)
	}
}
