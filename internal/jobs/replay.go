package jobs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/superduper"
)

// replay has the steps of a job that sends one of Stripe's events to the site. It
// writes nothing of the session: the site does.
type replay struct{ *execution }

// step does what follows the last recorded step.
func (e replay) step(ctx context.Context) error {
	switch e.job.Step {
	case repair.StepRecorded:
		return e.check(ctx)
	case repair.StepChecked:
		return e.prepare(ctx)
	case repair.StepSending:
		return e.send(ctx)
	case repair.StepSent:
		return e.watch(ctx)
	}
	if !e.Token { // the site started it, and only a token would show its end
		return e.conclude(store.OutcomeGaveUp, repair.CauseNoToken)
	}
	return e.follow(ctx, e.completed, func(context.Context) error {
		return e.conclude(store.OutcomeFailed, repair.CauseFileFailed)
	})
}

// prepare fetches the event, and records that it is about to be sent: from then on
// only this execution sends it, and only once.
func (e replay) prepare(ctx context.Context) error {
	switch {
	case e.job.Cancelled != nil:
		return e.conclude(store.OutcomeCancelled, "")
	case !e.fresh:
		return e.check(ctx) // another replica ran the diagnosis, maybe long ago
	case e.job.Waiting:
		if err := e.awaitReplicas(ctx); err != nil {
			return err
		}
	}
	if late(*e.job, e.Now()) {
		if e.job.Waiting {
			return e.conclude(store.OutcomeRefused, repair.CauseLate, noReplicaInTime)
		}
		return e.conclude(store.OutcomeRefused, repair.CauseLate)
	}
	event, err := e.Events.RawEvent(ctx, e.job.Plan.Replay.EventID, e.job.Plan.Session)
	if err != nil {
		return e.noEvent(err)
	}
	s, err := e.Product.Session(ctx, e.job.Plan.Session)
	if err != nil {
		return err
	}
	if changed := movedOn(e.job.Plan, s); changed != "" {
		return e.conclude(store.OutcomeRefused, repair.CauseChanged, changed)
	}
	e.event, e.job.Digests = event, s.Digests()
	e.job.Step, e.job.Sending = repair.StepSending, e.Now().UTC()
	return nil
}

// noEvent ends the job if Stripe will not give the event; else it is to be tried again.
func (e replay) noEvent(err error) error {
	if errors.Is(err, store.ErrNoEvent) {
		return e.conclude(store.OutcomeRefused, repair.CauseNoEvent)
	}
	for _, lasting := range []store.Unverified{store.NoStripeKey, store.StripeWrongMode, store.StripeKeyRefused, store.StripeForbidden} {
		if errors.Is(err, lasting) {
			return e.conclude(store.OutcomeRefused, repair.CauseNoStripeKey)
		}
	}
	return fmt.Errorf("fetch the event: %w", err)
}

// movedOn returns what the session says now instead of what the approver was shown,
// "" if nothing.
func movedOn(p repair.Plan, s store.Session) string {
	switch {
	case s.FileID() != p.Seen.FileID:
		return "The session now refers to another file."
	case s.Status() != p.Seen.Status:
		return fmt.Sprintf("The status is %s now.", s.Status())
	}
	return ""
}

// send sends the event once. An execution that finds the step recorded by another one
// cannot know whether the event was sent, and watches the session.
func (e replay) send(ctx context.Context) error {
	if e.event == nil {
		if e.job.Settled != nil {
			return e.conclude(store.OutcomeFailed, repair.CauseNotMade)
		}
		return e.watch(ctx)
	}
	event := e.event
	e.event = nil
	if may, err := e.maySend(ctx, repair.StepChecked); !may {
		return err
	}
	s, err := e.Product.Session(ctx, e.job.Plan.Session)
	if err != nil || !maps.Equal(s.Digests(), e.job.Digests) || e.Now().Sub(e.job.Sending) > sendWithin { // and nothing was sent
		e.job.Step, e.job.Sending = repair.StepChecked, time.Time{}
		return nil
	}
	limited, done := context.WithTimeout(ctx, replayTimeout)
	defer done()
	err = e.Webhook.Replay(limited, event, e.Now())
	e.OnStep("answered")
	var site *superduper.Error
	switch {
	case err == nil:
		e.job.Step, e.job.Sent = repair.StepSent, e.Now().UTC()
		return nil
	case !errors.As(err, &site), site.Kind == superduper.Unclear:
		e.Log.ErrorContext(ctx, "outcome of a replay unclear", "job", e.job.ID, "error", err)
		e.job.Cause = repair.CauseNoAnswer
		return nil
	}
	e.Log.WarnContext(ctx, "event not taken by the site", "job", e.job.ID, "error", err)
	cause, detail := refusalOf(site, e.Now())
	return e.conclude(store.OutcomeFailed, cause, detail...)
}

