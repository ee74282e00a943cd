package store

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// plainValue reads what nearly all values are, without a detour: a flat object
// of short texts without escapes and of small whole numbers, as JSON.stringify
// writes them. Whatever is less plain is not ok, and nothing is known of it.
func plainValue(raw []byte) (v Value, full, ok bool) {
	rest, found := bytes.CutPrefix(raw, []byte{'{'})
	for found {
		var name, text []byte
		var number int
		if name, rest, found = plainText(rest); !found {
			break
		}
		if rest, found = bytes.CutPrefix(rest, []byte{':'}); !found {
			break
		}
		if text, rest, found = plainText(rest); !found {
			if number, rest, found = plainNumber(rest); !found {
				break
			}
		}
		if !v.set(string(name), text, number) {
			break
		}
		full = full || string(name) == "prompt" || string(name) == "status"
		if len(rest) == 1 && rest[0] == '}' {
			return v, full, true
		}
		rest, found = bytes.CutPrefix(rest, []byte{','})
	}
	return Value{}, false, false
}

// set takes a member; text is nil where it is a number. It refuses one of the
// wrong type.
func (v *Value) set(name string, text []byte, number int) bool {
	var into *string
	switch name {
	case "duration":
		v.Duration = float64(number)
		return text == nil
	case "videoCount":
		v.VideoCount = number
		return text == nil
	case "timestamp":
		stamp := string(text)
		v.Stamp, v.Timestamp = &stamp, parseTime(stamp)
	case "createdAt":
		v.CreatedAt = parseTime(string(text))
	case "status":
		s := string(text)
		v.Status = &s
		return Status(s).written()
	case "prompt":
		v.Prompt = new(string)
		into = v.Prompt
	case "fileId":
		v.FileID = new(string)
		into = v.FileID
	case "error":
		v.Error = new(string)
		into = v.Error
	case "toolSlug":
		into = &v.ToolSlug
	case "toolTitle":
		into = &v.ToolTitle
	case "generationType":
		into = &v.GenerationType
	case "modelName":
		into = &v.ModelName
	case "resolution":
		into = &v.Resolution
	default: // the product's own, of any type
		return true
	}
	if into != nil {
		*into = string(text)
	}
	return text != nil
}

// plainText cuts a text off, never nil where it is found.
func plainText(raw []byte) (text, rest []byte, found bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return nil, raw, false
	}
	end := bytes.IndexByte(raw[1:], '"')
	if end < 0 {
		return nil, raw, false
	}
	text = raw[1 : 1+end]
	ascii := true
	for _, b := range text {
		if b < ' ' || b == '\\' {
			return nil, raw, false
		}
		ascii = ascii && b < utf8.RuneSelf
	}
	return text, raw[2+end:], ascii || utf8.Valid(text)
}

// plainNumber cuts a whole number of at most nine digits off.
func plainNumber(raw []byte) (number int, rest []byte, found bool) {
	n := 0
	for n < len(raw) && '0' <= raw[n] && raw[n] <= '9' {
		n++
	}
	if n == 0 || n > 9 || raw[0] == '0' && n > 1 || n == len(raw) || raw[n] != ',' && raw[n] != '}' {
		return 0, raw, false
	}
	number, err := strconv.Atoi(string(raw[:n]))
	return number, raw[n:], err == nil
}

// tailStatus is the status that stands in the last bytes of an object, where
// nothing but plain members follow it to the object's end. A quote within a text
// is always escaped, so what looks like the member can be nothing else.
func tailStatus(tail []byte) Status {
	at := bytes.LastIndex(tail, []byte(`,"status":"`))
	if at < 0 {
		return StatusNone
	}
	v, _, ok := plainValue(append([]byte{'{'}, tail[at+1:]...))
	if !ok || v.Status == nil {
		return StatusNone
	}
	return Status(*v.Status)
}
