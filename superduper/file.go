package superduper

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/superduperai/sessionbot/store"
)

// File requests a file by its id. An error is a *store.FileError around an *Error.
func (c *Client) File(ctx context.Context, id string) (store.File, error) {
	file, err := c.file(ctx, id)
	if failed, ok := errors.AsType[*Error](err); ok {
		return store.File{}, &store.FileError{Trouble: troubles[failed.Kind], RetryAfter: failed.RetryAfter, Err: failed}
	}
	return file, err
}

// troubles are the reasons why a file could not be seen, in the store's words.
var troubles = map[Kind]store.FileTrouble{
	NoToken:      store.FileNoToken,
	NotFound:     store.FileNotFound,
	Unauthorised: store.FileUnauthorized,
	Forbidden:    store.FileForbidden,
	RateLimited:  store.FileRateLimited,
	Rejected:     store.FileUnreadable,
	Unpaid:       store.FileUnreadable,
	Malformed:    store.FileUnreadable,
	Unavailable:  store.FileNoAnswer,
	Certificate:  store.FileNoAnswer,
}

func (c *Client) file(ctx context.Context, id string) (store.File, error) {
	if c.token == "" {
		return store.File{}, &Error{Kind: NoToken}
	}
	// An id comes from Redis, which others can write: sent with the token, an id that is
	// not a UUID could request anything.
	if _, ok := store.FileUUID(id); !ok {
		return store.File{}, &Error{Kind: Rejected, Err: errors.New("not the id of a file")}
	}
	raw, err := c.call(ctx, http.MethodGet, c.base+"/api/v1/file/"+id, nil, c.token)
	if err != nil {
		return store.File{}, err
	}
	answered, file, err := parseFile(raw)
	if err == nil && !strings.EqualFold(answered, id) {
		err = errors.New("it is of another file")
	}
	if err != nil {
		return store.File{}, &Error{Kind: Malformed, Status: http.StatusOK, Err: err}
	}
	return file, nil
}

// parseFile reads a file object. Only the id has to be there; a member of
// another type than expected counts as absent.
func parseFile(raw []byte) (id string, f store.File, err error) {
	members, err := object(raw)
	if err != nil {
		return "", store.File{}, err
	}
	id = text(members["id"])
	if _, ok := store.FileUUID(id); !ok {
		return "", store.File{}, errors.New("no file id")
	}
	link, ok := nullable(members["url"])
	if !ok {
		return "", store.File{}, errors.New("the url is no text")
	}
	state, err := parseTasks(members["tasks"])
	if err != nil {
		return "", store.File{}, err
	}
	if link != "" { // even if it is unsafe
		state = store.FileCompleted
	}
	return id, store.File{
		State: state, URL: safeLink(link), ThumbnailURL: safeLink(text(members["thumbnail_url"])),
		Type: clean(text(members["type"]), 40), Error: reason(members["error"]),
	}, nil
}

// parseTasks derives the state of a file without a link from its tasks: the API
// has no state of its own.
func parseTasks(raw json.RawMessage) (store.FileState, error) {
	var tasks []json.RawMessage
	if err := json.Unmarshal(raw, &tasks); err != nil && raw != nil {
		return "", errors.New("the tasks are no list")
	}
	completed, failed := 0, false
	for _, raw := range tasks {
		task, err := object(raw)
		if err != nil {
			return "", errors.New("a task is no object")
		}
		switch strings.ToLower(clean(text(task["status"]), 40)) {
		case "error", "failed":
			failed = true
		case "completed":
			completed++
		}
	}
	switch {
	case failed:
		return store.FileFailed, nil
	case completed > 0 && completed == len(tasks):
		return store.FileFinalizing, nil
	}
	return store.FileInProgress, nil
}

// reason reads why a file failed: a text, or an object with one.
func reason(raw json.RawMessage) string {
	if words := clean(text(raw), 300); words != "" {
		return words
	}
	members, err := object(raw)
	if err != nil { // of another type
		return ""
	}
	for _, name := range []string{"message", "detail", "reason", "error"} {
		if words := clean(text(members[name]), 300); words != "" {
			return words
		}
	}
	return ""
}

// text reads a string; anything else is empty.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// nullable reads a string that may be null or absent; ok is false for another
// type.
func nullable(raw json.RawMessage) (s string, ok bool) {
	return s, len(raw) == 0 || json.Unmarshal(raw, &s) == nil
}

// safeLink returns the link if it may be shown to a person, else "".
func safeLink(link string) string {
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(link) > 2000 {
		return ""
	}
	return u.String()
}
