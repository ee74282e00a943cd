package store

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	fullFox = `{"prompt":"A fox","videoCount":12345678901234567890,"imageFile":{"content":"QUJD"},"status":"pending","timestamp":"2026-03-04T10:00:00.000Z"}`
	fixText = "We could not start your video."
	ready   = "6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0013"
)

// values are what the three keys hold; empty is missing.
type values struct{ prompt, webhook, lookup string }

func (v values) of(kind string) string {
	return map[string]string{"prompt": v.prompt, "webhook": v.webhook, "session": v.lookup}[kind]
}

// TestWrites carries every kind of update out on values in both layouts.
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
		name            string
		session         values
		kind            UpdateKind
		webhook, lookup string // afterwards; empty = not written
		reads           Layout
	}{
		{"fix creates webhook and mapping", values{foxPrompt, "", ""}, UpdateFix,
			`{` + failed + `,` + tools + `}`, `{` + now + `}`, ""},
		{"fix keeps tool and file", values{foxPrompt, `{"status":"processing","toolSlug":"s","toolTitle":"t","fileId":"f1"}`, `{"fileId":"f1","x":[ ]}`},
			UpdateFix, `{"status":"error","toolSlug":"s","toolTitle":"t","fileId":"f1","error":"` + fixText + `",` + now + `}`,
			`{"fileId":"f1","x":[ ],` + now + `}`, ""},
		{"fix merges into the full object", values{"", "", fullFox}, UpdateFix, "",
			`{"prompt":"A fox","videoCount":12345678901234567890,"imageFile":{"content":"QUJD"},"status":"error",` + now + `,"error":"` + fixText + `"}`, ""},
		{"fix of both where both carry a status", values{"", `{"status":"pending","toolSlug":"s","toolTitle":"t"}`, `{"prompt":"A fox","status":"pending"}`},
			UpdateFix, `{"status":"error","toolSlug":"s","toolTitle":"t","error":"` + fixText + `",` + now + `}`,
			`{"prompt":"A fox","status":"error","error":"` + fixText + `",` + now + `}`, ""},
		{"a webhook without status beside a full object stays", values{"", `{"fileId":"f1"}`, `{"prompt":"A fox"}`},
			UpdateFix, "", `{"prompt":"A fox",` + failed + `}`, ""},
		{"the tool of the full object names the webhook's", values{"", `{"status":"pending"}`, `{"prompt":"A fox","toolSlug":"s","toolTitle":"t"}`},
			UpdateClaim, `{` + processing + `,"toolSlug":"s","toolTitle":"t"}`,
			`{"prompt":"A fox","toolSlug":"s","toolTitle":"t",` + processing + `}`, ""},
		{"an unreadable webhook is made anew", values{foxPrompt, `{"status":`, ""}, UpdateFix,
			`{` + failed + `,` + tools + `}`, `{` + now + `}`, ""},
		{"also beside a full object", values{"", `[]`, `{"prompt":"A fox"}`}, UpdateFix,
			`{` + failed + `,` + tools + `}`, `{"prompt":"A fox",` + failed + `}`, ""},
		{"wrong types are set or taken out", values{foxPrompt, `{"status":7,"fileId":{},"createdAt":1,"error":null,"x":1}`, `"?"`}, UpdateFix,
			`{"status":"error","error":"` + fixText + `","x":1,` + now + `,` + tools + `}`, `{` + now + `}`, ""},
		{"claim leaves a mapping missing", values{foxPrompt, "", ""}, UpdateClaim,
			`{` + processing + `,` + tools + `}`, "", ""},
		{"claim takes the old file and error out", values{foxPrompt, `{"status":"error","error":"e","fileId":"f1","toolSlug":"s","toolTitle":"t"}`, `{"fileId":"f1"}`},
			UpdateClaim, `{"status":"processing","toolSlug":"s","toolTitle":"t",` + now + `}`, `{` + now + `}`, ""},
		{"file creates the mapping", values{foxPrompt, `{"status":"processing","toolSlug":"s","toolTitle":"t"}`, ""}, UpdateFile,
			`{"status":"processing","toolSlug":"s","toolTitle":"t",` + file + `,` + now + `}`, `{` + file + `,` + now + `}`, ""},
		{"completed", values{foxPrompt, `{"status":"processing","fileId":"f2","toolSlug":"s","toolTitle":"t"}`, `{"fileId":"f2"}`}, UpdateCompleted,
			`{"status":"completed","fileId":"f2","toolSlug":"s","toolTitle":"t",` + now + `}`, `{"fileId":"f2",` + now + `}`, ""},
		{"completed in one key", values{"", "", `{"prompt":"A fox","status":"processing"}`}, UpdateCompleted,
			"", `{"prompt":"A fox","status":"completed",` + file + `,` + now + `}`, ""},
		{"failed keeps the file's id", values{"", "", `{"prompt":"A fox","status":"processing","fileId":"f2"}`}, UpdateFailed,
			"", `{"prompt":"A fox","status":"error","fileId":"f2","error":"` + fixText + `",` + now + `}`, ""},
		{"a site that reads one key is told of a three-key session", values{foxPrompt, "", `{"x":[ ]}`}, UpdateFix,
			`{` + failed + `,` + tools + `}`, `{"x":[ ],` + failed + `,` + tools + `}`, LayoutOneKey},
		{"where it is missing, too, and from the claim on", values{foxPrompt, "", ""}, UpdateClaim,
			`{` + processing + `,` + tools + `}`, `{` + processing + `,` + tools + `}`, LayoutOneKey},
		{"a claim leaves no old file there", values{foxPrompt, `{"status":"error","fileId":"f1","toolSlug":"s","toolTitle":"t"}`, `{"fileId":"f0"}`}, UpdateClaim,
			`{"status":"processing","toolSlug":"s","toolTitle":"t",` + now + `}`, `{` + processing + `,"toolSlug":"s","toolTitle":"t"}`, LayoutOneKey},
		{"nor is the file forgotten that counts", values{foxPrompt, `{"status":"processing","fileId":"` + ready + `"}`, ""}, UpdateFix,
			`{"status":"error","fileId":"` + ready + `","error":"` + fixText + `",` + now + `,` + tools + `}`,
			`{"status":"error","fileId":"` + ready + `","error":"` + fixText + `",` + now + `,` + tools + `}`, LayoutOneKey},
		{"delivered to a site that reads one key", values{foxPrompt, `{"status":"error","error":"e","fileId":"f2","toolSlug":"s","toolTitle":"t"}`, `{"fileId":"f2"}`}, UpdateCompleted,
			`{"status":"completed","fileId":"f2","toolSlug":"s","toolTitle":"t",` + now + `}`,
			`{"fileId":"f2","status":"completed",` + now + `,"toolSlug":"s","toolTitle":"t"}`, LayoutOneKey},
		{"and then both say it", values{foxPrompt, `{"status":"processing","toolSlug":"s","toolTitle":"t"}`, `{"status":"processing","toolSlug":"s","toolTitle":"t"}`}, UpdateFile,
			`{"status":"processing","toolSlug":"s","toolTitle":"t",` + file + `,` + now + `}`, `{"status":"processing","toolSlug":"s","toolTitle":"t",` + file + `,` + now + `}`, LayoutOneKey},
		{"a site that reads three keys is not", values{foxPrompt, "", ""}, UpdateFix,
			`{` + failed + `,` + tools + `}`, `{` + now + `}`, LayoutThreeKey},
		{"delivered over an error", values{"", "", `{"prompt":"A fox","status":"error","error":"e","fileId":"f2"}`}, UpdateCompleted,
			"", `{"prompt":"A fox","status":"completed","fileId":"f2",` + now + `}`, LayoutOneKey},
	} {
		u := Update{Kind: c.kind, At: at, Reads: c.reads}
		switch c.kind {
		case UpdateFix, UpdateFailed:
			u.Error = fixText
		case UpdateFile, UpdateCompleted:
			u.FileID = "f2"
		}
		raw := map[string]string{}
		for _, w := range Writes(held(c.session.prompt, c.session.webhook, c.session.lookup), u) {
			next, _, err := w.apply([]byte(c.session.of(w.Kind)), !w.Create)
			if err != nil {
				t.Fatalf("%s: %s: %v", c.name, w.Kind, err)
			}
			if _, _, fault := ParseValue(next); fault != "" {
				t.Errorf("%s: %s cannot be read afterwards: %s", c.name, w.Kind, fault)
			}
			raw[w.Kind] = string(next)
		}
		after := held(c.session.prompt, or(raw["webhook"], c.session.webhook), or(raw["session"], c.session.lookup))
		if before := held(c.session.prompt, c.session.webhook, c.session.lookup); !u.Stands(after) || u.Stands(before) {
			t.Errorf("%s: stands afterwards: %v, before: %v", c.name, u.Stands(after), u.Stands(before))
		}
		for kind, want := range map[string]string{"webhook": c.webhook, "session": c.lookup} {
			if got := raw[kind]; got != want {
				t.Errorf("%s: %s: is\n%s; want\n%s", c.name, kind, got, want)
			}
		}
	}
}

