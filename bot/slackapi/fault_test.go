package slackapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"
)

func TestFaultsAreRecognised(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		err       error
		says      string // part of the advice
		text      string // of the error
		retryable bool
		permanent bool
	}{
		{"not in channel", slack.SlackErrorResponse{Err: "not_in_channel"}, "/invite", "slack: not_in_channel", false, false},
		{"wrapped", fmt.Errorf("post: %w", slack.SlackErrorResponse{Err: "channel_not_found"}), "/invite", "slack: channel_not_found", false, false},
		{"scope", slack.SlackErrorResponse{Err: "missing_scope", Needed: "users:read"}, "users:read to the Slack app and reinstall", "slack: missing_scope", false, true},
		{"scope not named", slack.SlackErrorResponse{Err: "missing_scope"}, "manifest.yml", "slack: missing_scope", false, true},
		{"blocks", slack.SlackErrorResponse{Err: "invalid_blocks"}, "report it", "slack: invalid_blocks", false, false},
		{"too long", slack.SlackErrorResponse{Err: "msg_blocks_too_long"}, "too long", "slack: msg_blocks_too_long", false, false},
		{"expired", slack.SlackErrorResponse{Err: "token_expired"}, "rotation", "slack: token_expired", false, true},
		{"unheard of", slack.SlackErrorResponse{Err: "of_tomorrow"}, "documentation", "slack: of_tomorrow", false, false},
		{"rate limit", &slack.RateLimitedError{RetryAfter: time.Second}, "rate limit", "slack: ratelimited", true, false},
		{"429 without a wait", slack.StatusCodeError{Code: 429}, "rate limit", "slack: Too Many Requests", true, false},
		{"503", slack.StatusCodeError{Code: 503}, "status page", "slack: Service Unavailable", true, false},
		{"404", slack.StatusCodeError{Code: 404}, "SLACK_API_URL", "slack: Not Found", false, true},
		{"403", slack.StatusCodeError{Code: 403}, "between", "slack: Forbidden", false, false},
		{"time-out", &url.Error{Op: "Post", URL: "https://hooks.slack.com/secret", Err: context.DeadlineExceeded}, "network", "slack: context deadline exceeded", false, false},
		{"refused", &url.Error{Op: "Post", URL: "https://hooks.slack.com/secret", Err: &net.OpError{Op: "dial", Err: errors.New("refused")}}, "network", "slack: dial: refused", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			fault := FaultOf(c.err)
			if !strings.Contains(fault.Advice(), c.says) {
				t.Errorf("advice %q, want %q in it", fault.Advice(), c.says)
			}
			if fault.Error() != c.text || fault.Retryable() != c.retryable || fault.Permanent() != c.permanent {
				t.Errorf("got %q, retryable %v, permanent %v", fault, fault.Retryable(), fault.Permanent())
			}
			if fault.Unwrap() == nil || FaultOf(fmt.Errorf("again: %w", fault)) != fault {
				t.Error("the fault got lost on its way")
			}
		})
	}
}

func TestEveryAdviceIsASentence(t *testing.T) {
	t.Parallel()
	for code := range errorCodes {
		words := (&Fault{Code: code}).Advice()
		if len(words) < 20 || !strings.HasSuffix(words, ".") {
			t.Errorf("%s: %q", code, words)
		}
	}
}
