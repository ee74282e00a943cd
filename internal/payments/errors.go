package payments

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/internal/redact"
	"github.com/superduperai/sessionbot/store"
)

// errMissing is the cause of a 404 resource_missing.
var errMissing = errors.New("resource missing")

// Error is the error of every request. It quotes neither the request nor the answer. Its
// reason is checked with errors.Is, such as errors.Is(err, store.StripeForbidden).
type Error struct {
	Reason store.Unverified
	Status int   // HTTP status; 0 = no answer
	Err    error // the cause; may be nil
}

// Error names the reason, the status and the cause.
func (e *Error) Error() string {
	text := "stripe: " + strings.ReplaceAll(string(e.Reason), "_", " ")
	if e.Status != 0 {
		text += fmt.Sprintf(" (HTTP %d)", e.Status)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the reason and the cause.
func (e *Error) Unwrap() []error { return []error{e.Reason, e.Err} }

func fault(text string) error { return &Error{Reason: store.StripeFault, Err: errors.New(text)} }

// classify makes an *Error of what stripe-go returned. Failures of the connection
// and refusals were classified by the transport. url.Error is taken off because
// it repeats the request, with the customer's e-mail. What is left is an answer
// that could not be read, whose text would repeat that answer.
func classify(err error) error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return &Error{Reason: store.StripeNoAnswer, Err: redact.Error(failed.Err)}
	}
	return fault("the answer cannot be read")
}

// requestTimeout bounds each HTTP request, and an operation whose context has no
// deadline unless it reads a whole list.
const requestTimeout = 10 * time.Second

func withDefaultTimeout(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, timeout)
}
