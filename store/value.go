package store

import (
	"encoding/json"
	"errors"
	"time"
)

// Fault says in a clause why the value of a key cannot be read; empty means
// that it can.
type Fault string

// The faults that are not about a single member.
const (
	faultSyntax    Fault = "it is not JSON"
	faultNoObject  Fault = "it is not a JSON object"
	faultOtherType Fault = "it is of another Redis type than string"
	faultTooLarge  Fault = "it is larger than 32 MiB"
)

// whole tells whether nothing of the value can be read.
func (f Fault) whole() bool { return f == faultSyntax || f == faultNoObject }

// Value is what one key holds. Members that are absent or null are nil.
type Value struct {
	Prompt, Status, FileID, Error *string
	Stamp                         *string // the timestamp as it stands there
	ToolSlug, ToolTitle           string
	Timestamp, CreatedAt          time.Time // zero: absent or not a time
	GenerationType, ModelName     string
	Duration                      float64 // seconds; 0 = absent
	Resolution                    string  // such as 1280x720
	VideoCount                    int
	Odd                           []string // members that have to be strings and are none
}

// ParseValue reads the value of a key and tells whether it is a full object,
// readable or not: one with a prompt or a status. A fault says what stands in
// the way; what could be read is returned beside it.
func ParseValue(raw []byte) (v Value, full bool, fault Fault) {
	var m members
	if err := json.Unmarshal(raw, &m); err != nil || m == nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return Value{}, false, faultSyntax
		}
		return Value{}, false, faultNoObject
	}
	for _, member := range []struct {
		name string
		read func(text string)
	}{
		{"prompt", func(text string) { v.Prompt = &text }},
		{"status", func(text string) { v.Status = &text }},
		{"fileId", func(text string) { v.FileID = &text }},
		{"error", func(text string) { v.Error = &text }},
		{"timestamp", func(text string) { v.Timestamp, v.Stamp = parseTime(text), &text }},
		{"createdAt", func(text string) { v.CreatedAt = parseTime(text) }},
	} {
		var text string
		switch {
		case !m.has(member.name):
		case json.Unmarshal(m[member.name], &text) == nil:
			member.read(text)
		default:
			v.Odd = append(v.Odd, member.name)
		}
	}
	if len(v.Odd) > 0 {
		fault = Fault("its " + v.Odd[0] + " is not a string")
	}
	if fault == "" && v.Status != nil && !Status(*v.Status).written() {
		fault = "its status is none of pending, processing, completed and error"
	}
	optional(m, "toolSlug", &v.ToolSlug)
	optional(m, "toolTitle", &v.ToolTitle)
	optional(m, "generationType", &v.GenerationType)
	optional(m, "modelName", &v.ModelName)
	optional(m, "duration", &v.Duration)
	optional(m, "resolution", &v.Resolution)
	optional(m, "videoCount", &v.VideoCount)
	return v, m.has("prompt") || m.has("status"), fault
}

// members are those of a JSON object, each as it stands there.
type members map[string]json.RawMessage

// has tells whether the member is there; null counts as absent.
func (m members) has(name string) bool {
	raw, ok := m[name]
	return ok && string(raw) != "null"
}

// optional reads a member that decides nothing: of another type it is absent.
func optional[T any](m members, name string, into *T) {
	var v T
	if json.Unmarshal(m[name], &v) == nil {
		*into = v
	}
}

// parseTime reads the product's times; what is not one counts as absent.
func parseTime(text string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return at
}
