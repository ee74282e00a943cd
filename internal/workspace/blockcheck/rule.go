package blockcheck

import (
	"maps"
	"slices"
)

// A rule checks one value and reports where it breaks Slack's rules.
type rule func(value)

// field is a member of an object and its rule; nil allows any value.
type field struct {
	name     string
	required bool
	check    rule
}

func must(name string, check rule) field { return field{name, true, check} }

func may(name string, check rule) field { return field{name, false, check} }

// fields checks members in their order.
func fields(members ...field) rule {
	return func(v value) {
		for _, f := range members {
			find := v.member
			if f.required {
				find = v.required
			}
			if m, ok := find(f.name); ok && f.check != nil {
				f.check(m)
			}
		}
	}
}

// object is fields of what has to be an object.
func object(members ...field) rule {
	check := fields(members...)
	return func(v value) {
		if v.isObject() {
			check(v)
		}
	}
}

// variants checks an object by the rule for its type; a nil rule allows anything.
func variants(rules map[string]rule) rule {
	allowed := slices.Collect(maps.Keys(rules))
	return func(v value) {
		if kind, ok := v.kind(allowed...); ok && rules[kind] != nil {
			rules[kind](v)
		}
	}
}

// each checks every element of an array.
func each(check rule) rule {
	return func(v value) {
		items, _ := v.items()
		for _, item := range items {
			check(item)
		}
	}
}

// list is each, and checks the number of elements against path's limits. An empty
// array is refused.
func list(path string, check rule) rule {
	return func(v value) {
		items, ok := v.items()
		if !ok {
			return
		}
		if most, ok := limits[path+".max_items"]; ok && len(items) > most {
			v.report("no more than %d items allowed", most)
		}
		if least := max(1, limits[path+".min_items"]); len(items) < least {
			v.report("no fewer than %d items allowed", least)
		}
		for _, item := range items {
			if check != nil {
				check(item)
			}
		}
	}
}

// bounded checks a string against path's limits.
func bounded(path string) rule { return func(v value) { v.length(path, 0) } }

// nonEmpty is bounded, and refuses an empty string.
func nonEmpty(path string) rule { return func(v value) { v.length(path, 1) } }

// enum checks that a string is one of some words.
func enum(words ...string) rule {
	return func(v value) {
		if word, ok := v.str(); ok && !slices.Contains(words, word) {
			v.report("must be a valid enum value")
		}
	}
}

func number(v value) { v.number() }

// between checks a number against path's min (at least 1) and max.
func between(path string) rule {
	return func(v value) {
		n, ok := v.number()
		if !ok {
			return
		}
		if most := limit(path + ".max"); n > float64(most) {
			v.report("must be less than %d", most+1)
		}
		if least := max(1, limits[path+".min"]); n < float64(least) {
			v.report("must be more than %d", least-1)
		}
	}
}

// The types of text objects that a place takes.
var (
	plain  = []string{"plain_text"}
	mrkdwn = []string{"plain_text", "mrkdwn"}
)

// textObject checks a text object. Its limit is path's, or that of every text, and its
// characters count towards the message's.
func textObject(kinds []string, path string) rule {
	if _, ok := limits[path+".max_length"]; !ok {
		path = "text"
	}
	return object(
		must("type", enum(kinds...)),
		must("text", func(v value) { v.characters += v.length(path, 1) }),
	)
}
