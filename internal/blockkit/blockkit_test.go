package blockkit_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
)

func TestText(t *testing.T) {
	t.Parallel()
	table, _ := blockkit.Table([]string{"#", "Prompt"}, [][]string{{"1", "日本"}, {"2", ""}}, false)
	blocks := []slack.Block{
		blockkit.Paragraph(
			blockkit.L(blockkit.Bold("Orphaned: <!channel> & *bold*")),
			blockkit.Fact("Payment", blockkit.Plain("$1.00 · "), blockkit.Plain(""), blockkit.Link("https://example.com/p", "open")),
			blockkit.L(blockkit.Time(time.Unix(1_772_628_360, 0), blockkit.TimeAgo, "14 min ago (12:46 UTC)")),
		),
		blockkit.Quote("one\ntwo"),
		blockkit.Row("*Lost* · `cs_1` &lt;b&gt; <https://example.com|here>", blockkit.Button("session.debug", "Debug", "cs_1")),
		table,
		blockkit.Context(blockkit.Mrkdwn(blockkit.L(blockkit.Plain("as of <now>, "), blockkit.Time(time.Unix(1_772_628_360, 0), blockkit.TimeOfDay, "12:46 UTC")))),
	}
	want := `Orphaned: <!channel> & *bold*
Payment  $1.00 · open (https://example.com/p)
14 min ago (12:46 UTC)

> one
> two

Lost · cs_1 <b> here (https://example.com)

#  Prompt
1  日本
2  –

as of <now>, 12:46 UTC`
	if got := blockkit.Text(blocks); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if got := blockkit.Fallback(blocks); !strings.HasPrefix(got, "Orphaned: &lt;!channel&gt; &amp; *bold*\n") {
		t.Errorf("the fallback is not escaped: %q", got)
	}
}

// TestTime: Slack is told the time itself, for each reader's zone, in rich text and in
// mrkdwn alike.
func TestTime(t *testing.T) {
	t.Parallel()
	line := blockkit.L(blockkit.Bold("a*"), blockkit.Code("b"), blockkit.Struck("c"), blockkit.Plain(" <!here> & "), blockkit.Link("https://example.com/?a&b", "d>"), blockkit.User("U1"),
		blockkit.Group("S1"), blockkit.Channel("C1"), blockkit.Time(time.Unix(1_772_628_360, 0), blockkit.TimeAgo, "14 min ago (12:46 UTC)"))
	const want = "*a**`b`~c~ &lt;!here&gt; &amp; <https://example.com/?a&amp;b|d&gt;><@U1><!subteam^S1><#C1>" +
		"<!date^1772628360^{ago} ({date_short_pretty} at {time})|14 min ago (12:46 UTC)>"
	if got := blockkit.Mrkdwn(line); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	raw, err := json.Marshal(line[len(line)-1])
	if err != nil || string(raw) != `{"type":"date","timestamp":1772628360,"format":"{ago} ({date_short_pretty} at {time})","fallback":"14 min ago (12:46 UTC)"}` {
		t.Errorf("%s, %v", raw, err)
	}
}

// TestPlainTextIsOneSpan: plain neighbours are joined, styled ones are not.
func TestPlainTextIsOneSpan(t *testing.T) {
	t.Parallel()
	fact := blockkit.Fact("File", blockkit.Code("f"), blockkit.Plain(" ready"), blockkit.Plain(" · seen"))
	for range 2 { // joining does not change the spans joined
		block, _ := blockkit.Paragraph(fact, fact).(*slack.RichTextBlock)
		section, _ := block.Elements[0].(*slack.RichTextSection)
		var texts []string
		for _, span := range section.Elements {
			text, _ := span.(*slack.RichTextSectionTextElement)
			texts = append(texts, text.Text)
		}
		if got := strings.Join(texts, "|"); got != "File|  |f| ready · seen\n|File|  |f| ready · seen" {
			t.Errorf("got %q", got)
		}
	}
}

func TestFallbackStaysUnderSlacksLimit(t *testing.T) {
	t.Parallel()
	long := blockkit.Paragraph(blockkit.L(blockkit.Plain(strings.Repeat("&<é", 4000))))
	got := blockkit.Fallback([]slack.Block{long})
	if n := utf8.RuneCountInString(got); n >= 4000 {
		t.Errorf("%d characters", n)
	}
	if !utf8.ValidString(got) || !strings.HasSuffix(got, "…") {
		t.Errorf("cut within a character or without a sign: …%q", got[len(got)-20:])
	}
}

func TestTableKeepsWithinSlacksLimits(t *testing.T) {
	t.Parallel()
	rows := func(text string) (rows [][]string) {
		for range 200 {
			rows = append(rows, []string{text})
		}
		return rows
	}
	for _, c := range []struct {
		name      string
		rows      [][]string
		unlimited bool
		shown     int
	}{
		{"100 rows with the header", rows("x"), false, 99},
		{"10 000 characters", rows(strings.Repeat("é", 500)), false, 19}, // the header takes one
		{"a terminal has no limits", rows(strings.Repeat("é", 500)), true, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			block, shown := blockkit.Table([]string{"#"}, c.rows, c.unlimited)
			if n := len(block.(*slack.TableBlock).Rows); shown != c.shown || n != shown+1 {
				t.Errorf("%d rows said to be shown, %d there with the header, want %d", shown, n, c.shown)
			}
		})
	}
}

func TestCleanAndCut(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a\x1b[31mb\u202ec\x00\nd": "a[31mbc\nd", "a\u009b31mb\u0085c\x7f": "a31mbc", "a\u200bb\u200ec\u061cd\ufeff": "abcd",
		"a\u2066b\u2069\u2060\u00ad\U000e0041": "ab", "a\u2028b": "a\nb", "e\u0301": "e\u0301", "a\u200db\ufe0f": "ab",
		"👩\u200d👩\u200d👧 ❤\ufe0f\u200d🔥": "👩\u200d👩\u200d👧 ❤\ufe0f\u200d🔥", "a\xff": "a", "привет": "привет", "\u3164x": "x",
	} {
		if got := blockkit.Clean(text); got != want {
			t.Errorf("Clean(%q) = %q, want %q", text, got, want)
		}
	}
	for _, c := range []struct {
		text string
		n    int
		want string
	}{
		{"short", 5, "short"}, {"日本語です", 3, "日本…"}, {"a b c", 3, "a…"},
	} {
		if got := blockkit.Cut(c.text, c.n); got != c.want {
			t.Errorf("Cut(%q, %d) = %q, want %q", c.text, c.n, got, c.want)
		}
	}
}

// TestNothingInvisibleIsPrinted by any kind of block.
func TestNothingInvisibleIsPrinted(t *testing.T) {
	t.Parallel()
	const evil = "x\u009b2J\u202e\u200b\x1b]0;y\x07\ufeff"
	table, _ := blockkit.Table([]string{evil}, [][]string{{evil}}, true)
	text := blockkit.Text([]slack.Block{
		blockkit.Paragraph(blockkit.L(blockkit.Plain(evil), blockkit.Bold(evil), blockkit.Code(evil), blockkit.Link("https://x/"+evil, evil))),
		blockkit.Quote(evil), blockkit.Context(evil), blockkit.Row(evil, blockkit.Button("a", evil, "v")), table,
		slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, evil, false, false), nil, nil),
	})
	if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && blockkit.Invisible(r) }); i >= 0 {
		t.Errorf("%q is printed, %q at byte %d", text, text[i:], i)
	}
}
