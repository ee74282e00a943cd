package store

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Fault says in a clause why the value of a key cannot be read; "" = it can.
type Fault string

// The faults that are not about a single member.
const (
	faultSyntax    Fault = "it is not JSON"
	faultNoObject  Fault = "it is not a JSON object"
	FaultOtherType Fault = "it is of another Redis type than string"
	FaultTooLarge  Fault = "it is larger than 32 MiB"
)

// Replaceable reports whether nothing of the value can be read, so that a write replaces it whole.
func (f Fault) Replaceable() bool { return f == faultSyntax || f == faultNoObject }

// Value is what one key holds. Members that are absent or null are nil.
type Value struct {
	Prompt, Status, FileID, Error *string
	TimestampText                 *string // the timestamp, unparsed
	ToolSlug, ToolTitle           string
	Timestamp, CreatedAt          time.Time // zero: absent or not a time
	GenerationType, ModelName     string
	ModelType                     string  // image or video
	Duration                      float64 // seconds; 0 = absent
	Resolution                    string  // such as 1280x720
	Width, Height                 float64 // pixels; 0 = absent
	VideoCount                    int
	Picture                       bool     // an imageFile, the source of what is made
	NotStrings                    []string // members that have to be strings and are not
	OrderMembers                  uint16   // a bit for each that is there; see HasOrderMember
}

// orderMembers are the members of an order, in the order in which the site writes them.
var orderMembers = [...]string{"prompt", "videoCount", "duration", "resolution", "style", "toolSlug", "toolTitle", "createdAt", "status", "timestamp"}

// HasOrderMember reports whether a member of an order is there, of whatever type. Null
// is absent.
func (v Value) HasOrderMember(name string) bool {
	i := slices.Index(orderMembers[:], name)
	return i >= 0 && v.OrderMembers&(1<<i) != 0
}

// stringMembers are the members that have to be strings if present, in the order in which
// their faults are reported. One that is not makes the value unreadable: a repair then
// saves a copy of the value first, and sets or removes the member.
var stringMembers = [...]string{"prompt", "status", "fileId", "error", "timestamp", "createdAt"}

// asStandard decodes as encoding/json does, in half the time: a sweep reads every value.
var asStandard = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// ParseValue parses the value of a key and reports whether it is a full object, readable
// or not: one with a prompt or a status. With a fault it returns what can be read. Of
// duplicate members the last one counts.
func ParseValue(raw []byte) (v Value, full bool, fault Fault) {
	var members map[string]jsontext.Value
	if err := json.Unmarshal(raw, &members, asStandard); err != nil || members == nil {
		if jsontext.Value(raw).IsValid(asStandard) {
			return Value{}, false, faultNoObject
		}
		return Value{}, false, faultSyntax
	}
	present := func(name string) bool { return members[name] != nil && members[name].Kind() != 'n' }
	text := func(name string) *string {
		if members[name].Kind() != '"' {
			return nil
		}
		decoded, _ := jsontext.AppendUnquote(nil, members[name]) // invalid UTF-8 is replaced
		s := string(decoded)
		return &s
	}
	optional := func(name string) string {
		if t := text(name); t != nil {
			return *t
		}
		return ""
	}
	number := func(name string) float64 {
		n, _ := strconv.ParseFloat(string(members[name]), 64) // 0 if it is no number
		return max(-math.MaxFloat64, min(n, math.MaxFloat64))
	}
	v = Value{
		Prompt: text("prompt"), Status: text("status"), FileID: text("fileId"), Error: text("error"), TimestampText: text("timestamp"),
		Timestamp: parseTime(optional("timestamp")), CreatedAt: parseTime(optional("createdAt")),
		ToolSlug: optional("toolSlug"), ToolTitle: optional("toolTitle"), Resolution: optional("resolution"),
		GenerationType: optional("generationType"), ModelName: optional("modelName"), ModelType: optional("modelType"),
		Duration: number("duration"), Width: number("width"), Height: number("height"),
	}
	v.Picture = bytes.HasPrefix(members["imageFile"], []byte("{"))
	if n := number("videoCount"); n == math.Trunc(n) && math.Abs(n) < 1<<31 {
		v.VideoCount = int(n)
	}
	for i, name := range orderMembers {
		if present(name) {
			v.OrderMembers |= 1 << i
		}
	}
	for _, name := range stringMembers {
		if present(name) && members[name].Kind() != '"' {
			v.NotStrings = append(v.NotStrings, name)
		}
	}
	switch {
	case len(v.NotStrings) > 0:
		fault = Fault("its " + v.NotStrings[0] + " is not a string")
	case v.Status != nil && !Status(*v.Status).written():
		fault = "its status is none of pending, processing, completed and error"
	}
	return v, present("prompt") || present("status"), fault
}

// parseTime returns zero for what is not a time.
func parseTime(text string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return at
}
