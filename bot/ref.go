package bot

import (
	"crypto/rand"
	"strings"
)

// newRef names one request, from its envelope to its reply and in every line of
// the log, such as k3f7-2d.
func newRef() string {
	text := strings.ToLower(rand.Text())
	return text[:4] + "-" + text[4:6]
}
