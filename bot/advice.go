package bot

import (
	"cmp"
	"errors"
	"net"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/quiet"
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
	var proxy *proxyError
	switch {
	case f.Code == "missing_scope" && f.Needed == "connections:write":
		return "Create an app-level token with the scope connections:write under Basic Information."
	case f.Code == "missing_scope":
		return "Add the scope " + cmp.Or(f.Needed, "that manifest.yml names") + " to the Slack app and reinstall it."
	case errors.As(f.err, &proxy):
		return proxy.advice()
	case advices[f.Code].words != "":
		return advices[f.Code].words
	case f.Code != "":
		return "Look the code up in Slack's documentation of its errors."
	case f.Status == http.StatusTooManyRequests:
		return advices["ratelimited"].words
	case f.Status == http.StatusNotFound:
		return "Check SLACK_API_URL: there is no Slack at that address."
	case f.Status >= http.StatusInternalServerError:
		return advices["internal_error"].words
	case f.Status != 0:
		return "Check SLACK_API_URL and what stands between here and Slack."
	}
	return "Slack cannot be reached: check the network, and Slack's status page."
}

// Retryable tells whether Slack answered that it could not do it just now. A
// call without an answer may have been carried out and is not retried.
func (f *Fault) Retryable() bool {
	return f.Status == http.StatusTooManyRequests || f.Status >= http.StatusInternalServerError
}

// unclear tells whether the call may have been carried out all the same: no
// answer came to what was sent, or Slack stumbled on its way.
func (f *Fault) unclear() bool {
	var proxy *proxyError
	var refused *net.OpError
	if f.Code == "" && f.Status == 0 { // nothing was sent before there was a connection
		return !errors.As(f.err, &proxy) && (!errors.As(f.err, &refused) || refused.Op != "dial" && refused.Op != "proxyconnect")
	}
	return f.Status >= http.StatusInternalServerError || slices.Contains([]string{"internal_error", "fatal_error", "request_timeout"}, f.Code)
}

// passing tells whether the same call may succeed later without anybody's doing.
func (f *Fault) passing() bool {
	return f.Retryable() || f.Code == "" && f.Status == 0 || advices[f.Code].passing || advices[f.Code].permanent
}

// closed tells whether this place does not take messages of ours.
func (f *Fault) closed() bool { return advices[f.Code].closed }

// permanent tells whether connecting again is of no use until a person acts.
func (f *Fault) permanent() bool {
	return advices[f.Code].permanent || f.Code == "" && f.Status == http.StatusNotFound
}

// ofShape tells whether Slack refused what the message looks like.
func (f *Fault) ofShape() bool { return advices[f.Code].shape }

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
	var proxy *proxyError
	if errors.As(err, &proxy) {
		return &Fault{err: proxy}
	}
	var own ending
	if errors.As(err, &own) {
		return &Fault{err: own}
	}
	return &Fault{err: quiet.Error(err)}
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

type advice struct {
	words     string
	permanent bool // met while connecting, it ends the process
	shape     bool // the message itself is wrong
	passing   bool // it may succeed later
	closed    bool // the place does not take messages of ours
}

const badToken = "Check that the token is whole and of this app; the app's pages show the current one."

// advices are Slack's error codes and what helps.
var advices = map[string]advice{
	"not_in_channel":    {words: "Invite the bot into the channel: /invite @sessionbot.", closed: true},
	"channel_not_found": {words: "Invite the bot into the channel: /invite @sessionbot. Where it is one of the configuration, check its id.", closed: true},
	"is_archived":       {words: "The channel is archived: unarchive it or choose another.", closed: true},
	"user_not_found":    {words: "Slack does not know this person; check the id."},
	"user_not_visible":  {words: "This person belongs to another workspace."},
	"no_such_subteam":   {words: "Slack does not know this user group; check the id."},
	"used_url":          {words: "Slack takes five answers to one request: ask again."},
	"expired_url":       {words: "Slack takes answers for 30 minutes: ask again."},

	"plan_upgrade_required": {words: "User groups need a paid plan of Slack: list user ids instead."},
	"paid_teams_only":       {words: "User groups need a paid plan of Slack: list user ids instead."},

	"ratelimited":         {words: "Slack asks for a pause: try again in a minute.", passing: true},
	"rate_limited":        {words: "Slack asks for a pause: try again in a minute.", passing: true},
	"internal_error":      {words: "Slack has a fault of its own: try again in a minute, and see its status page.", passing: true},
	"fatal_error":         {words: "Slack has a fault of its own: try again in a minute, and see its status page.", passing: true},
	"service_unavailable": {words: "Slack has a fault of its own: try again in a minute, and see its status page.", passing: true},

	"invalid_blocks":        {words: "Slack refuses the message's blocks: a fault of this program, please report it.", shape: true},
	"invalid_blocks_format": {words: "Slack refuses the message's blocks: a fault of this program, please report it.", shape: true},
	"msg_blocks_too_long":   {words: "The message is too long for Slack: a fault of this program, please report it.", shape: true},
	"msg_too_long":          {words: "The message is too long for Slack: a fault of this program, please report it."},

	"missing_scope":           {permanent: true}, // the words depend on the scope
	"invalid_auth":            {words: badToken, permanent: true},
	"not_authed":              {words: badToken, permanent: true},
	"token_revoked":           {words: "The token was revoked: reinstall the app and use the new one.", permanent: true},
	"token_expired":           {words: "The token has expired: switch token rotation off or create a new one.", permanent: true},
	"account_inactive":        {words: "The app was removed or its workspace closed: reinstall it and use the new token.", permanent: true},
	"not_allowed_token_type":  {words: "SLACK_APP_TOKEN takes an app-level token (xapp-…), SLACK_BOT_TOKEN a bot token (xoxb-…).", permanent: true},
	"team_access_not_granted": {words: "The app is not approved for this workspace: ask one of its admins.", permanent: true},
	"access_denied":           {words: "The workspace does not allow this app: ask one of its admins.", permanent: true},
	"too_many_websockets":     {words: "Slack allows an app ten connections: stop the processes that nobody needs any more."},
	"link_disabled":           {words: "Socket Mode is switched off: switch it on in the app's settings.", permanent: true},
	"socket_mode_not_enabled": {words: "Socket Mode is switched off: switch it on in the app's settings.", permanent: true},
}
