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

// Patch sets and removes members in the object's own bytes. Whatever is not named
// stays byte for byte and in its order, so that big numbers and odd spellings
// survive. Names are compared unescaped; of duplicates the first gets the new value
// and the others are removed. New members are added at the end.
//
// It returns ErrNoObject if the bytes are not a JSON object. The names in set have
// to differ, and its values to be JSON.
func Patch(object []byte, set []Member) ([]byte, error) {
	members, end, err := splitMembers(object)
	if err != nil {
		return nil, err
	}
	var parts [][]byte
	written := map[string]bool{}
	for _, m := range members {
		i := slices.IndexFunc(set, func(s Member) bool { return s.Name == m.name })
		switch {
		case i < 0:
			parts = append(parts, object[m.start:m.end])
		case set[i].Value != nil && !written[m.name]:
			written[m.name] = true
			parts = append(parts, slices.Concat(object[m.start:m.value], set[i].Value, object[m.valueEnd:m.end]))
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
	begin := bytes.IndexByte(object, '{') + 1
	return slices.Concat(object[:begin], bytes.Join(parts, []byte(",")), object[end:]), nil
}

// member is where a member lies in its object: between the commas around it, and
// its value alone.
type member struct {
	name            string
	start, end      int
	value, valueEnd int
}

// splitMembers returns the members of an object and where the last one ends.
func splitMembers(object []byte) (members []member, end int, err error) {
	d := json.NewDecoder(bytes.NewReader(object))
	if !json.Valid(object) {
		return nil, 0, ErrNoObject
	}
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		return nil, 0, ErrNoObject
	}
	offset := func() int { return int(d.InputOffset()) }
	end = offset()
	for start := end; d.More(); start = end + 1 {
		name, err := d.Token()
		if err != nil {
			return nil, 0, fmt.Errorf("name of a member: %w", err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, 0, fmt.Errorf("value of a member: %w", err)
		}
		m := member{start: start, value: offset() - len(value), valueEnd: offset(), end: offset()}
		m.name, _ = name.(string) // of a member it always is
		if d.More() {
			m.end += bytes.IndexByte(object[m.end:], ',')
		}
		members, end = append(members, m), m.end
	}
	return members, end, nil
}
