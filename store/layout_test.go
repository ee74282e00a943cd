package store

import (
	"testing"
	"time"
)

// TestLayoutThatTheSiteReads: by what the site itself made, and not by what a
// repair left.
func TestLayoutThatTheSiteReads(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	full := Held("", "", `{"prompt":"A fox","status":"pending","createdAt":"2026-02-04T10:00:00.000Z"}`)
	three := func(age time.Duration) Session {
		return Held(`{"prompt":"A fox","timestamp":"`+Ago(age)+`"}`, `{"status":"completed","timestamp":"`+Ago(time.Hour)+`"}`, `{"fileId":"f"}`)
	}
	for _, c := range []struct {
		name     string
		sessions []Session
		want     Layout
	}{
		{"nothing", nil, LayoutNone},
		{"full objects", []Session{full}, LayoutOneKey},
		{"three keys", []Session{three(6 * day)}, LayoutThreeKey},
		{"a prompt alone", []Session{Held(`{"prompt":"A fox","timestamp":"`+Ago(time.Minute)+`"}`, "", "")}, LayoutThreeKey},
		{"three keys of long ago, repaired just now", []Session{three(8 * day)}, LayoutNone},
		{"three keys of nobody knows when", []Session{Held("", `{"status":"completed","timestamp":"`+Ago(time.Hour)+`"}`, "")}, LayoutNone},
		{"both", []Session{three(time.Minute), full, three(time.Minute)}, LayoutOneKey},
		{"a mapping with the status of a repair", []Session{Held(FoxPrompt, `{"status":"error"}`, `{"status":"error"}`)}, LayoutNone},
		{"a createdAt that is no time", []Session{Held("", "", `{"prompt":"A fox","createdAt":"yesterday"}`)}, LayoutNone},
	} {
		got := LayoutNone
		for _, s := range c.sessions {
			got = got.And(s.MadeAs(At))
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
