package blockhtml

import (
	"encoding/json"
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// tagPattern is every form of tag that the renderer writes.
var (
	tagPattern  = regexp.MustCompile(`<(/?)([a-z0-9]+)((?: [a-zA-Z0-9-]+="[^"<>]*")*)>`)
	attrPattern = regexp.MustCompile(` ([a-zA-Z0-9-]+)="([^"<>]*)"`)
	voidTags    = []string{"br", "hr", "input"}
	badTags     = []string{"script", "style", "iframe", "img", "object", "embed", "base", "link", "meta", "form"}
)

// checkSafe fails unless the HTML is well formed and can do no harm: no tag but
// ours, each closed in its turn, no handler, and no link but http(s) and mailto.
func checkSafe(t *testing.T, out string) {
	t.Helper()
	if rest := tagPattern.ReplaceAllString(out, ""); strings.ContainsAny(rest, "<>") {
		t.Fatalf("a tag or bracket of unknown form: %q", rest)
	}
	var open []string
	for _, m := range tagPattern.FindAllStringSubmatch(out, -1) {
		tag := m[2]
		if slices.Contains(badTags, tag) {
			t.Fatalf("the tag %s in %q", tag, out)
		}
		checkAttributes(t, m[3])
		switch {
		case slices.Contains(voidTags, tag):
		case m[1] == "":
			open = append(open, tag)
		case len(open) == 0 || open[len(open)-1] != tag:
			t.Fatalf("</%s> closes %v in %q", tag, open, out)
		default:
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Fatalf("not closed: %v in %q", open, out)
	}
}

func checkAttributes(t *testing.T, attrs string) {
	t.Helper()
	for _, m := range attrPattern.FindAllStringSubmatch(attrs, -1) {
		name, value := m[1], html.UnescapeString(m[2])
		if strings.HasPrefix(name, "on") || slices.Contains([]string{"style", "src", "formaction", "form"}, name) {
			t.Fatalf("the attribute %s in %q", name, attrs)
		}
		if name == "href" && !regexp.MustCompile(`^(?i:https?://|mailto:)`).MatchString(value) {
			t.Fatalf("a link to %q", value)
		}
	}
}

func testReader() Reader {
	return Reader{
		ID:       "U1",
		Users:    map[string]string{"U1": "Ann", "U2": "Bob"},
		Channels: map[string]string{"C1": "support"},
		Groups:   map[string]string{"S1": "ops"},
		Now:      time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC),
	}
}

func FuzzText(f *testing.F) {
	for _, seed := range []string{
		"*bold* _it_ ~no~ `code` ```fence <https://x.y|z>``` > quote", "&gt;&gt;&gt; all\nof it",
		"<javascript:alert(1)|click> <https://a.b/?q=\"onmouseover=x|<b>> <@U1> <#C1> <!subteam^S1> <!here>",
		"<!date^1772452800^{date_short} {ago}^javascript:alert(1)|then>", ":tada: :nope: :" + "*_~*_~*_~",
		"<script>alert(1)</script>", "https://example.com/a_b_c). <<<<", "\x00\xff\u202e",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { checkSafe(t, string(Text(testReader(), text))) })
}

func FuzzMarkdown(f *testing.F) {
	for _, seed := range []string{
		"# T\n- a\n  - b\n1. c\n> q\n```go\nx\n```\n|a|b|\n|-|-|\n|1|**2**|\n---\n[x](javascript:y) ![i](https://a.b) <img src=x onerror=y>",
		"**a *b* ~~c~~** __d__ _e_ `f` \\* https://a.b/c_d", "- [ ] todo\n- [x] done", "[[[[((((", "|\n-",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		block, err := json.Marshal([]map[string]string{{"type": "markdown", "text": text}})
		if err != nil {
			t.Fatal(err)
		}
		checkSafe(t, string(Blocks(testReader(), block)))
	})
}

func FuzzBlocks(f *testing.F) {
	for _, c := range goldenCases(f) {
		f.Add([]byte(c.blocks))
	}
	f.Add([]byte(`[{"type":"section","text":{"type":"mrkdwn","text":"<script>"},"accessory":{"type":"button","url":"javascript:x"}},7,null,{"type":9}]`))
	f.Fuzz(func(t *testing.T, blocks []byte) { checkSafe(t, string(Blocks(testReader(), blocks))) })
}
