// Package incident keeps incidents and the payments of sessions in Redis, and decides which
// sessions are alerted.
package incident

import (
	"slices"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// Kind is the subject of an incident: a verdict, or one of those below.
type Kind string

// The kinds that are no verdict.
const (
	PaymentsUnverified Kind = "unverified" // payments cannot be verified
	Backlog            Kind = "history"    // sessions in trouble from before the watch began
	Degraded           Kind = "blind"      // parts of the watch fail
	FilesUnchecked     Kind = "files"      // files cannot be checked
	NoSessions         Kind = "empty"      // Redis holds no session although Stripe lists sales
	Digest             Kind = "digest"     // what happened on a day
)

// The parts of the watch that can fail.
const (
	PartSweep         = "sweep"         // over Redis
	PartStripe        = "Stripe"        // all that Stripe lists
	PartEvents        = "events"        // Stripe's list of them, which the key may not read
	PartNotifications = "notifications" // by Redis, which did arrive before
	PartFiles         = "files"         // their states cannot be recorded
	PartInspection    = "inspection"    // of the sessions that may be in trouble
)

// Unwatched reports whether sessions in trouble go unnoticed while these parts fail.
func Unwatched(parts []string) bool {
	return slices.Contains(parts, PartSweep) || slices.Contains(parts, PartInspection)
}

// Acknowledgement records who acknowledged or snoozed an incident.
type Acknowledgement struct {
	By    string    `json:"by"`
	At    time.Time `json:"at"`
	Until time.Time `json:"until,omitzero"` // of a snooze
	Note  string    `json:"note,omitempty"` // why it was snoozed; "" = no note
}

// Incident is a group of sessions in the same trouble, or a fault of the watch or
// of a service. One alert message shows it.
type Incident struct {
	ID           string                    `json:"id"`
	Kind         Kind                      `json:"kind"`
	Opened       time.Time                 `json:"opened"`
	LastJoinedAt time.Time                 `json:"grown"`              // when the last session joined
	Since        time.Time                 `json:"since"`              // when the oldest trouble began; of a digest: its day
	Until        time.Time                 `json:"until,omitzero"`     // of a digest: the end of its day
	Cases        []Case                    `json:"-"`                  // stored separately
	Sessions     int                       `json:"sessions,omitempty"` // their number, if Cases does not hold them all
	Sums         map[diagnosis.Verdict]Sum `json:"sums,omitempty"`     // of the backlog
	Parts        []string                  `json:"parts,omitempty"`    // of the watch, that fail
	Why          store.Unverified          `json:"why,omitempty"`      // payments cannot be verified
	Live         bool                      `json:"live,omitempty"`     // live ones are among them
	Trouble      store.FileTrouble         `json:"trouble,omitempty"`  // files cannot be checked
	Closed       time.Time                 `json:"closed,omitzero"`    // zero = open

	Acknowledged *Acknowledgement `json:"acknowledged,omitempty"`
	Snoozed      *Acknowledgement `json:"snoozed,omitempty"`
	ActiveAt     time.Time        `json:"active,omitzero"` // of the last click, reply in its thread or repair

	Delivery

	version int64 // of the record, as loaded; 0 = not stored yet
}

// Delivery records what people were shown of an incident. It is an outbox: the
// message is out of date while Shown is less than Revision.
type Delivery struct {
	Revision     int64           `json:"revision"`         // grows with each change that is to be shown
	Change       string          `json:"change,omitempty"` // the reason for the last one
	Shown        int64           `json:"shown"`            // the revision that the message shows
	ShownAt      time.Time       `json:"shown_at,omitzero"`
	SlackMessage store.Message   `json:"place,omitzero"`   // empty = not posted
	Former       []store.Message `json:"former,omitempty"` // messages that were left behind, the latest last
	PostedAt     time.Time       `json:"posted_at,omitzero"`
	Permalink    string          `json:"permalink,omitempty"` // of the message; "" = not known

	Posting   string    `json:"posting,omitempty"`   // mark of a post whose outcome is not known, "" = none
	PostingAt time.Time `json:"posting_at,omitzero"` // when it was sent
	Tries     int       `json:"tries,omitempty"`     // that failed in a row
	NextTry   time.Time `json:"next_try,omitzero"`   // not before

	Threshold  int       `json:"threshold,omitempty"`  // the last number of sessions that a reply announced
	Reopened   bool      `json:"reopened,omitempty"`   // and no reply announced that yet
	Reminders  int       `json:"reminders,omitempty"`  // that were sent before it was acknowledged
	RemindedAt time.Time `json:"reminded_at,omitzero"` // when its post began

	OwnerReminders int       `json:"owner_reminders,omitempty"` // that were sent to the person who acknowledged it
	RemindedBefore time.Time `json:"reminded_before,omitzero"`  // when the reminder before the last one was sent
	EscalatedAt    time.Time `json:"escalated_at,omitzero"`     // zero = only the person on call was mentioned
}

// Changed records that there is something new to show, and why.
func (d *Delivery) Changed(why string) {
	d.Revision++
	d.Change = why
}

// Open returns the cases of sessions that are still in it, those that have waited
// longest first.
func (i *Incident) Open() []Case {
	open := slices.DeleteFunc(slices.Clone(i.Cases), func(c Case) bool { return !c.Gone.IsZero() })
	slices.SortStableFunc(open, func(a, b Case) int { return a.started().Compare(b.started()) })
	return open
}

// Gone returns the cases of sessions that left, the last first.
func (i *Incident) Gone() []Case {
	gone := slices.DeleteFunc(slices.Clone(i.Cases), func(c Case) bool { return c.Gone.IsZero() })
	slices.SortStableFunc(gone, func(a, b Case) int { return b.Gone.Compare(a.Gone) })
	return gone
}

// Tally returns how many sessions left, by ending.
func (i *Incident) Tally() map[Ending]int {
	tally := map[Ending]int{}
	for _, c := range i.Cases {
		if !c.Gone.IsZero() {
			tally[c.Ending]++
		}
	}
	return tally
}

// maxFormer is how many messages that were left behind are remembered.
const maxFormer = 8

// LeaveMessage leaves the message behind: another one will take its place.
func (d *Delivery) LeaveMessage() {
	if d.SlackMessage.TS != "" {
		d.Former = append(slices.Clone(d.Former), d.SlackMessage)
		d.Former = d.Former[max(0, len(d.Former)-maxFormer):]
	}
	d.SlackMessage, d.Permalink = store.Message{}, ""
}

// ShownIn reports whether a message shows the incident, or did. Before its message
// is recorded any does.
func (d *Delivery) ShownIn(m store.Message) bool {
	return d.SlackMessage.TS == "" || d.SlackMessage == m || slices.Contains(d.Former, m)
}
