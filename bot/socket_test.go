package bot

import (
	"encoding/json"
	"testing"
)

func FuzzSalvage(f *testing.F) {
	for _, seed := range []string{
		`{"envelope_id":"e1","payload":{"response_url":"https://hooks.slack.com/x"}}`,
		`{"envelope_id":7,"payload":"x"}`, `[]`, `null`, `{`, "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		id, responseURL := salvage(frame)
		if id+responseURL != "" && !json.Valid(frame) {
			t.Errorf("%q: found %q and %q in what is not JSON", frame, id, responseURL)
		}
	})
}

func TestSalvage(t *testing.T) {
	for frame, want := range map[string][2]string{
		`{"envelope_id":"e1","payload":{"response_url":"u","command":7}}`: {"e1", "u"},
		`{"envelope_id":"e1","payload":"text"}`:                           {"e1", ""},
		`{"envelope_id":7,"payload":{"response_url":7}}`:                  {"", ""},
		`{"envelope_id":"e1","type":["x"]}`:                               {"e1", ""},
		`[1]`:                                                             {"", ""}, `null`: {"", ""}, `{"envelope_id":"e1"`: {"", ""},
	} {
		if id, responseURL := salvage([]byte(frame)); id != want[0] || responseURL != want[1] {
			t.Errorf("%s: %q %q", frame, id, responseURL)
		}
	}
}
