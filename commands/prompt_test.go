package commands

import (
	"strings"
	"testing"
)

// TestCutRestore: the prompt is what was typed, and nothing of it is taken for an id or
// an option.
func TestCutRestore(t *testing.T) {
	t.Parallel()
	const id = "cs_live_a1B2c3D4"
	for _, c := range []struct{ text, words, prompt string }{
		{"restore " + id + " A fox", id, "A fox"},
		{"Restore\u00a0`" + id + "`\u00a0A fox", "`" + id + "`", "A fox"},
		{"\u200brestore – " + id + "\n“A  fox”,\n\n  --limit 5 & ｆｏｘ\u2060ｅｓ", id, "“A  fox”,\n\n  --limit 5 & ｆｏｘ\u2060ｅｓ"},
		{"restore " + id + " a &lt;b&gt; &amp;amp; &amp;lt; &quot;", id, "a <b> &amp; &lt; &quot;"},
		{"restore <https://superduperai.co/en/session/" + id + "|the order of Ann> A fox", "<https://superduperai.co/en/session/" + id + "|the order of Ann>", "A fox"},
		{"restore " + id + " see <http://example.com|example.com>, <https://a.b/?x=1&amp;y=2> for <@U1|ann>, <!here> in <#C1|general> or <mailto:a@b.co|a@b.co>", id,
			"see example.com, https://a.b/?x=1&y=2 for @ann, @here in #general or a@b.co"},
		{"restore " + id, id, ""},
		{"restore cs_live_a1B2…0001 A fox", "cs_live_a1B2…0001", "A fox"},
		{"restore", "", ""},
		{"restore A fox", "A", "fox"}, // which names no session
		{"restore " + id + " and cs_live_other1", id, "and cs_live_other1"},
	} {
		words, prompt, ok, err := cutRestore(Request{Text: c.text})
		if !ok || err != nil || words != c.words || strings.TrimSpace(prompt) != c.prompt {
			t.Errorf("%q: %q and %q, %v %v; want %q and %q", c.text, words, prompt, ok, err, c.words, c.prompt)
		}
	}
	for _, text := range []string{"restored " + id, "debug restore", "", id + " restore"} {
		if _, _, ok, _ := cutRestore(Request{Text: text}); ok {
			t.Errorf("%q is taken for restore", text)
		}
	}
	if _, _, _, err := cutRestore(Request{Text: "restore " + id + ",A fox"}); err == nil {
		t.Error("the beginning of a prompt is lost")
	}
	if _, _, _, err := cutRestore(Request{Text: "restore " + id + " A fox", Terminal: true, Prompt: "A hen"}); err == nil {
		t.Error("a prompt among the arguments of a terminal is ignored")
	}
	if _, prompt, _, err := cutRestore(Request{Text: "restore " + id, Terminal: true, Prompt: "a &lt; b"}); prompt != "a &lt; b" || err != nil {
		t.Errorf("a terminal escapes nothing: %q, %v", prompt, err)
	}
}

func TestCheckPrompt(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", maxPrompt)
	for text, want := range map[string]string{
		" A fox\r\nruns\tfast\n": "A fox\nruns\tfast", "\n \n": "", "": "", long: long, "👩\u200d🚀 \u200fشمس": "👩\u200d🚀 \u200fشمس",
	} {
		if got, err := checkPrompt(text); got != want || err != nil {
			t.Errorf("%.20q: %.20q, %v", text, got, err)
		}
	}
	for _, text := range []string{
		long + "é", strings.Repeat("a", 100_000), "A \x00 fox", "A \x1b[31m fox", "A\rfox", "A \u0085 fox", "\x89PNG\r\n\x1a\n", "A \xff fox",
	} {
		if got, err := checkPrompt(text); err == nil || got != "" || strings.Contains(err.Error(), "fox") {
			t.Errorf("%.20q: %.20q, %v", text, got, err)
		}
	}
	if n := len(strings.Repeat("漢", maxPrompt)); n >= MaxPromptBytes {
		t.Errorf("a prompt of %d bytes is cut", n)
	}
}
