package form

import (
	"encoding/json"
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// offered finds the option with a value among those of the element.
func offered(e Element, value string, _ World) (any, error) {
	return find(append(e.list("options"), e.grouped()...), value)
}

// fetched finds the option among those that the app gave, or that was chosen
// at the start.
func fetched(e Element, value string, w World) (any, error) {
	known := append([]any{e.raw["initial_option"]}, e.list("initial_options")...)
	return find(append(known, w.Offered...), value)
}

func find(options []any, value string) (any, error) {
	for _, raw := range options {
		if option, _ := raw.(object); option != nil && option["value"] == value {
			return option, nil
		}
	}
	return nil, fmt.Errorf("option %q is not offered", value)
}

func (e Element) list(name string) []any {
	list, _ := e.raw[name].([]any)
	return list
}

// grouped lists the options of a select that has groups of them.
func (e Element) grouped() []any { return Ungroup(e.list("option_groups")) }

// Ungroup lists the options of groups, in order.
func Ungroup(groups []any) []any {
	var list []any
	for _, raw := range groups {
		group, _ := raw.(object)
		options, _ := group["options"].([]any)
		list = append(list, options...)
	}
	return list
}

func user(_ Element, id string, w World) (any, error) {
	if !w.HasUser(id) {
		return nil, fmt.Errorf("there is no user %s", id)
	}
	return id, nil
}

func conversation(_ Element, id string, w World) (any, error) {
	if !w.HasChannel(id) {
		return nil, fmt.Errorf("there is no channel %s", id)
	}
	return id, nil
}

// layout takes a date or time in a layout.
func layout(layout, example string) func(Element, string, World) (any, error) {
	return func(_ Element, text string, _ World) (any, error) {
		if _, err := time.Parse(layout, text); err != nil {
			return nil, fmt.Errorf("%q is not %s", text, example)
		}
		return text, nil
	}
}

// dateTime takes seconds since 1970.
func dateTime(_ Element, text string, _ World) (any, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err != nil || n < 0 || len(text) != 10 {
		return nil, fmt.Errorf("%q is not a time in seconds since 1970, with ten digits", text)
	}
	return json.Number(text), nil
}

func plainText(e Element, text string, _ World) (any, error) {
	n := utf8.RuneCountInString(text)
	if most, ok := e.limit("max_length"); ok && n > int(most) {
		return nil, fmt.Errorf("%d characters are more than the %d allowed", n, int(most))
	}
	if least, ok := e.limit("min_length"); ok && n < int(least) {
		return nil, fmt.Errorf("%d characters are fewer than the %d required", n, int(least))
	}
	return text, nil
}

func email(_ Element, text string, _ World) (any, error) {
	if a, err := mail.ParseAddress(text); err != nil || a.Address != text {
		return nil, fmt.Errorf("%q is not an e-mail address", text)
	}
	return text, nil
}

func webAddress(_ Element, text string, _ World) (any, error) {
	if u, err := url.Parse(text); err != nil || u.Host == "" {
		return nil, fmt.Errorf("%q is not a URL", text)
	}
	return text, nil
}

// number takes a number; the app gets it as text, as it was typed.
func number(e Element, text string, _ World) (any, error) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, fmt.Errorf("%q is not a number", text)
	}
	if decimals, _ := e.raw["is_decimal_allowed"].(bool); !decimals && strings.ContainsAny(text, ".eE") {
		return nil, fmt.Errorf("%q is not a whole number", text)
	}
	if most, ok := e.limit("max_value"); ok && n > most {
		return nil, fmt.Errorf("%s is more than the %v allowed", text, most)
	}
	if least, ok := e.limit("min_value"); ok && n < least {
		return nil, fmt.Errorf("%s is less than the %v required", text, least)
	}
	return text, nil
}

// limit is a bound that the element sets, as a number or as text of one.
func (e Element) limit(name string) (float64, bool) {
	var text string
	switch v := e.raw[name].(type) {
	case json.Number:
		text = v.String()
	case string:
		text = v
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}

// richText makes a paragraph of what was typed.
func richText(_ Element, text string, _ World) (any, error) {
	return object{"type": "rich_text", "elements": []any{object{
		"type": "rich_text_section", "elements": []any{object{"type": "text", "text": text}},
	}}}, nil
}

// file takes the id of a file that the person uploaded.
func file(e Element, id string, w World) (any, error) {
	f := w.File(id)
	if f == nil {
		return nil, fmt.Errorf("there is no file %s", id)
	}
	name, _ := f["name"].(string)
	accepted := e.list("filetypes")
	if len(accepted) > 0 && !slices.ContainsFunc(accepted, func(one any) bool { return fileType(one) == fileType(f["filetype"]) }) {
		return nil, fmt.Errorf("%s is not of an accepted type", name)
	}
	return f, nil
}

// fileType is a type of files, of which some have two names.
func fileType(v any) string {
	name, _ := v.(string)
	if name = strings.ToLower(name); name == "jpeg" {
		return "jpg"
	}
	return name
}
