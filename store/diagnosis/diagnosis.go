// Package diagnosis finds what is wrong with a session: it gathers the evidence (Redis,
// Stripe, SuperDuperAI, the site) and applies the table of verdicts.
package diagnosis

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// Verdict is the state of a session, in one word.
type Verdict string

// The verdicts.
const (
	VerdictCorrupt     Verdict = "corrupt"
	VerdictUndelivered Verdict = "undelivered" // a finished video exists that the customer does not see
	VerdictCompleted   Verdict = "completed"
	VerdictProcessing  Verdict = "processing"
	VerdictUnclear     Verdict = "unclear"
	VerdictRefunded    Verdict = "refunded"
	VerdictFailed      Verdict = "failed"
	VerdictStalled     Verdict = "stalled"
	VerdictUnpaid      Verdict = "unpaid"
	VerdictAbandoned   Verdict = "abandoned"
	VerdictWaiting     Verdict = "waiting"
	VerdictOrphaned    Verdict = "orphaned"
	VerdictLost        Verdict = "lost"
	VerdictNotFound    Verdict = "not_found"
	// VerdictUnchecked is in statistics only: the file decides, and was not requested yet.
	VerdictUnchecked Verdict = "unchecked"
)

// Verdicts lists all of them, those that need a person first.
var Verdicts = []Verdict{
	VerdictOrphaned, VerdictStalled, VerdictFailed, VerdictLost, VerdictUndelivered, VerdictCorrupt, VerdictUnclear, VerdictRefunded,
	VerdictWaiting, VerdictProcessing, VerdictUnchecked, VerdictCompleted, VerdictUnpaid, VerdictAbandoned, VerdictNotFound,
}

// TroubleVerdicts are those of sessions in trouble: each needs a person.
var TroubleVerdicts = []Verdict{
	VerdictOrphaned, VerdictStalled, VerdictFailed, VerdictLost, VerdictUndelivered, VerdictCorrupt, VerdictUnclear,
}

// InTrouble reports whether the verdict is one of TroubleVerdicts.
func (v Verdict) InTrouble() bool { return slices.Contains(TroubleVerdicts, v) }

// Diagnosis is the verdict, its reason and the allowed repairs.
type Diagnosis struct {
	Verdict Verdict
	Reason  string // in one or two plain sentences
	Allowed []store.Action
	Deliver string    // the finished file that a fix writes; "" = it writes an error
	PaidAt  time.Time // as precisely as is known, else when the session was created; zero = unknown
	Since   time.Time // of the status; zero = unknown
	Until   time.Time // when waiting becomes orphaned, and processing stalled; zero = unknown, or another verdict
}

// Allows reports whether the repair may be planned.
func (d Diagnosis) Allows(a store.Action) bool { return slices.Contains(d.Allowed, a) }

// Time returns when the session was paid for, else the time of its status; zero =
// unknown.
func (d Diagnosis) Time() time.Time { return cmp.Or(d.PaidAt, d.Since) }

// Diagnose returns the verdict of the first row of the table that fits. Every input
// gets exactly one.
func Diagnose(e Evidence, now time.Time, limits Thresholds) Diagnosis {
	e = e.Complete(now)
	d := Diagnosis{PaidAt: paidAt(e, now), Since: statusSince(e, now)}
	d.Verdict, d.Reason = judge(e, d, now, limits)
	d.Until = until(e, d, limits)
	d.Allowed, d.Deliver = allowed(e, d.Verdict)
	switch d.Verdict {
	case VerdictOrphaned, VerdictStalled, VerdictFailed:
		d.Reason += e.fileDoubt()
	case VerdictCorrupt:
		if len(d.Allowed) == 0 {
			d.Reason += " Only somebody with access to Redis can fix it."
		}
	}
	d.Reason = e.Session.Kind().Reword(d.Reason)
	return d
}

// until returns when a verdict of which nothing is to be done becomes one in trouble.
func until(e Evidence, d Diagnosis, limits Thresholds) time.Time {
	switch {
	case d.Verdict == VerdictWaiting && !d.PaidAt.IsZero():
		return d.PaidAt.Add(limits.OrphanGrace)
	case d.Verdict != VerdictProcessing || e.Job == store.JobRunning || d.Since.IsZero():
		return time.Time{}
	case e.File.State == store.FileNone:
		return d.Since.Add(limits.OrphanGrace)
	}
	return d.Since.Add(limits.StallAfter)
}

