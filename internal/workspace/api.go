package workspace

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"maps"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// apiError is an answer with ok false.
type apiError struct {
	code       string
	more       object        // further members of the answer
	retryAfter time.Duration // of a call that came too soon
}

func (e *apiError) Error() string { return e.code }

func fail(code string) error { return &apiError{code: code} }

func rateLimited(after time.Duration) error {
	return &apiError{code: "ratelimited", retryAfter: after}
}

// call is one call of a Web API method.
type call struct {
	*Server
	args arguments
}

// method is one Web API method.
type method struct {
	// scopes are alternatives: the token needs one of them. None = any token.
	scopes []string
	// appToken is set if the method takes the app-level token, not the bot's.
	appToken bool
	run      func(call) (object, error)
}

// serveAPI answers one call of the Web API.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("method")
	w.Header().Set("X-Slack-Req-Id", rand.Text())
	w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
	args, err := readArguments(r)
	if err != nil {
		writeError(w, http.StatusOK, err)
		return
	}
	s.frames.add("in", "call", name, args.redacted())
	answer, err := s.perform(w, name, token(r, args), args)
	if err != nil {
		s.log.Warn("call refused", "method", name, "error", err)
		s.frames.add("out", "call", name+": "+err.Error(), nil)
		writeError(w, http.StatusOK, err)
		return
	}
	answer["ok"] = true
	s.frames.add("out", "call", name, encode(answer))
	writeJSON(w, http.StatusOK, answer)
}

// perform checks the token and its scopes and runs the method.
func (s *Server) perform(w http.ResponseWriter, name, token string, args arguments) (object, error) {
	m, ok := methods[name]
	if !ok && strings.HasPrefix(name, "files.") {
		s.log.Error("API method not supported", "method", name)
		return nil, &apiError{code: "not_supported", more: object{"response_metadata": object{
			"messages": []string{"[ERROR] of files this workspace has files.info only, not " + name},
		}}}
	}
	if !ok {
		s.log.Error("unknown API method", "method", name)
		return nil, &apiError{code: "unknown_method", more: object{"req_method": name}}
	}
	if name != "api.test" {
		if err := s.authorise(token, m); err != nil {
			return nil, err
		}
		held := s.app.scopes()
		if m.appToken {
			held = []string{"connections:write"}
		}
		w.Header().Set("X-OAuth-Scopes", strings.Join(held, ","))
		w.Header().Set("X-Accepted-OAuth-Scopes", strings.Join(m.scopes, ","))
	}
	if err := s.limits.call(name); err != nil {
		return nil, err
	}
	s.logUnsupported(name, args)
	return m.run(call{Server: s, args: args})
}

// unsupported are the arguments of chat methods that do nothing here.
var unsupported = []string{"username", "icon_emoji", "icon_url", "reply_broadcast", "markdown_text", "file_ids"}

// logUnsupported says which arguments of a call are ignored, so that nobody looks
// for the fault elsewhere.
func (s *Server) logUnsupported(method string, args arguments) {
	if !strings.HasPrefix(method, "chat.") {
		return
	}
	for _, name := range unsupported {
		if v := args.text(name); v != "" && v != "false" {
			s.log.Error("argument not supported", "method", method, "argument", name)
		}
	}
}

// authorise checks a token against what a method asks for.
func (s *Server) authorise(token string, m method) error {
	isApp, isBot := equalSecrets(token, s.appToken), equalSecrets(token, s.botToken)
	switch {
	case token == "":
		return fail("not_authed")
	case !isApp && !isBot:
		return fail("invalid_auth")
	case isApp != m.appToken:
		return fail("not_allowed_token_type")
	case isBot && len(m.scopes) > 0 && !s.app.hasScope(m.scopes...):
		return s.app.missingScope(m.scopes...)
	}
	return nil
}

func (m manifest) missingScope(needed ...string) error {
	return &apiError{code: "missing_scope", more: object{
		"needed": strings.Join(needed, ","), "provided": strings.Join(m.scopes(), ","),
	}}
}

func equalSecrets(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// token finds the token of a request: in the header, else in the body.
func token(r *http.Request, args arguments) string {
	if t, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return t
	}
	return args.text("token")
}

// writeJSON answers. That the other side has gone is nothing to be done about.
func writeJSON(w http.ResponseWriter, status int, body object) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(encode(body))
}

// writeError answers with ok false and what belongs to the error, an *apiError.
// A call that came too soon has its own status, and a Retry-After in whole seconds.
func writeError(w http.ResponseWriter, status int, err error) {
	failure, ok := errors.AsType[*apiError](err)
	if !ok {
		failure = &apiError{code: "internal_error"}
	}
	body := object{"ok": false, "error": failure.code}
	maps.Copy(body, failure.more)
	if failure.retryAfter > 0 {
		status = http.StatusTooManyRequests
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(failure.retryAfter.Seconds()))))
	}
	writeJSON(w, status, body)
}

// methods are the Web API methods that the workspace has.
var methods = map[string]method{
	"api.test":              {run: apiTest},
	"apps.connections.open": {run: openConnection, appToken: true},
	"auth.test":             {run: authTest},
	"blocks.validate":       {run: validateBlocks},
	"bots.info":             {run: botInfo, scopes: []string{"users:read"}},
	"team.info":             {run: teamInfo, scopes: []string{"team:read"}},

	"chat.postMessage":   {run: postMessage, scopes: []string{"chat:write"}},
	"chat.postEphemeral": {run: postEphemeral, scopes: []string{"chat:write"}},
	"chat.update":        {run: updateMessage, scopes: []string{"chat:write"}},
	"chat.delete":        {run: deleteMessage, scopes: []string{"chat:write"}},
	"chat.getPermalink":  {run: permalink},

	"conversations.info":    {run: conversationInfo, scopes: reads},
	"conversations.list":    {run: conversationList, scopes: reads},
	"conversations.members": {run: conversationMembers, scopes: reads},
	"conversations.join":    {run: joinConversation, scopes: []string{"channels:join"}},
	"conversations.open":    {run: openConversation, scopes: []string{"im:write"}},
	"conversations.history": {run: history, scopes: histories},
	"conversations.replies": {run: replies, scopes: histories},

	"files.info":    {run: fileInfo, scopes: []string{"files:read"}},
	"users.info":    {run: userInfo, scopes: []string{"users:read"}},
	"users.list":    {run: userList, scopes: []string{"users:read"}},
	"views.open":    {run: openView},
	"views.push":    {run: pushView},
	"views.update":  {run: updateView},
	"views.publish": {run: publishView},

	"usergroups.list":       {run: groupList, scopes: []string{"usergroups:read"}},
	"usergroups.users.list": {run: groupMembers, scopes: []string{"usergroups:read"}},
}

var (
	reads     = []string{"channels:read", "groups:read", "im:read"}
	histories = []string{"channels:history", "groups:history", "im:history"}
)

// everyScope lists what a token may do whose app came without a manifest.
var everyScope = []string{
	"app_mentions:read", "channels:history", "channels:join", "channels:read",
	"chat:write", "commands", "files:read", "groups:history", "groups:read",
	"im:history", "im:read", "im:write", "team:read", "usergroups:read",
	"users:read", "users:read.email",
}
