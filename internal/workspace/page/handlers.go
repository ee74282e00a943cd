package page

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// handleType sends what a person typed.
func (s *server) handleType(w http.ResponseWriter, r *http.Request) {
	user, channel, ok := s.participant(w, r)
	if !ok {
		return
	}
	text := strings.TrimSpace(r.PostForm.Get("text"))
	if text == "" {
		http.Error(w, "There is nothing to send.", http.StatusBadRequest)
		return
	}
	writeResult(w, s.backend.Type(user, channel, r.PostForm.Get("thread"), text))
}

// handleRead marks a channel as read.
func (s *server) handleRead(w http.ResponseWriter, r *http.Request) {
	user, channel, ok := s.participant(w, r)
	if !ok {
		return
	}
	s.backend.Read(user, channel)
	writeResult(w, nil)
}

// participant reads the person and the channel of a POST. Where they do not exist
// it has answered, and reports false.
func (s *server) participant(w http.ResponseWriter, r *http.Request) (user, channel string, ok bool) {
	if err := r.ParseForm(); err != nil {
		status, text := http.StatusBadRequest, "The request cannot be read."
		if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
			status, text = http.StatusRequestEntityTooLarge, "That is too long to send."
		}
		http.Error(w, text, status)
		return "", "", false
	}
	user, channel = r.PostForm.Get("user"), r.PostForm.Get("channel")
	if person, found := find(s.backend.People(), user, personID); !found || person.Bot {
		http.Error(w, "There is no such person here.", http.StatusNotFound)
		return "", "", false
	}
	if _, found := find(s.backend.Channels(user), channel, channelID); !found {
		http.Error(w, "There is no such channel here.", http.StatusNotFound)
		return "", "", false
	}
	return user, channel, true
}

// writeResult writes the outcome. The text of an error is shown to the person.
func writeResult(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// heartbeat keeps a silent event stream open.
const heartbeat = 15 * time.Second

// handleEvents sends the script a server-sent event whenever something changed.
// The first one is sent at once, for what changed while there was no stream.
func (s *server) handleEvents(w http.ResponseWriter, r *http.Request) {
	stream := http.NewResponseController(w)
	// The stream outlives the server's deadline for writing, where it has one.
	if err := stream.SetWriteDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		http.Error(w, "The stream cannot be kept open.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	changed := s.backend.NextChange()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for event := "data: changed\n\n"; ; {
		if _, err := io.WriteString(w, event); err != nil {
			return
		}
		if err := stream.Flush(); err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-changed:
			changed = s.backend.NextChange() // before the event, so that no change is missed
			event = "data: changed\n\n"
		case <-beat.C:
			event = ": still here\n\n"
		}
	}
}
