package watch

import (
	"cmp"
	"slices"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
)

// assessment is the state of a session as it was seen by an inspection.
type assessment struct {
	Case    incident.Case
	ToAlert bool            // its verdict is one that is alerted
	Ending  incident.Ending // how it left the trouble it was in; "" = that is not known yet
}

// kind returns the kind of the incident that the session belongs to.
func (o assessment) kind() incident.Kind { return incident.Kind(o.Case.Verdict) }

// reconcile updates an incident with what was observed of its own sessions, and
// reports whether anything changed: sessions that recovered leave, those that
// left and are in trouble again return.
func reconcile(i *incident.Incident, observed map[string]assessment, now time.Time) bool {
	if !aboutSessions(i.Kind) {
		return false
	}
	left, returned, news, rechecked := false, false, false, false
	for n := range i.Cases {
		c := &i.Cases[n]
		o, ok := observed[c.ID]
		if !ok {
			continue
		}
		before, gone := *c, !c.Gone.IsZero()
		belongs := o.ToAlert && (o.kind() == i.Kind || !gone && restored(i.Kind, o))
		switch {
		case belongs && gone && now.Sub(i.LastJoinedAt) >= Window: // it gets a new message, so that people notice
		case belongs && gone:
			o.Case.Found = c.Found
			*c, returned = o.Case, true
		case belongs:
			checked := c.Checked
			news = refresh(c, o.Case) || news
			rechecked = rechecked || !c.Checked.Equal(checked) // stored, but not shown
		case !gone && o.Ending != "": // or it is in other trouble, which has its own incident
			c.Gone, c.Ending, c.HandledBy, c.Repair, left = now, o.Ending, o.Case.HandledBy, nil, true
			c.Note = cmp.Or(o.Case.Note, c.Note)
		case !gone:
			news = retain(c, o) || news
		}
		i.Active(repairedAt(&before, c, now))
	}
	switch {
	case returned:
		reopen(i, Reopened)
	case left:
		if len(i.Open()) == 0 {
			i.Closed = now
		}
		i.Changed(string(Resolved))
	case news:
		i.Changed(string(Joined))
	}
	return returned || left || news || rechecked
}

// restored reports whether a session of an incident about lost prompts has its prompt
// back: its customer still waits for the same video, which is no news.
func restored(kind incident.Kind, o assessment) bool {
	return kind == incident.Kind(diagnosis.VerdictLost) && o.Case.Verdict == diagnosis.VerdictOrphaned
}

// retain updates a case whose session is neither in the trouble that it was in nor
// out of it: it is being repaired, or that failed. It reports whether the change is
// worth showing.
func retain(c *incident.Case, o assessment) bool {
	before := *c
	c.Repair = o.Case.Repair
	if c.Repair == nil { // else what was allowed before says what the repair does
		c.Allowed, c.Shows = o.Case.Allowed, o.Case.Shows
	}
	if o.Case.Verdict == diagnosis.VerdictFailed {
		c.Verdict = o.Case.Verdict
	}
	return !c.Same(&before)
}

// refresh updates a case, and reports whether the change is worth showing.
// What is not known any more is kept.
func refresh(c *incident.Case, seen incident.Case) bool {
	before := *c
	*c = seen
	c.Found = before.Found
	if before.Checked.After(c.Checked) {
		c.Checked = before.Checked
	}
	if c.Event == store.EventUnknown {
		c.Event, c.EventID, c.EventAt = before.Event, before.EventID, before.EventAt
	}
	if c.Amount == 0 {
		c.Amount, c.Currency = before.Amount, before.Currency
	}
	if c.IntentID == "" {
		c.IntentID = before.IntentID
	}
	return c.Event != before.Event || c.Payment != before.Payment || c.Amount != before.Amount || c.Verdict != before.Verdict ||
		!c.Repair.Same(before.Repair) || !slices.Equal(c.Allowed, before.Allowed)
}

// reopen opens a closed incident again; one that is open has only changed.
func reopen(i *incident.Incident, reason Reason) {
	if !i.Closed.IsZero() {
		i.Closed, i.Acknowledged, i.Snoozed = time.Time{}, nil, nil
		i.Reminders, i.OwnerReminders, i.RemindedBefore = 0, 0, time.Time{}
		i.Reopened, reason = i.SlackMessage.TS != "", Reopened
	}
	i.Changed(string(reason))
}

// join adds sessions that are not in the incident yet, up to incident.MaxCases, and
// returns those that did not fit.
func join(i *incident.Incident, cases []incident.Case, now time.Time) (rest []incident.Case) {
	known := map[string]bool{}
	for _, c := range i.Cases {
		known[c.ID] = true
	}
	before := len(i.Cases)
	for _, c := range cases {
		switch {
		case known[c.ID]:
		case len(i.Cases) >= incident.MaxCases:
			rest = append(rest, c)
		default:
			c.Found, known[c.ID] = now, true
			i.Cases = append(i.Cases, c)
			if !c.At.IsZero() && (i.Since.IsZero() || c.At.Before(i.Since)) {
				i.Since = c.At
			}
		}
	}
	if len(i.Cases) > before {
		i.LastJoinedAt = now
		reopen(i, Joined)
	}
	return rest
}

// joinable reports whether new sessions of this kind belong into the incident.
func joinable(i incident.Incident, kind incident.Kind, now time.Time) bool {
	return i.Kind == kind && len(i.Cases) < incident.MaxCases && now.Sub(i.LastJoinedAt) < Window
}

// retired reports whether an incident is over for good: closed, shown so, and
// nothing can join it any more.
func retired(i incident.Incident, now time.Time) bool {
	switch {
	case i.SlackMessage.TS == "" || i.Shown < i.Revision:
		return false
	case i.Kind == incident.Backlog || i.Kind == incident.Digest:
		return true
	}
	return !i.Closed.IsZero() && (now.Sub(i.LastJoinedAt) >= Window || !aboutSessions(i.Kind))
}

// openCases returns the cases of the sessions that are in incidents, by session. A
// case has the verdict of its incident, failed after a repair failed, or
// orphaned after a lost prompt was restored.
func openCases(incidents []incident.Incident) map[string]*incident.Case {
	open := map[string]*incident.Case{}
	for _, i := range incidents {
		if !aboutSessions(i.Kind) {
			continue
		}
		for n := range i.Cases {
			if c := &i.Cases[n]; c.Gone.IsZero() {
				open[c.ID] = c
			}
		}
	}
	return open
}
