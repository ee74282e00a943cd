package workspace

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/superduperai/sessionbot/internal/workspace/wstest"
)

// slackGo is the client of the Go library, which acknowledges everything.
func slackGo(t *testing.T, s *Server) {
	t.Helper()
	api := slack.New(s.BotToken(), slack.OptionAppLevelToken(s.AppToken()), slack.OptionAPIURL(s.APIURL()))
	client := socketmode.New(api)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- client.RunContext(ctx) }()
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case e := <-client.Events:
				if e.Request != nil && e.Request.EnvelopeID != "" {
					_ = client.AckCtx(ctx, e.Request.EnvelopeID, nil) // the command notices
				}
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the client ended by itself: %v", err)
		}
	})
}

// TestClientComesBack has the Go library meet the faults of connections over the
// network; how it handles them is tested elsewhere, on a synthetic clock.
func TestClientComesBack(t *testing.T) {
	t.Parallel()
	for _, fault := range []Fault{
		{Kind: DropConnections},
		{Kind: DropConnections, Seconds: 0.2},
		{Kind: DisconnectWarning},
	} {
		t.Run(fault.Kind, func(t *testing.T) {
			t.Parallel()
			s := startFast(t, Config{})
			slackGo(t, s)
			w := wstest.New(t, s.URL(), s.ControlKey())
			sam := w.As("U0SUPPORT").In("C0SUPPORT")
			w.AwaitConnections(1)
			sam.Type("/before")
			before := s.sockets.all()[0]
			w.Fault(fault.Kind, fault.Seconds, "")
			awaitReplaced(t, s, before)
			sam.Type("/after")
			w.ExpectNothingElse()
		})
	}
}

// awaitReplaced waits until the old connection is gone and a new one is there.
func awaitReplaced(t *testing.T, s *Server, old *socket) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	for {
		_, changed := s.sockets.count()
		if open := s.sockets.all(); len(open) == 1 && open[0] != old {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatal("the client did not come back")
		}
	}
}

// TestClientMeetsCallFaults has the Go library meet the faults of calls.
func TestClientMeetsCallFaults(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{Now: newClock().now}) // a stopped clock
	api := slack.New(s.BotToken(), slack.OptionAPIURL(s.APIURL()))
	post := func(within time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		_, _, err := api.PostMessageContext(ctx, "C0SUPPORT", slack.MsgOptionText("x", false))
		return err
	}
	set := func(f Fault) {
		t.Helper()
		if err := errors.Join(s.Fault(Fault{Kind: Clear}), s.Fault(f)); err != nil {
			t.Fatal(err)
		}
	}

	set(Fault{Kind: RateLimit, Seconds: 60, Method: "chat.postMessage"})
	var limited *slack.RateLimitedError
	if err := post(within); !errors.As(err, &limited) || limited.RetryAfter != time.Minute {
		t.Errorf("rate_limit: %v", err)
	}
	set(Fault{Kind: ServerError})
	var status slack.StatusCodeError
	if err := post(within); !errors.As(err, &status) || status.Code != http.StatusInternalServerError {
		t.Errorf("server_error: %v", err)
	}
	set(Fault{Kind: Slow, Seconds: 3600})
	if err := post(50 * time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("slow: %v", err)
	}
	set(Fault{Kind: Clear})
	if err := post(within); err != nil {
		t.Errorf("clear: %v", err)
	}
}

// TestClientReadsRefusals has the Go library read the errors of the Web API.
func TestClientReadsRefusals(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{Manifest: []byte(smallManifest)})
	api := slack.New(s.BotToken(), slack.OptionAPIURL(s.APIURL()))
	var refused slack.SlackErrorResponse
	_, err := api.GetUserInfoContext(t.Context(), "U0LEAD")
	if !errors.As(err, &refused) || refused.Err != "missing_scope" || refused.Needed != "users:read" || refused.Provided != "commands,chat:write,channels:read" {
		t.Errorf("missing scope: %+v", err)
	}
	_, _, err = api.PostMessageContext(t.Context(), "C0SUPPORT", slack.MsgOptionBlocks(slack.NewSectionBlock(nil, nil, nil)))
	want := "[ERROR] missing required field: text [json-pointer:/blocks/0]"
	if !errors.As(err, &refused) || refused.Err != "invalid_blocks" || refused.ResponseMetadata.Messages[0] != want {
		t.Errorf("invalid blocks: %+v", err)
	}
	for token, want := range map[string]string{"xapp-wrong": "invalid_auth", "": "not_authed"} {
		wrong := slack.New(s.BotToken(), slack.OptionAppLevelToken(token), slack.OptionAPIURL(s.APIURL()))
		if err := socketmode.New(wrong).RunContext(t.Context()); err == nil || err.Error() != want {
			t.Errorf("app token %q: %v", token, err)
		}
	}
}
