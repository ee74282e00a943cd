package workspace

import (
	"crypto/rand"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of what people upload into file inputs: the newest are kept, in memory.
const (
	maxFile  = 1 << 20 // bytes; Slack takes more
	maxFiles = 32
)

// upload is a file that a person uploaded.
type upload struct {
	ID, User, Name string
	Content        []byte
	At             time.Time
}

// uploads are the files that people uploaded. It is safe for concurrent use; its zero
// value is ready.
type uploads struct {
	mu  sync.Mutex
	all []upload // oldest first
}

func (u *uploads) add(one upload) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.all = append(u.all, one)
	u.all = slices.Clone(u.all[max(len(u.all)-maxFiles, 0):])
}

func (u *uploads) find(id string) (upload, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	i := slices.IndexFunc(u.all, func(one upload) bool { return one.ID == id })
	if i < 0 {
		return upload{}, false
	}
	return u.all[i], true
}

func (u *uploads) reset() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.all = nil
}

// Upload has a person upload a file, and returns its id, with which a file input is
// filled.
func (s *Server) Upload(user, name string, content []byte) (id string, err error) {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	switch _, known := s.world.person(user); {
	case !known:
		return "", fmt.Errorf("there is no user %s", user)
	case strings.Trim(name, "./ ") == "":
		return "", fmt.Errorf("%q is no name of a file", name)
	case len(content) > maxFile:
		return "", fmt.Errorf("%s has %d bytes, and at most %d are taken", name, len(content), maxFile)
	}
	id = "F0" + rand.Text()[:9]
	s.uploads.add(upload{ID: id, User: user, Name: name, Content: content, At: s.now()})
	return id, nil
}

type uploadedFile struct {
	User, Name string
	Content    []byte // base64 in JSON
}

func (s *Server) controlFile(in uploadedFile) (object, error) {
	id, err := s.Upload(in.User, in.Name, in.Content)
	return object{"file_id": id}, err
}

// fileObject is a file as apps see it.
func (s *Server) fileObject(u upload) object {
	kind := strings.ToLower(strings.TrimPrefix(path.Ext(u.Name), "."))
	mimetype, _, _ := strings.Cut(mime.TypeByExtension("."+kind), ";")
	if mimetype == "" {
		mimetype = "application/octet-stream"
	}
	private := fmt.Sprintf("%s/files-pri/%s-%s", s.URL(), teamID, u.ID)
	name := url.PathEscape(u.Name)
	return object{
		"id": u.ID, "created": u.At.Unix(), "timestamp": u.At.Unix(), "name": u.Name, "title": u.Name,
		"mimetype": mimetype, "filetype": kind, "pretty_type": strings.ToUpper(kind), "size": len(u.Content),
		"user": u.User, "user_team": teamID, "editable": false, "mode": "hosted", "is_external": false, "external_type": "",
		"is_public": false, "public_url_shared": false, "display_as_bot": false, "username": "",
		"url_private": private + "/" + name, "url_private_download": private + "/download/" + name,
		"permalink": s.URL() + "/files/" + u.User + "/" + u.ID + "/" + name, "has_rich_preview": false, "file_access": "visible",
	}
}

func fileInfo(c call) (object, error) {
	u, ok := c.uploads.find(c.args.text("file"))
	if !ok {
		return nil, fail("file_not_found")
	}
	return object{"file": c.fileObject(u), "comments": []object{}, "response_metadata": object{"next_cursor": ""}}, nil
}

// serveFile serves a file to the app, which needs its token. Without a token Slack
// redirects to its sign-in page.
func (s *Server) serveFile(w http.ResponseWriter, r *http.Request) {
	u, ok := s.uploads.find(strings.TrimPrefix(r.PathValue("file"), teamID+"-"))
	err := s.authorise(token(r, arguments{}), methods["files.info"])
	if err != nil || !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", s.fileObject(u)["mimetype"].(string))
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": u.Name}))
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(u.Content) // the reader may be gone
}
