package sessions

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
	"github.com/superduperai/sessionbot/store/storetest"
)

// found is what is restored in these tests, of a checkout two hours ago.
func found(o store.Order, siteLayout store.Layout) Update {
	o.Prompt = "A hen & a <fox>"
	return Update{Kind: UpdateRestore, At: storetest.At, SiteLayout: siteLayout, Restored: &Restored{Order: o, Created: storetest.At.Add(-2 * time.Hour)}}
}

// TestRestoreWrites restores a prompt into every layout, next to whatever is there.
func TestRestoreWrites(t *testing.T) {
	t.Parallel()
	const (
		prompt  = `"prompt":"A hen \u0026 a \u003cfox\u003e"`
		created = `"2026-03-04T10:00:00.000Z"`
		now     = `"timestamp":"2026-03-04T12:00:00.000Z"`
		sizes   = `"videoCount":1,"duration":8,"resolution":"1280x720","style":"cinematic"`
		tools   = `"toolSlug":"veo3-prompt-generator","toolTitle":"Free VEO3 Viral Prompt Generator"`
		pending = `"createdAt":` + created + `,"status":"pending",` + now
	)
	older := store.Order{VideoCount: 3, Seconds: 5.5, Resolution: "720x1280", Style: "anime", ToolSlug: "s", ToolTitle: "t"}
	for _, c := range []struct {
		name       string
		session    values
		order      store.Order
		siteLayout store.Layout
		kind       string // of the one key that is written
		want       string
	}{
		{"nothing, for a site that reads one key", values{}, store.Order{}, store.LayoutOneKey, "session", `{` + prompt + `,` + sizes + `,` + tools + `,` + pending + `}`},
		{"by what Stripe knows", values{}, older, store.LayoutOneKey, "session",
			`{` + prompt + `,"videoCount":3,"duration":5.5,"resolution":"720x1280","style":"anime","toolSlug":"s","toolTitle":"t",` + pending + `}`},
		{"nothing, for a site that reads three", values{}, older, store.LayoutThreeKey, "prompt", `{` + prompt + `,"timestamp":` + created + `}`},
		{"three keys without a prompt stay three", values{"", `{"status":"error","x":[ ]}`, `{"fileId":"f1"}`}, older, store.LayoutOneKey, "prompt",
			`{` + prompt + `,"timestamp":` + created + `}`},
		{"an empty prompt", values{`{ "timestamp":"before","prompt" : "" ,"x":1e400}`, "", ""}, older, store.LayoutThreeKey, "prompt",
			`{ "timestamp":"before","prompt" : "A hen \u0026 a \u003cfox\u003e" ,"x":1e400}`},
		{"null is absent", values{`{"prompt":null,"timestamp":null}`, "", ""}, older, store.LayoutThreeKey, "prompt", `{` + prompt + `,"timestamp":` + created + `}`},
		{"status, file, error and all others of a full object stay", values{"", "", `{"status":"error","fileId":"f1","error":"e","videoCount":12345678901234567890,"duration":"8","style":7,` +
			`"toolSlug":"","toolTitle":[ ],"createdAt":"then","timestamp":"before","imageFile":{"content":"QUJD"}}`}, older, store.LayoutThreeKey, "session",
			`{"status":"error","fileId":"f1","error":"e","videoCount":12345678901234567890,"duration":"8","style":7,"toolSlug":"","toolTitle":[ ],"createdAt":"then","timestamp":"before",` +
				`"imageFile":{"content":"QUJD"},` + prompt + `,"resolution":"720x1280"}`},
		{"a size of another kind stays alone", values{"", "", `{"status":"pending","width":720,"height":1280}`}, older, store.LayoutOneKey, "session",
			`{"status":"pending","width":720,"height":1280,` + prompt + `,"videoCount":3,"duration":5.5,"style":"anime","toolSlug":"s","toolTitle":"t","createdAt":` + created + `,"timestamp":` + created + `}`},
		{"a status of webhook: goes on to count", values{"", `{"status":"error"}`, `{"prompt":""}`}, older, store.LayoutOneKey, "session",
			`{` + prompt + `,"videoCount":3,"duration":5.5,"resolution":"720x1280","style":"anime","toolSlug":"s","toolTitle":"t","createdAt":` + created + `}`},
		{"what is of a wrong type is replaced", values{"", "", `{"prompt":7,"status":"pending","error":{}}`}, older, store.LayoutOneKey, "session",
			`{` + prompt + `,"status":"pending","videoCount":3,"duration":5.5,"resolution":"720x1280","style":"anime","toolSlug":"s","toolTitle":"t","createdAt":` + created + `,"timestamp":` + created + `}`},
		{"what cannot be read at all", values{`{"prompt":`, "", ""}, older, store.LayoutThreeKey, "prompt", `{` + prompt + `,"timestamp":` + created + `}`},
	} {
		u, before := found(c.order, c.siteLayout), storetest.Held(c.session.prompt, c.session.webhook, c.session.sessionValue)
		writes := Writes(before, u)
		if len(writes) != 1 || writes[0].Kind != c.kind {
			t.Fatalf("%s: %+v", c.name, writes)
		}
		next, _, err := writes[0].apply([]byte(c.session.of(c.kind)), !writes[0].Create)
		if err != nil || string(next) != c.want {
			t.Errorf("%s: %v\n%s; want\n%s", c.name, err, next, c.want)
		}
		after := c.session
		if c.kind == "prompt" {
			after.prompt = string(next)
		} else {
			after.sessionValue = string(next)
		}
		s := storetest.Held(after.prompt, after.webhook, after.sessionValue)
		if s.PromptText() != u.Restored.Order.Prompt || !u.AppliedTo(s) || u.AppliedTo(before) || s.Status() != before.Status() || s.FileID() != before.FileID() {
			t.Errorf("%s: it became %+v", c.name, s)
		}
		again := Writes(s, u)
		if twice, _, err := again[0].apply(next, true); err != nil || string(twice) != c.want {
			t.Errorf("%s: written twice it is %s", c.name, twice)
		}
	}
}

