package commands

import (
	"testing"

	"github.com/superduperai/sessionbot/store"
)

func TestNormalise(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"find x&amp;ann@example.com":               "find x&ann@example.com",
		"find x&amp;amp;ann@example.com":           "find x&ann@example.com", // escaped by the mail program and by Slack
		"find x&#38;ann@example.com":               "find x&ann@example.com",
		"find x&reg@example.com":                   "find x&reg@example.com", // no entity without a semicolon
		"find x&notit;@example.com":                "find x&notit;@example.com",
		"find&nbsp;ann@example.com":                "find\u00a0ann@example.com",
		"“a” ‘b’ «c» „d“ o’brien":                  `"a" 'b' "c" "d" o'brien`,
		"de\u200bb\u2060u\ufeffg\u00ad":            "debug",
		"de\u034fb\ufe0fu\u3164g\U000e0061":        "debug",
		"\u202edebug\u202c \u2066x\u2069":          "debug x",
		"de\x00bug\x1b[2J":                         "debug[2J",
		"<https://x.example/s?a=1&amp;b=2|x.exa…>": "<https://x.example/s?a=1&b=2>",
		"Ann &lt;<mailto:a@b.co|a@b.co>&gt;":       "Ann <<mailto:a@b.co>>",
		"a\xffb":                                   "ab",
		"line\nbreak":                              "line\nbreak",
	} {
		if got := normalise(text); got != want {
			t.Errorf("normalise(%q) = %q, want %q", text, got, want)
		}
	}
}

// TestSlackLinks: the label may be shortened; the address counts.
func TestSlackLinks(t *testing.T) {
	t.Parallel()
	const id = "cs_live_a1B2c3D4"
	for _, text := range []string{
		"<https://superduperai.co/session/" + id + "?y|superduperai.co/session/" + id + "?y>",
		"<https://superduperai.co/session/" + id + "|…/session/cs_live_a1B2>",
	} {
		if got, err := store.FindID(normalise(text)); got != id || err != nil {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
}

func TestCustomer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"ann@example.com", "ann@example.com"},
		{"<mailto:ann@example.com|ann@example.com>", "ann@example.com"},
		{"Ann <ann+video@mail.example.co.uk>,", "ann+video@mail.example.co.uk"},
		{"Ann &lt;ann@example.com&gt;", "ann@example.com"},
		{`"Ann, of Example" <ann@example.com>; `, "ann@example.com"},
		{"From: Ann [mailto:ann@example.com]", "ann@example.com"},
		{"x&amp;ann@example.com", "x&ann@example.com"},
		{"“ann@example.com”", "ann@example.com"}, {"‘ann@example.com’.", "ann@example.com"}, {"*ann@example.com*", "ann@example.com"},
		{"_ann@example.com_", "ann@example.com"}, {"_ann@example.com", "_ann@example.com"},
		{"ann\u200b@exam\u00adple.com", "ann@example.com"}, {"\u00a0ann@example.com\u00a0\r\n", "ann@example.com"},
		{"ann@example.com, ann@example.com", "ann@example.com"},
		{"look —ann@example.com— please", "ann@example.com"}, {"•ann@example.com", "ann@example.com"}, {"…ann@example.com", "ann@example.com"},
		{"who?...ann@example.com", "who?...ann@example.com"}, {"-ann@example.com", "ann@example.com"}, {"(ann@example.com)", "ann@example.com"},
		{"mailto:ann@example.com?subject=x", "ann@example.com"}, {"{\"email\":\"ann@example.com\"}", "ann@example.com"}, {"a/b=c@example.com", "a/b=c@example.com"},
		{"ann@example.com!", "ann@example.com"}, {"ann@example.com…", "ann@example.com"},
		{"анна@пример.рф", "анна@пример.рф"},
		{"pi_3NabcDEF12345678", "pi_3NabcDEF12345678"}, {"pi_3NabcDEF12345678_secret_Xy9", "pi_3NabcDEF12345678"},
		{"mailto:ann%2Bvideo@example.com", "ann+video@example.com"}, {"<mailto:x&amp;ann@example.com?subject=y|x…>", "x&ann@example.com"},
		{"ann＠example.com", "ann@example.com"}, {"＜ａｎｎ＠ｅｘａｍｐｌｅ．ｃｏｍ＞", "ann@example.com"},
		{"https://mail.google.com/mail/u/0/#search/ann%40example.com", "ann@example.com"}, {"mailto:ann@example.com,bob@example.com", ""},
		{"o'brien@example.com", "o'brien@example.com"}, {"o’brien@example.com", "o'brien@example.com"}, {"'ann@example.com'", "ann@example.com"},
		{"<https://dashboard.stripe.com/payments/pi_3NabcDEF12345678|pi_3NabcDEF12345678>", "pi_3NabcDEF12345678"},
		{"https://dashboard.stripe.com/search?query=x%26ann%40example.com&amp;page=2", "x&ann@example.com"},
		{"ann@example.com bob@example.com", ""}, {"ann", ""}, {"", ""}, {"pi_", ""}, {"'@example.com", ""}, {"ann@localhost", ""},
	} {
		got, err := customer(normalise(c.text))
		if got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("customer(%q) = %q, %v, want %q", c.text, got, err, c.want)
		}
	}
}

func TestParseArgs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		words string
		limit int
		wrong bool
	}{
		{text: " debug  cs_live_x ", words: "debug cs_live_x"},
		{text: "prompts --limit 5", words: "prompts", limit: 5},
		{text: "prompts —limit=7", words: "prompts", limit: 7}, // keyboards turn two hyphens into a dash
		{text: "prompts ——limit 2", words: "prompts", limit: 2},
		{text: "prompts –Limit 2", words: "prompts", limit: 2},
		{text: "prompts \u2212\u2212limit 2", words: "prompts", limit: 2},
		{text: "prompts -\u200b-limit\u00a02", words: "prompts", limit: 2},
		{text: "prompts \u2010\u2011limit 2", words: "prompts", limit: 2},
		{text: "prompts -limit 2", words: "prompts", limit: 2},
		{text: "find —ann@example.com", words: "find —ann@example.com"},
		{text: "look –cs_live_x– please", words: "look –cs_live_x– please"},
		{text: "look --cs_live_x", words: "look --cs_live_x"},
		{text: "find ann@example.com --foo_bar", wrong: true},
		{text: "find ann@example.com --all2=x", wrong: true},
		{text: "prompts &mdash;limit 2", words: "prompts", limit: 2},
		{text: "prompts &#8211;&#8211;limit&nbsp;2", words: "prompts", limit: 2},
		{text: "look — cs_live_x", words: "look — cs_live_x"},
		{text: "prompts －－limit＝２", words: "prompts", limit: 2},
		{text: "prompts --limit=“3”", words: "prompts", limit: 3},
		{text: "prompts --limit `3`", words: "prompts", limit: 3},
		{text: "prompts --limit 3.", wrong: true},
		{text: "prompts --limit 1_000", wrong: true},
		{text: "prompts --limit", wrong: true},
		{text: "prompts --limit 0", wrong: true},
		{text: "prompts --limit -5", wrong: true},
		{text: "prompts --limit many", wrong: true},
		{text: "debug --force x", wrong: true},
		{text: "debug ——force x", wrong: true},
	} {
		args, err := parseArgs(c.text)
		if args.text() != c.words || args.Limit != c.limit || (err != nil) != c.wrong {
			t.Errorf("parseArgs(%q) = %+v, %v", c.text, args, err)
		}
	}
}
