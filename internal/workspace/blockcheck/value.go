package blockcheck

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// value is one JSON value and the place where it stands.
type value struct {
	*checker
	at  string // JSON pointer
	raw any
}

func (v value) fault(format string, args ...any) {
	v.found = append(v.found, Violation{Code: v.code, Pointer: v.at, Text: fmt.Sprintf(format, args...)})
}

func (v value) tooLong(most int) { v.fault("must be less than %d characters", most+1) }

// member is a member of an object. Null counts as absent.
func (v value) member(name string) (value, bool) {
	fields, _ := v.raw.(map[string]any)
	raw := fields[name]
	return value{checker: v.checker, at: v.at + "/" + pointed.Replace(name), raw: raw}, raw != nil
}

// pointed writes a name as a JSON pointer has it.
var pointed = strings.NewReplacer("~", "~0", "/", "~1")

// required is a member that has to be there.
func (v value) required(name string) (value, bool) {
	m, ok := v.member(name)
	if !ok {
		v.fault("missing required field: %s", name)
	}
	return m, ok
}

// isObject reports whether the value is an object, and faults it where not.
func (v value) isObject() bool {
	if _, ok := v.raw.(map[string]any); !ok {
		v.fault("must provide an object")
		return false
	}
	return true
}

// items are the elements of an array.
func (v value) items() []value {
	list, ok := v.raw.([]any)
	if !ok {
		v.fault("must provide an array")
	}
	items := make([]value, 0, len(list))
	for i, raw := range list {
		items = append(items, value{checker: v.checker, at: v.at + "/" + strconv.Itoa(i), raw: raw})
	}
	return items
}

// counted checks the number of elements against path's limits and returns them.
func (v value) counted(path string) []value {
	items := v.items()
	if _, isArray := v.raw.([]any); !isArray {
		return nil
	}
	if most, ok := limits[path+".max_items"]; ok && len(items) > most {
		v.fault("no more than %d items allowed", most)
	}
	if least := max(1, limits[path+".min_items"]); len(items) < least {
		v.fault("no fewer than %d items allowed", least)
	}
	return items
}

// str is the value as a string.
func (v value) str() (string, bool) {
	s, ok := v.raw.(string)
	if !ok {
		v.fault("must provide a string")
	}
	return s, ok
}

// measured checks a string against path's limits, and returns its length.
func (v value) measured(path string) int {
	s, ok := v.str()
	if !ok {
		return 0
	}
	n := characters(s)
	if most, ok := limits[path+".max_length"]; ok && n > most {
		v.tooLong(most)
	}
	if least := limits[path+".min_length"]; n < least {
		v.fault("must be more than %d characters", least-1)
	}
	return n
}

func (v value) optionalString(name, path string) {
	if m, ok := v.member(name); ok {
		m.measured(path)
	}
}

func (v value) requiredString(name, path string) {
	if m, ok := v.required(name); ok {
		if m.measured(path) == 0 && limits[path+".min_length"] == 0 && m.raw == "" {
			m.fault("must be more than 0 characters")
		}
	}
}

// oneOf is a required member that has to be one of some words; empty where it is
// not.
func (v value) oneOf(name string, words ...string) string {
	m, ok := v.required(name)
	if !ok {
		return ""
	}
	word, ok := m.str()
	if ok && !slices.Contains(words, word) {
		m.fault("must be a valid enum value")
		return ""
	}
	return word
}

// optionalOneOf is oneOf for a member that may be absent.
func (v value) optionalOneOf(name string, words ...string) {
	if _, ok := v.member(name); ok {
		v.oneOf(name, words...)
	}
}

// number is the value as a number.
func (v value) number() (float64, bool) {
	n, ok := v.raw.(json.Number)
	if !ok {
		v.fault("must provide a number")
		return 0, false
	}
	f, err := n.Float64()
	if err != nil {
		v.fault("must provide a number")
	}
	return f, err == nil
}

// within checks an optional number against path's min and max.
func (v value) within(name, path string) {
	m, ok := v.member(name)
	if !ok {
		return
	}
	n, ok := m.number()
	if !ok {
		return
	}
	if most := limit(path + ".max"); n > float64(most) {
		m.fault("must be less than %d", most+1)
	}
	if least := max(1, limits[path+".min"]); n < float64(least) {
		m.fault("must be more than %d", least-1)
	}
}
