package bot

import (
	"cmp"
	"errors"
	"net"
	"net/http"
	"regexp"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/redact"
)

// Fault is what Slack answered instead of doing what it was asked.
type Fault struct {
	Code       string        // Slack's error code, "" = it gave none
	Status     int           // HTTP status, 0 = no answer at all
	Needed     string        // the missing scope, with missing_scope
	RetryAfter time.Duration // how long Slack wants to be left alone, 0 = not said
	err        error
}

// Error names the fault by Slack's own code where there is one. It holds no
// address: those of response_url are as good as a password.
func (f *Fault) Error() string {
	if f.Code == "" && f.Status == 0 {
		return "slack: " + f.err.Error()
	}
	return "slack: " + f.Name()
}

// Unwrap returns what the fault was told by.
func (f *Fault) Unwrap() error { return f.err }

// Pause is how long Slack wants to be left alone, 0 = not said.
func (f *Fault) Pause() time.Duration { return f.RetryAfter }

// Advice says in words what helps.
func (f *Fault) Advice() string {
	var proxy *ProxyError
	switch {
	case f.Code == "missing_scope" && f.Needed == "connections:write":
		return "Create an app-level token with the scope connections:write under Basic Information."
	case f.Code == "missing_scope":
		return "Add the scope " + cmp.Or(f.Needed, "that manifest.yml names") + " to the Slack app and reinstall it."
	case errors.As(f.err, &proxy):
		return proxy.advice()
	case refusals[f.Code].words != "":
		return refusals[f.Code].words
	case f.Code != "":
		return "Look the code up in Slack's documentation of its errors."
	case f.Status == http.StatusTooManyRequests:
		return refusals["ratelimited"].words
	case f.Status == http.StatusNotFound:
		return "Check SLACK_API_URL: there is no Slack at that address."
	case f.Status >= http.StatusInternalServerError:
		return refusals["internal_error"].words
	case f.Status != 0:
		return "Check SLACK_API_URL and what stands between here and Slack."
	}
	return "Slack cannot be reached: check the network, and Slack's status page."
}

// about tells what the refusal holds for.
func (f *Fault) about() reach { return refusals[f.Code].about }

// Retryable tells whether Slack answered that it could not do it just now. A
// call without an answer may have been carried out and is not retried.
func (f *Fault) Retryable() bool {
	return f.Status == http.StatusTooManyRequests || f.Status >= http.StatusInternalServerError
}

// unclear tells whether the call may have been carried out all the same: no
// answer came to what was sent, or Slack stumbled on its way.
func (f *Fault) unclear() bool {
	var proxy *ProxyError
	var refused *net.OpError
	if f.Code == "" && f.Status == 0 { // nothing was sent before there was a connection
		return !errors.As(f.err, &proxy) && (!errors.As(f.err, &refused) || refused.Op != "dial" && refused.Op != "proxyconnect")
	}
	return f.Status >= http.StatusInternalServerError || refusals[f.Code].unclear
}

// temporary tells whether the same call may succeed later without anybody's doing.
func (f *Fault) temporary() bool {
	return f.Retryable() || f.Code == "" && f.Status == 0 || f.about() == ofNow
}

// passing tells whether the same call may succeed later: by itself, or once the
// app may post again.
func (f *Fault) passing() bool { return f.temporary() || f.about() == ofApp }

// elsewhere tells whether Slack refused for good what another message, or another
// place, may still show. Codes that are not known count as such: nothing was
// shown, and whoever only waits may wait for ever.
func (f *Fault) elsewhere() bool {
	return f.Code != "" && !f.temporary() && (f.about() == ofMessage || f.about() == ofChannel || f.about() == unknown)
}

// permanent tells whether connecting again is of no use until a person acts.
func (f *Fault) permanent() bool {
	return f.about() == ofApp || f.Code == "" && f.Status == http.StatusNotFound
}

// ofShape tells whether Slack refused what the message looks like.
func (f *Fault) ofShape() bool { return f.about() == ofBlocks }

// Name is the shortest that tells this fault from others.
func (f *Fault) Name() string {
	switch {
	case f.Code != "":
		return f.Code
	case f.Status != 0:
		return http.StatusText(f.Status)
	}
	return "no answer"
}

// PermanentError ends Run: a person has to change something first.
type PermanentError struct {
	Variable string // what Slack refused: a token's, or SLACK_API_URL
	Fault    *Fault
}

// Error names the variable, the fault and the remedy.
func (e *PermanentError) Error() string {
	return "Slack refuses " + e.Variable + " (" + e.Fault.Name() + "). " + e.Fault.Advice()
}

func permanentError(variable string, fault *Fault) error {
	if fault.Code == "" {
		variable = "SLACK_API_URL"
	}
	return &PermanentError{Variable: variable, Fault: fault}
}

// Unwrap returns the fault.
func (e *PermanentError) Unwrap() error { return e.Fault }

// FaultOf reads what the Slack library or the HTTP client returned.
func FaultOf(err error) *Fault {
	var fault *Fault
	if errors.As(err, &fault) {
		return fault
	}
	var refused slack.SlackErrorResponse
	if errors.As(err, &refused) {
		return &Fault{Code: known(errorCode, refused.Err), Status: http.StatusOK, Needed: known(scopes, refused.Needed), err: err}
	}
	var limited *slack.RateLimitedError
	if errors.As(err, &limited) {
		return &Fault{Code: "ratelimited", Status: http.StatusTooManyRequests, RetryAfter: limited.RetryAfter, err: err}
	}
	var status slack.StatusCodeError
	if errors.As(err, &status) {
		return &Fault{Status: status.Code, err: err}
	}
	var proxy *ProxyError
	if errors.As(err, &proxy) {
		return &Fault{err: proxy}
	}
	var own ending
	if errors.As(err, &own) {
		return &Fault{err: own}
	}
	return &Fault{err: redact.Error(err)}
}

// What Slack's error codes and scopes look like. Whatever looks otherwise may
// repeat what was sent.
var (
	errorCode = regexp.MustCompile(`^[a-z][a-z_]{2,60}$`)
	scopes    = regexp.MustCompile(`^[a-z.:,_ ]{1,200}$`)
)

// known is a text of this pattern; any other is "".
func known(pattern *regexp.Regexp, text string) string {
	if !pattern.MatchString(text) {
		return ""
	}
	return text
}
