package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"
)

func TestSplice(t *testing.T) {
	value := func(v string) json.RawMessage { return json.RawMessage(v) }
	for _, c := range []struct {
		name, object string
		set          []Member
		want         string
	}{
		{"set", `{"status":"pending","n":12345678901234567890}`, []Member{{"status", value(`"error"`)}}, `{"status":"error","n":12345678901234567890}`},
		{"add at the end", ` {"a": [] } `, []Member{{"b", value(`1`)}}, ` {"a": [],"b":1 } `},
		{"add to nothing", `{}`, []Member{{"b", value(`1`)}}, `{"b":1}`},
		{"remove", `{"a":1,"b":2,"c":3}`, []Member{{"b", nil}}, `{"a":1,"c":3}`},
		{"remove all", `{"a":1}`, []Member{{"a", nil}}, `{}`},
		{"remove what is not there", `{"a":1}`, []Member{{"b", nil}}, `{"a":1}`},
		{"an escaped name", `{"st\u0061tus":"x","z":1}`, []Member{{"status", value(`"y"`)}}, `{"st\u0061tus":"y","z":1}`},
		{"duplicates", `{"a":1,"b":2,"a":3}`, []Member{{"a", value(`9`)}}, `{"a":9,"b":2}`},
		{"an inner member of the same name", `{"o":{"a":1},"a":2}`, []Member{{"a", value(`9`)}}, `{"o":{"a":1},"a":9}`},
		{"commas and braces in texts", `{"t":"},\"a\":{","a":1}`, []Member{{"a", value(`2`)}}, `{"t":"},\"a\":{","a":2}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Splice([]byte(c.object), c.set)
			if err != nil || string(got) != c.want {
				t.Errorf("%s, %v, want %s", got, err, c.want)
			}
		})
	}
	for _, wrong := range []string{``, `[]`, `null`, `"{}"`, `{`, `{"a":}`, `{} {}`} {
		if _, err := Splice([]byte(wrong), nil); !errors.Is(err, ErrNoObject) {
			t.Errorf("Splice(%q): %v", wrong, err)
		}
	}
}

// pair is a member as it stands in the bytes.
type pair struct{ name, raw string }

// pairs reads an object's members in their order, duplicates and all, by the
// library's own tokens.
func pairs(object []byte) ([]pair, error) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, errors.New("no object")
	}
	var all []pair
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			return nil, err
		}
		all = append(all, pair{name.(string), string(raw)})
	}
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than an object")
	}
	return all, nil
}

// FuzzSplice: whoever lets the last duplicate win reads exactly the new values,
// and every other member stays as it is, in its place.
func FuzzSplice(f *testing.F) {
	for _, seed := range []string{`{"status":"pending","fileId":null,"x":[1,{"status":2}]}`, `{"st\u0061tus":1,"status":2}`, `{}`, ` { "a" : "\"}" } `} {
		f.Add([]byte(seed), "status", "error")
	}
	f.Fuzz(func(t *testing.T, object []byte, name, text string) {
		before, err := pairs(object)
		value, jsonErr := json.Marshal(text)
		var same string // what the name reads like once it went through JSON
		encoded, nameErr := json.Marshal(name)
		if err != nil || jsonErr != nil || nameErr != nil || json.Unmarshal(encoded, &same) != nil || same != name {
			return
		}
		got, err := Splice(object, []Member{{name, value}, {"gone", nil}})
		if name == "gone" {
			return // names have to differ
		}
		if err != nil {
			t.Fatalf("%q: %v", object, err)
		}
		var after map[string]json.RawMessage
		if err := json.Unmarshal(got, &after); err != nil {
			t.Fatalf("%q became %q: %v", object, got, err)
		}
		if _, there := after["gone"]; there || string(after[name]) != string(value) {
			t.Errorf("%q became %q", object, got)
		}
		now, err := pairs(got)
		if err != nil {
			t.Fatal(err)
		}
		others := func(all []pair) (rest []pair) {
			for _, p := range all {
				if p.name != name && p.name != "gone" {
					rest = append(rest, p)
				}
			}
			return rest
		}
		want, kept := others(before), others(now)
		if len(want) != len(kept) {
			t.Fatalf("%q became %q", object, got)
		}
		for i := range want {
			if want[i] != kept[i] {
				t.Errorf("%q became %q: %v is %v now", object, got, want[i], kept[i])
			}
		}
	})
}
