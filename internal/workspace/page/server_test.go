package page

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// visitor is a browser without a window: it keeps the page's cookie.
type visitor struct {
	t      *testing.T
	page   http.Handler
	cookie *http.Cookie
}

func visit(t *testing.T, w *world) (*visitor, *httptest.ResponseRecorder) {
	t.Helper()
	v := &visitor{t: t, page: New(w, Options{Now: func() time.Time { return noon }})}
	index := v.do(http.MethodGet, "/", "")
	if cookies := index.Result().Cookies(); len(cookies) == 1 {
		v.cookie = cookies[0]
	}
	return v, index
}

func (v *visitor) do(method, target, body string) *httptest.ResponseRecorder {
	v.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if v.cookie != nil {
		r.AddCookie(v.cookie)
	}
	if method == http.MethodPost {
		r.Header.Set("Origin", "http://"+r.Host)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	out := httptest.NewRecorder()
	v.page.ServeHTTP(out, r)
	return out
}

// TestIndex: the page has its pass and its policy, for any user in the
// address, and loads nothing from other origins.
func TestIndex(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v, index := visit(t, w)
	if index.Code != http.StatusOK || v.cookie == nil || !v.cookie.HttpOnly || v.cookie.SameSite != http.SameSiteStrictMode {
		t.Fatalf("HTTP %d, cookie %v", index.Code, v.cookie)
	}
	csp := index.Header().Get("Content-Security-Policy")
	if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("policy %q", csp)
	}
	page := index.Body.String()
	for _, no := range []string{"<style", "<script>", ` style="`, "onclick", `src="http`, `rel="stylesheet" href="http`} {
		if strings.Contains(page, no) {
			t.Errorf("%q in the page", no)
		}
	}
	for _, c := range []struct{ query, want string }{
		{"", `data-user="U0SUPPORT" data-channel="C0SUPPORT"`},
		{"?user=U0GUEST&channel=C0ALERTS", `data-user="U0GUEST" data-channel="C0ALERTS"`},
		{"?user=U0BOT&channel=C0NOWHERE", `data-user="U0SUPPORT" data-channel="C0SUPPORT"`},
		{"?channel=D0BOT", "<title>@sessionbot · Video Works</title>"},
		{"?channel=D0BOT", `aria-label="Message @sessionbot"`},
		{"?panel=thread&ts=2.1", "2 replies"},
		{"?panel=source&ts=2.3", "event_payload"},
		{"?panel=frames", "chat.postMessage"},
		{"?panel=thread&ts=9999", `<aside class="panel" id="panel" data-region="panel" data-kind=""`},
	} {
		if got := v.do(http.MethodGet, "/"+c.query, "").Body.String(); !strings.Contains(got, c.want) {
			t.Errorf("/%s lacks %s", c.query, c.want)
		}
	}
}

// TestHostile: what names, texts, topics and frames hold is shown as text.
func TestHostile(t *testing.T) {
	t.Parallel()
	const evil = `"><script>alert(1)</script><a href="javascript:alert(1)">`
	w := newWorld(t)
	w.people[1].Name, w.channels[0].Topic, w.channels[1].Name = evil, evil, evil
	w.frames = append(w.frames, Frame{At: noon, Title: evil, Body: evil, Direction: evil, Kind: evil})
	w.post("C0SUPPORT", Message{User: evil, Name: evil, Text: evil, Blocks: []byte(evil), Metadata: []byte(evil)})
	v, _ := visit(t, w)
	for _, query := range []string{"", "?panel=frames", "?panel=source&ts=1772452831.000001", "?panel=thread&ts=1772452831.000001"} {
		page := v.do(http.MethodGet, "/"+query, "").Body.String()
		if !strings.Contains(page, "alert(1)") {
			t.Errorf("/%s does not show it at all", query)
		}
		if strings.Contains(page, "<script>") || strings.Contains(page, `href="javascript`) {
			t.Errorf("/%s lets it in", query)
		}
	}
}

