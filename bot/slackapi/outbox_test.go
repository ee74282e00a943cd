package slackapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/testenv"
)

var hello = Message{Blocks: []slack.Block{blockkit.Paragraph(blockkit.L(blockkit.Plain("hello")))}}

// post is one answer that arrived.
type post struct {
	Text         string            `json:"text"`
	Blocks       []json.RawMessage `json:"blocks"`
	ResponseType string            `json:"response_type"`
	Replace      bool              `json:"replace_original"`
	Unfurl       *bool             `json:"unfurl_links"`
}

// received are the posts that arrived.
type received struct {
	mu    sync.Mutex
	posts []post
}

func (r *received) add(p post) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.posts = append(r.posts, p)
	return len(r.posts)
}

func (r *received) all() []post {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.posts)
}

// hookServer answers each post with the next reply.
func hookServer(t *testing.T, replies ...func(http.ResponseWriter)) (*Outbox, string, *received) {
	t.Helper()
	arrived := &received{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var p post
		if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
			t.Error(err)
		}
		if n := arrived.add(p); n <= len(replies) {
			replies[n-1](w)
		}
	}))
	t.Cleanup(server.Close)
	allowed, err := OriginForAPI(server.URL + "/api/")
	if err != nil {
		t.Fatal(err)
	}
	return &Outbox{HTTP: NewHTTPClient(testenv.Patience, testenv.Patience), Origin: allowed, Log: slog.New(slog.DiscardHandler), MinRetryDelay: 50 * time.Millisecond, OutageRetryDelay: 200 * time.Millisecond}, server.URL + "/response/secret", arrived
}

func reply(status int, body string, header ...string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body) // the caller notices what is missing
	}
}

func TestRespond(t *testing.T) {
	t.Parallel()
	ok := reply(200, "ok")
	for _, c := range []struct {
		name    string
		replies []func(http.ResponseWriter)
		code    string // of the fault; "" = delivered
	}{
		{"taken", []func(http.ResponseWriter){ok}, ""},
		{"taken with JSON", []func(http.ResponseWriter){reply(200, `{"ok":true}`)}, ""},
		{"429, then taken", []func(http.ResponseWriter){reply(429, "", "Retry-After", "1"), ok}, ""},
		{"429 without Retry-After", []func(http.ResponseWriter){reply(429, ""), ok}, ""},
		{"429 twice", []func(http.ResponseWriter){reply(429, "ratelimited"), reply(429, "ratelimited")}, "ratelimited"},
		{"a pause that nobody waits for", []func(http.ResponseWriter){reply(429, "", "Retry-After", "60")}, "Too Many Requests"},
		{"500, then taken", []func(http.ResponseWriter){reply(500, "<html>"), ok}, ""},
		{"refused blocks, then text", []func(http.ResponseWriter){reply(400, "invalid_blocks"), ok}, ""},
		{"used up", []func(http.ResponseWriter){reply(404, `{"ok":false,"error":"used_url"}`)}, "used_url"},
		{"refused with 200", []func(http.ResponseWriter){reply(200, `{"ok":false,"error":"expired_url"}`)}, "expired_url"},
		{"a redirect", []func(http.ResponseWriter){reply(302, "", "Location", "/elsewhere")}, "Found"},
		{"rubbish", []func(http.ResponseWriter){reply(403, strings.Repeat("<b>secret</b>", 1000))}, "Forbidden"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o, url, posts := hookServer(t, c.replies...)
			err := o.Respond(t.Context(), url, hello)
			switch {
			case c.code == "" && err != nil:
				t.Errorf("respond: %v", err)
			case c.code != "" && (err == nil || FaultOf(err).Name() != c.code):
				t.Errorf("respond: %v, want %s", err, c.code)
			case err != nil && strings.Contains(err.Error(), "secret"):
				t.Errorf("the error says too much: %v", err)
			}
			if n := len(posts.all()); n != len(c.replies) {
				t.Errorf("posted %d times, want %d", n, len(c.replies))
			}
		})
	}
}

