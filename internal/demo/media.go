package demo

import (
	"fmt"
	"hash/fnv"
	"net/http"
)

// media serves the picture that stands for a finished video.
func media(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "image/svg+xml")
	_, _ = w.Write([]byte(placeholder(r.PathValue("name")))) // who asked has hung up, and notices by itself
}

// placeholder draws a small moving picture, of another colour for every name.
func placeholder(name string) string {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(name)) // never fails
	hue := hash.Sum32() % 360
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1280 720" role="img" aria-label="example video">
<defs><linearGradient id="sky" x2="0" y2="1"><stop stop-color="hsl(%d 60%% 22%%)"/><stop offset="1" stop-color="hsl(%d 75%% 62%%)"/></linearGradient></defs>
<rect width="1280" height="720" fill="url(#sky)"/>
<circle cx="300" cy="250" r="70" fill="hsl(%d 90%% 85%%)"><animate attributeName="cx" values="300;980;300" dur="8s" repeatCount="indefinite"/></circle>
<path d="M0 560q320-120 640 0t640 0v160H0z" fill="hsl(%d 45%% 18%%)"/>
<text x="640" y="660" fill="#fff" font-family="sans-serif" font-size="40" text-anchor="middle">example video</text>
</svg>`, hue, (hue+40)%360, (hue+60)%360, hue)
}
