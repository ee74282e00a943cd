package superduper

import (
	"cmp"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/superduperai/sessionbot/internal/redact"
	"github.com/superduperai/sessionbot/internal/retryafter"
)

// Kind classifies an Error. It is an error itself, for
// errors.Is(err, superduper.NotFound).
type Kind string

// The kinds.
const (
	NoToken      Kind = "no_token"     // no token is configured; nothing was sent
	Unauthorised Kind = "unauthorised" // 401
	Unpaid       Kind = "unpaid"       // 402: the account has no balance left for it
	Forbidden    Kind = "forbidden"    // 403
	NotFound     Kind = "not_found"    // 404; just after the creation a file may not be visible yet
	Rejected     Kind = "rejected"     // 422 and the other 4xx: the request itself is wrong
	RateLimited  Kind = "rate_limited" // 429
	Unavailable  Kind = "unavailable"  // no connection, no answer in time, or 5xx
	Certificate  Kind = "certificate"  // the host's certificate is invalid: usually the wrong host name
	Unclear      Kind = "unclear"      // a POST that may or may not have been carried out
	Malformed    Kind = "malformed"    // an answer that cannot be read
)

// Error makes a Kind a target of errors.Is.
func (k Kind) Error() string { return strings.ReplaceAll(string(k), "_", " ") }

// Field is one complaint of a 422 answer.
type Field struct {
	Loc string // where in the request, such as body.config.duration
	Msg string // what is wrong with it
}

// Error is the error of every call of this package.
type Error struct {
	Kind       Kind
	Status     int           // HTTP status; 0 = no answer
	Fields     []Field       // of a 422 answer, ten at most
	RetryAfter time.Duration // how long the server asks to wait; 0 = not said
	Date       time.Time     // the server's clock when it refused; zero = not said
	Detail     string        // the server's own words, for people and never for a log; 300 runes at most
	Err        error         // the cause, without addresses and bodies
}

// Error names the kind, the status and the cause, and never what was sent or
// answered.
func (e *Error) Error() string {
	text := "superduper: " + e.Kind.Error()
	if e.Status != 0 {
		text += fmt.Sprintf(" (HTTP %d)", e.Status)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the kind and the cause.
func (e *Error) Unwrap() []error { return []error{e.Kind, e.Err} }

// classifyTransport classifies a request without an answer. Before there was a
// connection nothing can have been sent.
func classifyTransport(err error, method string, connected bool) *Error {
	e := &Error{Kind: Unavailable, Err: redact.Error(err)}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		e.Kind = Certificate
	} else if method == http.MethodPost && connected {
		e.Kind = Unclear
	}
	return e
}

// classifyBody classifies a 2xx answer whose body could not be read: a POST has
// been carried out, but its result is not known.
func classifyBody(err error, method string, status int) *Error {
	e := &Error{Kind: Unavailable, Status: status, Err: redact.Error(err)}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		e.Kind, e.Err = Malformed, errors.New("the answer is larger than 1 MB")
	}
	if method == http.MethodPost {
		e.Kind = Unclear
	}
	return e
}

// kinds are those of the statuses that have one of their own.
var kinds = map[int]Kind{
	http.StatusUnauthorized:    Unauthorised,
	http.StatusPaymentRequired: Unpaid,
	http.StatusForbidden:       Forbidden,
	http.StatusNotFound:        NotFound,
	http.StatusTooManyRequests: RateLimited,
}

// classifyResponse classifies an answer other than 2xx.
func classifyResponse(method string, resp *http.Response, body []byte, token string) *Error {
	e := &Error{Status: resp.StatusCode, RetryAfter: retryafter.Read(resp.Header, time.Hour)}
	e.Date, _ = http.ParseTime(resp.Header.Get("Date")) // else it is zero
	kind, known := kinds[resp.StatusCode]
	switch status := resp.StatusCode; {
	case known:
		e.Kind = kind
	case status < 400:
		e.Kind, e.Err = Malformed, errors.New("the answer is a redirect, which is not followed")
	case method == http.MethodPost && gatewayTimeout(status):
		e.Kind = Unclear
	case status < 500:
		e.Kind = Rejected
	default:
		e.Kind = Unavailable
	}
	e.Fields, e.Detail = parseRefusal(body, token)
	return e
}

// gatewayTimeout reports whether a gateway answered for a server whose answer it
// did not get: the request may have been carried out. 520 to 524 are Cloudflare's.
func gatewayTimeout(status int) bool {
	return status == http.StatusRequestTimeout || status == http.StatusBadGateway || status == http.StatusGatewayTimeout ||
		status >= 520 && status <= 524
}

// parseRefusal reads {"detail": "…" | [{"loc","msg"}]}, or takes the text of a body
// of another shape. Where there are fields, the text is left out: it may repeat
// what was sent.
func parseRefusal(body []byte, token string) ([]Field, string) {
	clean := func(text string, limit int) string {
		if token != "" {
			text = strings.ReplaceAll(text, token, "[token]")
		}
		return clean(text, limit)
	}
	var answer struct {
		Detail json.RawMessage `json:"detail"`
		Error  json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return nil, clean(string(body), 300)
	}
	var complaints []struct {
		Loc []any  `json:"loc"`
		Msg string `json:"msg"`
	}
	if json.Unmarshal(answer.Detail, &complaints) == nil && len(complaints) > 0 {
		var fields []Field
		for _, c := range complaints[:min(len(complaints), 10)] {
			var path []string
			for _, step := range c.Loc {
				path = append(path, fmt.Sprint(step))
			}
			fields = append(fields, Field{Loc: clean(strings.Join(path, "."), 100), Msg: clean(c.Msg, 200)})
		}
		return fields, ""
	}
	detail := cmp.Or(text(answer.Detail), text(answer.Error), string(body))
	return nil, clean(detail, 300)
}

// clean makes foreign text fit to be shown: one line without control characters,
// cut to limit runes.
func clean(text string, limit int) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(text, "\uFFFD") {
		if limit == 0 {
			b.WriteRune('…')
			break
		}
		switch {
		case r == '\n' || r == '\t':
			r = ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
			continue
		}
		b.WriteRune(r)
		limit--
	}
	return strings.TrimSpace(b.String())
}
