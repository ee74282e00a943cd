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
	ok = plainMembers(raw, func(name, text []byte, number int) bool {
		full = full || string(name) == "prompt" || string(name) == "status"
		v.set(string(name), text, number)
		return v.Status == nil || Status(*v.Status).written()
	})
	if !ok {
		return Value{}, false, false
	}
	return v, full, true
}

// ofNumbers are the members that are read, and whether they are numbers. All
// others are the product's own, of any type.
var ofNumbers = map[string]bool{"duration": true, "videoCount": true, "timestamp": false, "createdAt": false, "status": false,
	"prompt": false, "fileId": false, "error": false, "toolSlug": false, "toolTitle": false, "generationType": false, "modelName": false, "resolution": false}

// plainMembers tells each member of a plain object, until it is refused. Text is
// nil where the member is a number. Name and text are parts of raw.
func plainMembers(raw []byte, tell func(name, text []byte, number int) bool) (plain bool) {
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
		if isNumber, known := ofNumbers[string(name)]; known && isNumber != (text == nil) || !tell(name, text, number) {
			break
		}
		if len(rest) == 1 && rest[0] == '}' {
			return true
		}
		rest, found = bytes.CutPrefix(rest, []byte{','})
	}
	return false
}

// set takes a member; text is nil where it is a number.
func (v *Value) set(name string, text []byte, number int) {
	switch name {
	case "duration":
		v.Duration = float64(number)
	case "videoCount":
		v.VideoCount = number
	case "timestamp":
		v.Stamp = new(string(text))
		v.Timestamp = parseTime(*v.Stamp)
	case "createdAt":
		v.CreatedAt = parseTime(string(text))
	case "status":
		v.Status = new(string(text))
	case "prompt":
		v.Prompt = new(string(text))
	case "fileId":
		v.FileID = new(string(text))
	case "error":
		v.Error = new(string(text))
	case "toolSlug":
		v.ToolSlug = string(text)
	case "toolTitle":
		v.ToolTitle = string(text)
	case "generationType":
		v.GenerationType = string(text)
	case "modelName":
		v.ModelName = string(text)
	case "resolution":
		v.Resolution = string(text)
	}
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