// TestOverwritten: what the site wrote over an update is seen, in whichever key,
// and what it added beside it is none of the update's.
func TestOverwritten(t *testing.T) {
	t.Parallel()
	const told = `{"status":"completed","fileId":"` + ready + `"}`
	for _, c := range []struct {
		webhook, lookup string
		reads           Layout
		want            bool
	}{
		{told, told, LayoutOneKey, true},
		{`{"status":"completed","fileId":"` + ready + `","more":1}`, `{"status":"completed","fileId":"` + ready + `","prompt":"A fox"}`, LayoutOneKey, true},
		{told, `{"status":"processing","fileId":"` + ready + `"}`, LayoutOneKey, false},
		{told, `{"status":"completed","fileId":"other"}`, LayoutOneKey, false},
		{told, `{"status":"completed"}`, LayoutOneKey, false},
		{told, `{"status":"completed","fileId":"` + ready + `","error":"429"}`, LayoutOneKey, false},
		{told, `{"status":"completed","fileId":7}`, LayoutOneKey, false},
		{`{"status":"error","fileId":"` + ready + `"}`, told, LayoutOneKey, false},
		{told, `{"fileId":"` + ready + `"}`, LayoutOneKey, false}, // the site erased the status
		{told, `{"fileId":"` + ready + `"}`, LayoutThreeKey, true},
		{told, `{"fileId":"other"}`, LayoutThreeKey, false},
		{told, "", LayoutThreeKey, false},
		{"", "", LayoutOneKey, false},
	} {
		u := Update{Kind: UpdateCompleted, At: at, FileID: ready, Reads: c.reads}
		if got := u.Stands(held(foxPrompt, c.webhook, c.lookup)); got != c.want {
			t.Errorf("webhook: %s, session: %s, %s: %v", c.webhook, c.lookup, c.reads, got)
		}
	}
}

