// Package incident keeps what the watch knows: the sessions that are due, the incidents that
// they belong to, and how far the watch came.
package incident

import (
	"slices"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// Kind is what an incident is about: a verdict, or one of those below.
type Kind string

// The kinds that are no verdict.
const (
	PaymentsUnverified Kind = "unverified" // Stripe is silent: payments cannot be verified
	Backlog            Kind = "history"    // what happened before the watch began
	Degraded           Kind = "blind"      // the watch itself fails
	FilesUnchecked     Kind = "files"      // SuperDuperAI does not say how files stand
	NoSessions         Kind = "empty"      // Redis holds no session although Stripe lists sales
)

// The parts of the watch that can fail.
const (
	PartSweep         = "sweep"         // over Redis
	PartStripe        = "Stripe"        // all that Stripe lists
	PartEvents        = "events"        // Stripe's list of them, which the key may not read
	PartNotifications = "notifications" // of Redis, which were heard before
	PartFiles         = "files"         // what is seen of them cannot be kept
)

// Ending is how a session left its incident.
type Ending string

// The endings.
const (
	EndLate      Ending = "late"      // the webhook came after all
	EndGenerated Ending = "generated" // by a repair of ours
	EndFixed     Ending = "fixed"     // marked as error by a repair of ours
	EndShown     Ending = "shown"     // its finished video is shown by a repair of ours
	EndRefunded  Ending = "refunded"
	EndUnpaid    Ending = "unpaid" // it turned out that nothing was paid
	EndGone      Ending = "gone"   // Redis holds nothing of it any more
	EndOther     Ending = "other"
)

// Endings lists them in the order in which people read them.
var Endings = []Ending{EndLate, EndGenerated, EndFixed, EndShown, EndRefunded, EndUnpaid, EndGone, EndOther}

// Case is a session of an incident.
type Case struct {
	ID       string             `json:"id"`
	Verdict  diagnosis.Verdict  `json:"verdict"`
	At       time.Time          `json:"at"`    // when it was paid, else since when it stands so; zero = unknown
	Found    time.Time          `json:"found"` // when it joined
	Payment  store.PaymentState `json:"payment"`
	Amount   int64              `json:"amount,omitempty"` // in the currency's smallest unit
	Currency string             `json:"currency,omitempty"`
	Live     bool               `json:"live,omitempty"`
	Event    store.EventState   `json:"event,omitempty"`
	EventID  string             `json:"event_id,omitempty"`
	EventAt  time.Time          `json:"event_at,omitzero"`
	Allowed  []store.Action     `json:"allowed,omitempty"`
	Shows    bool               `json:"shows,omitempty"`  // a fix shows a finished video
	Checked  time.Time          `json:"checked,omitzero"` // when it had its last turn in being looked at alone, Stripe included
	Gone     time.Time          `json:"gone,omitzero"`    // when it left; zero = it is still in
	Ending   Ending             `json:"ending,omitempty"`
}

// same tells whether nothing of the case is another.
func (c *Case) same(o *Case) bool {
	return c.ID == o.ID && c.Verdict == o.Verdict && c.At.Equal(o.At) && c.Found.Equal(o.Found) && c.Payment == o.Payment &&
		c.Amount == o.Amount && c.Currency == o.Currency && c.Live == o.Live && c.Event == o.Event && c.EventID == o.EventID &&
		c.EventAt.Equal(o.EventAt) && slices.Equal(c.Allowed, o.Allowed) && c.Shows == o.Shows && c.Checked.Equal(o.Checked) && c.Gone.Equal(o.Gone) &&
		c.Ending == o.Ending
}

// Acknowledgement is a button that somebody pressed.
type Acknowledgement struct {
	By    string    `json:"by"`
	At    time.Time `json:"at"`
	Until time.Time `json:"until,omitzero"` // of a snooze
}

const (
	// MaxCases is how many sessions one incident holds; more open another.
	MaxCases = 10_000
	// ShownCases is how many of them are shown, and all that a summary holds.
	ShownCases = 10
)

// Sum is sessions that are counted.
type Sum struct {
	Sessions   int              `json:"sessions"`
	Unverified int              `json:"unverified,omitempty"` // of them: nobody knows whether they were paid
	Money      map[string]int64 `json:"money,omitempty"`      // by currency, in its smallest unit
}

// SumOf counts sessions.
func SumOf(cases []Case) (s Sum) {
	for _, c := range cases {
		s.Add(c)
	}
	return s
}

// Add counts one more session.
func (s *Sum) Add(c Case) {
	s.Sessions++
	if c.Payment == store.PaymentUnverified {
		s.Unverified++
	}
	if c.Amount > 0 {
		if s.Money == nil {
			s.Money = map[string]int64{}
		}
		s.Money[c.Currency] += c.Amount
	}
}

// Incident is sessions with the same trouble, grouped in one alert message. It
// is its own outbox: Revision counts what is to be shown, Shown what was.
type Incident struct {
	ID           string                    `json:"id"`
	Kind         Kind                      `json:"kind"`
	Opened       time.Time                 `json:"opened"`
	LastJoinedAt time.Time                 `json:"grown"`              // when the last session joined
	Since        time.Time                 `json:"since"`              // of the oldest trouble
	Cases        []Case                    `json:"-"`                  // stored beside it
	Sessions     int                       `json:"sessions,omitempty"` // where they are only counted
	Sums         map[diagnosis.Verdict]Sum `json:"sums,omitempty"`     // of a summary, by verdict
	Parts        []string                  `json:"parts,omitempty"`    // of the watch, that fail
	Why          store.Unverified          `json:"why,omitempty"`      // Stripe does not tell of payments
	Trouble      store.FileTrouble         `json:"trouble,omitempty"`  // files cannot be checked
	Closed       time.Time                 `json:"closed,omitzero"`

	Acknowledged *Acknowledgement `json:"acknowledged,omitempty"`
	Snoozed      *Acknowledgement `json:"snoozed,omitempty"`

	Revision     int64           `json:"revision"`
	Change       string          `json:"change,omitempty"` // why the revision is not shown yet
	Shown        int64           `json:"shown"`
	ShownAt      time.Time       `json:"shown_at,omitzero"`
	SlackMessage store.Message   `json:"place,omitzero"`   // empty = not posted
	Former       []store.Message `json:"former,omitempty"` // messages that were left behind, the latest last
	PostedAt     time.Time       `json:"posted_at,omitzero"`

	Posting   string    `json:"posting,omitempty"` // marks a post whose outcome is not known
	PostingAt time.Time `json:"posting_at,omitzero"`
	Tries     int       `json:"tries,omitempty"` // that failed in a row
	NextTry   time.Time `json:"next_try,omitzero"`

	Threshold  int       `json:"threshold,omitempty"` // told last
	Reopened   bool      `json:"reopened,omitempty"`  // and not told yet
	Reminders  int       `json:"reminders,omitempty"`
	RemindedAt time.Time `json:"reminded_at,omitzero"`

	version int64 // of the record, as loaded; 0 = not stored yet
}

// Open are the sessions that are still in, the newest first.
func (i *Incident) Open() []Case {
	open := slices.DeleteFunc(slices.Clone(i.Cases), func(c Case) bool { return !c.Gone.IsZero() })
	slices.SortStableFunc(open, func(a, b Case) int { return b.At.Compare(a.At) })
	return open
}

// Gone are the sessions that left, the last first.
func (i *Incident) Gone() []Case {
	gone := slices.DeleteFunc(slices.Clone(i.Cases), func(c Case) bool { return c.Gone.IsZero() })
	slices.SortStableFunc(gone, func(a, b Case) int { return b.Gone.Compare(a.Gone) })
	return gone
}

// Tally counts how sessions left.
func (i *Incident) Tally() map[Ending]int {
	tally := map[Ending]int{}
	for _, c := range i.Cases {
		if !c.Gone.IsZero() {
			tally[c.Ending]++
		}
	}
	return tally
}

// CommonEvent is what nearly all sessions have in common at Stripe, and since
// when; EventUnknown where they have not, or are too few to tell.
func CommonEvent(cases []Case) (store.EventState, time.Time) {
	counts, since := map[store.EventState]int{}, map[store.EventState]time.Time{}
	for _, c := range cases {
		counts[c.Event]++
		if at := since[c.Event]; !c.EventAt.IsZero() && (at.IsZero() || c.EventAt.Before(at)) {
			since[c.Event] = c.EventAt
		}
	}
	for state, n := range counts {
		if state != store.EventUnknown && n > 1 && n*5 >= len(cases)*4 {
			return state, since[state]
		}
	}
	return store.EventUnknown, time.Time{}
}

// Changed says that there is something new to show, and why.
func (i *Incident) Changed(why string) {
	i.Revision++
	i.Change = why
}

// maxFormer is how many messages that were left behind are remembered.
const maxFormer = 8

// LeaveMessage leaves the message behind: another one will take its place.
func (i *Incident) LeaveMessage() {
	if i.SlackMessage.TS != "" {
		i.Former = append(slices.Clone(i.Former), i.SlackMessage)
		i.Former = i.Former[max(0, len(i.Former)-maxFormer):]
	}
	i.SlackMessage = store.Message{}
}

// ShownIn reports whether a message shows the incident, or did. Before its message
// is recorded any does.
func (i *Incident) ShownIn(m store.Message) bool {
	return i.SlackMessage.TS == "" || i.SlackMessage == m || slices.Contains(i.Former, m)
}
