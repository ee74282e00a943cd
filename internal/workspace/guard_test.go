package workspace

import (
	"net/http"
	"strings"
	"testing"
)

func TestLoopbackOnly(t *testing.T) {
	for addr, good := range map[string]bool{
		"127.0.0.1:0": true, "localhost:0": true, "[::1]:0": true,
		"0.0.0.0:0": false, ":0": false, "192.0.2.1:0": false, "example.com:80": false, "127.0.0.1": false,
	} {
		if err := loopbackOnly(addr); (err == nil) != good {
			t.Errorf("%q: %v", addr, err)
		}
	}
}

func TestGuards(t *testing.T) {
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
