package store

import (
	"bytes"
	"errors"
	"io"
	"math"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Fault says in a clause why the value of a key cannot be read; empty means
// that it can.
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
	Stamp                         *string // the timestamp as it stands there
	ToolSlug, ToolTitle           string
	Timestamp, CreatedAt          time.Time // zero: absent or not a time
	GenerationType, ModelName     string
	ModelType                     string  // image or video
	Duration                      float64 // seconds; 0 = absent
	Resolution                    string  // such as 1280x720
	Width, Height                 float64 // pixels; 0 = absent
	VideoCount                    int
	Picture                       bool     // an imageFile, the source of what is made
	Odd                           []string // members that have to be strings and are none
}

// texts are the members that have to be strings where they are present, in the
// order in which their faults are reported.
var texts = [...]string{"prompt", "status", "fileId", "error", "timestamp", "createdAt"}

// ParseValue reads the value of a key and reports whether it is a full object,
// readable or not: one with a prompt or a status. A fault says what stands in
// the way; what could be read is returned beside it. Of duplicate members the
// last one counts.
func ParseValue(raw []byte) (v Value, full bool, fault Fault) {
	members, fault := decode(raw)
	if fault != "" {
		return Value{}, false, fault
	}
	member := func(name string) *member { return &members[readMembers[name]] }
	text := func(name string) *string {
		if m := member(name); m.kind == '"' {
			return &m.text
		}
		return nil
	}
	optional := func(name string) string {
		if t := text(name); t != nil {
			return *t
		}
		return ""
	}
	v = Value{
		Prompt: text("prompt"), Status: text("status"), FileID: text("fileId"), Error: text("error"), Stamp: text("timestamp"),
		Timestamp: parseTime(optional("timestamp")), CreatedAt: parseTime(optional("createdAt")),
		ToolSlug: optional("toolSlug"), ToolTitle: optional("toolTitle"), Resolution: optional("resolution"),
		GenerationType: optional("generationType"), ModelName: optional("modelName"), ModelType: optional("modelType"),
		Duration: member("duration").number, Width: member("width").number, Height: member("height").number,
	}
	v.Picture = member("imageFile").kind == '{'
	if n := member("videoCount").number; n == math.Trunc(n) && math.Abs(n) < 1<<31 {
		v.VideoCount = int(n)
	}
	for _, name := range texts {
		if kind := member(name).kind; kind != absent && kind != '"' {
			v.Odd = append(v.Odd, name)
		}
	}
	switch {
	case len(v.Odd) > 0:
		fault = Fault("its " + v.Odd[0] + " is not a string")
	case v.Status != nil && !Status(*v.Status).written():
		fault = "its status is none of pending, processing, completed and error"
	}
	return v, member("prompt").kind != absent || member("status").kind != absent, fault
}

// absent is the kind of a member that is missing or null.
const absent jsontext.Kind = 0

// member is one of the members that ParseValue reads.
type member struct {
	kind   jsontext.Kind
	text   string  // of a string
	number float64 // of a number
}

// readMembers are the members that are read, and their places among those that
// decode returns; all others are the product's own.
var readMembers = func() map[string]int {
	places := map[string]int{}
	for _, name := range slices.Concat(texts[:], []string{"duration", "videoCount", "toolSlug", "toolTitle",
		"generationType", "modelName", "modelType", "resolution", "width", "height", "imageFile"}) {
		places[name] = len(places)
	}
	return places
}()

// decode reads the members of a JSON object.
func decode(raw []byte) ([]member, Fault) {
	d := jsontext.NewDecoder(bytes.NewBuffer(raw), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if d.PeekKind() != '{' {
		if err := d.SkipValue(); err != nil || !atEnd(d) {
			return nil, faultSyntax
		}
		return nil, faultNoObject
	}
	members := make([]member, len(readMembers))
	var name []byte
	_, err := d.ReadToken()
	for err == nil && d.PeekKind() != '}' {
		var quoted jsontext.Value
		if quoted, err = d.ReadValue(); err != nil {
			break
		}
		name, _ = jsontext.AppendUnquote(name[:0], quoted) // where it is invalid UTF-8 it is none of ours
		place, ok := readMembers[string(name)]
		if !ok {
			err = d.SkipValue()
			continue
		}
		switch kind := d.PeekKind(); kind {
		case 'n':
			members[place] = member{}
			err = d.SkipValue()
		case '"', '0':
			var token jsontext.Token
			if token, err = d.ReadToken(); err != nil {
				break
			}
			m := member{kind: kind}
			if kind == '"' {
				m.text = token.String()
			} else {
				m.number = token.Float()
			}
			members[place] = m
		default:
			members[place] = member{kind: kind}
			err = d.SkipValue()
		}
	}
	if err == nil {
		_, err = d.ReadToken()
	}
	if err != nil || !atEnd(d) {
		return nil, faultSyntax
	}
	return members, ""
}

func atEnd(d *jsontext.Decoder) bool {
	_, err := d.ReadToken()
	return errors.Is(err, io.EOF)
}

// parseTime reads the product's times; what is not one counts as absent.
func parseTime(text string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return at
}