func TestWritesShowWhatWasThere(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 300)
	got := Writes(held("", "", `{"prompt":"A fox","status":"error","error":"`+long+`"}`), Update{Kind: UpdateClaim, At: at})
	status, processing, now := "error", "processing", "2026-03-04T12:00:00.000Z"
	cut := strings.Repeat("é", 199) + "…"
	want := []KeyWrite{{Session: "cs_live_1", Kind: "session", Changes: []Change{
		{Name: "status", Before: &status, After: &processing}, {Name: "error", Before: &cut}, {Name: "timestamp", After: &now}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestPlansOfWhatCannotBeRead: what is taken out is listed, and what is replaced
// as a whole is said to be; nothing else happens to the value.
func TestPlansOfWhatCannotBeRead(t *testing.T) {
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
		x := orphan(held(foxPrompt, c.webhook, ""))
		w := plan(t, ActionFix, x).Writes[0]
		var odd, without []string
		for _, change := range w.Changes {
			if change.Odd {
				odd = append(odd, change.Name)
			}
			if change.After == nil {
				without = append(without, change.Name)
			}
		}
		if x.Verdict != VerdictCorrupt || !w.Unreadable || w.Replaced != c.replaced {
			t.Errorf("%s is %s: unreadable %v, replaced %v", c.webhook, x.Verdict, w.Unreadable, w.Replaced)
		}
		if diff := cmp.Diff([][]string{c.odd, c.without}, [][]string{odd, without}); diff != "" {
			t.Errorf("%s: %s", c.webhook, diff)
		}
	}
}

// TestTooLargeToBeWritten: what cannot be read and saved whole is refused, and
// why is said, before anybody approves anything.
func TestTooLargeToBeWritten(t *testing.T) {
	t.Parallel()
	tooLarge := func(kind string) Key { return Key{Kind: kind, Exists: true, Fault: FaultTooLarge} }
	for _, kind := range []string{"webhook", "session"} {
		s := held(foxPrompt, "", "")
		if kind == "webhook" {
			s.Webhook = tooLarge(kind)
		} else {
			s.Lookup = tooLarge(kind)
		}
		x := orphan(s)
		_, err := MakePlan(ActionFix, x, ann, making, at)
		var refused *NotAllowed
		if !errors.As(err, &refused) || !strings.Contains(refused.Reason, kind+":… cannot be read: it is larger than 32 MiB") {
			t.Errorf("%s: %v, %q", kind, err, x.Reason)
		}
	}
	s := held("", "", fullFox)
	s.Prompt = tooLarge("prompt") // is not written
	if x := orphan(s); x.Verdict != VerdictCorrupt || !x.Allows(ActionFix) {
		t.Errorf("beside a prompt: that is not written: %s, allowed %v", x.Verdict, x.Allowed)
	}
}