// signedFor is how far the site's clock may differ before a signature is too old, or
// too new, for it.
const signedFor = 5 * time.Minute

// refusalOf returns why the site did not take the event, and its own words about it.
func refusalOf(site *superduper.Error, now time.Time) (cause repair.Cause, detail []string) {
	if site.Status != 0 {
		detail = append(detail, fmt.Sprintf("It answered HTTP %d.", site.Status))
	}
	if site.Detail != "" {
		detail = append(detail, "It said: “"+site.Detail+"”")
	}
	switch apart := site.Date.Sub(now).Abs(); {
	case site.Kind == superduper.NoToken:
		return repair.CauseNoSecret, nil
	case site.Kind == superduper.Certificate:
		return repair.CauseUnreachable, []string{"Its certificate does not match its host name."}
	case site.Status == 0:
		return repair.CauseUnreachable, detail
	case site.Status == 400 && !site.Date.IsZero() && apart > signedFor:
		return repair.CauseClock, append(detail, fmt.Sprintf("The site's clock and this machine's differ by %.0f s.", apart.Seconds()))
	case site.Status == 400:
		return repair.CauseSignature, detail
	case site.Status == 404:
		return repair.CauseNoWebhook, detail
	}
	return repair.CauseBlocked, detail
}

// watch reads the session until the site has written. After an answer the site has
// done so within Timings.SiteWrite. Without one it may still be at work, but not for
// longer than any server lets a request run.
func (e replay) watch(ctx context.Context) error {
	until, wait, shown := e.job.Sending.Add(min(e.GiveUp, e.Timings.Unanswered)), e.Timings.Poll, ""
	answered := e.job.Step == repair.StepSent
	switch {
	case e.job.FileID != "": // settled
		e.job.Step = repair.StepFiled
		return nil
	case answered:
		until = e.job.Sent.Add(e.Timings.SiteWrite)
	}
	for {
		s, err := e.Product.Session(ctx, e.job.Plan.Session)
		if err != nil {
			return err
		}
		now := e.Now()
		switch file, failed := siteWrote(*e.job, s); {
		case file != "":
			e.job.Step, e.job.FileID, e.job.Cause, e.job.Digests = repair.StepFiled, file, "", s.Digests()
			if !answered {
				e.job.Sent = now.UTC()
			}
			return nil
		case failed:
			e.job.Digests = s.Digests()
			return e.conclude(store.OutcomeFailed, repair.CauseSiteFailed)
		case now.After(until) && answered:
			return e.conclude(store.OutcomeFailed, repair.CauseIgnored)
		case now.After(until):
			return e.conclude(store.OutcomeUnclear, repair.CauseNoAnswer)
		}
		if minute := fmt.Sprint(int(now.Sub(e.job.Claimed).Minutes())); minute != shown {
			shown = minute
			e.notify(ctx)
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
		if !answered {
			wait = min(2*wait, e.Timings.MaxPollInterval)
		}
	}
}

// siteWrote returns the file that the session names since the event was sent, and
// whether it says error instead. The error may have the same words as before.
func siteWrote(job repair.Job, s store.Session) (file string, failed bool) {
	if maps.Equal(s.Digests(), job.Digests) {
		return "", false
	}
	if file = s.FileID(); file != "" && !strings.EqualFold(file, job.Plan.Seen.FileID) {
		return file, false
	}
	return "", s.Status() == store.StatusError
}

// completed remembers the finished file, and ends with what the session says about it: an
// event that came after ours may have hidden it, or started another one.
func (e replay) completed(ctx context.Context) error {
	s, err := e.Product.Session(ctx, e.job.Plan.Session)
	if err != nil {
		return err
	}
	if err := e.rememberFile(ctx, s); err != nil {
		return err
	}
	named := strings.EqualFold(s.FileID(), e.job.FileID)
	e.job.Overwritten = !named || s.Status() == store.StatusError
	if e.job.Overwritten && (named || s.FileID() == "") {
		return e.conclude(store.OutcomeFailed, repair.CauseOverwritten)
	}
	return e.conclude(store.OutcomeDone, "")
}
