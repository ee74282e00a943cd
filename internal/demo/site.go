package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
)

// Lookup reads the string value of a Redis key; false where there is none.
type Lookup func(ctx context.Context, key string) (string, bool)

// Site is the stand-in for the site: its webhook-status and the two pages that
// a customer sees.
type Site struct {
	faults
	mux    *http.ServeMux
	lookup Lookup
}

// NewSite makes one that answers from what lookup reads.
func NewSite(lookup Lookup) *Site {
	s := &Site{mux: http.NewServeMux(), lookup: lookup}
	s.mux.HandleFunc("GET /api/webhook-status/{id}", s.status)
	s.mux.HandleFunc("GET /en/session/{id}", s.session)
	s.mux.HandleFunc("GET /en/file/{id}", s.file)
	return s
}

// ServeHTTP answers as the site does.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if fault, ok := s.fault(r.URL.Path); ok {
		fault.serve(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

func (s *Site) status(w http.ResponseWriter, r *http.Request) {
	answer, err := s.answer(r.Context(), r.PathValue("id"))
	if err != nil {
		writeJSON(w, http.StatusInternalServerError, object{"error": "Failed to get webhook status"})
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

// answer is what the site tells of a session: from a full object, else from the
// webhook's value, else from whatever mapping an old repair left.
func (s *Site) answer(ctx context.Context, id string) (object, error) {
	session, held, err := s.read(ctx, "session:"+id)
	if err != nil || held && (session["status"] != nil || session["prompt"] != nil) {
		return answerOf(session, session["prompt"]), err
	}
	webhook, ok, err := s.read(ctx, "webhook:"+id)
	if err != nil {
		return nil, err
	}
	if ok {
		prompt, _, err := s.read(ctx, "prompt:"+id)
		return answerOf(webhook, prompt["prompt"]), err
	}
	if held {
		return members(session, "fileId"), nil
	}
	return object{"status": "pending", "message": "Session not found or processing not yet started"}, nil
}

func (s *Site) read(ctx context.Context, key string) (object, bool, error) {
	raw, ok := s.lookup(ctx, key)
	if !ok {
		return nil, false, nil
	}
	var value object
	err := json.Unmarshal([]byte(raw), &value)
	return value, true, err
}

func answerOf(value object, prompt any) object {
	answer := members(value, "status", "fileId", "error", "toolSlug", "toolTitle", "timestamp")
	answer["prompt"] = prompt
	return answer
}

// members picks those that are there.
func members(value object, names ...string) object {
	picked := object{}
	for _, name := range names {
		if member, ok := value[name]; ok {
			picked[name] = member
		}
	}
	return picked
}

func (s *Site) session(w http.ResponseWriter, r *http.Request) {
	text := "Something went wrong. Please contact support."
	if answer, err := s.answer(r.Context(), r.PathValue("id")); err == nil {
		switch answer["status"] {
		case "completed":
			text = "Your video is ready."
		case "error":
			text = fmt.Sprint(answer["error"])
		default:
			text = "Your video is being prepared…"
		}
	}
	page(w, text, "")
}

func (s *Site) file(w http.ResponseWriter, r *http.Request) {
	page(w, "Your video", placeholder(r.PathValue("id")+".svg"))
}

// page is what the customer sees, in short; picture is markup of our own.
func page(w http.ResponseWriter, text, picture string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprintf(w, "<!doctype html><meta charset=utf-8><title>Example site</title>"+
		"<body style='font:16px sans-serif;max-width:48em;margin:3em auto'><p>Example site, as the customer sees it</p><h1>%s</h1>%s",
		html.EscapeString(text), picture) // who asked has hung up, and notices by itself
}
