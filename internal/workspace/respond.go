package workspace

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	responseUses = 5
	responseLife = 30 * time.Minute
)

// response is what a response URL stands for.
type response struct {
	user, channel string
	original      string // ts of the message that was clicked, empty for a command
	thread        string
	uses          int
	expires       time.Time
}

// responses are the response URLs that were handed out.
type responses struct {
	now func() time.Time
	mu  sync.Mutex
	all map[string]*response
}

func newResponses(now func() time.Time) *responses {
	return &responses{now: now, all: map[string]*response{}}
}

// open makes a response URL and returns its secret part.
func (r *responses) open(to response) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	// Expired ones are kept as long again, so that they answer expired_url.
	maps.DeleteFunc(r.all, func(_ string, old *response) bool { return now.Sub(old.expires) > responseLife })
	token := rand.Text()
	to.uses, to.expires = responseUses, now.Add(responseLife)
	r.all[token] = &to
	return token
}

// peek returns what a token stands for without using it.
func (r *responses) peek(token string) response {
	r.mu.Lock()
	defer r.mu.Unlock()
	return *r.all[token]
}

// use takes one use of a response URL.
func (r *responses) use(token string) (response, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	to, ok := r.all[token]
	switch {
	case !ok:
		return response{}, fail("invalid_url")
	case r.now().After(to.expires):
		return response{}, fail("expired_url")
	case to.uses == 0:
		return response{}, fail("used_url")
	}
	to.uses--
	return *to, nil
}

func (s *Server) responseURL(token string) string { return s.URL() + "/response/" + token }

// answer is what an app posts to a response URL or sends with its ack.
type answer struct {
	Text         string          `json:"text"`
	Blocks       json.RawMessage `json:"blocks"`
	ResponseType string          `json:"response_type"`
	Replace      flag            `json:"replace_original"`
	Delete       flag            `json:"delete_original"`
	ThreadTS     string          `json:"thread_ts"`
}

// flag is a boolean that may also come as a string, as Slack's own examples
// have it.
type flag bool

// UnmarshalJSON reads true, false, "true" and "false".
func (f *flag) UnmarshalJSON(raw []byte) error {
	var b bool
	err := json.Unmarshal([]byte(strings.Trim(string(raw), `"`)), &b)
	*f = flag(b)
	return err
}

// parseAnswer reads an answer. A JSON string is one that is all text.
func parseAnswer(raw json.RawMessage) (answer, error) {
	var a answer
	if json.Unmarshal(raw, &a) == nil || json.Unmarshal(raw, &a.Text) == nil {
		return a, nil
	}
	return answer{}, fail("invalid_payload")
}

func (a answer) empty() bool { return a.Text == "" && len(a.Blocks) == 0 }

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
		writeFailure(w, http.StatusNotFound, err)
		return
	}
	a, err := parseAnswer(raw)
	if err == nil {
		err = s.answer(to, a)
	}
	if err != nil {
		s.log.Error("response refused", "error", err)
		writeFailure(w, http.StatusBadRequest, err)
		return
	}
	writeJSON(w, http.StatusOK, object{"ok": true})
}

// errGone says that the message to be changed is not there any more.
var errGone = fail("message_not_found")

// answer checks and shows what an app answers. Only this way changes ephemeral
// messages.
func (s *Server) answer(to response, a answer) error {
	if a.Delete {
		if to.original == "" || !s.world.remove(to.channel, to.original) {
			return errGone
		}
		return nil
	}
	var err error
	if a.Blocks, err = checkContent(a.Text, a.Blocks); err != nil {
		return err
	}
	if to.original != "" && bool(a.Replace) {
		_, ok := s.world.change(to.channel, to.original, func(m *Message) {
			m.Text, m.Blocks, m.Edited = a.Text, a.Blocks, true
		})
		if !ok {
			return errGone
		}
		return nil
	}
	m := Message{Channel: to.channel, User: botUser, Text: a.Text, Blocks: a.Blocks, ThreadTS: a.ThreadTS}
	if m.ThreadTS == "" {
		m.ThreadTS = to.thread
	}
	if a.ResponseType != "in_channel" {
		m.Ephemeral, m.VisibleTo = true, to.user
	}
	s.world.post(m)
	return nil
}
