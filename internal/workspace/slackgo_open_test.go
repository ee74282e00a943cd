package workspace

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// TestWhatEndsAClient: the Go library gives up at four error codes and at HTTP
// 404; with every other fault it tries for ever, alive and deaf.
func TestWhatEndsAClient(t *testing.T) {
	t.Parallel()
	open := "apps.connections.open"
	for _, c := range []struct {
		name  string
		fault Fault
		ends  bool
	}{
		{"invalid_auth", Fault{Kind: Refuse, Method: open, Error: "invalid_auth"}, true},
		{"account_inactive", Fault{Kind: Refuse, Method: open, Error: "account_inactive"}, true},
		{"not_authed", Fault{Kind: Refuse, Method: open, Error: "not_authed"}, true},
		{"token_revoked", Fault{Kind: Refuse, Method: open, Error: "token_revoked"}, true},
		{"slack server error: 404 Not Found", Fault{Kind: ServerError, Method: open, Status: http.StatusNotFound}, true},
		{"missing_scope", Fault{Kind: Refuse, Method: open, Error: "missing_scope"}, false},
		{"not_allowed_token_type", Fault{Kind: Refuse, Method: open, Error: "not_allowed_token_type"}, false},
		{"token_expired", Fault{Kind: Refuse, Method: open, Error: "token_expired"}, false},
		{"team_access_not_granted", Fault{Kind: Refuse, Method: open, Error: "team_access_not_granted"}, false},
		{"slack server error: 500 Internal Server Error", Fault{Kind: ServerError, Method: open}, false},
		{"slack server error: 403 Forbidden", Fault{Kind: ServerError, Method: open, Status: http.StatusForbidden}, false},
		{"slack rate limit exceeded, retry after 1s", Fault{Kind: RateLimit, Method: open}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *Server, m *memory) {
				fault(t, s, c.fault)
				g := newGoClient(s, m, nil)
				g.run(t, g.acking)
				time.Sleep(time.Hour)
				tries := g.events(socketmode.EventTypeConnectionError)
				switch err := g.outcome(); {
				case c.ends && (err.Error() != c.name || len(tries) > 0):
					t.Errorf("it ended with %v after %d tries", err, len(tries))
				case !c.ends && !errors.Is(err, errNotYet):
					t.Errorf("it ended with %v", err)
				case !c.ends && len(tries) < 15:
					t.Errorf("%d tries in an hour", len(tries))
				case !c.ends && tries[0].Data.(*slack.ConnectionErrorEvent).ErrorObj.Error() != c.name:
					t.Errorf("it met %v", tries[0].Data)
				}
				fault(t, s, Fault{Kind: Clear})
				time.Sleep(5 * time.Minute)
				if n, _ := s.sockets.count(); (n == 1) == c.ends {
					t.Errorf("%d connections once all is well again", n)
				}
			})
		})
	}
}

// TestWhereTheLibraryPutsTokens: the app's in the header of the one call that
// needs it, the bot's in the form of all others. The address needs its slash.
func TestWhereTheLibraryPutsTokens(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *Server, m *memory) {
		var header, contentType, body string
		recording := roundTrip(func(r *http.Request) (*http.Response, error) {
			raw, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			header, contentType, body = r.Header.Get("Authorization"), r.Header.Get("Content-Type"), string(raw)
			r.Body = io.NopCloser(strings.NewReader(body))
			return over(m).RoundTrip(r)
		})
		api := goAPI(s, recording)
		if _, _, err := api.StartSocketModeContext(t.Context()); err != nil {
			t.Error(err)
		}
		if header != "Bearer "+s.AppToken() || strings.Contains(body, "xapp") {
			t.Errorf("apps.connections.open: header %q, body %q", header, body)
		}
		if _, err := api.AuthTestContext(t.Context()); err != nil {
			t.Error(err)
		}
		if header != "" || contentType != "application/x-www-form-urlencoded" || body != "token="+s.BotToken() {
			t.Errorf("auth.test: header %q, %s %q", header, contentType, body)
		}

		bare := strings.TrimSuffix(s.APIURL(), "/")
		_, err := goAPI(s, over(m), slack.OptionAPIURL(bare)).AuthTestContext(t.Context())
		var status slack.StatusCodeError
		if !errors.As(err, &status) || status.Code != http.StatusNotFound {
			t.Errorf("without the slash: %v", err)
		}
		g := newGoClient(s, m, []slack.Option{slack.OptionAPIURL(bare)})
		g.run(t, g.acking)
		synctest.Wait()
		if err := g.outcome(); !errors.As(err, &status) || status.Code != http.StatusNotFound {
			t.Errorf("a socket without the slash: %v", err)
		}
	})
}

// TestCallsWithoutAnEnd: the library's own HTTP client waits for as long as an
// answer takes; only a context ends that.
func TestCallsWithoutAnEnd(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *Server, m *memory) {
		fault(t, s, Fault{Kind: Slow, Seconds: 3600})
		took := elapsed()
		if _, err := goAPI(s, over(m)).AuthTest(); err != nil || took() != time.Hour {
			t.Errorf("%v after %v", err, took())
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		took = elapsed()
		if _, err := goAPI(s, over(m)).AuthTestContext(ctx); !errors.Is(err, context.DeadlineExceeded) || took() != 5*time.Second {
			t.Errorf("with a context: %v after %v", err, took())
		}
	})
}

