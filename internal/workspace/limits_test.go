package workspace

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRateLimits(t *testing.T) {
	t.Parallel()
	clock := newClock()
	s := startFast(t, Config{Now: clock.now})
	call := func(method string, args object) (int, string, string) {
		status, header, body := raw(t, http.MethodPost, s.APIURL()+method, string(encode(args)), map[string]string{
			"Content-Type": "application/json", "Authorization": "Bearer " + s.BotToken(),
		})
		return status, header.Get("Retry-After"), body
	}
	for _, c := range []struct {
		method string
		args   object
		burst  int
		wait   time.Duration
	}{
		{"chat.postMessage", object{"channel": "C0SUPPORT", "text": "x"}, postBurst, time.Second},
		{"usergroups.users.list", object{"usergroup": "S0OPS"}, 20, 3 * time.Second},
	} {
		for i := range c.burst {
			if status, _, body := call(c.method, c.args); status != http.StatusOK {
				t.Fatalf("%s, call %d: HTTP %d %s", c.method, i, status, body)
			}
		}
		status, after, body := call(c.method, c.args)
		if status != http.StatusTooManyRequests || after != fmt.Sprint(c.wait.Seconds()) || !strings.Contains(body, `"ratelimited"`) {
			t.Errorf("%s beyond the burst: HTTP %d, Retry-After %q, %s", c.method, status, after, body)
		}
		clock.turn(c.wait)
		if status, _, body := call(c.method, c.args); status != http.StatusOK {
			t.Errorf("%s after the wait: HTTP %d %s", c.method, status, body)
		}
	}
	if status, _, body := call("chat.postMessage", object{"channel": "C0ALERTS", "text": "x"}); status != http.StatusOK {
		t.Errorf("another channel: HTTP %d %s", status, body)
	}
}
