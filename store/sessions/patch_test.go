package sessions

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"testing"
)

func TestPatch(t *testing.T) {
	t.Parallel()
	set := []Member{{"status", json.RawMessage(`"error"`)}, {"fileId", nil}}
	for _, c := range []struct{ name, in, want string }{
		{"empty", `{}`, `{"status":"error"}`},
		{"blank", " { \n} ", " {\"status\":\"error\" \n} "},
		{"kept unchanged", `{"n":12345678901234567890123, "a" : [ ], "e":1.0e2,"u":"\u0061"}`,
			`{"n":12345678901234567890123, "a" : [ ], "e":1.0e2,"u":"\u0061","status":"error"}`},
		{"in its place", `{"status" : "pending" ,"z":1}`, `{"status" : "error" ,"z":1}`},
		{"removed first", `{"fileId":"x","z":1}`, `{"z":1,"status":"error"}`},
		{"removed alone", `{"fileId":"x"}`, `{"status":"error"}`},
		{"escaped name", `{"st\u0061tus":"pending","fil\u0065Id":"x"}`, `{"st\u0061tus":"error"}`},
		{"duplicates", `{"status":"a","z":1,"status":"b","fileId":1,"fileId":2}`, `{"status":"error","z":1}`},
		{"commas and braces in strings", `{"z":"},{\"status\":1,\\","y":{"status":[1,{"a":2}]}}`,
			`{"z":"},{\"status\":1,\\","y":{"status":[1,{"a":2}]},"status":"error"}`},
		{"over several lines", "{\n  \"z\": 1,\n  \"status\": null\n}\n", "{\n  \"z\": 1,\n  \"status\": \"error\"\n}\n"},
		{"another case is another name", `{"Status":1}`, `{"Status":1,"status":"error"}`},
		{"empty name", `{"":1}`, `{"":1,"status":"error"}`},
	} {
		got, err := Patch([]byte(c.in), set)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %s, %v; want %s", c.name, got, err, c.want)
		}
	}
}

func TestPatchTakesObjectsOnly(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"", " ", "null", "[]", `["{}"]`, `"{}"`, "7", "{", `{"a":1`, `{"a":1}{}`, `{"a":1,}`, `{a:1}`} {
		if got, err := Patch([]byte(in), nil); !errors.Is(err, ErrNoObject) {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
}

// pair is what an independent reader finds: the name as it reads, the value
// unchanged.
type pair struct {
	name  string
	value string
}

// lastWins reads an object with the standard library's own tokens. In the map
// the last of several duplicates is the one that counts.
func lastWins(t *testing.T, raw []byte) ([]pair, map[string]string) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	var list []pair
	last := map[string]string{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		list = append(list, pair{name.(string), string(value)})
		last[name.(string)] = string(value)
	}
	if _, err := d.Token(); err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		t.Fatalf("%q: more than an object: %v", raw, err)
	}
	return list, last
}

// FuzzPatch holds that a reader for whom the last duplicate wins reads exactly
// the new values, and that all else stays byte for byte and in its order.
func FuzzPatch(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"status":"pending","fileId":"x"}`, `{"st\u0061tus":1,"status":2,"n":12345678901234567890}`,
		`{"a":[],"b":{"status":1},"error":null , "fileId":"\\\""}`, "{\n\t\"timestamp\" : 1e400\n}", `[1]`, `{"\ud800":1}`,
		`{"a":"` + "\xff" + `","\"":"}"}`,
	} {
		f.Add([]byte(seed), "a sentence", true)
	}
	f.Fuzz(func(t *testing.T, in []byte, text string, remove bool) {
		value, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		set := []Member{{"status", value}, {"fileId", value}, {"error", nil}}
		if remove {
			set[1].Value = nil
		}
		before := slices.Clone(in)
		out, err := Patch(in, set)
		if !bytes.Equal(in, before) {
			t.Fatal("the input was changed")
		}
		var object map[string]json.RawMessage
		if isObject := json.Unmarshal(in, &object) == nil && object != nil; isObject != (err == nil) {
			t.Fatalf("%q is an object: %v; Patch says %v", in, isObject, err)
		}
		if err != nil {
			if !errors.Is(err, ErrNoObject) {
				t.Fatal(err)
			}
			return
		}
		checkPatched(t, in, out, set)
	})
}

func checkPatched(t *testing.T, in, out []byte, set []Member) {
	t.Helper()
	named := func(m pair) bool {
		return slices.ContainsFunc(set, func(s Member) bool { return s.Name == m.name })
	}
	old, _ := lastWins(t, in)
	now, last := lastWins(t, out)
	for _, s := range set {
		if got, there := last[s.Name]; there != (s.Value != nil) || got != string(s.Value) {
			t.Fatalf("%q: %s reads %q, want %q", out, s.Name, got, s.Value)
		}
	}
	old, now = slices.DeleteFunc(old, named), slices.DeleteFunc(now, named)
	if !slices.Equal(old, now) {
		t.Fatalf("what was not named changed:\n%q\n%q", old, now)
	}
}