// TestWhatTheLibraryTriesAgain: a 429 is a RateLimitedError only with
// Retry-After, OptionRetry is for 429 alone, and trying again blindly posts
// twice.
func TestWhatTheLibraryTriesAgain(t *testing.T) {
	t.Parallel()
	const method = "chat.postMessage"
	all := slack.DefaultRetryConfig()
	all.Handlers = slack.AllBuiltinRetryHandlers(all)
	for _, c := range []struct {
		name    string
		fault   Fault
		options []slack.Option
		err     string // empty = none
		limited bool   // it is a RateLimitedError
		posted  int
	}{
		{"429", Fault{Kind: RateLimit, Method: method, Seconds: 2}, nil, "slack rate limit exceeded, retry after 2s", true, 0},
		{"429 without Retry-After", Fault{Kind: ServerError, Method: method, Status: http.StatusTooManyRequests, Seconds: 2}, nil,
			"slack server error: 429 Too Many Requests", false, 0},
		{"429, tried again", Fault{Kind: RateLimit, Method: method, Seconds: 2}, []slack.Option{slack.OptionRetry(3)}, "", false, 1},
		{"500, not tried again", Fault{Kind: ServerError, Method: method, Seconds: 2}, []slack.Option{slack.OptionRetry(3)},
			"slack server error: 500 Internal Server Error", false, 0},
		{"an answer that is lost", Fault{Kind: LoseAnswer, Method: method, Seconds: 0.01}, nil, "EOF", false, 1},
		{"an answer that is lost, tried again blindly", Fault{Kind: LoseAnswer, Method: method, Seconds: 0.01},
			[]slack.Option{slack.OptionRetryConfig(all)}, "", false, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *Server, m *memory) {
				fault(t, s, c.fault)
				_, _, err := goAPI(s, over(m), c.options...).PostMessageContext(t.Context(), "C0SUPPORT", slack.MsgOptionText("hello", false))
				if (err == nil) != (c.err == "") || (err != nil && !strings.HasSuffix(err.Error(), c.err)) {
					t.Errorf("error %v, want %q", err, c.err)
				}
				var limited *slack.RateLimitedError
				if errors.As(err, &limited) != c.limited {
					t.Errorf("%T", err)
				}
				if got := shown(s, "U0LEAD"); len(got) != c.posted {
					t.Errorf("posted %q, want %d", got, c.posted)
				}
			})
		})
	}
}

// TestWhatTheLibraryEscapes: the text of a message, where it is asked to, and
// never that of blocks, which can call everybody.
func TestWhatTheLibraryEscapes(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *Server, m *memory) {
		const loud = "<!channel> & all"
		section := slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, loud, false, false), nil, nil)
		_, _, err := goAPI(s, over(m)).PostMessageContext(t.Context(), "C0SUPPORT", slack.MsgOptionText(loud, true), slack.MsgOptionBlocks(section))
		if err != nil {
			t.Fatal(err)
		}
		list, _ := s.Messages("C0SUPPORT", "U0LEAD")
		if text := list[0].Text; text != "&lt;!channel&gt; &amp; all" {
			t.Errorf("text %q", text)
		}
		if blocks := string(list[0].Blocks); !strings.Contains(blocks, `"`+loud+`"`) {
			t.Errorf("blocks %s", blocks)
		}
	})
}

// TestWebhooksOfTheLibrary: PostWebhook goes by the HTTP client of the whole
// process, which has no end of its own; the Custom form by one's own.
func TestWebhooksOfTheLibrary(t *testing.T) { // alone: it replaces http.DefaultClient
	inBubble(t, func(t *testing.T, s *Server, m *memory) {
		url := s.responseURL(s.responses.issue(response{user: "U0LEAD", channel: "C0SUPPORT"}))
		var everybodys, own int
		counted := func(n *int) http.RoundTripper {
			return roundTrip(func(r *http.Request) (*http.Response, error) {
				*n++
				return over(m).RoundTrip(r)
			})
		}
		standard := http.DefaultClient
		http.DefaultClient = &http.Client{Transport: counted(&everybodys)}
		defer func() { http.DefaultClient = standard }()
		message := &slack.WebhookMessage{Text: "hello"}
		if err := slack.PostWebhookContext(t.Context(), url, message); err != nil {
			t.Error(err)
		}
		if err := slack.PostWebhookCustomHTTPContext(t.Context(), url, &http.Client{Transport: counted(&own)}, message); err != nil {
			t.Error(err)
		}
		if everybodys != 1 || own != 1 || len(shown(s, "U0LEAD")) != 2 {
			t.Errorf("the process's client %d, one's own %d, shown %q", everybodys, own, shown(s, "U0LEAD"))
		}
	})
}
