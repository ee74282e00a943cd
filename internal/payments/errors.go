package payments

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/internal/redact"
)

// Kind says why Stripe could not tell. It is an error itself, so that
// errors.Is(err, payments.NoKey) asks for it.
type Kind string

// The kinds.
const (
	NoKey       Kind = "no_key"       // none is configured; nothing was asked
	WrongMode   Kind = "wrong_mode"   // a live key and a test id, or the reverse; nothing was asked
	NoAnswer    Kind = "no_answer"    // no connection, or no answer in time
	KeyRefused  Kind = "key_refused"  // 401
	Forbidden   Kind = "forbidden"    // 403: the key lacks a permission
	RateLimited Kind = "rate_limited" // 429
	Fault       Kind = "fault"        // any other refusal, or an answer that cannot be read

	missing Kind = "missing" // 404 resource_missing: a state, never told as an error
)

// Error makes a Kind a target of errors.Is.
func (k Kind) Error() string { return strings.ReplaceAll(string(k), "_", " ") }

// Error is what every question fails with. It holds nothing of what was asked
// or answered.
type Error struct {
	Kind   Kind
	Status int   // HTTP status; 0 = no answer
	Err    error // the cause
}

// Error names the kind, the status and the cause.
func (e *Error) Error() string {
	text := "stripe: " + e.Kind.Error()
	if e.Status != 0 {
		text += fmt.Sprintf(" (HTTP %d)", e.Status)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is tells whether the target is this error's kind.
func (e *Error) Is(target error) bool {
	kind, ok := target.(Kind)
	return ok && kind == e.Kind
}

func fault(text string) error { return &Error{Kind: Fault, Err: errors.New(text)} }

func isMissing(err error) bool { return errors.Is(err, missing) }

// classed makes an *Error of what the library returned. The transport has
// classed all that concerns the connection and the status; url.Error is taken
// off because it repeats the question, with the customer's e-mail. What is left
// is an answer that could not be read, whose text would repeat that answer.
func classed(err error) error {
	var known *Error
	var failed *url.Error
	switch {
	case errors.Is(err, missing): // where it is no state
		return &Error{Kind: Fault, Err: missing}
	case errors.As(err, &known):
		return known
	case errors.As(err, &failed):
		return &Error{Kind: NoAnswer, Err: redact.Error(failed.Err)}
	}
	return fault("the answer cannot be read")
}

// mayAsk tells whether there is a key, and one of the id's mode. A key whose
// mode its name does not tell may ask for anything.
func (r *Reader) mayAsk(id string) error {
	if r.key == "" {
		return &Error{Kind: NoKey}
	}
	if r.OtherMode(id) {
		return &Error{Kind: WrongMode}
	}
	return nil
}

// OtherMode tells whether the one is live and the other a test: the id of a
// session and the key, as far as their names say.
func (r *Reader) OtherMode(id string) bool {
	liveID, testID := strings.HasPrefix(id, "cs_live_"), strings.HasPrefix(id, "cs_test_")
	liveKey, testKey := strings.Contains(r.key, "k_live_"), strings.Contains(r.key, "k_test_")
	return liveID && testKey || testID && liveKey
}

// timeout bounds each request, and a question whose context has no deadline. One
// question may take many: a list over a month has more time, but no page of it.
const timeout = 10 * time.Second

func withDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, timeout)
}
