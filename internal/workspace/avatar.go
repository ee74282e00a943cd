package workspace

import (
	"fmt"
	"hash/fnv"
	"html"
	"net/http"
	"unicode"
	"unicode/utf8"
)

// avatarSizes are those of the images in a profile, as Slack has them.
var avatarSizes = []int{24, 32, 48, 72, 192, 512}

// addImages gives a profile its images.
func (s *Server) addImages(profile object, user string) {
	for _, size := range avatarSizes {
		profile[fmt.Sprintf("image_%d", size)] = fmt.Sprintf("%s/avatar/%s?size=%d", s.URL(), user, size)
	}
}

// serveAvatar draws a person's image: a letter on a colour of their own.
func (s *Server) serveAvatar(w http.ResponseWriter, r *http.Request) {
	p, ok := s.world.person(r.PathValue("user"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	letter, _ := utf8.DecodeRuneInString(p.RealName)
	hue := fnv.New32a()
	_, _ = hue.Write([]byte(p.ID)) // a hash never fails
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 36 36">`+
		`<rect width="36" height="36" rx="9" fill="hsl(%d 45%% 38%%)"/>`+
		`<text x="18" y="24" text-anchor="middle" font-family="sans-serif" font-size="18" fill="#fff">%s</text></svg>`,
		hue.Sum32()%360, html.EscapeString(string(unicode.ToUpper(letter)))) // the reader may be gone
}
