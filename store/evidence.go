package store

import (
	"slices"
	"strings"
	"time"
)

// PaymentState is what Stripe says of the payment.
type PaymentState string

// The states of a payment.
const (
	PaymentPaid              PaymentState = "paid"
	PaymentUnpaid            PaymentState = "unpaid"
	PaymentExpired           PaymentState = "expired"
	PaymentRefunded          PaymentState = "refunded"
	PaymentPartiallyRefunded PaymentState = "partially_refunded"
	PaymentNotRequired       PaymentState = "not_required"
	PaymentMissing           PaymentState = "missing"
	PaymentUnverified        PaymentState = "unverified"
)

// Unverified says why a payment could not be verified.
type Unverified string

// The reasons.
const (
	NoStripeKey       Unverified = "no_key"
	StripeWrongMode   Unverified = "wrong_mode"   // a live key and a test id, or the reverse
	StripeNoAnswer    Unverified = "no_answer"    // time-out or no connection
	StripeKeyRefused  Unverified = "key_refused"  // 401
	StripeForbidden   Unverified = "forbidden"    // 403
	StripeRateLimited Unverified = "rate_limited" // 429
	StripeFault       Unverified = "fault"        // 5xx, or an answer that cannot be read
)

// Error makes a reason an error where nothing can be said without Stripe.
func (u Unverified) Error() string { return "payment unverified: " + string(u) }

// Payment is what is known of a session's payment.
type Payment struct {
	SessionID      string
	State          PaymentState
	Why            Unverified // with PaymentUnverified only
	Since          time.Time  `json:"-"` // with it: since when Stripe is away, zero = it was asked just now
	Amount         int64      // in the currency's smallest unit
	Currency       string     // ISO code, lower case
	AmountRefunded int64
	Created        time.Time // of the Checkout Session
	ChargedAt      time.Time // of the latest charge; zero = none
	PaidAt         time.Time // by the event that made a delayed payment paid; zero = there is none, or it was not seen
	IntentID       string    // pi_…
	Live           bool
	Disputed       bool
	Failed         bool // a delayed payment that failed for good
	OtherSale      bool // by mode and metadata not a sale of this product
	VideoCount     int  // what was paid for; 0 = not said
}

// EventState is how far Stripe got with telling the site of the payment.
type EventState string

// The states of the event. Under ten minutes of age an undelivered event is
// pending: it proves nothing yet. Which endpoint did not take it is not known.
const (
	EventUnknown   EventState = ""          // not asked, or no answer
	EventNone      EventState = "none"      // Stripe holds no such event
	EventPending   EventState = "pending"   // not delivered everywhere yet
	EventFailed    EventState = "failed"    // undelivered at one endpoint at least
	EventDelivered EventState = "delivered" // every endpoint answered 2xx
)

// Event is how far Stripe got with the events of a session's payment.
type Event struct {
	State   EventState // of all of them: one that is undelivered decides
	ID      string     // evt_… of checkout.session.completed where it was seen, else of the one that decides
	Created time.Time  // of the one that decides
	PaidAt  time.Time  // see Payment
	// Completed reports that ID is of checkout.session.completed, which replay sends.
	Completed bool
}

// FileState is how far SuperDuperAI got with the file.
type FileState string

// The states of a file.
const (
	FileNone       FileState = "none"
	FileInProgress FileState = "in_progress"
	FileFinalizing FileState = "finalizing"
	FileCompleted  FileState = "completed"
	FileFailed     FileState = "failed"
	FileMissing    FileState = "missing"   // the API does not know it
	FileUnknown    FileState = "unknown"   // it could not be seen
	FileUnchecked  FileState = "unchecked" // the watch has not asked for it yet
)

// File is what SuperDuperAI says of a file.
type File struct {
	State        FileState
	SeenAt       time.Time // when it said so; zero = just now
	URL          string
	ThumbnailURL string
	Type         string // video or image
	Error        string // why it failed, in SuperDuperAI's words: for people, never for a log; may be empty
}

// FileTrouble says why a file could not be seen. It is an error itself, so that
// errors.Is(err, store.FileNotFound) asks for it.
type FileTrouble string

