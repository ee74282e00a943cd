package workspace

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
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

func TestCallFaults(t *testing.T) {
	clock := newClock()
	s := startFast(t, Config{Now: clock.now})
	call := func(method string) (int, string) {
		status, header, _ := raw(t, http.MethodPost, s.APIURL()+method, "", nil)
		return status, header.Get("Retry-After")
	}
	set := func(f Fault) {
		t.Helper()
		if err := s.Fault(f); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(method string, status int, after string) {
		t.Helper()
		if got, retry := call(method); got != status || retry != after {
			t.Errorf("%s: HTTP %d, Retry-After %q, want %d and %q", method, got, retry, status, after)
		}
	}
	set(Fault{Kind: RateLimit, Seconds: 7, Method: "chat.update"})
	expect("chat.update", http.StatusTooManyRequests, "7")
	expect("api.test", http.StatusOK, "")
	clock.turn(7 * time.Second)
	expect("chat.update", http.StatusOK, "")

	set(Fault{Kind: ServerError})
	expect("api.test", http.StatusInternalServerError, "")
	token := s.responses.open(response{user: "U0LEAD", channel: "C0SUPPORT"})
	if status := respondTo(t, s, token, object{"text": "x"}); status != http.StatusInternalServerError {
		t.Errorf("response_url: HTTP %d", status)
	}
	set(Fault{Kind: Clear})
	expect("api.test", http.StatusOK, "")
	if status := respondTo(t, s, token, object{"text": "x"}); status != http.StatusOK {
		t.Errorf("response_url after clear: HTTP %d", status)
	}
}

func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFaults(time.Now)
		f.add(Fault{Kind: Slow, Seconds: 5, Method: "api.test"}, 5*time.Second)
		started := time.Now()
		spoil := func(method string) {
			if f.spoil(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", nil), method) {
				t.Error("a slow call was answered by the fault")
			}
		}
		spoil("auth.test")
		if took := time.Since(started); took != 0 {
			t.Errorf("another method took %v", took)
		}
		spoil("api.test")
		if took := time.Since(started); took != 5*time.Second {
			t.Errorf("a slow call took %v", took)
		}
		started = time.Now()
		done := make(chan struct{})
		go func() { spoil("api.test"); close(done) }()
		synctest.Wait()
		f.clear()
		<-done
		if took := time.Since(started); took != 0 {
			t.Errorf("clear let the call wait %v more", took)
		}
	})
}