func judge(e Evidence, d Diagnosis, now time.Time, limits Thresholds) (Verdict, string) {
	if e.RedisSilent {
		return VerdictUnclear, "Redis could not be read, so the state of this session is unknown."
	}
	if key, bad := e.Session.CorruptKey(); bad {
		return VerdictCorrupt, fmt.Sprintf("The %s record in Redis cannot be read: %s.", key.Kind, key.Fault)
	}
	seen := now
	if at := e.File.SeenAt; !at.IsZero() && at.Before(now) {
		seen = at
	}
	if v, reason := judgeFinished(e); v != "" {
		return v, reason
	}
	if v, reason := judgeStarted(e, seen.Sub(d.Since), limits); v != "" {
		return v, reason
	}
	if e.Session.Status() == store.StatusNone {
		if v, reason := judgePayment(e, now, d.PaidAt, limits); v != "" {
			return v, reason
		}
	}
	return VerdictUnclear, unclearReason(e)
}

// judgeFinished judges a session of which a finished video exists, or should.
func judgeFinished(e Evidence) (Verdict, string) {
	status, file := e.Session.Status(), e.File.State
	refunded := e.Payment.State == store.PaymentRefunded
	hidden := status == store.StatusError || e.Session.SessionKey.Full && (status == store.StatusNone || status == store.StatusPending)
	underWay := file == store.FileInProgress || file == store.FileFinalizing
	switch {
	case file == store.FileCompleted && hidden && !refunded:
		return VerdictUndelivered, "The video is ready, but the customer's page does not show it."
	case file == store.FileCompleted:
		return VerdictCompleted, "The video is ready."
	case e.otherFinished() != "" && !underWay && file != store.FileUnchecked && !refunded:
		return VerdictUndelivered, "A finished video exists, but the session does not refer to it."
	case status == store.StatusCompleted && e.Session.FileID() != "" && (file == store.FileUnknown || file == store.FileMissing || file == store.FileUnchecked):
		return VerdictCompleted, "The status says completed, but the file itself could not be checked."
	case file == store.FileUnchecked:
		return VerdictUnchecked, "Its file has not been checked yet."
	}
	return "", ""
}

// judgeStarted judges a session of which a video was started.
func judgeStarted(e Evidence, age time.Duration, limits Thresholds) (Verdict, string) {
	status, file := e.Session.Status(), e.File.State
	unseen := file == store.FileUnknown || file == store.FileMissing
	switch {
	case e.Job == store.JobRunning:
		return VerdictProcessing, "A repair is already running."
	case e.Job == store.JobUnclear:
		return VerdictUnclear, "A video was requested, and whether it was made is unknown."
	case e.Payment.State == store.PaymentRefunded:
		return VerdictRefunded, "The payment was refunded in full."
	case file == store.FileFailed:
		return VerdictFailed, "SuperDuperAI could not make the video."
	case file == store.FileInProgress:
		return byAge(age, limits.StallAfter, "The video is being made.",
			"The video is taking too long.")
	case file == store.FileFinalizing:
		return byAge(age, limits.StallAfter, "The video is finished and is being published.",
			"The video was made, but never published.")
	case status == store.StatusError:
		return VerdictFailed, "The session is marked as error."
	case status == store.StatusCompleted:
		return VerdictFailed, "The status says completed, but there is no file" + e.noFile() + "."
	case (status == store.StatusProcessing || status == store.StatusPending) && unseen:
		return judgeUnseen(e, age, limits)
	case status == store.StatusProcessing && file == store.FileNone:
		return byAge(age, limits.OrphanGrace, "A video is about to be started.",
			"The status says processing, but no video was started"+e.noFile()+".")
	}
	return "", ""
}

// checkHost ends a reason: the API that does not know a file may be the wrong one.
const checkHost = ". Check that SUPERDUPERAI_URL is the host the site uses."

// fileDoubt returns which file has to be seen before another video may be made; "" = none.
func (e Evidence) fileDoubt() string {
	anyOther := func(state store.FileState) bool {
		return slices.ContainsFunc(e.others(), func(n NamedFile) bool { return n.State == state })
	}
	switch is := func(state store.FileState) bool { return e.File.State == state || anyOther(state) }; {
	case is(store.FileUnknown):
		return " Its file could not be checked: the video may be ready."
	case is(store.FileMissing) && !e.APIProven:
		return " SuperDuperAI does not know its file" + checkHost
	case anyOther(store.FileInProgress), anyOther(store.FileFinalizing):
		return " Another video of it is being made."
	}
	return ""
}

// noFile explains a file id that is not a UUID.
func (e Evidence) noFile() string {
	if e.Session.NamedFile() != "" && e.Session.FileID() == "" {
		return " (the stored file id is not valid)"
	}
	return ""
}

