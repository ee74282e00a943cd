package store

import "time"

// FileState is how far SuperDuperAI got with the file.
type FileState string

// The states of a file.
const (
	FileNone       FileState = "none"
	FileInProgress FileState = "in_progress"
	FileFinalizing FileState = "finalizing"
	FileCompleted  FileState = "completed"
	FileFailed     FileState = "failed"
	FileMissing    FileState = "missing"   // the API does not know it
	FileUnknown    FileState = "unknown"   // it could not be seen
	FileUnchecked  FileState = "unchecked" // the watch has not asked for it yet
)

// File is what SuperDuperAI says of a file.
type File struct {
	State        FileState
	SeenAt       time.Time // when it said so; zero = just now
	URL          string
	ThumbnailURL string
	Type         string // video or image
	Error        string // why it failed, in SuperDuperAI's words: for people, never for a log; may be empty
}

// FileTrouble says why a file could not be seen. It is an error itself, so that
// errors.Is(err, store.FileNotFound) asks for it.
type FileTrouble string

// The reasons. All but FileNotFound, FileRateLimited and FileUnreadable mean that
// no file at all can be seen.
const (
	FileNoToken      FileTrouble = "no_token"
	FileNotFound     FileTrouble = "not_found"    // 404
	FileNoAnswer     FileTrouble = "no_answer"    // no connection, a time-out or 5xx
	FileUnauthorized FileTrouble = "unauthorized" // 401
	FileForbidden    FileTrouble = "forbidden"    // 403
	FileRateLimited  FileTrouble = "rate_limited" // 429
	FileUnreadable   FileTrouble = "unreadable"   // any other answer
)

// Error makes a reason a target of errors.Is.
func (t FileTrouble) Error() string { return "file not seen: " + string(t) }

// FileError is why a file could not be seen.
type FileError struct {
	Trouble    FileTrouble
	RetryAfter time.Duration // 0 = not said
	Err        error
}

// Error is the cause's.
func (e *FileError) Error() string { return e.Err.Error() }

// Unwrap returns the reason and the cause.
func (e *FileError) Unwrap() []error { return []error{e.Trouble, e.Err} }
