package store

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestLayoutThatTheSiteReads: by what the site itself made, and not by what a
// repair left.
func TestLayoutThatTheSiteReads(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	full := held("", "", `{"prompt":"A fox","status":"pending","createdAt":"2026-02-04T10:00:00.000Z"}`)
	three := func(age time.Duration) Session {
		return held(`{"prompt":"A fox","timestamp":"`+ago(age)+`"}`, `{"status":"completed","timestamp":"`+ago(time.Hour)+`"}`, `{"fileId":"f"}`)
	}
	for _, c := range []struct {
		name     string
		sessions []Session
		want     Layout
	}{
		{"nothing", nil, LayoutNone},
		{"full objects", []Session{full}, LayoutOneKey},
		{"three keys", []Session{three(6 * day)}, LayoutThreeKey},
		{"a prompt alone", []Session{held(`{"prompt":"A fox","timestamp":"`+ago(time.Minute)+`"}`, "", "")}, LayoutThreeKey},
		{"three keys of long ago, repaired just now", []Session{three(8 * day)}, LayoutNone},
		{"three keys of nobody knows when", []Session{held("", `{"status":"completed","timestamp":"`+ago(time.Hour)+`"}`, "")}, LayoutNone},
		{"both", []Session{three(time.Minute), full, three(time.Minute)}, LayoutOneKey},
		{"a mapping with the status of a repair", []Session{held(foxPrompt, `{"status":"error"}`, `{"status":"error"}`)}, LayoutNone},
		{"a createdAt that is no time", []Session{held("", "", `{"prompt":"A fox","createdAt":"yesterday"}`)}, LayoutNone},
	} {
		got := LayoutNone
		for _, s := range c.sessions {
			got = got.And(s.MadeAs(at))
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestExaminedWithTheSitesLayout: the plan writes what the site reads.
func TestExaminedWithTheSitesLayout(t *testing.T) {
	t.Parallel()
	x := orphan(held(foxPrompt, "", ""))
	x.Reads = LayoutOneKey
	for _, action := range []Action{ActionFix, ActionGenerate} {
		p := plan(t, action, x)
		if p.Reads != LayoutOneKey || len(p.Writes) != 2 || p.Writes[0].Kind != "session" || p.Writes[0].Changes[0].Name != "status" {
			t.Errorf("%s: %+v", action, p.Writes)
		}
	}
	for name, c := range map[string]struct {
		reads func(over <-chan struct{}) Layout
		want  Layout
	}{
		"an answer":    {func(<-chan struct{}) Layout { return LayoutThreeKey }, LayoutThreeKey},
		"none in time": {func(over <-chan struct{}) Layout { <-over; return LayoutThreeKey }, LayoutOneKey},
		"a panic":      {func(<-chan struct{}) Layout { panic("out of order") }, LayoutOneKey},
	} {
		synctest.Test(t, func(t *testing.T) {
			over := make(chan struct{})
			defer close(over)
			examiner := Examiner{Redis: holding{x.Session}, Now: func() time.Time { return at }, Reads: func(context.Context) Layout { return c.reads(over) }}
			if got := examiner.Examine(t.Context(), x.Session.ID).Reads; got != c.want {
				t.Errorf("%s: examined with %q, want %q", name, got, c.want)
			}
		})
	}
}

// holding is a Redis with one session.
type holding struct{ s Session }

func (h holding) Session(context.Context, string) (Session, error) { return h.s, nil }
