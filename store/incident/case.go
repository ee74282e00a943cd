package incident

import (
	"cmp"
	"slices"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// Ending says how a session left its incident.
type Ending string

// The endings, in the order in which people read them.
const (
	EndLate      Ending = "late"      // the webhook came after all
	EndGenerated Ending = "generated" // by a repair of ours
	EndReplayed  Ending = "replayed"  // by the site, after a repair of ours
	EndFixed     Ending = "fixed"     // marked as error by a repair of ours
	EndShown     Ending = "shown"     // its finished video is shown by a repair of ours
	EndRefunded  Ending = "refunded"
	EndUnpaid    Ending = "unpaid"  // it turned out that nothing was paid
	EndGone      Ending = "gone"    // Redis holds nothing of it any more
	EndHandled   Ending = "handled" // elsewhere, as an operator said
	EndOther     Ending = "other"
)

// Endings lists all endings in that order.
var Endings = []Ending{EndLate, EndReplayed, EndGenerated, EndFixed, EndShown, EndHandled, EndRefunded, EndUnpaid, EndGone, EndOther}

// Repair is a repair of a session that is under way or unclear.
type Repair struct {
	Job     string       `json:"job"`
	Action  store.Action `json:"action"`
	By      store.Actor  `json:"by"` // who approved it
	Since   time.Time    `json:"since"`
	Unclear bool         `json:"unclear,omitempty"` // its outcome: a person has to settle it
}

// Same reports whether both are the same repair, or there is none.
func (r *Repair) Same(o *Repair) bool {
	return r == nil && o == nil || r != nil && o != nil && r.Job == o.Job && r.Action == o.Action && r.By == o.By && r.Since.Equal(o.Since) && r.Unclear == o.Unclear
}

// Case is a session of an incident.
type Case struct {
	ID       string             `json:"id"`
	Verdict  diagnosis.Verdict  `json:"verdict"`
	At       time.Time          `json:"at"`    // when it was paid, else when it got its status; zero = unknown
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
	Checked  time.Time          `json:"checked,omitzero"` // when its payment was last looked up
	Gone     time.Time          `json:"gone,omitzero"`    // when it left; zero = it is still in
	Ending   Ending             `json:"ending,omitempty"`

	IntentID  string  `json:"intent,omitempty"`     // of the payment at Stripe
	Repair    *Repair `json:"repair,omitempty"`     // nil = none is under way
	HandledBy string  `json:"handled_by,omitempty"` // with EndHandled
	Note      string  `json:"note,omitempty"`       // by the person who handled it, "" = none
}

// started returns when the trouble began; what is not known counts from when it was
// found.
func (c *Case) started() time.Time { return cmp.Or(c.At, c.Found) }

// Same reports whether the cases are equal, whatever the time zones.
func (c *Case) Same(o *Case) bool {
	return c.ID == o.ID && c.Verdict == o.Verdict && c.At.Equal(o.At) && c.Found.Equal(o.Found) && c.Payment == o.Payment &&
		c.Amount == o.Amount && c.Currency == o.Currency && c.Live == o.Live && c.Event == o.Event && c.EventID == o.EventID &&
		c.EventAt.Equal(o.EventAt) && slices.Equal(c.Allowed, o.Allowed) && c.Shows == o.Shows && c.Checked.Equal(o.Checked) && c.Gone.Equal(o.Gone) &&
		c.Ending == o.Ending && c.IntentID == o.IntentID && c.Repair.Same(o.Repair) && c.HandledBy == o.HandledBy && c.Note == o.Note
}

const (
	// MaxCases is how many sessions one incident holds; more open another.
	MaxCases = 10_000
	// ShownCases is how many of them are shown. A summary holds no more.
	ShownCases = 10
)

// Sum counts sessions.
type Sum struct {
	Sessions   int              `json:"sessions"`
	Unverified int              `json:"unverified,omitempty"` // of them: whether they were paid is not known
	Money      map[string]int64 `json:"money,omitempty"`      // by currency, in its smallest unit
}

// SumOf returns the sum of cases.
func SumOf(cases []Case) (s Sum) {
	for _, c := range cases {
		s.Add(c)
	}
	return s
}

// Add adds a case.
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

// CommonEvent returns the state of the event that at least four fifths of the
// cases have in common at Stripe, and since when; EventUnknown if there is none,
// or only one such case.
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
