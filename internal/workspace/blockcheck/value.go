package blockcheck

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// value is one JSON value and its place.
type value struct {
	*checker
	pointer string // JSON pointer
	raw     any
}

func (v value) report(format string, args ...any) {
	v.found = append(v.found, Violation{Code: v.code, Pointer: v.pointer, Text: fmt.Sprintf(format, args...)})
}

func (v value) reportTooLong(most int) { v.report("must be less than %d characters", most+1) }

// member returns a member of an object. Null counts as absent.
func (v value) member(name string) (value, bool) {
	fields, _ := v.raw.(map[string]any)
	raw := fields[name]
	return value{checker: v.checker, pointer: v.pointer + "/" + pointerEscapes.Replace(name), raw: raw}, raw != nil
}

// pointerEscapes writes a name as a JSON pointer has it (RFC 6901).
var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// required is member, and reports a member that is missing.
func (v value) required(name string) (value, bool) {
	m, ok := v.member(name)
	if !ok {
		v.report("missing required field: %s", name)
	}
	return m, ok
}

// isObject reports whether the value is an object.
func (v value) isObject() bool {
	_, ok := v.raw.(map[string]any)
	if !ok {
		v.report("must provide an object")
	}
	return ok
}

// items returns the elements of an array, and reports whether it is one.
func (v value) items() ([]value, bool) {
	list, ok := v.raw.([]any)
	if !ok {
		v.report("must provide an array")
	}
	items := make([]value, 0, len(list))
	for i, raw := range list {
		items = append(items, value{checker: v.checker, pointer: v.pointer + "/" + strconv.Itoa(i), raw: raw})
	}
	return items, ok
}

// str returns the value as a string, and reports whether it is one.
func (v value) str() (string, bool) {
	s, ok := v.raw.(string)
	if !ok {
		v.report("must provide a string")
	}
	return s, ok
}

// number returns the value as a number, and reports whether it is one.
func (v value) number() (float64, bool) {
	n, _ := v.raw.(json.Number)
	f, err := n.Float64()
	if err != nil {
		v.report("must provide a number")
	}
	return f, err == nil
}

// length checks a string against path's limits and a lower bound, and returns
// its length in characters; that of anything else is 0.
func (v value) length(path string, least int) int {
	s, ok := v.str()
	if !ok {
		return 0
	}
	n := utf8.RuneCountInString(s)
	if most, ok := limits[path+".max_length"]; ok && n > most {
		v.reportTooLong(most)
	}
	if least = max(least, limits[path+".min_length"]); n < least {
		v.report("must be more than %d characters", least-1)
	}
	return n
}

// kind returns the value's type, and reports whether it is one of those allowed.
func (v value) kind(allowed ...string) (string, bool) {
	if !v.isObject() {
		return "", false
	}
	m, ok := v.required("type")
	if !ok {
		return "", false
	}
	kind, ok := m.str()
	if ok && !slices.Contains(allowed, kind) {
		v.report("unsupported type: %s", kind)
		return "", false
	}
	return kind, ok
}

// uniqueID checks the length of an id, and that it is used only once.
func (v value) uniqueID(name string, used map[string]bool) {
	m, ok := v.member(name)
	if !ok {
		return
	}
	m.length(name, 0)
	id, _ := m.raw.(string)
	if id == "" {
		return
	}
	if used[id] {
		m.report("`%s` %q already exists", name, id)
	}
	used[id] = true
}