// TestActs: what a person does reaches the workspace, and what the workspace
// says reaches the person.
func TestActs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v, _ := visit(t, w)
	form := func(pairs ...string) string {
		values := url.Values{"user": {"U0SUPPORT"}, "channel": {"C0SUPPORT"}}
		for i := 0; i < len(pairs); i += 2 {
			values.Set(pairs[i], pairs[i+1])
		}
		return values.Encode()
	}
	for _, c := range []struct {
		name, path, body string
		status           int
	}{
		{"a reply", "/ui/type", form("text", " On it. ", "thread", "2.1"), http.StatusNoContent},
		{"nothing", "/ui/type", form("text", " \n"), http.StatusBadRequest},
		{"too much", "/ui/type", form("text", strings.Repeat("x", maxTyped)), http.StatusRequestEntityTooLarge},
		{"a channel that is none", "/ui/type", form("channel", "C0NOWHERE", "text", "x"), http.StatusNotFound},
		{"a click", "/ui/click", form("ts", "2.2", "block", "a", "action", "session.debug", "value", "cs_1"), http.StatusNoContent},
		{"reading", "/ui/read", form("channel", "C0ALERTS"), http.StatusNoContent},
		{"what is not there", "/ui/nothing", form(), http.StatusNotFound},
	} {
		if got := v.do(http.MethodPost, c.path, c.body); got.Code != c.status {
			t.Errorf("%s: HTTP %d, want %d", c.name, got.Code, c.status)
		}
	}
	typed, clicks := w.done()
	if len(typed) != 1 || typed[0] != "U0SUPPORT C0SUPPORT 2.1 On it." {
		t.Errorf("typed %q", typed)
	}
	if len(clicks) != 1 || clicks[0] != "U0SUPPORT C0SUPPORT 2.2 a session.debug cs_1" {
		t.Errorf("clicked %q", clicks)
	}
	if w.Channels("")[1].Unread != 0 {
		t.Error("the channel is still unread")
	}
	w.fail("operation_timeout")
	if got := v.do(http.MethodPost, "/ui/type", form("text", "/x")); got.Code != http.StatusUnprocessableEntity || !strings.Contains(got.Body.String(), "operation_timeout") {
		t.Errorf("HTTP %d %s, want the fault", got.Code, got.Body)
	}
}

// pipeWriter is a response whose body is read while it is written.
type pipeWriter struct {
	header http.Header
	*io.PipeWriter
}

func (w pipeWriter) Header() http.Header { return w.header }
func (w pipeWriter) WriteHeader(int)     {}
func (w pipeWriter) Flush()              {}

// TestEvents: the stream reports a change at once, every later one, and
// keeps itself open in between; it ends with the browser's request.
func TestEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &server{backend: w}
		ctx, leave := context.WithCancel(t.Context())
		body, out := io.Pipe()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			s.handleEvents(pipeWriter{http.Header{}, out}, httptest.NewRequest(http.MethodGet, "/ui/events", nil).WithContext(ctx))
		}()
		expect := func(want string) {
			t.Helper()
			got := make([]byte, 100)
			n, err := body.Read(got)
			if err != nil || string(got[:n]) != want {
				t.Fatalf("got %q, %v; want %q", got[:n], err, want)
			}
		}
		start := time.Now()
		expect("data: changed\n\n")
		synctest.Wait()
		w.post("C0SUPPORT", Message{User: "U0LEAD", Text: "hi"})
		expect("data: changed\n\n")
		if waited := time.Since(start); waited != 0 {
			t.Errorf("a change was reported %s late", waited)
		}
		expect(": still here\n\n")
		if waited := time.Since(start); waited != heartbeat {
			t.Errorf("a heartbeat after %s, want %s", waited, heartbeat)
		}
		leave()
		<-ended
	})
}
