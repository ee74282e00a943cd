package diagnosis

import (
	"slices"
	"strings"

	"github.com/superduperai/sessionbot/store"
)

// allowed returns the repairs that may be planned, and the finished file that a
// fix writes ("" = it writes an error).
func allowed(e Evidence, v Verdict) (actions []store.Action, deliver string) {
	if e.RedisSilent {
		return nil, ""
	}
	deliver = e.undelivered(v)
	if deliver != "" || mayMarkError(e, v) {
		actions = append(actions, store.ActionFix)
	}
	if mayGenerate(e, v) {
		actions = append(actions, store.ActionGenerate)
	}
	if mayReplay(e, v) {
		actions = append(actions, store.ActionReplay)
	}
	if mayRestore(e, v) {
		actions = append(actions, store.ActionRestore)
	}
	return actions, deliver
}

// settled reports whether nothing remains to be paid.
func (e Evidence) settled() bool {
	switch e.Payment.State {
	case store.PaymentPaid, store.PaymentPartiallyRefunded, store.PaymentNotRequired:
		return true
	}
	return false
}

// otherFinished returns the last file known to be finished that is not the current one,
// "" if there is none.
func (e Evidence) otherFinished() string {
	other := ""
	for _, id := range e.Finished {
		if !strings.EqualFold(id, e.Session.FileID()) {
			other = id
		}
	}
	return other
}

// finished returns a file known to be finished, "" if there is none.
func (e Evidence) finished() string {
	if e.File.State == store.FileCompleted {
		return e.Session.FileID()
	}
	return e.otherFinished()
}

// undelivered returns the finished file that the customer does not see and that a fix
// may show, "" if there is none.
func (e Evidence) undelivered(v Verdict) string {
	file, refunded := e.finished(), e.Payment.State == store.PaymentRefunded
	underWay := e.File.State == store.FileInProgress || e.File.State == store.FileFinalizing
	switch {
	case file == "" || refunded:
		return ""
	case v == VerdictUndelivered, v == VerdictStalled,
		v == VerdictCompleted && e.Site != nil && !e.Site.Sees(file),
		v == VerdictCorrupt && writable(e.Session) && !underWay && !e.shown(file):
		return file
	}
	return ""
}

// shown reports whether the customer's page shows the file, as far as is known.
func (e Evidence) shown(file string) bool {
	if e.Site != nil {
		return e.Site.Sees(file)
	}
	return e.Session.Status() == store.StatusCompleted && strings.EqualFold(e.Session.FileID(), file) && e.SiteLayout != store.LayoutOneKey
}

// mayMarkError reports whether a fix may write an error. A file whose state is not
// known may be finished, and is not hidden by an error.
func mayMarkError(e Evidence, v Verdict) bool {
	if e.Session.PromptText() == "" || e.mayBeFinished() {
		return false
	}
	switch v {
	case VerdictOrphaned, VerdictStalled:
		return true
	case VerdictCorrupt:
		return writable(e.Session) && !claimsDelivery(e.Session)
	case VerdictRefunded:
		return e.Session.Status() == store.StatusNone
	case VerdictFailed:
		return e.Session.Status() != store.StatusError || e.unseenError()
	}
	return false
}

// unseenError reports whether the error is in webhook: alone, where the site does
// not read it: it overwrote what a repair wrote to session:, or was never copied there.
func (e Evidence) unseenError() bool {
	status := e.Session.SessionKey.Value.Status
	return e.SiteLayout == store.LayoutOneKey && (status == nil || store.Status(*status) != store.StatusError)
}

// mayBeFinished reports whether a file is finished, or may be.
func (e Evidence) mayBeFinished() bool {
	unseen := func(state store.FileState) bool {
		return state == store.FileUnknown || state == store.FileUnchecked || state == store.FileMissing && !e.APIProven
	}
	return e.finished() != "" || unseen(e.File.State) || slices.ContainsFunc(e.others(), func(n NamedFile) bool { return unseen(n.State) })
}

// others returns the files that are named besides the current one. The state of those
// that were not seen is unknown.
func (e Evidence) others() []NamedFile {
	others := slices.Clip(e.Others)
	for _, id := range e.Session.StrayFiles() {
		if !slices.ContainsFunc(others, func(n NamedFile) bool { return strings.EqualFold(n.ID, id) }) {
			others = append(others, NamedFile{id, store.FileUnknown})
		}
	}
	return others
}

