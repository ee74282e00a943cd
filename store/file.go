package store

import (
	"strings"
	"time"
)

// FileState is the state of a file at SuperDuperAI.
type FileState string

// The states of a file.
const (
	FileNone       FileState = "none"
	FileInProgress FileState = "in_progress"
	FileFinalizing FileState = "finalizing"
	FileCompleted  FileState = "completed"
	FileFailed     FileState = "failed"
	FileMissing    FileState = "missing"   // the API does not know it
	FileUnknown    FileState = "unknown"   // it could not be read
	FileUnchecked  FileState = "unchecked" // the watch has not requested it yet
)

// File is a file at SuperDuperAI.
type File struct {
	State        FileState
	SeenAt       time.Time // zero = just now
	URL          string
	ThumbnailURL string
	Type         string // video or image
	Error        string // why it failed, in SuperDuperAI's words: for people, never for a log; may be empty
}

// FileTrouble is why a file could not be read. It is an error, for errors.Is.
type FileTrouble string

// The reasons. All but FileNotFound, FileRateLimited and FileUnreadable apply to every
// file.
const (
	FileNoToken      FileTrouble = "no_token"
	FileNotFound     FileTrouble = "not_found"    // 404
	FileNoAnswer     FileTrouble = "no_answer"    // no connection, a time-out or 5xx
	FileUnauthorized FileTrouble = "unauthorized" // 401
	FileForbidden    FileTrouble = "forbidden"    // 403
	FileRateLimited  FileTrouble = "rate_limited" // 429
	FileUnreadable   FileTrouble = "unreadable"   // any other answer
)

// Error implements error.
func (t FileTrouble) Error() string { return "file not seen: " + string(t) }

// MaxFileRetryDelay is the longest delay before a file is requested again, however long
// SuperDuperAI asks to wait.
const MaxFileRetryDelay = 5 * time.Minute

// FileError is the error of a file that could not be read.
type FileError struct {
	Trouble    FileTrouble
	RetryAfter time.Duration // 0 = not said
	Err        error
}

// Error returns the message of the cause.
func (e *FileError) Error() string { return e.Err.Error() }

// Unwrap returns the reason and the cause.
func (e *FileError) Unwrap() []error { return []error{e.Trouble, e.Err} }

// Site is the answer of the site's webhook-status, which the customer's page shows.
type Site struct {
	Found  bool   // false: "not found or processing not yet started"
	Status string // as answered; may be empty
	FileID string
}

// Sees reports whether the customer's page shows the file: without a status it shows
// "File Not Found", and with pending it waits for ever.
func (s Site) Sees(fileID string) bool {
	shows := Status(s.Status) == StatusProcessing || Status(s.Status) == StatusCompleted
	return s.Found && shows && strings.EqualFold(s.FileID, fileID)
}
