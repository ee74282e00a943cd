package workspace

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestAddresses(t *testing.T) {
	t.Parallel()
	for addr, good := range map[string]struct{ loopback, remote bool }{
		"127.0.0.1:0": {true, true}, "localhost:0": {true, true}, "[::1]:0": {true, true},
		"192.0.2.1:0": {false, true}, "example.com:80": {false, true},
		"0.0.0.0:0": {false, false}, "[::]:0": {false, false}, ":0": {false, false}, "127.0.0.1": {false, false},
	} {
		if err := checkAddr(addr, false); (err == nil) != good.loopback {
			t.Errorf("%q: %v", addr, err)
		}
		if err := checkAddr(addr, true); (err == nil) != good.remote {
			t.Errorf("%q, remote allowed: %v", addr, err)
		}
	}
}

// TestRemote: a workspace that others may reach answers under the name that it
// was given and no other, and its page asks for a key once.
func TestRemote(t *testing.T) {
	t.Parallel()
	m := newMemory()
	s := serve(m, Config{Addr: "devbox:8420", AllowRemote: true}, fast, manifest{}, newWorld(time.Now, "app"))
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	get := func(host, path, cookie string) (int, string, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", cookie)
		res, err := over(m).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		pass, _, _ := strings.Cut(res.Header.Get("Set-Cookie"), ";")
		return res.StatusCode, res.Header.Get("Location"), pass
	}
	for host, want := range map[string]int{
		"devbox:8420": 200, "devbox": 200, "127.0.0.1:8420": 200, "localhost": 200, "[::1]": 200,
		"evil.test:8420": 403, "192.0.2.7:8420": 403, "devbox.evil.test": 403,
	} {
		if status, _, _ := get(host, "/api/api.test", ""); status != want {
			t.Errorf("%s: HTTP %d, want %d", host, status, want)
		}
	}
	for _, path := range []string{"/", "/?key=", "/?key=wrong", "/ui/view"} {
		if status, _, pass := get("devbox", path, ""); status != 403 || pass != "" {
			t.Errorf("%s: HTTP %d, pass %q", path, status, pass)
		}
	}
	key := strings.TrimPrefix(s.PageURL(), s.URL())
	status, to, pass := get("devbox", key+"&user=U0LEAD", "")
	if status != 303 || to != "/?user=U0LEAD" || pass == "" {
		t.Errorf("with the key: HTTP %d to %q, pass %q", status, to, pass)
	}
	for _, path := range []string{to, "/", "/ui/view"} {
		if status, _, _ := get("devbox", path, pass); status != 200 {
			t.Errorf("%s with the pass: HTTP %d", path, status)
		}
	}
	if local := startFast(t, Config{AllowRemote: true}); local.PageURL() != local.URL() {
		t.Errorf("a workspace on loopback asks for a key: %s", local.PageURL())
	}
}

func TestGuards(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{ControlKey: "key"})
	fault := `{"kind":"clear"}`
	for _, c := range []struct {
		name, path string
		headers    map[string]string
		status     int
	}{
		{"right key", "/control/fault", map[string]string{"X-Control-Key": "key"}, 200},
		{"no key", "/control/fault", nil, 403},
		{"wrong key", "/control/fault", map[string]string{"X-Control-Key": "kez"}, 403},
		{"own origin", "/control/fault", map[string]string{"X-Control-Key": "key", "Origin": s.URL()}, 200},
		{"other origin", "/control/fault", map[string]string{"X-Control-Key": "key", "Origin": "https://evil.test"}, 403},
		{"opaque origin", "/control/fault", map[string]string{"X-Control-Key": "key", "Origin": "null"}, 403},
		{"other origin on the page", "/ui/x", map[string]string{"Origin": "https://evil.test"}, 403},
		{"other host", "/control/fault", map[string]string{"X-Control-Key": "key", "Host": "evil.test"}, 403},
		{"other host on the API", "/api/api.test", map[string]string{"Host": "evil.test:8420"}, 403},
		{"localhost", "/api/api.test", map[string]string{"Host": "localhost:8420"}, 200},
		{"IPv6", "/api/api.test", map[string]string{"Host": "[::1]:8420"}, 200},
		{"not JSON", "/control/click", map[string]string{"X-Control-Key": "key"}, 200},
	} {
		if status, _, body := raw(t, http.MethodPost, s.URL()+c.path, fault, c.headers); status != c.status {
			t.Errorf("%s: HTTP %d %s", c.name, status, body)
		}
	}
	if status, _, body := raw(t, http.MethodPost, s.URL()+"/control/click", "{", map[string]string{"X-Control-Key": "key"}); status != http.StatusBadRequest {
		t.Errorf("rubbish: HTTP %d %s", status, body)
	}
	if status, _, _ := raw(t, http.MethodPost, s.URL()+"/api/api.test", "x="+strings.Repeat("x", maxBody), map[string]string{"Content-Type": "application/x-www-form-urlencoded"}); status != http.StatusOK {
		t.Errorf("a body without end: HTTP %d", status)
	}
}
