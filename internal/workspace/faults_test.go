package workspace

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

func TestDisconnectWarning(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{})
	app := connected(t, s)
	if err := s.Fault(Fault{Kind: DisconnectWarning}); err != nil {
		t.Fatal(err)
	}
	later := connected(t, s)
	for _, reason := range []string{"warning", "refresh_requested", ""} {
		if f := app.next(t); f.Reason != reason {
			t.Errorf("got %s, want reason %q", f.raw, reason)
		}
	}
	result := command(s)
	later.ack(t, later.next(t), nil)
	if err := <-result; err != nil {
		t.Errorf("over the connection opened after the warning: %v", err)
	}
}

func TestHalfOpen(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *Server, m *memory) {
		app := m.connected(t, s)
		if err := s.Fault(Fault{Kind: HalfOpen}); err != nil {
			t.Fatal(err)
		}
		if err := <-command(s); !errors.Is(err, ErrOperationTimeout) {
			t.Errorf("half open: %v", err)
		}
		app.nothingYet(t)
		if err := s.Fault(Fault{Kind: Clear}); err != nil {
			t.Fatal(err)
		}
		result := command(s)
		app.ack(t, app.next(t), nil)
		if err := <-result; err != nil {
			t.Errorf("after clear: %v", err)
		}
	})
}

func TestDropAndRefuse(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{})
	app := connected(t, s)
	url := connectionURL(t, s)
	if err := s.Fault(Fault{Kind: DropConnections, Seconds: 60}); err != nil {
		t.Fatal(err)
	}
	if f := app.next(t); f.Type != "" {
		t.Errorf("a cut connection got %s", f.raw)
	}
	if answer := post(t, s, s.AppToken(), "apps.connections.open", object{}); answer["error"] != "internal_error" {
		t.Errorf("apps.connections.open: %v", answer)
	}
	if status := refusedDial(t, url); status != http.StatusServiceUnavailable {
		t.Errorf("a connection while they are refused: HTTP %d", status)
	}
	if err := s.Fault(Fault{Kind: Clear}); err != nil {
		t.Fatal(err)
	}
	connected(t, s)
}

func TestCallFaults(t *testing.T) {
	t.Parallel()
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
	token := s.responses.issue(response{user: "U0LEAD", channel: "C0SUPPORT"})
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
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &faults{now: time.Now}
		f.add(Fault{Kind: Slow, Seconds: 5, Method: "api.test"}, 5*time.Second)
		started := time.Now()
		spoil := func(method string) {
			if f.answer(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", nil), method) {
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
