package store

import (
	"errors"
	"net/url"
	"strings"
	"testing"
)

// FuzzCheckURL: whatever is given as a Redis URL is either usable or refused
// with a *URLError or ErrClusterDatabase, in words that hold nothing of it.
func FuzzCheckURL(f *testing.F) {
	for _, seed := range []string{
		"redis://localhost:6379/0", "rediss://user:s3cret@host:6380/1?read_timeout=1s", "redis://a:1?addr=b:2&addr=c:3",
		"redis://s:26379?master_name=main&db=2", "redis://:p%40ss@[::1]:6379", "redis://a?addr=b&db=1", "redis://h/0x1?pool_size=-1",
		"redis://:a/b@h", "'redis://h'", "X=redis://h\n", "rediss://h?skip_verify=1", "redis://h#x",
	} {
		f.Add(seed)
	}
	faults := map[string]bool{}
	for _, fault := range []string{faultBlank, faultQuotes, faultName, faultScheme, faultHost, faultNoURL, faultEncode, faultVerify, faultOptions} {
		faults[(&URLError{Fault: fault}).Error()] = true
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if u, err := url.Parse(raw); err == nil && u.Query().Has("min_idle_conns") {
			t.Skip() // the library would connect at once
		}
		r, err := parse(raw)
		if err == nil {
			if r.single == nil && r.known == nil {
				t.Errorf("%q is usable, and yet there is no way to it", raw)
			}
			if !strings.HasPrefix(strings.ToLower(raw), "redis") {
				t.Errorf("%q was taken for a Redis URL", raw)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			return
		}
		if !faults[err.Error()] && !errors.Is(err, ErrClusterDatabase) {
			t.Errorf("%q was refused with words of its own: %v", raw, err)
		}
	})
}
