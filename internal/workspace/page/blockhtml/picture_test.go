package blockhtml

import (
	"strings"
	"testing"
)

// TestPictures: only pictures of the named origin are loaded, those of an address that only
// begins like it are not.
func TestPictures(t *testing.T) {
	t.Parallel()
	for address, shown := range map[string]bool{
		"http://127.0.0.1:80/media/fox.svg": true, "http://127.0.0.1:8080/fox.svg": false, "http://127.0.0.1:80": false,
		"https://127.0.0.1:80/fox.svg": false, "http://127.0.0.1:80@example.com/fox.svg": false,
	} {
		reader := testReader()
		blocks := []byte(`[{"type":"image","image_url":"` + address + `","alt_text":"A \"fox\""}]`)
		if out := string(Blocks(reader, blocks)); strings.Contains(out, "<img") {
			t.Errorf("without an origin: %s", out)
		}
		reader.PicturesFrom = "http://127.0.0.1:80"
		out := string(Blocks(reader, blocks))
		if got := strings.Contains(out, `<img src="`+address+`" alt="A &#34;fox&#34;">`); got != shown || strings.Contains(out, "<img") != shown {
			t.Errorf("%s: %s", address, out)
		}
	}
}
