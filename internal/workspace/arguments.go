package workspace

import (
	"encoding/json"
	"io"
	"maps"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// arguments are the arguments of a call, as JSON values. Those of a form are
// JSON strings.
type arguments map[string]json.RawMessage

// readArguments reads the query and a form or JSON body. In a JSON body the
// members are taken as they are.
func readArguments(r *http.Request) (arguments, error) {
	args := arguments{}
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil && r.Header.Get("Content-Type") != "" {
		return nil, fail("invalid_post_type")
	}
	if mediaType == "application/json" {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, fail("request_too_large")
		}
		if len(raw) > 0 && json.Unmarshal(raw, &args) != nil {
			return nil, fail("json_not_object")
		}
		if args == nil { // the body was null
			args = arguments{}
		}
	}
	if mediaType == "multipart/form-data" {
		err = r.ParseMultipartForm(maxBody)
	} else {
		err = r.ParseForm()
	}
	if err != nil {
		return nil, fail("invalid_form_data")
	}
	for name, values := range r.Form {
		if _, ok := args[name]; !ok {
			args[name] = encode(values[0])
		}
	}
	return args, nil
}

// text is an argument as text; numbers and booleans are as they were written.
func (a arguments) text(name string) string {
	raw, ok := a[name]
	if !ok || string(raw) == "null" {
		return ""
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

// json is an argument that is structured: JSON itself, or a string of it.
func (a arguments) json(name string) json.RawMessage {
	text := strings.TrimSpace(a.text(name))
	if text == "" {
		return nil
	}
	return json.RawMessage(text)
}

func (a arguments) bool(name string) bool {
	on, err := strconv.ParseBool(a.text(name))
	return err == nil && on
}

// number is an argument from 1 to most; without it, or with rubbish, it is most.
func (a arguments) number(name string, most int) int {
	n, err := strconv.Atoi(a.text(name))
	if err != nil || n < 1 || n > most {
		return most
	}
	return n
}

// list is a comma-separated argument.
func (a arguments) list(name string) []string {
	return strings.FieldsFunc(a.text(name), func(r rune) bool { return r == ',' || r == ' ' })
}

// redacted is what may be shown of the arguments: all but the token.
func (a arguments) redacted() json.RawMessage {
	open := maps.Clone(a)
	delete(open, "token")
	return encode(open)
}