// writable reports whether a repair can write every key that it has to: one of
// another Redis type, or too large to be read and saved, is never written. In the
// one-key layout only a webhook: that carries a status would be written as well as
// session:, and one of another Redis type carries none.
func writable(s store.Session) bool {
	return !s.SessionKey.WrongType && (!s.Webhook.WrongType || s.SessionKey.Full) &&
		s.SessionKey.Fault != store.FaultTooLarge && s.Webhook.Fault != store.FaultTooLarge
}

// claimsDelivery reports whether anything that can be read of the session says
// completed or names a file.
func claimsDelivery(s store.Session) bool {
	for _, key := range s.Keys() {
		status, file := key.Value.Status, key.Value.FileID
		if status != nil && store.Status(*status) == store.StatusCompleted || file != nil && *file != "" {
			return true
		}
	}
	return false
}

func mayGenerate(e Evidence, v Verdict) bool {
	return !e.Session.NeedsPicture() && mayStart(e, v)
}

// mayStart reports whether a second video may be started: only if no other is finished
// or in progress, as far as is known.
func mayStart(e Evidence, v Verdict) bool {
	if v != VerdictOrphaned && v != VerdictStalled && v != VerdictFailed || e.Session.PromptText() == "" || e.finished() != "" {
		return false
	}
	if !e.settled() && e.Payment.State != store.PaymentUnverified {
		return false
	}
	if slices.ContainsFunc(e.others(), func(n NamedFile) bool { return !e.gone(n.State) }) {
		return false
	}
	underWay := e.File.State == store.FileInProgress || e.File.State == store.FileFinalizing
	return e.gone(e.File.State) || underWay && v == VerdictStalled
}

// gone reports whether a file in this state is no video, and will not become one.
func (e Evidence) gone(state store.FileState) bool {
	return state == store.FileNone || state == store.FileFailed || state == store.FileMissing && e.APIProven
}

func mayReplay(e Evidence, v Verdict) bool {
	return e.siteFindsPrompt() && e.Event.Completed && mayStart(e, v)
}

// siteFindsPrompt reports whether there is a prompt where the site looks for it.
func (e Evidence) siteFindsPrompt() bool {
	p := e.Session.SessionKey.Value.Prompt
	if e.SiteLayout == store.LayoutThreeKey {
		p = e.Session.Prompt.Value.Prompt
	}
	return p != nil && *p != ""
}

// SiteCannotRead reports whether the session needs a video, which a replay would not
// start because the site finds no prompt where it looks.
func (x Examination) SiteCannotRead() bool {
	return mayStart(x.Evidence, x.Verdict) && !x.siteFindsPrompt()
}

// WhyNoReplay returns why a session that needs a video cannot be replayed, although
// one may be started; "" = it can, or none may.
func (x Examination) WhyNoReplay() string {
	instead := ": generate the video instead."
	if !x.Allows(store.ActionGenerate) {
		instead = "."
	}
	switch {
	case x.RedisSilent || !mayStart(x.Evidence, x.Verdict) || x.Allows(store.ActionReplay):
		return ""
	case !x.siteFindsPrompt():
		return "The site cannot read this session" + instead
	case !x.PaidAt.IsZero() && x.At.Sub(x.PaidAt) > store.EventLife:
		return "Stripe keeps events for 30 days, and this one is older" + instead
	case x.Event.State == store.EventNone || x.Event.ID != "":
		return "Stripe has no event of this checkout to replay" + instead
	}
	return "Stripe's event could not be read, so it cannot be replayed now."
}

// mayRestore reports whether the prompt is gone, its key can be written, and nothing is
// in progress. What Redis has expired after 30 days may have been delivered.
func mayRestore(e Evidence, v Verdict) bool {
	switch v {
	case VerdictProcessing, VerdictCompleted, VerdictNotFound:
		return false
	}
	target := e.Session.PromptTarget(e.SiteLayout)
	return e.settled() && e.Session.PromptText() == "" && e.finished() == "" && !target.WrongType && target.Fault != store.FaultTooLarge
}
