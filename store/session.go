// Package store is what the house knows of a checkout session: what Redis
// holds of it in either layout, the diagnosis made of that and of what payment,
// file and site tell, and figures over all sessions. No Slack and no HTTP live
// here; who knows a payment or a file is asked through interfaces.
package store

import (
	"encoding/json"
	"errors"
	"time"
)

// Layout names how the product laid a session out in Redis.
type Layout string

// The layouts.
const (
	LayoutThreeKey Layout = "three-key" // prompt:, webhook: and a small mapping in session:
	LayoutOneKey   Layout = "one-key"   // one full object in session:
	LayoutNone     Layout = "none"      // nothing there
)

// Status is the product's own word for how far a session is.
type Status string

// The four words that the product writes. StatusNone is ours: no status at all,
// or pending without a file.
const (
	StatusNone       Status = ""
	StatusPending    Status = "pending"
	StatusProcessing Status = "processing"
	StatusCompleted  Status = "completed"
	StatusError      Status = "error"
)

// KeyLife is the time for which the product keeps each key after a write.
const KeyLife = 30 * 24 * time.Hour

// Fault says why the value of a key cannot be read; empty means that it can.
type Fault string

// Value is what one key holds. Members that are absent or null are nil.
type Value struct {
	Prompt, Status, FileID, Error *string
	ToolSlug, ToolTitle           string
	Timestamp, CreatedAt          time.Time // zero: absent or not a time
	GenerationType, ModelName     string
	Duration                      float64 // seconds; 0 = absent
	Resolution                    string  // such as 1280x720
	VideoCount                    int
}

// Full tells whether the value is a full object and not the lookup mapping.
func (v Value) Full() bool { return v.Prompt != nil || v.Status != nil }

// Key is one of a session's keys as Redis gave it.
type Key struct {
	Kind   string // prompt, webhook or session: what stands before the colon
	Exists bool
	Fault  Fault         // why it cannot be read
	Other  bool          // it is of another Redis type than string
	TTL    time.Duration // 0 = it does not expire
	Size   int           // bytes
	Full   bool          // a full object, readable or not
	Value  Value
}

// Session is what Redis holds of one checkout session.
type Session struct {
	ID      string
	Prompt  Key // prompt:<id>
	Webhook Key // webhook:<id>
	Lookup  Key // session:<id>, a mapping or the full object
}

// Keys lists the three keys in the order in which people read them.
func (s Session) Keys() []Key { return []Key{s.Prompt, s.Webhook, s.Lookup} }

// Layout tells how the session is laid out.
func (s Session) Layout() Layout {
	switch {
	case s.Lookup.Full:
		return LayoutOneKey
	case s.Prompt.Exists || s.Webhook.Exists || s.Lookup.Exists:
		return LayoutThreeKey
	}
	return LayoutNone
}

// PromptText is the prompt that counts, empty where none is readable.
func (s Session) PromptText() string {
	if p := s.promptKey().Value.Prompt; p != nil {
		return *p
	}
	return ""
}

// promptKey is the key with the prompt that counts: a full object's wins.
func (s Session) promptKey() Key {
	for _, key := range []Key{s.Lookup, s.Prompt} {
		if p := key.Value.Prompt; p != nil && *p != "" {
			return key
		}
	}
	return Key{}
}

// current is the value whose status counts and whether there is one: of
// webhook: and a full session: the one with the newer timestamp, on a tie the
// full object.
func (s Session) current() (Value, bool) {
	w, l := s.Webhook.Value, s.Lookup.Value
	switch {
	case w.Status == nil && l.Status == nil:
		return Value{}, false
	case w.Status == nil:
		return l, true
	case l.Status == nil:
		return w, true
	case w.Timestamp.After(l.Timestamp):
		return w, true
	}
	return l, true
}

// FileID is the file of the value whose status counts, else the one that
// session: or webhook: names: a file that may be finished is never overlooked.
func (s Session) FileID() string {
	v, _ := s.current()
	for _, value := range []Value{v, s.Lookup.Value, s.Webhook.Value} {
		if value.FileID != nil && *value.FileID != "" {
			return *value.FileID
		}
	}
	return ""
}

// Status is the one that counts; pending without a file counts as none.
func (s Session) Status() Status {
	v, ok := s.current()
	if !ok || (Status(*v.Status) == StatusPending && s.FileID() == "") {
		return StatusNone
	}
	return Status(*v.Status)
}

// Current is the value whose status counts, empty where there is none.
func (s Session) Current() Value {
	v, _ := s.current()
	return v
}

// corrupt returns the first key that cannot be read.
func (s Session) corrupt() (Key, bool) {
	for _, key := range s.Keys() {
		if key.Fault != "" {
			return key, true
		}
	}
	return Key{}, false
}

// ParseValue reads the value of a key. A fault says what stands in the way;
// what could be read is returned beside it.
func ParseValue(raw []byte) (Value, bool, Fault) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil || members == nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return Value{}, false, "not JSON"
		}
		return Value{}, false, "not a JSON object"
	}
	var v Value
	var fault Fault
	text := func(name string) *string {
		m, ok := members[name]
		if !ok || string(m) == "null" {
			return nil
		}
		var s string
		if json.Unmarshal(m, &s) != nil {
			if fault == "" {
				fault = Fault(name + " is not a string")
			}
			return nil
		}
		return &s
	}
	v.Prompt, v.Status = text("prompt"), text("status")
	v.FileID, v.Error = text("fileId"), text("error")
	v.Timestamp, v.CreatedAt = parseTime(text("timestamp")), parseTime(text("createdAt"))
	if v.Status != nil && fault == "" {
		switch Status(*v.Status) {
		case StatusPending, StatusProcessing, StatusCompleted, StatusError:
		default:
			fault = "status is none of pending, processing, completed and error"
		}
	}
	optional(members, "toolSlug", &v.ToolSlug)
	optional(members, "toolTitle", &v.ToolTitle)
	optional(members, "generationType", &v.GenerationType)
	optional(members, "modelName", &v.ModelName)
	optional(members, "duration", &v.Duration)
	optional(members, "resolution", &v.Resolution)
	optional(members, "videoCount", &v.VideoCount)
	return v, present(members, "prompt") || present(members, "status"), fault
}

func present(members map[string]json.RawMessage, name string) bool {
	m, ok := members[name]
	return ok && string(m) != "null"
}

// optional reads a member that decides nothing: of another type it is absent.
func optional[T any](members map[string]json.RawMessage, name string, into *T) {
	var v T
	if json.Unmarshal(members[name], &v) == nil {
		*into = v
	}
}

func parseTime(text *string) time.Time {
	if text == nil {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339Nano, *text)
	if err != nil {
		return time.Time{}
	}
	return at
}
