package jobs

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/audit"
	"github.com/superduperai/sessionbot/store/repair"
	"github.com/superduperai/sessionbot/store/sessions"
	"github.com/superduperai/sessionbot/superduper"
)

// What a customer reads on their page where no video could be made. Support sees
// the cause.
const (
	startFailed = "Failed to start generation: please contact support."
	makeFailed  = "Video generation failed: please contact support."
)

// errConflict means that the session was written by another process, whose values are
// not to be overwritten.
var errConflict = errors.New("the session was written by somebody else")

// isConflict reports whether a write failed because of the key's present value.
func isConflict(err error) bool {
	return errors.Is(err, sessions.ErrChanged) || errors.Is(err, sessions.ErrOtherType) || errors.Is(err, sessions.ErrTooLarge)
}

// late reports whether it is too late to begin: a generation is no longer expected.
func late(job repair.Job, now time.Time) bool { return now.Sub(job.Claimed) > startWithin }

// unchanged reports whether the keys to be written are as they were shown: no replica
// wrote any of them before it died.
func unchanged(job repair.Job, s store.Session, writes []sessions.KeyWrite) bool {
	now := s.Digests()
	return !slices.ContainsFunc(writes, func(w sessions.KeyWrite) bool { return now[w.Kind] != job.Digests[w.Kind] })
}

// causes says why nothing was started, by the API's error. Any other is an outage.
var causes = map[superduper.Kind]repair.Cause{
	superduper.NoToken: repair.CauseNoToken, superduper.Unauthorised: repair.CauseUnauthorised,
	superduper.Unpaid: repair.CauseBalance, superduper.Forbidden: repair.CauseForbidden,
	superduper.Rejected: repair.CauseRejected, superduper.NotFound: repair.CauseRejected, superduper.Malformed: repair.CauseRejected,
	superduper.RateLimited: repair.CauseRateLimited, superduper.Certificate: repair.CauseCertificate,
}

// causeOf returns why nothing was started, and the API's own words about it.
func causeOf(api *superduper.Error, now time.Time) (cause repair.Cause, detail []string) {
	cause = causes[api.Kind]
	if cause == repair.CauseNoToken || cause == repair.CauseCertificate {
		return cause, nil
	}
	for _, field := range api.Fields {
		detail = append(detail, field.Loc+": "+field.Msg)
	}
	if api.Detail != "" {
		detail = append(detail, api.Detail)
	}
	switch {
	case cause == repair.CauseRateLimited && api.RetryAfter > 0:
		detail = append(detail, "It asks us to wait until "+now.Add(api.RetryAfter).UTC().Format("15:04:05 UTC")+".")
	case cause == "" && api.Status != 0:
		return repair.CauseServerFault, append(detail, fmt.Sprintf("It answered HTTP %d.", api.Status))
	case cause == "":
		return repair.CauseUnavailable, detail
	}
	return cause, detail
}

// owned reports whether the session is as a job left it: every value to be written
// says processing and names no file but the job's own, or already says what is to
// be written, since the answer to an earlier attempt got lost. It does not matter
// which value is newer: the site takes its timestamp before it writes the value.
func owned(s store.Session, u sessions.Update) bool {
	values := map[string]store.Value{s.SessionKey.Kind: s.SessionKey.Value, s.Webhook.Kind: s.Webhook.Value}
	for _, w := range sessions.Writes(s, u) {
		if !ownedValue(values[w.Kind], u) {
			return false
		}
	}
	return s.Status() != store.StatusNone // the keys exist
}

func ownedValue(v store.Value, u sessions.Update) bool {
	file := ""
	if v.FileID != nil {
		file = *v.FileID
	}
	if file != "" && file != u.FileID {
		return false
	}
	if v.Status == nil {
		return true // a mapping
	}
	switch store.Status(*v.Status) {
	case store.StatusProcessing:
		return true
	case store.StatusCompleted:
		return u.Kind == sessions.UpdateCompleted && file == u.FileID
	case store.StatusError:
		return u.Kind == sessions.UpdateFailed && v.Error != nil && *v.Error == u.Error
	}
	return false
}

// decisionEntry returns the audit entry of the claim, or of what a person decided
// since: how an unclear job ended, or that a waiting one is cancelled. The process
// that took the decision may be gone.
func decisionEntry(job repair.Job) audit.Entry {
	if d := job.Cancelled; d != nil {
		return job.Plan.Entry(audit.Cancelled, d.By, placeOf(job, d.By), "while it waited for a replica", d.At)
	}
	if d := job.Settled; d != nil {
		return job.Plan.Entry(audit.Settled, d.By, d.Where, d.Detail, d.At)
	}
	return job.Plan.Entry(audit.Claimed, job.Approver, placeOf(job, job.Approver), "", job.Claimed)
}

// outcomeEntry returns the audit entry of the job's end.
func outcomeEntry(job repair.Job) audit.Entry {
	detail := string(job.Outcome)
	if job.Cause != "" {
		detail += ": " + string(job.Cause)
	}
	if job.Bulk != nil {
		detail += "; " + countsText(job.Bulk.Counts())
	}
	entry := job.Plan.Entry(audit.Ended, job.Approver, placeOf(job, job.Approver), detail, job.Finished)
	entry.After = job.Digests
	if job.FileID != "" || job.Outcome == store.OutcomeUnclear { // it was, or may have been, requested
		entry.Cents = job.Plan.Cents()
	}
	return entry
}

// placeOf returns where the job's plan was decided.
func placeOf(job repair.Job, who store.Actor) string {
	if who.Terminal {
		return audit.Terminal
	}
	return job.Plan.Message.Channel
}
