package blockhtml

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestAttachments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"a colour by name", `[{"color":"danger","text":"*bad*"}]`, `fill="#a30200"`},
		{"a colour", `[{"color":"abcdef","text":"x"}]`, `fill="#abcdef"`},
		{"no colour", `[{"color":"red;evil","text":"<b>"}]`, `<div class="attachment"><div class="text">&lt;b&gt;</div></div>`},
		{"a title with a link", `[{"title":"T","title_link":"https://x.test"}]`, `<a href="https://x.test"`},
		{"a bad link", `[{"title":"T","title_link":"javascript:alert(1)"}]`, `<div class="media-title">T</div>`},
		{"only a fallback", `[{"fallback":"plain"}]`, `plain`},
		{"fields", `[{"fields":[{"title":"A","value":"*b*"}]}]`, `<strong>A</strong><div class=""><strong>b</strong></div>`},
		{"blocks", `[{"text":"left out","blocks":[{"type":"divider"}]}]`, `<div class="attachment"><hr></div>`},
		{"a footer", `[{"footer":"CI","ts":1772366400}]`, `yesterday at 12:00`},
		{"rubbish", `{}`, `Attachments that cannot be read`},
		{"rubbish within", `[{"fields":3}]`, `An attachment that cannot be read`},
	} {
		got := string(Attachments(testReader(), json.RawMessage(c.in)))
		checkSafe(t, got)
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: no %s in %s", c.name, c.want, got)
		}
	}
}
