package store_test

import (
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/storetest"
)

// TestLayoutThatTheSiteReads: judged by sessions that the site created, not by what a repair
// wrote.
func TestLayoutThatTheSiteReads(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	full := storetest.Held("", "", `{"prompt":"A fox","status":"pending","createdAt":"2026-02-04T10:00:00.000Z"}`)
	three := func(age time.Duration) store.Session {
		return storetest.Held(`{"prompt":"A fox","timestamp":"`+storetest.Ago(age)+`"}`, `{"status":"completed","timestamp":"`+storetest.Ago(time.Hour)+`"}`, `{"fileId":"f"}`)
	}
	for _, c := range []struct {
		name     string
		sessions []store.Session
		want     store.Layout
	}{
		{"nothing", nil, store.LayoutNone},
		{"full objects", []store.Session{full}, store.LayoutOneKey},
		{"three keys", []store.Session{three(6 * day)}, store.LayoutThreeKey},
		{"a prompt alone", []store.Session{storetest.Held(`{"prompt":"A fox","timestamp":"`+storetest.Ago(time.Minute)+`"}`, "", "")}, store.LayoutThreeKey},
		{"three keys of long ago, repaired just now", []store.Session{three(8 * day)}, store.LayoutNone},
		{"three keys of nobody knows when", []store.Session{storetest.Held("", `{"status":"completed","timestamp":"`+storetest.Ago(time.Hour)+`"}`, "")}, store.LayoutNone},
		{"both", []store.Session{three(time.Minute), full, three(time.Minute)}, store.LayoutOneKey},
		{"a mapping with the status of a repair", []store.Session{storetest.Held(storetest.FoxPrompt, `{"status":"error"}`, `{"status":"error"}`)}, store.LayoutNone},
		{"a createdAt that is no time", []store.Session{storetest.Held("", "", `{"prompt":"A fox","createdAt":"yesterday"}`)}, store.LayoutNone},
	} {
		got := store.LayoutNone
		for _, s := range c.sessions {
			got = got.And(s.MadeAs(storetest.At))
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
