package slackapi

import (
	"cmp"
	"errors"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/redact"
)

// Fault is a failed call of Slack's API.
type Fault struct {
	Code       string        // Slack's error code, "" = it gave none
	Status     int           // HTTP status, 0 = no answer at all
	Needed     string        // the missing scope, with missing_scope
	RetryAfter time.Duration // of Slack's Retry-After, 0 = none
	err        error
}

// Error names the fault by Slack's code if there is one. It holds no address: a
// response_url is a credential.
func (f *Fault) Error() string {
	if f.unanswered() {
		return "slack: " + f.err.Error()
	}
	return "slack: " + f.Name()
}

// Unwrap returns what Slack's library or the network said.
func (f *Fault) Unwrap() error { return f.err }

// RequestedDelay returns RetryAfter.
func (f *Fault) RequestedDelay() time.Duration { return f.RetryAfter }

// Advice names the remedy.
func (f *Fault) Advice() string {
	var proxy *ProxyError
	switch {
	case f.Code == "missing_scope" && f.Needed == "connections:write":
		return "Create an app-level token with the scope connections:write under Basic Information."
	case f.Code == "missing_scope":
		return "Add the scope " + cmp.Or(f.Needed, "that manifest.yml names") + " to the Slack app and reinstall it."
	case errors.As(f.err, &proxy):
		return proxy.advice()
	case errorCodes[f.Code].advice != "":
		return errorCodes[f.Code].advice
	case f.Code != "":
		return "Look up the code in Slack's documentation."
	case f.Status == http.StatusTooManyRequests:
		return errorCodes["ratelimited"].advice
	case f.Status == http.StatusNotFound:
		return "Check SLACK_API_URL: there is no Slack at that address."
	case f.Status >= http.StatusInternalServerError:
		return errorCodes["internal_error"].advice
	case f.Status != 0:
		return "Check SLACK_API_URL, and proxies between here and Slack."
	}
	return "Slack cannot be reached: check the network, and Slack's status page."
}

func (f *Fault) class() errorClass { return errorCodes[f.Code].class }

// RefusesBlocks reports whether Slack refuses the blocks; it may take the text alone.
func (f *Fault) RefusesBlocks() bool { return f.class() == blocksError }

// MessageGone reports whether the message was deleted.
func (f *Fault) MessageGone() bool { return f.class() == messageGone }

// Retryable reports whether Slack answered that it could not do it just now, so that the
// call may be repeated at once. A call without an answer may have been carried out and is
// not retried. Temporary and Recoverable are about later attempts.
func (f *Fault) Retryable() bool {
	return f.Status == http.StatusTooManyRequests || f.Status >= http.StatusInternalServerError
}

func (f *Fault) rateLimited() bool { return f.Status == http.StatusTooManyRequests }

// unanswered reports whether Slack did not answer at all.
func (f *Fault) unanswered() bool { return f.Code == "" && f.Status == 0 }

// Unclear reports whether the call may have been carried out all the same: there
// was no answer after it was sent, or Slack failed meanwhile.
func (f *Fault) Unclear() bool {
	var proxy *ProxyError
	var op *net.OpError
	if f.unanswered() { // nothing was sent before there was a connection
		return !errors.As(f.err, &proxy) && (!errors.As(f.err, &op) || op.Op != "dial" && op.Op != "proxyconnect")
	}
	return f.Status >= http.StatusInternalServerError || f.class() == unclearError
}

// Temporary reports whether the same call may succeed later by itself: what is Retryable,
// a call without an answer, and codes that pass with time.
func (f *Fault) Temporary() bool {
	return f.Retryable() || f.unanswered() || f.class() == transientError || f.class() == unclearError
}

// Recoverable reports whether the same call may succeed later: by itself, as with
// Temporary, or once a person has repaired the app or its token.
func (f *Fault) Recoverable() bool { return f.Temporary() || f.class() == appError }

// TryElsewhere reports whether the refusal is permanent for this message or place
// alone. Unknown codes count as such: waiting for them may never end.
func (f *Fault) TryElsewhere() bool {
	switch f.class() {
	case messageError, messageGone, channelError, unknownError:
		return f.Code != "" && !f.Temporary()
	}
	return false
}

// Permanent reports whether reconnecting is useless until a person acts.
func (f *Fault) Permanent() bool {
	return f.class() == appError || f.Code == "" && f.Status == http.StatusNotFound
}

// Name is the fault in short: Slack's code or HTTP's status text.
func (f *Fault) Name() string {
	switch {
	case f.Code != "":
		return f.Code
	case f.Status != 0:
		return http.StatusText(f.Status)
	}
	return "no answer"
}

// PermanentError ends the bot: a person has to change something first.
type PermanentError struct {
	Variable string // what Slack refused: a token's, or SLACK_API_URL
	Fault    *Fault
}

// Error names the variable, the fault and the remedy.
func (e *PermanentError) Error() string {
	if e.Fault.Code == orgWideInstall {
		return e.Variable + " belongs to an org-wide installation (" + e.Fault.Name() + "). " + e.Fault.Advice()
	}
	return "Slack rejected " + e.Variable + " (" + e.Fault.Name() + "). " + e.Fault.Advice()
}

// NewPermanentError blames a variable, or SLACK_API_URL where what answers is not Slack.
func NewPermanentError(variable string, fault *Fault) error {
	if fault.Code == "" {
		variable = "SLACK_API_URL"
	}
	return &PermanentError{Variable: variable, Fault: fault}
}

// Unwrap returns the fault.
func (e *PermanentError) Unwrap() error { return e.Fault }

// OrgWide returns the fault of a bot token that is of a whole organization and not
// of a workspace, nil = it is of a workspace.
func OrgWide(me *slack.AuthTestResponse) *Fault {
	if !strings.HasPrefix(me.TeamID, "E") && (me.TeamID != "" || me.EnterpriseID == "") {
		return nil
	}
	return &Fault{Code: orgWideInstall, Status: http.StatusOK, err: errors.New("the token is of an organization")}
}

// NewFault returns the fault of a code that Slack named elsewhere than in the answer to a
// call.
func NewFault(code string, err error) *Fault { return &Fault{Code: code, err: err} }

// FaultOf reads what the Slack library or the HTTP client returned.
func FaultOf(err error) *Fault {
	if fault, ok := errors.AsType[*Fault](err); ok {
		return fault
	}
	if refused, ok := errors.AsType[slack.SlackErrorResponse](err); ok {
		return &Fault{Code: codePattern.FindString(refused.Err), Status: http.StatusOK, Needed: scopesPattern.FindString(refused.Needed), err: err}
	}
	if limited, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		return &Fault{Code: "ratelimited", Status: http.StatusTooManyRequests, RetryAfter: limited.RetryAfter, err: err}
	}
	if status, ok := errors.AsType[slack.StatusCodeError](err); ok {
		return &Fault{Status: status.Code, RetryAfter: retryAfter(status.Status), err: err}
	}
	if proxy, ok := errors.AsType[*ProxyError](err); ok {
		return &Fault{err: proxy}
	}
	if reason, ok := errors.AsType[Reason](err); ok {
		return &Fault{err: reason}
	}
	return &Fault{err: redact.Error(err)}
}

// What Slack's error codes and scopes look like as a whole. Whatever looks
// otherwise may repeat what was sent.
var (
	codePattern   = regexp.MustCompile(`^[a-z][a-z_]{2,60}$`)
	scopesPattern = regexp.MustCompile(`^[a-z.:,_ ]{1,200}$`)
)

// Reason describes an error in our own words: one of the network or of Slack may hold
// anything.
type Reason string

func (r Reason) Error() string { return string(r) }
