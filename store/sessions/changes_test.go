package sessions

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/storetest"
)

const (
	fixText = "We could not start your video."
	ready   = "6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0013"
)

// values are what the three keys hold; empty is missing.
type values struct{ prompt, webhook, sessionValue string }

func (v values) of(kind string) string {
	return map[string]string{"prompt": v.prompt, "webhook": v.webhook, "session": v.sessionValue}[kind]
}

// TestWrites applies every kind of update to values in both layouts.
func TestWrites(t *testing.T) {
	t.Parallel()
	const tools = `"toolSlug":"veo3-prompt-generator","toolTitle":"Free VEO3 Viral Prompt Generator"`
	const now, file = `"timestamp":"2026-03-04T12:00:00.000Z"`, `"fileId":"f2"`
	const failed = `"status":"error","error":"We could not start your video.",` + now
	processing := `"status":"processing",` + now
	or := func(a, b string) string {
		if a == "" {
			return b
		}
		return a
	}
	for _, c := range []struct {
		name                  string
		session               values
		kind                  UpdateKind
		webhook, sessionValue string // afterwards; empty = not written
		siteLayout            store.Layout
	}{
		{"fix creates webhook and mapping", values{storetest.FoxPrompt, "", ""}, UpdateMarkError,
			`{` + failed + `,` + tools + `}`, `{` + now + `}`, ""},
		{"fix keeps tool and file", values{storetest.FoxPrompt, `{"status":"processing","toolSlug":"s","toolTitle":"t","fileId":"f1"}`, `{"fileId":"f1","x":[ ]}`},
			UpdateMarkError, `{"status":"error","toolSlug":"s","toolTitle":"t","fileId":"f1","error":"` + fixText + `",` + now + `}`,
			`{"fileId":"f1","x":[ ],` + now + `}`, ""},
		{"fix merges into the full object", values{"", "", storetest.FoxObject}, UpdateMarkError, "",
			`{"prompt":"A fox","videoCount":12345678901234567890,"imageFile":{"content":"QUJD"},"status":"error",` + now + `,"error":"` + fixText + `"}`, ""},
		{"fix of both where both carry a status", values{"", `{"status":"pending","toolSlug":"s","toolTitle":"t"}`, `{"prompt":"A fox","status":"pending"}`},
			UpdateMarkError, `{"status":"error","toolSlug":"s","toolTitle":"t","error":"` + fixText + `",` + now + `}`,
			`{"prompt":"A fox","status":"error","error":"` + fixText + `",` + now + `}`, ""},
		{"a webhook without status next to a full object stays", values{"", `{"fileId":"f1"}`, `{"prompt":"A fox"}`},
			UpdateMarkError, "", `{"prompt":"A fox",` + failed + `}`, ""},
		{"the tool of the full object names the webhook's", values{"", `{"status":"pending"}`, `{"prompt":"A fox","toolSlug":"s","toolTitle":"t"}`},
			UpdateProcessing, `{` + processing + `,"toolSlug":"s","toolTitle":"t"}`,
			`{"prompt":"A fox","toolSlug":"s","toolTitle":"t",` + processing + `}`, ""},
		{"an unreadable webhook is replaced", values{storetest.FoxPrompt, `{"status":`, ""}, UpdateMarkError,
			`{` + failed + `,` + tools + `}`, `{` + now + `}`, ""},
		{"also next to a full object", values{"", `[]`, `{"prompt":"A fox"}`}, UpdateMarkError,
			`{` + failed + `,` + tools + `}`, `{"prompt":"A fox",` + failed + `}`, ""},
		{"wrong types are set or taken out", values{storetest.FoxPrompt, `{"status":7,"fileId":{},"createdAt":1,"error":null,"x":1}`, `"?"`}, UpdateMarkError,
			`{"status":"error","error":"` + fixText + `","x":1,` + now + `,` + tools + `}`, `{` + now + `}`, ""},
		{"claim leaves a mapping missing", values{storetest.FoxPrompt, "", ""}, UpdateProcessing,
			`{` + processing + `,` + tools + `}`, "", ""},
		{"claim takes the old file and error out", values{storetest.FoxPrompt, `{"status":"error","error":"e","fileId":"f1","toolSlug":"s","toolTitle":"t"}`, `{"fileId":"f1"}`},
			UpdateProcessing, `{"status":"processing","toolSlug":"s","toolTitle":"t",` + now + `}`, `{` + now + `}`, ""},
		{"file creates the mapping", values{storetest.FoxPrompt, `{"status":"processing","toolSlug":"s","toolTitle":"t"}`, ""}, UpdateFile,
			`{"status":"processing","toolSlug":"s","toolTitle":"t",` + file + `,` + now + `}`, `{` + file + `,` + now + `}`, ""},
		{"completed", values{storetest.FoxPrompt, `{"status":"processing","fileId":"f2","toolSlug":"s","toolTitle":"t"}`, `{"fileId":"f2"}`}, UpdateCompleted,
			`{"status":"completed","fileId":"f2","toolSlug":"s","toolTitle":"t",` + now + `}`, `{"fileId":"f2",` + now + `}`, ""},
		{"completed in one key", values{"", "", `{"prompt":"A fox","status":"processing"}`}, UpdateCompleted,
			"", `{"prompt":"A fox","status":"completed",` + file + `,` + now + `}`, ""},
		{"failed keeps the file's id", values{"", "", `{"prompt":"A fox","status":"processing","fileId":"f2"}`}, UpdateFailed,
			"", `{"prompt":"A fox","status":"error","fileId":"f2","error":"` + fixText + `",` + now + `}`, ""},
		{"a site that reads one key sees a three-key session", values{storetest.FoxPrompt, "", `{"x":[ ]}`}, UpdateMarkError,
			`{` + failed + `,` + tools + `}`, `{"x":[ ],` + failed + `,` + tools + `}`, store.LayoutOneKey},
		{"where it is missing, too, and from the claim on", values{storetest.FoxPrompt, "", ""}, UpdateProcessing,
			`{` + processing + `,` + tools + `}`, `{` + processing + `,` + tools + `}`, store.LayoutOneKey},
		{"a claim leaves no old file there", values{storetest.FoxPrompt, `{"status":"error","fileId":"f1","toolSlug":"s","toolTitle":"t"}`, `{"fileId":"f0"}`}, UpdateProcessing,
			`{"status":"processing","toolSlug":"s","toolTitle":"t",` + now + `}`, `{` + processing + `,"toolSlug":"s","toolTitle":"t"}`, store.LayoutOneKey},
		{"nor is the file forgotten that counts", values{storetest.FoxPrompt, `{"status":"processing","fileId":"` + ready + `"}`, ""}, UpdateMarkError,
			`{"status":"error","fileId":"` + ready + `","error":"` + fixText + `",` + now + `,` + tools + `}`,
			`{"status":"error","fileId":"` + ready + `","error":"` + fixText + `",` + now + `,` + tools + `}`, store.LayoutOneKey},
		{"delivered to a site that reads one key", values{storetest.FoxPrompt, `{"status":"error","error":"e","fileId":"f2","toolSlug":"s","toolTitle":"t"}`, `{"fileId":"f2"}`}, UpdateCompleted,
			`{"status":"completed","fileId":"f2","toolSlug":"s","toolTitle":"t",` + now + `}`,
			`{"fileId":"f2","status":"completed",` + now + `,"toolSlug":"s","toolTitle":"t"}`, store.LayoutOneKey},
		{"and then both say it", values{storetest.FoxPrompt, `{"status":"processing","toolSlug":"s","toolTitle":"t"}`, `{"status":"processing","toolSlug":"s","toolTitle":"t"}`}, UpdateFile,
			`{"status":"processing","toolSlug":"s","toolTitle":"t",` + file + `,` + now + `}`, `{"status":"processing","toolSlug":"s","toolTitle":"t",` + file + `,` + now + `}`, store.LayoutOneKey},
		{"a site that reads three keys is not", values{storetest.FoxPrompt, "", ""}, UpdateMarkError,
			`{` + failed + `,` + tools + `}`, `{` + now + `}`, store.LayoutThreeKey},
		{"delivered over an error", values{"", "", `{"prompt":"A fox","status":"error","error":"e","fileId":"f2"}`}, UpdateCompleted,
			"", `{"prompt":"A fox","status":"completed","fileId":"f2",` + now + `}`, store.LayoutOneKey},
	} {
		u := Update{Kind: c.kind, At: storetest.At, SiteLayout: c.siteLayout}
		switch c.kind {
		case UpdateMarkError, UpdateFailed:
			u.Error = fixText
		case UpdateFile, UpdateCompleted:
			u.FileID = "f2"
		}
		raw := map[string]string{}
		for _, w := range Writes(storetest.Held(c.session.prompt, c.session.webhook, c.session.sessionValue), u) {
			next, _, err := w.apply([]byte(c.session.of(w.Kind)), !w.Create)
			if err != nil {
				t.Fatalf("%s: %s: %v", c.name, w.Kind, err)
			}
			if _, _, fault := store.ParseValue(next); fault != "" {
				t.Errorf("%s: %s cannot be read afterwards: %s", c.name, w.Kind, fault)
			}
			raw[w.Kind] = string(next)
		}
		after := storetest.Held(c.session.prompt, or(raw["webhook"], c.session.webhook), or(raw["session"], c.session.sessionValue))
		if before := storetest.Held(c.session.prompt, c.session.webhook, c.session.sessionValue); !u.AppliedTo(after) || u.AppliedTo(before) {
			t.Errorf("%s: is applied: %v, before: %v", c.name, u.AppliedTo(after), u.AppliedTo(before))
		}
		for kind, want := range map[string]string{"webhook": c.webhook, "session": c.sessionValue} {
			if got := raw[kind]; got != want {
				t.Errorf("%s: %s: is\n%s; want\n%s", c.name, kind, got, want)
			}
		}
	}
}

