package page

import (
	"encoding/json"
	"io"
	"net/http"
)

// element reads the element that a POST names.
func element(r *http.Request, channel string) Element {
	f := r.PostForm
	return Element{View: f.Get("view"), Channel: channel, TS: f.Get("ts"), Block: f.Get("block"), Action: f.Get("action")}
}

// handleClick presses a button.
func (s *server) handleClick(w http.ResponseWriter, r *http.Request) {
	if user, channel, ok := s.participant(w, r); ok {
		writeResult(w, s.backend.Click(user, element(r, channel), r.PostForm.Get("value")))
	}
}

// handleFill chooses options or fills a field.
func (s *server) handleFill(w http.ResponseWriter, r *http.Request) {
	if user, channel, ok := s.participant(w, r); ok {
		writeResult(w, s.backend.Fill(user, element(r, channel), r.PostForm["value"]))
	}
}

// handleUpload takes a file and answers with its id. The query says whose it is.
func (s *server) handleUpload(w http.ResponseWriter, r *http.Request) {
	content, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "The file is too large.", http.StatusRequestEntityTooLarge)
		return
	}
	id, err := s.backend.Upload(r.URL.Query().Get("user"), r.URL.Query().Get("name"), content)
	if err != nil {
		writeResult(w, err)
		return
	}
	_, _ = io.WriteString(w, id) // the browser may be gone
}

// handleSuggest answers with the options of an external select.
func (s *server) handleSuggest(w http.ResponseWriter, r *http.Request) {
	user, channel, ok := s.participant(w, r)
	if !ok {
		return
	}
	offered, err := s.backend.Suggest(user, element(r, channel), r.PostForm.Get("value"))
	if err != nil {
		writeResult(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(offered) // the browser may be gone
}

// handleShortcut uses a shortcut.
func (s *server) handleShortcut(w http.ResponseWriter, r *http.Request) {
	if user, channel, ok := s.participant(w, r); ok {
		writeResult(w, s.backend.UseShortcut(user, channel, r.PostForm.Get("ts"), r.PostForm.Get("value")))
	}
}

// handleHome opens the home tab.
func (s *server) handleHome(w http.ResponseWriter, r *http.Request) {
	if user, _, ok := s.participant(w, r); ok {
		writeResult(w, s.backend.OpenHome(user))
	}
}

// handleSubmit submits a modal.
func (s *server) handleSubmit(w http.ResponseWriter, r *http.Request) {
	if user, _, ok := s.participant(w, r); ok {
		writeResult(w, s.backend.Submit(user, r.PostForm.Get("view")))
	}
}

// handleClose closes a modal, or all of them.
func (s *server) handleClose(w http.ResponseWriter, r *http.Request) {
	if user, _, ok := s.participant(w, r); ok {
		writeResult(w, s.backend.Close(user, r.PostForm.Get("view"), r.PostForm.Get("value") == "all"))
	}
}
