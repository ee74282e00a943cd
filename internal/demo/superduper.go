package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// SuperDuper is a fake of the SuperDuperAI API. Any bearer token is
// accepted. A requested video is made as the clock advances.
type SuperDuper struct {
	faults
	mux    *http.ServeMux
	now    func() time.Time
	takes  time.Duration
	files  map[string]file
	starts int
}

// file is one that the fake knows.
type file struct {
	kind    string          // video or image
	state   store.FileState // fixed; empty = by the clock
	started time.Time
	raw     json.RawMessage // answered as it is, where there is one
}

// NewSuperDuper makes one that knows nothing. What is started there is finished
// once takes has gone by on the clock now.
func NewSuperDuper(now func() time.Time, takes time.Duration) *SuperDuper {
	s := &SuperDuper{mux: http.NewServeMux(), now: now, takes: takes, files: map[string]file{}}
	s.mux.HandleFunc("GET /api/v1/file/{id}", s.file)
	s.mux.HandleFunc("POST /api/v1/file/generate-video", s.start)
	s.mux.HandleFunc("POST /api/v1/file/generate-image", s.start)
	s.mux.HandleFunc("GET /api/v1/ping", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, object{"ping": "pong"})
	})
	s.mux.HandleFunc("GET /api/v1/generation-config", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, []object{
			{"name": "google-cloud/veo3-text2video", "type": "text_to_video"},
			{"name": "azure-openai/gpt-image-1", "type": "text_to_image"},
		})
	})
	s.mux.HandleFunc("GET /media/{name}", media)
	return s
}

// ServeHTTP answers as SuperDuperAI does.
func (s *SuperDuper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fault, broken := s.fault(r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:])
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20)) // a server notices a hang-up only behind the body
	if err != nil {
		return
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	switch {
	case broken && fault.Late:
		s.mux.ServeHTTP(discard{}, r)
		fault.serve(w, r)
	case broken:
		fault.serve(w, r)
	case strings.HasPrefix(r.URL.Path, "/api/v1/file") && !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer "):
		writeJSON(w, http.StatusUnauthorized, object{"detail": "Not authenticated"})
	default:
		s.mux.ServeHTTP(w, r)
	}
}

// Put makes a file known that stays in its state. Without one it is begun now.
func (s *SuperDuper) Put(id string, state store.FileState) {
	s.put(id, file{kind: "video", state: state, started: s.now()})
}

// PutAnswer makes a file known by the object that is answered for it.
func (s *SuperDuper) PutAnswer(id string, raw json.RawMessage) { s.put(id, file{raw: raw}) }

func (s *SuperDuper) put(id string, f file) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[id] = f
}

// Started is the number of videos and images that were started.
func (s *SuperDuper) Started() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.starts
}

func (s *SuperDuper) file(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	s.mu.Lock()
	f, ok := s.files[id]
	s.mu.Unlock()
	switch {
	case !ok:
		writeJSON(w, http.StatusNotFound, object{"detail": "File not found"})
	case f.raw != nil:
		writeRaw(w, http.StatusOK, string(f.raw))
	default:
		writeJSON(w, http.StatusOK, f.object(id, r.Host, s.stateOf(f)))
	}
}

// start begins a video or an image, if the request is one that the API takes.
func (s *SuperDuper) start(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		Config struct {
			Prompt string `json:"prompt"`
			Model  string `json:"generation_config_name"`
		} `json:"config"`
	}
	if err := json.NewDecoder(r.Body).Decode(&ask); err != nil || ask.Config.Prompt == "" || ask.Config.Model == "" {
		writeJSON(w, http.StatusUnprocessableEntity, object{"detail": []object{
			{"loc": []string{"body", "config"}, "msg": "prompt and generation_config_name are required", "type": "value_error"},
		}})
		return
	}
	f := file{kind: strings.TrimPrefix(r.URL.Path, "/api/v1/file/generate-"), started: s.now()}
	s.mu.Lock()
	s.starts++
	id := fileID(fmt.Sprint("started ", s.starts))
	s.files[id] = f
	s.mu.Unlock()
	answer := f.object(id, r.Host, s.stateOf(f))
	if f.kind == "image" {
		writeJSON(w, http.StatusOK, []object{answer})
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

// stateOf returns the state by the clock: the last tenth is spent on putting the file in its
// place.
func (s *SuperDuper) stateOf(f file) store.FileState {
	if f.state != "" {
		return f.state
	}
	switch age := s.now().Sub(f.started); {
	case age >= s.takes:
		return store.FileCompleted
	case age >= s.takes/10*9:
		return store.FileFinalizing
	}
	return store.FileInProgress
}

// object lays the file out as the API does.
func (f file) object(id, host string, state store.FileState) object {
	o := object{"id": id, "url": nil, "thumbnail_url": nil, "type": f.kind, "duration": nil}
	task := "in_progress"
	switch state {
	case store.FileCompleted:
		task, o["url"], o["thumbnail_url"] = "completed", "http://"+host+"/media/"+id+".svg", "http://"+host+"/media/"+id+".svg"
	case store.FileFinalizing:
		task = "completed"
	case store.FileFailed:
		task = "error"
	}
	o["tasks"] = []object{{"id": fileID("task of " + id), "type": f.kind + "-generation-flow", "status": task}}
	return o
}

// discard takes an answer that goes wrong on its way.
type discard struct{}

func (discard) Header() http.Header           { return http.Header{} }
func (discard) Write(raw []byte) (int, error) { return len(raw), nil }
func (discard) WriteHeader(int)               {}
