package demo

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"time"

	"github.com/redis/go-redis/v9"
)

// SiteTimeout is how long the site waits for SuperDuperAI.
const SiteTimeout = 15 * time.Second

// SiteConfig configures a Site.
type SiteConfig struct {
	Redis     redis.UniversalClient
	FilesURL  string           // origin of SuperDuperAI; empty = no video is started or found
	StripeURL string           // origin of Stripe, to look up the session of a payment intent
	Secret    string           // of Stripe's webhook; empty = signatures are not checked
	Client    *http.Client     // for SuperDuperAI and Stripe; nil = one with SiteTimeout
	Now       func() time.Time // nil = time.Now
}

// Site is a fake of the site: its webhook-status, the webhook that
// Stripe calls and the two pages that a customer sees. Of Redis it knows only
// the keys session:<id>.
type Site struct {
	faults
	mux *http.ServeMux
	cfg SiteConfig
}

// NewSite makes one.
func NewSite(cfg SiteConfig) *Site {
	if cfg.Client == nil {
		cfg.Client = &http.Client{Timeout: SiteTimeout}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Site{mux: http.NewServeMux(), cfg: cfg}
	s.mux.HandleFunc("GET /api/webhook-status/{id}", s.status)
	s.mux.HandleFunc("POST /api/webhook-status/{id}", s.setStatus)
	s.mux.HandleFunc("POST /api/webhooks/stripe", s.webhook)
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

// answer is what the site says of a session: the members of a full object, or
// the file that the three-key layout's mapping names.
func (s *Site) answer(ctx context.Context, id string) (object, error) {
	session, err := s.read(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case session == nil:
		return object{"status": "pending", "message": "Session not found or processing not yet started"}, nil
	case session["status"] == nil && session["prompt"] == nil:
		return members(session, "fileId"), nil
	}
	return members(session, "status", "fileId", "error", "toolSlug", "toolTitle", "prompt", "timestamp"), nil
}

// read returns the value of session:<id>, nil where there is none.
func (s *Site) read(ctx context.Context, id string) (object, error) {
	raw, err := s.cfg.Redis.Get(ctx, "session:"+id).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var session object
	err = json.Unmarshal(raw, &session)
	return session, err
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

const (
	sorry    = "Something went wrong. Please contact support."
	prepared = "Your video is being prepared…"
)

func (s *Site) session(w http.ResponseWriter, r *http.Request) {
	answer, err := s.answer(r.Context(), r.PathValue("id"))
	if err != nil {
		page(w, sorry, "")
		return
	}
	text, offer := s.sessionText(r.Context(), answer)
	page(w, text, offer)
}

// sessionText is what the page of a session says, and the one thing that it
// offers: the video, or to pay for a new one. The site never marks a session as
// completed: that the video is ready is known from its file.
func (s *Site) sessionText(ctx context.Context, answer object) (text, offer string) {
	id, _ := answer["fileId"].(string)
	reason, _ := answer["error"].(string)
	switch {
	case answer["status"] == "error":
		return cmp.Or(reason, sorry), "<p>Pay for a new video</p>"
	case answer["status"] == "pending" && answer["prompt"] != nil:
		return prepared, ""
	case answer["status"] == nil || id == "":
		return "FILE NOT FOUND", ""
	case answer["status"] == "completed" || s.finished(ctx, id):
		return "Your video is ready.", "<p><a href='/en/file/" + html.EscapeString(url.PathEscape(id)) + "'>Watch it</a></p>"
	}
	return prepared, ""
}

// finished reports whether SuperDuperAI has the video of a file.
func (s *Site) finished(ctx context.Context, id string) bool {
	var file struct {
		URL string `json:"url"`
	}
	err := s.call(ctx, http.MethodGet, s.cfg.FilesURL+"/api/v1/file/"+url.PathEscape(id), nil, &file)
	return err == nil && file.URL != ""
}

func (s *Site) file(w http.ResponseWriter, r *http.Request) {
	page(w, "Your video", placeholder(r.PathValue("id")+".svg"))
}

// page is what the customer sees, in short; below is markup of our own.
func page(w http.ResponseWriter, text, below string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprintf(w, "<!doctype html><meta charset=utf-8><title>Example site</title>"+
		"<body style='font:16px sans-serif;max-width:48em;margin:3em auto'><p>Example site, as the customer sees it</p><h1>%s</h1>%s",
		html.EscapeString(text), below) // who asked has hung up, and notices by itself
}
