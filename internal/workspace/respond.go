package workspace

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"
)

// A response URL is good for five answers within half an hour.
const (
	responseUses = 5
	responseLife = 30 * time.Minute
)

// response is the meaning of a response URL.
type response struct {
	user, channel string
	original      string // ts of the message that was clicked, empty for a command
	thread        string
}

// responseErrors are Slack's codes for response URLs that cannot be used.
var responseErrors = map[error]error{
	errTokenUnknown: fail("invalid_url"),
	errTokenExpired: fail("expired_url"),
	errTokenUsed:    fail("used_url"),
}

func (s *Server) responseURL(token string) string { return s.URL() + "/response/" + token }

// reply is what an app posts to a response URL or sends with its ack.
type reply struct {
	Text         string          `json:"text"`
	Blocks       json.RawMessage `json:"blocks"`
	Attachments  json.RawMessage `json:"attachments"`
	ResponseType string          `json:"response_type"`
	Replace      lenientBool     `json:"replace_original"`
	Delete       lenientBool     `json:"delete_original"`
	ThreadTS     string          `json:"thread_ts"`
}

// lenientBool is a boolean that may also come as a string, as Slack's own examples
// have it.
type lenientBool bool

// UnmarshalJSON reads true, false, "true" and "false".
func (f *lenientBool) UnmarshalJSON(raw []byte) error {
	var b bool
	err := json.Unmarshal([]byte(strings.Trim(string(raw), `"`)), &b)
	*f = lenientBool(b)
	return err
}

// parseReply reads a reply. A JSON string is one that is all text.
func parseReply(raw json.RawMessage) (reply, error) {
	var a reply
	if json.Unmarshal(raw, &a) == nil || json.Unmarshal(raw, &a.Text) == nil {
		return a, nil
	}
	return reply{}, fail("invalid_payload")
}

// serveResponse takes what an app posts to a response URL.
func (s *Server) serveResponse(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "the body cannot be read", http.StatusBadRequest)
		return
	}
	s.frames.add("in", "call", "response_url", raw)
	to, err := s.responses.use(r.PathValue("token"))
	if err != nil {
		writeError(w, http.StatusNotFound, responseErrors[err])
		return
	}
	a, err := parseReply(raw)
	if err == nil {
		err = s.reply(to, a)
	}
	if err != nil {
		s.log.Error("response refused", "error", err)
		writeError(w, http.StatusBadRequest, err)
		return
	}
	writeJSON(w, http.StatusOK, object{"ok": true})
}

// reply checks and shows what an app answers. Only this way changes ephemeral
// messages.
func (s *Server) reply(to response, a reply) error {
	if a.Delete {
		before, ok := s.world.remove(to.channel, to.original)
		if !ok {
			return fail("message_not_found")
		}
		s.notifyDeleted(before)
		return nil
	}
	shown, err := s.checkMessage(content{text: a.Text, blocks: a.Blocks, attachments: a.Attachments})
	if err != nil {
		return err
	}
	if to.original != "" && bool(a.Replace) {
		var before Message
		after, ok := s.world.change(to.channel, to.original, func(m *Message) {
			before = *m
			m.show(shown)
			m.Edited = true
		})
		if !ok {
			return fail("message_not_found")
		}
		s.notifyChanged(before, after)
		return nil
	}
	m := Message{Channel: to.channel, User: botUser, ThreadTS: a.ThreadTS}
	m.show(shown)
	if m.ThreadTS == "" {
		m.ThreadTS = to.thread
	}
	if a.ResponseType != "in_channel" {
		m.Ephemeral, m.VisibleTo = true, to.user
	}
	s.notifyPosted(s.world.post(m))
	return nil
}