// TestOverwritten: what the site wrote over an update is seen, in whichever key,
// and other members that it added do not count.
func TestOverwritten(t *testing.T) {
	t.Parallel()
	const completed = `{"status":"completed","fileId":"` + ready + `"}`
	for _, c := range []struct {
		webhook, sessionValue string
		siteLayout            store.Layout
		want                  bool
	}{
		{completed, completed, store.LayoutOneKey, true},
		{`{"status":"completed","fileId":"` + ready + `","more":1}`, `{"status":"completed","fileId":"` + ready + `","prompt":"A fox"}`, store.LayoutOneKey, true},
		{completed, `{"status":"processing","fileId":"` + ready + `"}`, store.LayoutOneKey, false},
		{completed, `{"status":"completed","fileId":"other"}`, store.LayoutOneKey, false},
		{completed, `{"status":"completed"}`, store.LayoutOneKey, false},
		{completed, `{"status":"completed","fileId":"` + ready + `","error":"429"}`, store.LayoutOneKey, false},
		{completed, `{"status":"completed","fileId":7}`, store.LayoutOneKey, false},
		{`{"status":"error","fileId":"` + ready + `"}`, completed, store.LayoutOneKey, false},
		{completed, `{"fileId":"` + ready + `"}`, store.LayoutOneKey, false}, // the site erased the status
		{completed, `{"fileId":"` + ready + `"}`, store.LayoutThreeKey, true},
		{completed, `{"fileId":"other"}`, store.LayoutThreeKey, false},
		{completed, "", store.LayoutThreeKey, false},
		{"", "", store.LayoutOneKey, false},
	} {
		u := Update{Kind: UpdateCompleted, At: storetest.At, FileID: ready, SiteLayout: c.siteLayout}
		if got := u.AppliedTo(storetest.Held(storetest.FoxPrompt, c.webhook, c.sessionValue)); got != c.want {
			t.Errorf("webhook: %s, session: %s, %s: %v", c.webhook, c.sessionValue, c.siteLayout, got)
		}
	}
}

func TestWritesShowWhatWasThere(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 300)
	got := Writes(storetest.Held("", "", `{"prompt":"A fox","status":"error","error":"`+long+`"}`), Update{Kind: UpdateProcessing, At: storetest.At})
	status, processing, now := "error", "processing", "2026-03-04T12:00:00.000Z"
	cut := strings.Repeat("é", 199) + "…"
	want := []KeyWrite{{Session: "cs_live_1", Kind: "session", Changes: []Change{
		{Name: "status", Before: &status, After: &processing}, {Name: "error", Before: &cut}, {Name: "timestamp", After: &now}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
