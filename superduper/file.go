package superduper

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// FileState is how far a file got.
type FileState string

// The states of a file that the API answered.
const (
	InProgress FileState = "in_progress"
	Finalizing FileState = "finalizing" // made, but without an address yet
	Completed  FileState = "completed"
	Failed     FileState = "failed"
)

// File is a video or image that SuperDuperAI makes.
type File struct {
	ID           string
	URL          string // http(s), empty until it is finished
	ThumbnailURL string // http(s) or empty
	Type         string // video or image
	Duration     float64
	Error        string // why it failed, for a person's eyes, never for a log; 300 runes at most
	Tasks        []Task

	// addressed: the answer names an address, be it one that is not kept.
	addressed bool
}

// Task is one step of making a file.
type Task struct {
	ID, Type, Status string
}

// State derives the state: the API has none of its own.
func (f File) State() FileState {
	if f.URL != "" || f.addressed {
		return Completed
	}
	done := 0
	for _, task := range f.Tasks {
		switch task.Status {
		case "error", "failed":
			return Failed
		case "completed":
			done++
		}
	}
	if done > 0 && done == len(f.Tasks) {
		return Finalizing
	}
	return InProgress
}

// File asks for a file by its id.
func (c *Client) File(ctx context.Context, id string) (File, error) {
	if c.token == "" {
		return File{}, &Error{Kind: NoToken}
	}
	segment, err := fileSegment(id)
	if err != nil {
		return File{}, err
	}
	raw, err := c.call(ctx, http.MethodGet, c.base+"/api/v1/file/"+segment, nil, c.token)
	if err != nil {
		return File{}, err
	}
	file, err := parseFile(raw)
	if err == nil && !strings.EqualFold(file.ID, id) {
		err = errors.New("it is of another file")
	}
	if err != nil {
		return File{}, &Error{Kind: Malformed, Status: http.StatusOK, Err: err}
	}
	return file, nil
}

// parseFile reads a file object. Only the id has to be there; a member of
// another type than expected counts as absent.
func parseFile(raw []byte) (File, error) {
	members, err := object(raw)
	if err != nil {
		return File{}, err
	}
	f := File{ID: text(members["id"]), Type: clean(text(members["type"]), 40)}
	if _, err := fileSegment(f.ID); err != nil {
		return File{}, errors.New("no file id")
	}
	if !isNull(members["url"]) && text(members["url"]) == "" && string(members["url"]) != `""` {
		return File{}, errors.New("the url is no text")
	}
	f.Error = reason(members["error"])
	f.URL, f.addressed = address(members["url"])
	f.ThumbnailURL, _ = address(members["thumbnail_url"])
	_ = json.Unmarshal(members["duration"], &f.Duration) // of another type: not said
	var tasks []json.RawMessage
	if err := json.Unmarshal(members["tasks"], &tasks); err != nil && members["tasks"] != nil {
		return File{}, errors.New("the tasks are no list")
	}
	for _, raw := range tasks {
		task, err := object(raw)
		if err != nil {
			return File{}, errors.New("a task is no object")
		}
		f.Tasks = append(f.Tasks, Task{
			ID:     clean(text(task["id"]), 100),
			Type:   clean(text(task["type"]), 100),
			Status: strings.ToLower(clean(text(task["status"]), 40)),
		})
	}
	return f, nil
}

// reason reads why a file failed: a text, or an object with one.
func reason(raw json.RawMessage) string {
	if words := clean(text(raw), 300); words != "" {
		return words
	}
	members, err := object(raw)
	if err != nil { // of another type: not said
		return ""
	}
	for _, name := range []string{"message", "detail", "reason", "error"} {
		if words := clean(text(members[name]), 300); words != "" {
			return words
		}
	}
	return ""
}

func isNull(raw json.RawMessage) bool { return raw == nil || string(raw) == "null" }

// text reads a string; anything else is empty.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// address reads a link, and whether there is any. It is kept only if a person
// may be sent there.
func address(raw json.RawMessage) (string, bool) {
	link := text(raw)
	if link == "" {
		return "", false
	}
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(link) > 2000 {
		return "", true
	}
	return u.String(), true
}
