package repair

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/storetest"
)

// TestPlanWritesUnreadable: removed members are listed, and a replacement of the whole value
// is reported; nothing else happens to it.
func TestPlanWritesUnreadable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		webhook  string
		replaced bool
		odd      []string // listed as unreadable
		without  []string // of these: taken out
	}{
		{`{"status":7,"fileId":{},"createdAt":1,"error":null,"x":1}`, false, []string{"status", "fileId", "createdAt"}, []string{"fileId", "createdAt"}},
		{`{"status":"done"}`, false, nil, nil},
		{`{"status":`, true, nil, nil},
		{`["processing"]`, true, nil, nil},
	} {
		x := orphan(storetest.Held(storetest.FoxPrompt, c.webhook, ""))
		w := plan(t, store.ActionFix, x).Writes[0]
		var odd, without []string
		for _, change := range w.Changes {
			if change.NotString {
				odd = append(odd, change.Name)
			}
			if change.After == nil {
				without = append(without, change.Name)
			}
		}
		if x.Verdict != diagnosis.VerdictCorrupt || !w.Unreadable || w.Replaced != c.replaced {
			t.Errorf("%s is %s: unreadable %v, replaced %v", c.webhook, x.Verdict, w.Unreadable, w.Replaced)
		}
		if diff := cmp.Diff([][]string{c.odd, c.without}, [][]string{odd, without}); diff != "" {
			t.Errorf("%s: %s", c.webhook, diff)
		}
	}
}

// TestPlanTooLarge: a value that cannot be read and saved whole is refused, with the reason,
// before an approval.
func TestPlanTooLarge(t *testing.T) {
	t.Parallel()
	tooLarge := func(kind string) store.Key { return store.Key{Kind: kind, Exists: true, Fault: store.FaultTooLarge} }
	for _, kind := range []string{"webhook", "session"} {
		s := storetest.Held(storetest.FoxPrompt, "", "")
		if kind == "webhook" {
			s.Webhook = tooLarge(kind)
		} else {
			s.SessionKey = tooLarge(kind)
		}
		x := orphan(s)
		_, err := MakePlan(store.ActionFix, x, ann, making, storetest.At)
		var refused *NotAllowed
		if !errors.As(err, &refused) || !strings.Contains(refused.Reason, kind+" record in Redis cannot be read: it is larger than 32 MiB") {
			t.Errorf("%s: %v, %q", kind, err, x.Reason)
		}
	}
	s := storetest.Held("", "", storetest.FoxObject)
	s.Prompt = tooLarge("prompt") // is not written
	if x := orphan(s); x.Verdict != diagnosis.VerdictCorrupt || !x.Allows(store.ActionFix) {
		t.Errorf("with a prompt: that is not written: %s, allowed %v", x.Verdict, x.Allowed)
	}
}

// TestPlanWritesReads: the keys of its layout.
func TestPlanWritesReads(t *testing.T) {
	t.Parallel()
	x := orphan(storetest.Held(storetest.FoxPrompt, "", ""))
	x.SiteLayout = store.LayoutOneKey
	for _, action := range []store.Action{store.ActionFix, store.ActionGenerate} {
		p := plan(t, action, x)
		if p.SiteLayout != store.LayoutOneKey || len(p.Writes) != 2 || p.Writes[0].Kind != "session" || p.Writes[0].Changes[0].Name != "status" {
			t.Errorf("%s: %+v", action, p.Writes)
		}
	}
}
