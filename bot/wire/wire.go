// Package wire decodes the JSON that Slack sends, by the exact, case-sensitive names of
// the members that are used. All others may be of any shape: Slack changes them without
// notice.
package wire

import (
	"errors"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ErrShape means that a required member is missing or malformed. The library's own errors
// quote what was sent.
var ErrShape = errors.New("not of the expected shape")

// Options are how encoding/json decodes.
var Options = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// Decode reads a JSON object.
func Decode[T any](raw jsontext.Value) (T, error) {
	var value, none T
	if raw.Kind() != '{' || json.Unmarshal(raw, &value, Options) != nil {
		return none, ErrShape
	}
	return value, nil
}

// Lenient is a member that is zero if it is of another type.
type Lenient[T any] struct{ Value T }

// UnmarshalJSON leaves the zero value if the JSON is not a T.
func (l *Lenient[T]) UnmarshalJSON(raw []byte) error {
	var value T
	if json.Unmarshal(raw, &value, Options) == nil {
		l.Value = value
	}
	return nil
}

// Timestamp is the ts of a message. It may come as a number in any notation; "" =
// there is none.
type Timestamp string

// UnmarshalJSON reads a string or a number; anything else is none.
func (t *Timestamp) UnmarshalJSON(raw []byte) error {
	value := jsontext.Value(raw)
	switch value.Kind() {
	case '"':
		return json.Unmarshal(raw, (*string)(t), Options)
	case '0':
		if seconds, err := strconv.ParseFloat(string(raw), 64); err == nil {
			*t = Timestamp(strconv.FormatFloat(seconds, 'f', 6, 64)) // as Slack writes it
		}
	}
	return nil
}
