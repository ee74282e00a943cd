package commands

import (
	"crypto/rand"
	"strings"
)

// NewRef names a request in the log and in what people see: short enough to
// read out, such as k3f9-2d.
func NewRef() string {
	text := strings.ToLower(rand.Text())
	return text[:4] + "-" + text[4:6]
}
