package page

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"time"
)

//go:embed static
var staticFiles embed.FS

//go:embed templates
var templateFiles embed.FS

var templates = template.Must(template.ParseFS(templateFiles, "templates/*.html"))

// policy lets the browser load the page's own files and pictures of one origin.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' %s; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// maxTyped bounds the body of a request: a message and what belongs to it.
const maxTyped = 64 << 10

// maxUploaded bounds a file.
const maxUploaded = 1 << 20

// server answers the browser.
type server struct {
	backend Backend
	hints   []Hint
	stories []Story
	now     func() time.Time
	key     string      // asked for before the pass is handed out; empty = not
	cookie  http.Cookie // the pass that GET / hands out and /ui/ asks for

	picturesFrom string // the origin whose pictures are shown; empty = none
}

// New makes the page: GET / and everything under /ui/. Every start has its own
// cookie; a page that was loaded before a restart reloads itself.
func New(b Backend, opts Options) http.Handler {
	s := &server{backend: b, hints: opts.Hints, stories: opts.Stories, now: opts.Now, key: opts.Key, picturesFrom: opts.PicturesFrom}
	if s.now == nil {
		s.now = time.Now
	}
	// A browser sends cookies to every port of a host, so the name is the
	// start's own too: two workspaces side by side do not lock each other out.
	s.cookie = http.Cookie{
		Name: "workspace-" + rand.Text()[:8], Value: rand.Text(), Path: "/",
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
	static, err := fs.Sub(staticFiles, "static")
	if err != nil {
		panic(err) // the folder is compiled in
	}

	ui := http.NewServeMux()
	ui.Handle("GET /ui/static/", http.StripPrefix("/ui/static/", http.FileServerFS(static)))
	ui.HandleFunc("GET /ui/view", s.handleFragment)
	ui.HandleFunc("GET /ui/events", s.handleEvents)
	ui.HandleFunc("POST /ui/type", s.handleType)
	ui.HandleFunc("POST /ui/click", s.handleClick)
	ui.HandleFunc("POST /ui/fill", s.handleFill)
	ui.HandleFunc("POST /ui/upload", s.handleUpload)
	ui.HandleFunc("POST /ui/suggest", s.handleSuggest)
	ui.HandleFunc("POST /ui/shortcut", s.handleShortcut)
	ui.HandleFunc("POST /ui/home", s.handleHome)
	ui.HandleFunc("POST /ui/submit", s.handleSubmit)
	ui.HandleFunc("POST /ui/close", s.handleClose)
	ui.HandleFunc("POST /ui/read", s.handleRead)

	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.handleIndex)
	mux.HandleFunc("GET /storybook", s.handleStorybook)
	mux.Handle("/ui/", s.requireCookie(ui))
	return withHeaders(mux, fmt.Sprintf(policy, opts.PicturesFrom))
}

// withHeaders sets what every answer of the page carries.
func withHeaders(next http.Handler, policy string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// requireCookie admits only the page itself: its cookie on every call, and its own
// origin on every POST.
func (s *server) requireCookie(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.hasCookie(r) {
			http.Error(w, "Load the page anew: its pass is not of this start.", http.StatusForbidden)
			return
		}
		if r.Method == http.MethodPost {
			origin, err := url.Parse(r.Header.Get("Origin"))
			if err != nil || origin.Host == "" || origin.Host != r.Host {
				http.Error(w, "This request does not come from the page.", http.StatusForbidden)
				return
			}
			most := int64(maxTyped)
			if r.URL.Path == "/ui/upload" {
				most = maxUploaded
			}
			r.Body = http.MaxBytesReader(w, r.Body, most)
		}
		next.ServeHTTP(w, r)
	})
}

func equalSecrets(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// hasCookie reports whether a request carries the cookie of this start.
func (s *server) hasCookie(r *http.Request) bool {
	got, err := r.Cookie(s.cookie.Name)
	return err == nil && equalSecrets(got.Value, s.cookie.Value)
}

func (s *server) handleIndex(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if s.key != "" && !s.hasCookie(r) {
		if !equalSecrets(q.Get("key"), s.key) {
			http.Error(w, "Open the address that was printed at the start: its key lets a browser in.", http.StatusForbidden)
			return
		}
		// The key goes out of the address again.
		http.SetCookie(w, &s.cookie)
		q.Del("key")
		http.Redirect(w, r, "/?"+q.Encode(), http.StatusSeeOther)
		return
	}
	http.SetCookie(w, &s.cookie)
	s.render(w, "page.html", s.view(q))
}

// handleFragment writes the part of the page that changes, for the script to put in place.
func (s *server) handleFragment(w http.ResponseWriter, r *http.Request) {
	s.render(w, "fragment.html", s.view(r.URL.Query()))
}

// render writes a template, whole or not at all.
func (s *server) render(w http.ResponseWriter, name string, v any) {
	var out bytes.Buffer
	if err := templates.ExecuteTemplate(&out, name, v); err != nil {
		http.Error(w, "The page cannot be shown: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.Copy(w, &out) // the browser may be gone
}