// TestRestoreWritesEverywhere: what is written can be read, has the TTL of the product,
// and is not written over what the site wrote meanwhile.
func TestRestoreWritesEverywhere(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		w := Writer{Product: r, State: r}
		for id, c := range map[string]struct {
			stored     values
			siteLayout store.Layout
		}{
			"cs_live_none1": {values{}, store.LayoutOneKey}, "cs_live_none3": {values{}, store.LayoutThreeKey},
			"cs_live_three": {values{webhook: `{"status":"error"}`}, store.LayoutOneKey},
			"cs_live_full":  {values{sessionValue: `{"status":"error","x":12345678901234567890}`}, store.LayoutOneKey},
			"cs_live_odd":   {values{sessionValue: `{"prompt":7,"status":"error"}`}, store.LayoutOneKey},
		} {
			put(t, client, id, c.stored)
			before, u := read(t, r, id), found(store.Order{}, c.siteLayout)
			kw := Writes(before, u)[0]
			expect := before.Digests()[kw.Kind]
			for range 2 { // the answer to the first may have been lost
				if _, err := w.Write(t.Context(), kw, expect); err != nil {
					t.Fatalf("%s: %v", id, err)
				}
			}
			if ttl := client.TTL(t.Context(), kw.Key()).Val(); ttl < store.KeyLife-time.Minute || ttl > store.KeyLife {
				t.Errorf("%s lives for %s", kw.Key(), ttl)
			}
			if s := read(t, r, id); !u.AppliedTo(s) || s.Status() != before.Status() {
				t.Errorf("%s became %+v", id, s)
			}
			if saved := client.Get(t.Context(), "sessionbot:saved:"+kw.Key()+":"+expect).Val(); kw.Unreadable && saved != c.stored.sessionValue {
				t.Errorf("%s: %q was saved", id, saved)
			}
			site := `{"prompt":"A hare","status":"pending","timestamp":"2026-03-04T12:00:00.000Z"}`
			client.Set(t.Context(), kw.Key(), site, time.Hour)
			if _, err := w.Write(t.Context(), Writes(before, u)[0], expect); err == nil || !strings.Contains(err.Error(), ErrChanged.Error()) {
				t.Errorf("%s: over what the site wrote: %v", id, err)
			}
			if got := client.Get(t.Context(), kw.Key()).Val(); got != site {
				t.Errorf("%s: the site's value became %s", id, got)
			}
		}
	})
}