// noVideo says that there is no video, as far as Redis knows where the site reports one.
func (e Evidence) noVideo() string {
	if e.Site != nil && e.Site.Found && e.Site.Status == string(store.StatusCompleted) {
		return "Redis shows no video"
	}
	return "no video was started" + e.noFile()
}

// judgeUnseen judges a session whose file cannot be seen, which is no fault by itself.
func judgeUnseen(e Evidence, age time.Duration, limits Thresholds) (Verdict, string) {
	switch missing := e.File.State == store.FileMissing; {
	case age < limits.StallAfter:
		return VerdictProcessing, "A video was started; its file could not be checked."
	case missing && e.APIProven:
		return VerdictStalled, "A video was started long ago, and SuperDuperAI does not know its file."
	case missing:
		return VerdictUnclear, "SuperDuperAI does not know its file" + checkHost
	}
	return VerdictUnclear, "A video was started long ago, but its file could not be checked."
}

func byAge(age, limit time.Duration, under, over string) (Verdict, string) {
	if age < limit {
		return VerdictProcessing, under
	}
	return VerdictStalled, over
}

// RecordsLife is how long after the payment a sale has to be in Redis: keys live for
// 30 days from their last write.
const RecordsLife = 29 * 24 * time.Hour

// judgePayment judges a session of which nothing has been started yet.
func judgePayment(e Evidence, now, paid time.Time, limits Thresholds) (Verdict, string) {
	prompt := e.Session.PromptText() != ""
	held := e.Session.Layout() != store.LayoutNone
	state, settled := e.Payment.State, e.settled()
	age := now.Sub(paid)
	tooOld := settled && !paid.IsZero() && age > RecordsLife
	switch {
	case state == store.PaymentUnpaid && e.Payment.Failed:
		return VerdictAbandoned, "The payment failed for good."
	case state == store.PaymentUnpaid:
		return VerdictUnpaid, "The customer has not paid yet."
	case state == store.PaymentExpired:
		return VerdictAbandoned, "The checkout expired without a payment."
	case prompt && settled && age < limits.OrphanGrace:
		return VerdictWaiting, "Paid just now; the webhook may still arrive."
	case prompt && state == store.PaymentNotRequired:
		return VerdictOrphaned, "No payment was due, and " + e.noVideo() + "."
	case prompt && settled:
		return VerdictOrphaned, "Paid, but " + e.noVideo() + "."
	case prompt && state == store.PaymentUnverified && age < limits.OrphanGrace:
		return VerdictWaiting, "The prompt was stored just now; whether the order was paid could not be verified."
	case prompt && state == store.PaymentUnverified:
		return VerdictOrphaned, "No video was started; whether the order was paid could not be verified."
	case settled && !tooOld && (held || !e.Payment.OtherSale):
		return VerdictLost, "Paid, but Redis holds no prompt to make a video from."
	case held:
		return "", ""
	case state == store.PaymentMissing:
		return VerdictNotFound, "Neither Redis nor Stripe knows this session."
	case e.Payment.Why == store.NoStripeKey:
		return VerdictNotFound, "Redis does not know this session, and no Stripe key is configured to check there."
	case e.Payment.OtherSale:
		return VerdictNotFound, "Redis does not know this session, and in Stripe it is a sale of something else."
	case tooOld:
		return VerdictNotFound, "It was paid more than 29 days ago; records are kept for 30 days, and Redis has none left."
	}
	return "", ""
}

func unclearReason(e Evidence) string {
	held := e.Session.Layout() != store.LayoutNone
	switch {
	case e.Payment.State == store.PaymentMissing:
		return "Redis holds the session, but Stripe does not know it: the Stripe key may belong to another account."
	case !held:
		return "Redis holds nothing, and the payment could not be verified."
	case e.settled():
		return "Redis holds neither prompt nor status, and it was paid more than 29 days ago."
	case e.File.State == store.FileUnknown:
		return "Neither its file nor its payment could be checked."
	}
	return "Redis holds neither prompt nor status, and the payment could not be verified."
}

// paidAt returns when the customer paid, as precisely as is known.
func paidAt(e Evidence, now time.Time) time.Time {
	return cmp.Or(e.Payment.PaidAt, e.Payment.ChargedAt, e.Payment.Created, e.Session.CreatedAt(now))
}

// statusSince returns when the status was set: its own time, else the creation, else
// when the keys that could carry it were written.
func statusSince(e Evidence, now time.Time) time.Time {
	return cmp.Or(e.Session.Current().Timestamp, e.Session.CreatedAt(now), e.Payment.Created,
		e.Session.CurrentKey().WrittenAt(now), e.Session.SessionKey.WrittenAt(now))
}
