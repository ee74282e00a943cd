package sessions

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// ErrNoObject means that bytes are not one JSON object.
var ErrNoObject = errors.New("not a JSON object")

// Member is one member of a JSON object as it shall be.
type Member struct {
	Name  string
	Value json.RawMessage // nil = remove it
}

// blanks are what JSON takes for white space.
const blanks = " \t\r\n"

// Patch sets and removes members in the object's own bytes. Whatever is not
// named stays byte for byte and in its order: nothing is decoded and written
// anew, so big numbers and odd spellings survive. A name counts as it reads,
// however it is escaped; of duplicates the first gets the new value and the
// others go. New members follow at the end.
//
// ErrNoObject where the bytes are not a JSON object. The names in set have to
// differ, and its values to be JSON.
func Patch(object []byte, set []Member) ([]byte, error) {
	before, body, after, err := splitObject(object)
	if err != nil {
		return nil, err
	}
	var parts [][]byte
	written := map[string]bool{}
	for _, part := range splitMembers(body) {
		name, start, err := nameOf(part)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(set, func(m Member) bool { return m.Name == name })
		switch {
		case i < 0:
			parts = append(parts, part)
		case set[i].Value != nil && !written[name]:
			written[name] = true
			parts = append(parts, replace(part, start, set[i].Value))
		}
	}
	for _, m := range set {
		if m.Value == nil || written[m.Name] {
			continue
		}
		name, err := json.Marshal(m.Name)
		if err != nil {
			return nil, fmt.Errorf("name of a member: %w", err)
		}
		parts = append(parts, slices.Concat(name, []byte(":"), m.Value))
	}
	return slices.Concat(before, bytes.Join(parts, []byte(",")), after), nil
}

// splitObject takes an object apart: up to its brace, its members, and the rest with
// the white space before it.
func splitObject(object []byte) (before, body, after []byte, err error) {
	start := bytes.IndexByte(object, '{')
	if !json.Valid(object) || start < 0 || len(bytes.Trim(object[:start], blanks)) > 0 {
		return nil, nil, nil, ErrNoObject
	}
	end := bytes.LastIndexByte(object, '}')
	body = bytes.TrimRight(object[start+1:end], blanks)
	return object[:start+1], body, object[start+1+len(body):], nil
}

// splitMembers cuts the members of a valid object at the commas between them.
func splitMembers(body []byte) [][]byte {
	if len(body) == 0 {
		return nil
	}
	var parts [][]byte
	depth, start, quoted := 0, 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++ // what is escaped ends no string
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		case c == ',' && depth == 0:
			parts = append(parts, body[start:i])
			start = i + 1
		}
	}
	return append(parts, body[start:])
}

// nameOf reads a member's name and tells where its value starts.
func nameOf(part []byte) (name string, start int, err error) {
	first := bytes.IndexByte(part, '"')
	last := first + 1
	for part[last] != '"' {
		if part[last] == '\\' {
			last++
		}
		last++
	}
	if err := json.Unmarshal(part[first:last+1], &name); err != nil {
		return "", 0, fmt.Errorf("name of a member: %w", err)
	}
	start = last + bytes.IndexByte(part[last:], ':') + 1
	for bytes.IndexByte([]byte(blanks), part[start]) >= 0 {
		start++
	}
	return name, start, nil
}

// replace puts another value into a member and leaves the white space around
// it as it is.
func replace(part []byte, start int, value []byte) []byte {
	end := len(bytes.TrimRight(part, blanks))
	return slices.Concat(part[:start], value, part[end:])
}
