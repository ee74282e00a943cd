package diagnosis

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/storetest"
)

func TestSiteAgrees(t *testing.T) {
	t.Parallel()
	processing := storetest.Held(storetest.FoxPrompt, `{"status":"processing"}`, "")
	nothing := storetest.Held(storetest.FoxPrompt, "", "")
	pendingFile := storetest.Held(storetest.FoxPrompt, `{"status":"pending","fileId":"`+storetest.File1+`"}`, "")
	for _, c := range []struct {
		site    store.Site
		session store.Session
		want    bool
	}{
		{store.Site{Found: true, Status: "processing"}, processing, true},
		{store.Site{Found: true, Status: "completed"}, processing, false},
		{store.Site{Found: true, Status: "rubbish"}, processing, false},
		{store.Site{}, processing, false},
		{store.Site{Status: "pending"}, nothing, true},
		{store.Site{Found: true, Status: "pending"}, nothing, true},
		{store.Site{Found: true}, nothing, true},
		{store.Site{Found: true, FileID: storetest.File1}, nothing, true},
		{store.Site{Found: true, Status: "error"}, nothing, false},
		{store.Site{Found: true, Status: "pending"}, pendingFile, true},
	} {
		x := Examination{Evidence: Evidence{Session: c.session, Site: &c.site}}
		if got := x.SiteAgrees(); got != c.want {
			t.Errorf("site %+v, Redis %q: agrees %v", c.site, c.session.Status(), got)
		}
	}
}

// tries counts lookups.
type tries struct{ agreed, failed int }

func (c *tries) Count(_ time.Time, agreed bool) {
	if agreed {
		c.agreed++
	} else {
		c.failed++
	}
}

// TestLookupsAreCounted: each answer of the site, and each that did not come.
func TestLookupsAreCounted(t *testing.T) {
	t.Parallel()
	s, counted := working(), tries{}
	x := s.examiner()
	x.Lookups = &counted
	for range 3 {
		x.Examine(t.Context(), "cs_live_1")
	}
	s.site.err = errors.New("away")
	x.Examine(t.Context(), "cs_live_1")
	if counted != (tries{3, 1}) {
		t.Errorf("counted %+v", counted)
	}
}

// TestExamineSiteLayout: one-key is taken where no answer comes.
func TestExamineSiteLayout(t *testing.T) {
	t.Parallel()
	session := storetest.Held(storetest.FoxPrompt, "", "")
	for name, c := range map[string]struct {
		siteLayout func(over <-chan struct{}) store.Layout
		want       store.Layout
	}{
		"an answer":    {func(<-chan struct{}) store.Layout { return store.LayoutThreeKey }, store.LayoutThreeKey},
		"none in time": {func(over <-chan struct{}) store.Layout { <-over; return store.LayoutThreeKey }, store.LayoutOneKey},
		"a panic":      {func(<-chan struct{}) store.Layout { panic("out of order") }, store.LayoutOneKey},
	} {
		synctest.Test(t, func(t *testing.T) {
			over := make(chan struct{})
			defer close(over)
			examiner := Examiner{Redis: holding{session}, Now: func() time.Time { return storetest.At }, SiteLayout: func(context.Context) store.Layout { return c.siteLayout(over) }}
			if got := examiner.Examine(t.Context(), session.ID).SiteLayout; got != c.want {
				t.Errorf("%s: examined with %q, want %q", name, got, c.want)
			}
		})
	}
}

// holding is a Redis with one session.
type holding struct{ s store.Session }

func (h holding) Session(context.Context, string) (store.Session, error) { return h.s, nil }
