package redistest

import (
	"net/url"
	"testing"

	"github.com/superduperai/sessionbot/internal/testenv"
)

// Patient is the URL of a Redis for a client that waits for every answer as long
// as a busy machine may take: only who asks sets a nearer deadline.
func Patient(t testing.TB, rawURL string) string {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	for _, name := range []string{"dial_timeout", "read_timeout", "write_timeout"} {
		if !query.Has(name) {
			query.Set(name, testenv.Patience.String())
		}
	}
	u.RawQuery = query.Encode()
	return u.String()
}
