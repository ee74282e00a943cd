package store

import (
	"context"
	"testing"
	"time"
)

// TestLayoutThatTheSiteReads: by what the site itself made, and not by what a
// repair left.
func TestLayoutThatTheSiteReads(t *testing.T) {
	const day = 24 * time.Hour
	full := held("", "", `{"prompt":"A fox","status":"pending","createdAt":"2026-03-04T10:00:00.000Z"}`)
	three := held(foxPrompt, "", `{"fileId":"f"}`)
	for _, c := range []struct {
		name     string
		sessions []Session
		age      time.Duration
		want     Layout
	}{
		{"nothing", nil, 0, LayoutNone},
		{"full objects", []Session{full}, 20 * day, LayoutOneKey},
		{"three keys", []Session{three}, 6 * day, LayoutThreeKey},
		{"a prompt alone", []Session{held(foxPrompt, "", "")}, time.Minute, LayoutThreeKey},
		{"three keys of long ago", []Session{three}, 8 * day, LayoutNone},
		{"both", []Session{three, full, three}, time.Minute, LayoutOneKey},
		{"a mapping with the status of a repair", []Session{held(foxPrompt, `{"status":"error"}`, `{"status":"error"}`)}, time.Minute, LayoutNone},
		{"a createdAt that is no time", []Session{held("", "", `{"prompt":"A fox","createdAt":"yesterday"}`)}, time.Minute, LayoutNone},
	} {
		var count LayoutCount
		for _, s := range c.sessions {
			count.Add(s.MadeAs(), c.age)
		}
		if got := count.Reads(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestExaminedWithTheSitesLayout: the plan writes what the site reads.
func TestExaminedWithTheSitesLayout(t *testing.T) {
	x := orphan(held(foxPrompt, "", ""))
	x.Reads = LayoutOneKey
	for _, action := range []Action{ActionFix, ActionGenerate} {
		p := plan(t, action, x)
		if p.Reads != LayoutOneKey || len(p.Writes) != 2 || p.Writes[0].Kind != "session" || p.Writes[0].Changes[0].Name != "status" {
			t.Errorf("%s: %+v", action, p.Writes)
		}
	}
	examiner := Examiner{Redis: holding{x.Session}, Now: func() time.Time { return at }, Reads: func(context.Context) Layout { return LayoutThreeKey }}
	if got := examiner.Examine(t.Context(), x.Session.ID).Reads; got != LayoutThreeKey {
		t.Errorf("examined with %q", got)
	}
}

// holding is a Redis with one session.
type holding struct{ s Session }

func (h holding) Session(context.Context, string) (Session, error) { return h.s, nil }
