// Package store defines the types of checkout sessions: what Redis holds of one in
// either layout, its payment, its file and what the site shows. The packages below it
// read, diagnose and repair sessions and keep the bot's own records.
package store

import (
	"cmp"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// Layout is which keys of Redis hold a session.
type Layout string

// The layouts.
const (
	LayoutThreeKey Layout = "three-key" // prompt:, webhook: and a small mapping in session:
	LayoutOneKey   Layout = "one-key"   // one full object in session:
	LayoutNone     Layout = "none"      // nothing there
)

// Status is the product's own status of a session.
type Status string

// The statuses that the product writes. StatusNone is ours: no status, or pending
// without a file.
const (
	StatusNone       Status = ""
	StatusPending    Status = "pending"
	StatusProcessing Status = "processing"
	StatusCompleted  Status = "completed"
	StatusError      Status = "error"
)

// written reports whether the product writes this status.
func (s Status) written() bool {
	return slices.Contains([]Status{StatusPending, StatusProcessing, StatusCompleted, StatusError}, s)
}

// Session is what Redis holds of one checkout session.
type Session struct {
	ID         string
	Prompt     Key // prompt:<id>
	Webhook    Key // webhook:<id>
	SessionKey Key // session:<id>, a mapping or the full object
}

// AsOf returns the session without times in the future, which count as absent wherever
// times are compared.
func (s Session) AsOf(now time.Time) Session {
	for _, key := range []*Key{&s.Prompt, &s.Webhook, &s.SessionKey} {
		for _, at := range []*time.Time{&key.Value.Timestamp, &key.Value.CreatedAt} {
			if at.After(now) {
				*at = time.Time{}
			}
		}
	}
	return s
}

// Keys returns the three keys in the order in which people read them.
func (s Session) Keys() []Key { return []Key{s.Prompt, s.Webhook, s.SessionKey} }

// Digests returns the digests of the three keys, by kind; "" = missing.
func (s Session) Digests() map[string]string {
	digests := map[string]string{}
	for _, key := range s.Keys() {
		digests[key.Kind] = key.Digest
	}
	return digests
}

// Layout returns the layout of the session.
func (s Session) Layout() Layout {
	switch {
	case s.SessionKey.Full:
		return LayoutOneKey
	case s.Prompt.Exists || s.Webhook.Exists || s.SessionKey.Exists:
		return LayoutThreeKey
	}
	return LayoutNone
}

// PromptText returns the prompt, "" if none is readable.
func (s Session) PromptText() string {
	if p := s.PromptKey().Value.Prompt; p != nil {
		return *p
	}
	return ""
}

// PromptKey returns the key with the prompt; that of a full object wins.
func (s Session) PromptKey() Key {
	for _, key := range []Key{s.SessionKey, s.Prompt} {
		if p := key.Value.Prompt; p != nil && *p != "" {
			return key
		}
	}
	return Key{}
}

// PromptTarget returns the key that a lost prompt is written to, by which keys the site
// reads: the session's own layout counts where it has one.
func (s Session) PromptTarget(siteLayout Layout) Key {
	if s.SessionKey.Full || s.Layout() == LayoutNone && siteLayout == LayoutOneKey {
		return s.SessionKey
	}
	return s.Prompt
}

// CurrentKey returns the key whose status counts, empty if none has one: of webhook:
// and a full session: the one with the newer timestamp, on a tie the full object.
func (s Session) CurrentKey() Key {
	webhook, sessionValue := s.Webhook.Value, s.SessionKey.Value
	switch {
	case webhook.Status == nil && sessionValue.Status == nil:
		return Key{}
	case sessionValue.Status == nil:
		return s.Webhook
	case webhook.Status != nil && webhook.Timestamp.After(sessionValue.Timestamp):
		return s.Webhook
	}
	return s.SessionKey
}

// NamedFile returns the raw fileId: of the value whose status counts, else of the
// mapping. A full object whose status does not count is not a mapping.
func (s Session) NamedFile() string {
	if id := fileOf(s.CurrentKey()); id != "" || s.SessionKey.Value.Status != nil {
		return id
	}
	return fileOf(s.SessionKey)
}

// FileID returns the file that the session names, "" if none: the ids of SuperDuperAI's
// files are UUIDs, and anything else is ignored.
func (s Session) FileID() string {
	id := s.NamedFile()
	if _, ok := FileUUID(id); !ok {
		return ""
	}
	return id
}

func fileOf(key Key) string {
	if key.Value.FileID == nil {
		return ""
	}
	return *key.Value.FileID
}

// FileUUID parses the id of a file and reports whether it is a UUID.
func FileUUID(id string) (uuid [16]byte, ok bool) {
	digits := strings.ReplaceAll(id, "-", "")
	if len(id) != 36 || len(digits) != 32 || id[8] != '-' || id[13] != '-' || id[18] != '-' || id[23] != '-' {
		return uuid, false
	}
	_, err := hex.Decode(uuid[:], []byte(digits))
	return uuid, err == nil
}

// CreatedAt returns when a session, as of now, was created: the oldest time in prompt: and
// session:, else when the key with the prompt was last written, by its TTL; zero = unknown.
func (s Session) CreatedAt(now time.Time) time.Time {
	times := []time.Time{s.Prompt.Value.Timestamp, s.Prompt.Value.CreatedAt, s.SessionKey.Value.CreatedAt}
	if p := s.SessionKey.Value.Prompt; p != nil {
		times = append(times, s.SessionKey.Value.Timestamp)
	}
	var oldest time.Time
	for _, at := range times {
		if !at.IsZero() && (oldest.IsZero() || at.Before(oldest)) {
			oldest = at
		}
	}
	return cmp.Or(oldest, s.PromptKey().WrittenAt(now))
}

// FileRef is a file that a session names.
type FileRef struct {
	Session string
	Created time.Time // of the session; zero = unknown
	FileID  string
}

// FileRef returns the file that the session names.
func (s Session) FileRef(now time.Time) FileRef {
	s = s.AsOf(now)
	return FileRef{Session: s.ID, Created: s.CreatedAt(now), FileID: s.FileID()}
}

// StrayFiles returns the files of the values whose status does not count.
func (s Session) StrayFiles() []string {
	var strays []string
	for _, key := range []Key{s.SessionKey, s.Webhook} {
		id := fileOf(key)
		if _, ok := FileUUID(id); ok && !strings.EqualFold(id, s.FileID()) && !slices.Contains(strays, id) {
			strays = append(strays, id)
		}
	}
	return strays
}

// Status returns the current status; pending without a file is none.
func (s Session) Status() Status {
	word := s.CurrentKey().Value.Status
	if word == nil || (Status(*word) == StatusPending && s.FileID() == "") {
		return StatusNone
	}
	return Status(*word)
}

// Current returns the value whose status counts, empty if there is none.
func (s Session) Current() Value { return s.CurrentKey().Value }

// CorruptKey returns the first key that cannot be read.
func (s Session) CorruptKey() (Key, bool) {
	for _, key := range s.Keys() {
		if key.Fault != "" {
			return key, true
		}
	}
	return Key{}, false
}
