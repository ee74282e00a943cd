package blockhtml

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// TestInline: what Slack's inline markup becomes, and what is no markup at all.
func TestInline(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"*bold* _it_ ~no~", "<strong>bold</strong> <em>it</em> <s>no</s>"},
		{"*bold _both_*", "<strong>bold <em>both</em></strong>"},
		{"2*3*4 snake_case_name", "2*3*4 snake_case_name"},
		{"* no bold *", "* no bold *"},
		{"*open", "*open"},
		{"`*code*` *a `b*` c*", "<code>*code*</code> <strong>a <code>b*</code> c</strong>"},
		{"1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 &lt; 2 &amp;&amp; 3 &gt; 2"},
		{"<b>&lt;i&gt;", "&lt;b&gt;&lt;i&gt;"},
		{"<@U2> <@U9|zoe> <@U1>", `<span class="mention">@Bob</span> <span class="mention">@zoe</span> <span class="mention me">@Ann</span>`},
		{"<!subteam^S1> <!here>", `<span class="mention">@ops</span> <span class="mention me">@here</span>`},
		{"<javascript:alert(1)|x>", "&lt;javascript:alert(1)|x&gt;"},
		{"<mailto:a@b.example|write>", `<a href="mailto:a@b.example" target="_blank" rel="noopener noreferrer nofollow">write</a>`},
		{"12:30:45 :nope:", "12:30:45 :nope:"},
		{"one\ntwo", "one<br>two"},
		{"a\n&gt; b\nc", "a<blockquote>b</blockquote>c"},
		{"&gt;&gt;&gt; a\nb", "<blockquote>a<br>b</blockquote>"},
	} {
		want := `<div class="text">` + c.want + `</div>`
		if got := string(Text(testReader(), c.in)); got != want {
			t.Errorf("%q\n got %s\nwant %s", c.in, got, want)
		}
	}
}

// TestDate: Slack's formats, and the fallback where there is nothing to fill in.
func TestDate(t *testing.T) {
	t.Parallel()
	now := testReader().Now
	for _, c := range []struct {
		format string
		at     time.Time
		want   string
	}{
		{"{date_num} {time_secs}", now, "2026-03-02 12:00:00"},
		{"{date_pretty} at {time}", now, "today at 12:00"},
		{"{date_short_pretty}", now.AddDate(0, 0, -1), "yesterday"},
		{"{date_long_pretty}", now.AddDate(0, 0, 9), "Wednesday, 11 March 2026"},
		{"{ago}", now.Add(-90 * time.Minute), "1 hour ago"},
		{"{ago}", now.Add(2 * time.Minute), "in 2 minutes"},
	} {
		if got, known := formatDate(c.format, c.at, now); !known || got != c.want {
			t.Errorf("%s: got %q, %v; want %q", c.format, got, known, c.want)
		}
	}
	got := string(Text(testReader(), "<!date^1772452800^soon|then> <!date^x^{time}|never>"))
	if !strings.Contains(got, ">then</time> never") {
		t.Errorf("no fallback in %s", got)
	}
}

// TestHuge: a message that is far too long is cut, and says so, whatever it is
// made of. What took quadratic time would not end here.
func TestHuge(t *testing.T) {
	t.Parallel()
	const long, most = 2 * maxText, 1 << 20 // bytes of text, bytes of HTML
	texts := map[string]string{"a megabyte": strings.Repeat("a", 1<<20)}
	for _, piece := range []string{"a", "*a ", "_~*", "<", "`", "[", "[a](", ":x", "&gt;\n", "\n", "http://a", "**a ", "> ", "- a\n", "|a|b\n|-|\n"} {
		texts[piece] = strings.Repeat(piece, long/len(piece))
	}
	for name, content := range texts {
		for _, kind := range []string{"mrkdwn", "plain_text", "markdown"} {
			block := map[string]any{"type": "section", "text": map[string]string{"type": kind, "text": content}}
			if kind == "markdown" {
				block = map[string]any{"type": kind, "text": content}
			}
			data, err := json.Marshal([]any{block})
			if err != nil {
				t.Fatal(err)
			}
			checkCut(t, kind+" "+name, string(Blocks(testReader(), data)), most)
		}
	}
	row := `[` + strings.TrimSuffix(strings.Repeat(`{"type":"raw_text","text":"x"},`, 200), ",") + `]`
	table := `[{"type":"table","rows":[` + strings.TrimSuffix(strings.Repeat(row+",", 40), ",") + `]}]`
	checkCut(t, "a wide table", string(Blocks(testReader(), []byte(table))), most)
	checkCut(t, "many blocks", string(Blocks(testReader(), []byte("["+strings.Repeat(`{"type":"divider"},`, 2*maxNodes)+`{"type":"divider"}]`))), most)
}

func checkCut(t *testing.T, name, out string, most int) {
	t.Helper()
	if len(out) > most {
		t.Errorf("%s: %d bytes of HTML", name, len(out))
	}
	if !strings.Contains(out, "Cut here") {
		t.Errorf("%s: does not say that it was cut", name)
	}
}