func TestRespondSendsBlocksWithTheirText(t *testing.T) {
	t.Parallel()
	ok := reply(200, "ok")
	o, url, posts := hookServer(t, reply(400, "invalid_blocks"), ok, ok)
	if err := o.Respond(t.Context(), url, hello); err != nil {
		t.Fatal(err)
	}
	if err := o.Respond(t.Context(), url, Message{Blocks: hello.Blocks, Public: true, Replace: true}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []post{
		{ResponseType: "ephemeral", Blocks: make([]json.RawMessage, 1)},
		{ResponseType: "ephemeral"},
		{ResponseType: "in_channel", Blocks: make([]json.RawMessage, 1), Replace: true},
	} {
		got := posts.all()[i]
		if got.Text != "hello" || got.ResponseType != want.ResponseType || got.Replace != want.Replace ||
			len(got.Blocks) != len(want.Blocks) || got.Unfurl == nil || *got.Unfurl {
			t.Errorf("post %d: %+v", i, got)
		}
	}
}

func TestRespondWithoutAnswerIsNotRepeated(t *testing.T) {
	t.Parallel()
	o, url, posts := hookServer(t, func(http.ResponseWriter) { panic(http.ErrAbortHandler) })
	err := o.Respond(t.Context(), url, hello)
	if fault := FaultOf(err); err == nil || fault.Name() != "no answer" || strings.Contains(err.Error(), "secret") {
		t.Errorf("respond: %v", err)
	}
	if n := len(posts.all()); n != 1 {
		t.Errorf("posted %d times", n)
	}
}

func TestEphemeralWaitsOnceForTheRateLimit(t *testing.T) {
	t.Parallel()
	calls := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls <- (r.URL.Path + " " + r.FormValue("channel") + " " + r.FormValue("user") + " " + r.FormValue("text") + " " + r.FormValue("unfurl_links"))
		if first := len(calls) == 1; first {
			reply(429, "", "Retry-After", "1")(w)
			return
		}
		reply(200, `{"ok":false,"error":"not_in_channel"}`)(w)
	}))
	defer server.Close()
	o := &Outbox{API: slack.New("xoxb", slack.OptionAPIURL(server.URL+"/api/")), Log: slog.New(slog.DiscardHandler), MinRetryDelay: 50 * time.Millisecond, OutageRetryDelay: 200 * time.Millisecond}
	err := o.PostEphemeral(t.Context(), "C1", "U1", hello.Blocks)
	if fault := FaultOf(err); fault.Code != "not_in_channel" || !strings.Contains(fault.Advice(), "/invite") {
		t.Errorf("postEphemeral: %v", err)
	}
	want := "/api/chat.postEphemeral C1 U1 hello false"
	close(calls)
	n := 0
	for call := range calls {
		if n++; call != want {
			t.Errorf("call %q, want %q", call, want)
		}
	}
	if n != 2 {
		t.Errorf("called %d times", n)
	}
}

// TestRateLimitMeansThatNothingWasPosted, in every form of Retry-After.
func TestRateLimitMeansThatNothingWasPosted(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string]time.Duration{
		"": 0, "1.5": 2 * time.Second, "86400": maxRetryAfter, "soon": 0, "Sat, 01 Jan 2000 00:00:30 GMT": 30 * time.Second,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			reply(429, "", "Retry-After", asked, "Date", "Sat, 01 Jan 2000 00:00:00 GMT")(w)
		}))
		defer server.Close()
		api := slack.New("xoxb", slack.OptionHTTPClient(NewHTTPClient(testenv.Patience, testenv.Patience)), slack.OptionAPIURL(server.URL+"/"))
		_, _, err := api.PostMessageContext(t.Context(), "C1")
		if fault := FaultOf(err); fault.Status != http.StatusTooManyRequests || fault.Unclear() || !fault.Retryable() || fault.RetryAfter != want {
			t.Errorf("Retry-After %q: %v, unclear %v, wait %v", asked, fault, fault.Unclear(), fault.RetryAfter)
		}
	}
}

// TestPauseOfAnUnavailableSlack is respected like that of a rate limit; the message may
// have been posted all the same.
func TestPauseOfAnUnavailableSlack(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string]time.Duration{"": 0, "7": 7 * time.Second, "0.2": time.Second, "86400": maxRetryAfter, "soon": 0} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { reply(503, "", "Retry-After", asked)(w) }))
		defer server.Close()
		api := slack.New("xoxb", slack.OptionHTTPClient(NewHTTPClient(testenv.Patience, testenv.Patience)), slack.OptionAPIURL(server.URL+"/"))
		_, _, err := api.PostMessageContext(t.Context(), "C1")
		if fault := FaultOf(err); fault.Status != http.StatusServiceUnavailable || !fault.Unclear() || fault.RetryAfter != want || fault.Name() != "Service Unavailable" {
			t.Errorf("Retry-After %q: %v, unclear %v, wait %v", asked, fault, fault.Unclear(), fault.RetryAfter)
		}
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (&Outbox{MinRetryDelay: time.Second}).wait(ctx, &Fault{RetryAfter: 5 * time.Second}); !errors.Is(err, context.Canceled) {
		t.Errorf("wait: %v", err)
	}
}

// TestRetryWaitsAsLongAsSlackSays, at least the usual pause.
func TestRetryWaitsAsLongAsSlackSays(t *testing.T) {
	t.Parallel()
	for asked, want := range map[time.Duration]time.Duration{0: time.Second, 500 * time.Millisecond: time.Second, 7 * time.Second: 7 * time.Second} {
		t.Run(asked.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began, calls := time.Now(), []time.Duration(nil)
				err := (&Outbox{MinRetryDelay: time.Second}).Retry(t.Context(), (*Fault).rateLimited, []time.Duration{0}, func() error {
					calls = append(calls, time.Since(began))
					return &slack.RateLimitedError{RetryAfter: asked}
				})
				if err == nil || !slices.Equal(calls, []time.Duration{0, want}) {
					t.Errorf("called after %v: %v", calls, err)
				}
			})
		})
	}
}