// The reasons. All but FileNotFound, FileRateLimited and FileUnreadable mean that
// no file at all can be seen.
const (
	FileNoToken      FileTrouble = "no_token"
	FileNotFound     FileTrouble = "not_found"    // 404
	FileNoAnswer     FileTrouble = "no_answer"    // no connection, a time-out or 5xx
	FileUnauthorized FileTrouble = "unauthorized" // 401
	FileForbidden    FileTrouble = "forbidden"    // 403
	FileRateLimited  FileTrouble = "rate_limited" // 429
	FileUnreadable   FileTrouble = "unreadable"   // any other answer
)

// Error makes a reason a target of errors.Is.
func (t FileTrouble) Error() string { return "file not seen: " + string(t) }

// FileError is why a file could not be seen.
type FileError struct {
	Trouble    FileTrouble
	RetryAfter time.Duration // 0 = not said
	Err        error
}

// Error is the cause's.
func (e *FileError) Error() string { return e.Err.Error() }

// Unwrap returns the reason and the cause.
func (e *FileError) Unwrap() []error { return []error{e.Trouble, e.Err} }

// FileRecord is what the bot's own records hold of a session's files.
type FileRecord struct {
	File     File     // the one that it names, as it was seen last
	Finished []string // all that were seen finished for it, the last seen last
}

// Named is a file that is named somewhere.
type Named struct {
	ID    string
	State FileState
}

// Site is what the site's webhook-status answers, which is what the customer's
// page goes by.
type Site struct {
	Found  bool   // false: "not found or processing not yet started"
	Status string // as answered; may be empty
	FileID string
}

// Sees reports whether the customer's page shows the file by this answer: without
// a status it is "File Not Found" there, and a pending one waits for ever.
func (s Site) Sees(fileID string) bool {
	shows := Status(s.Status) == StatusProcessing || Status(s.Status) == StatusCompleted
	return s.Found && shows && strings.EqualFold(s.FileID, fileID)
}

// JobState is what a job of ours does for the session.
type JobState string

// The states of a job that count for the diagnosis.
const (
	JobNone    JobState = ""
	JobRunning JobState = "running"
	JobUnclear JobState = "unclear"
)

// Evidence is all that the diagnosis goes by.
type Evidence struct {
	Session     Session
	RedisSilent bool // Redis gave no answer, or an error: Session says nothing
	Payment     Payment
	File        File
	APIProven   bool     // the API knew the file of a later session: one that it does not know is gone
	Finished    []string // files known to be finished for the session, be they named by it or not; the last seen last
	Others      []Named  // what was seen of files that the session names beside the one that counts
	Site        *Site    // nil = it was not asked, or did not answer
	Event       Event
	Reads       Layout // of the keys that the site reads; LayoutNone = not known
	Job         JobState
}

// Thresholds are the times at which normal turns into a fault.
type Thresholds struct {
	OrphanGrace time.Duration // after payment, in which a missing webhook is normal
	StallAfter  time.Duration // over which processing without a finished file is a fault
}

// complete is the evidence with nothing left open: times that lie in the
// future count as absent, a payment of which nothing is said is unverified,
// and a file that Redis names but of which nothing is said is unknown.
func (e Evidence) complete(now time.Time) Evidence {
	e.Session = e.Session.AsOf(now)
	for _, at := range []*time.Time{&e.Payment.PaidAt, &e.Payment.ChargedAt, &e.Payment.Created} {
		if at.After(now) {
			*at = time.Time{}
		}
	}
	if e.Payment.State == "" {
		e.Payment.State, e.Payment.Why = PaymentUnverified, StripeNoAnswer
	}
	switch named := e.Session.FileID() != ""; {
	case !named:
		e.File.State = FileNone
	case e.File.State == "" || e.File.State == FileNone:
		e.File.State = FileUnknown
	}
	for _, other := range e.Others {
		if other.State == FileCompleted {
			e.Finished = append(slices.Clip(e.Finished), other.ID)
		}
	}
	if slices.ContainsFunc(e.Finished, func(id string) bool { return strings.EqualFold(id, e.Session.FileID()) }) {
		e.File.State = FileCompleted
	}
	return e
}
