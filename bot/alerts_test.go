package bot

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/watch"
)

// TestUntold: what each fault means for the next try.
func TestUntold(t *testing.T) {
	t.Parallel()
	dial := &url.Error{Op: "Post", URL: "https://slack", Err: &net.OpError{Op: "dial", Err: errors.New("refused")}}
	read := &url.Error{Op: "Post", URL: "https://slack", Err: &net.OpError{Op: "read", Err: errors.New("reset")}}
	answered := func(code string) error { return slack.SlackErrorResponse{Err: code} }
	for _, c := range []struct {
		name string
		err  error
		want watch.Refusal
	}{
		{"never sent", dial, watch.Refusal{}},
		{"sent, and no answer", read, watch.Refusal{Unclear: true}},
		{"a pause", &slack.RateLimitedError{RetryAfter: 30 * time.Second}, watch.Refusal{After: 30 * time.Second}},
		{"Slack stumbles", slack.StatusCodeError{Code: http.StatusBadGateway}, watch.Refusal{Unclear: true}},
		{"Slack stumbles and says so", answered("fatal_error"), watch.Refusal{Unclear: true}},
		{"not a member", answered("not_in_channel"), watch.Refusal{Lasting: true}},
		{"no such channel", answered("channel_not_found"), watch.Refusal{Lasting: true}},
		{"the message was deleted", answered("message_not_found"), watch.Refusal{Gone: true}},
		{"its thread went with it", answered("thread_not_found"), watch.Refusal{Gone: true}},
	} {
		var got *watch.Refusal
		if !errors.As(untold(c.err), &got) {
			t.Fatalf("%s: %v", c.name, untold(c.err))
		}
		if got.Unclear != c.want.Unclear || got.Gone != c.want.Gone || got.Lasting != c.want.Lasting || got.After != c.want.After {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	if untold(nil) != nil {
		t.Error("what was told is a fault")
	}
}
