package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestRestingFigures come back as they were noted, for as long as it takes.
func TestRestingFigures(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newRemembered()
		type noted struct {
			id string
			r  Resting
		}
		var all []noted
		for n := range rapid.IntRange(1, 300).Draw(t, "sessions") {
			r := Resting{
				Length: rapid.IntRange(0, maxLength).Draw(t, "length"), Keys: rapid.IntRange(1, 3).Draw(t, "keys"),
				At:      at.Add(-time.Duration(rapid.Int64Range(0, int64(26*24*time.Hour)).Draw(t, "age"))),
				Expires: at.Add(time.Duration(rapid.Int64Range(int64(time.Hour), int64(KeyLife)).Draw(t, "left"))),
			}
			id := fmt.Sprint("cs_", n)
			s := m.find(m.fingerprint([]byte(id)))
			if !s.rest(r, at) {
				t.Fatalf("%+v cannot be noted", r)
			}
			all = append(all, noted{id, r})
		}
		later := at.Add(time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "later")))
		for _, n := range all {
			s := m.find(m.fingerprint([]byte(n.id)))
			got := s.resting(later)
			want := n.r
			want.At, want.Expires = want.At.UTC().Truncate(timeStep), want.Expires.UTC().Truncate(time.Hour)
			if later.Sub(want.At) > tellable {
				want.At = time.Time{}
			}
			if diff := cmp.Diff(want, got); diff != "" || s.mark() != resting || s.seen() {
				t.Fatalf("%s after %s: %s", n.id, later.Sub(at), diff)
			}
		}
	})
}
